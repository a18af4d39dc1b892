package keci

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
)

// between is what the text says between two kept spans i and j, over the word pieces t
// that lie between them, and 0 where there are none or the spans overlap:
//
//	b_ij = Σ_t a_t (W x_t + b) / Σ_t a_t,  a_t = exp(3 tanh(w·x_t + c))
//
// tokens is [B, T, H], index int32 [B, M]; the result is [B, M, M, out], symmetric in the
// pair. W and b are 0 at first.
//
// KECI scores a pair by its two spans alone. SpERT (Eberts and Ulges, ECAI 2020) reads what
// stands between as well, of its vectors the greatest of each element. Sums are differences
// of sums from the beginning of the text here, so that pairs need no product of their own.
func (n network) between(scope *model.Scope, tokens *Node, in inputs, index *Node, out int) *Node {
	weight := Exp(MulScalar(Tanh(encoder.Dense(scope.At("attention"), tokens, 1)), gapSharpness)) // [B, T, 1]
	value := Mul(weight, zeroDense(scope.At("value"), tokens, out))
	first := Squeeze(n.gatherKept(InsertAxes(in.spans.First, -1), index), -1)
	last := Squeeze(n.gatherKept(InsertAxes(in.spans.Last, -1), index), -1)
	return Div(sumBetween(value, first, last), MaxScalar(sumBetween(weight, first, last), leastGap))
}

// sumBetween sums the vectors of what lies between each two of the spans from first to
// last, int32 [B, M], rows of x flattened to [B·T, k]: x [B, T, k] → [B, M, M, k], 0 where
// two overlap. Both orders are subtracted, so that no [B, M, M, k] is transposed.
func sumBetween(x, first, last *Node) *Node {
	b, t, k, m := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2), first.Shape().Dim(1)
	square := shapes.Make(dtypes.Int32, t, t)
	earlier := ConvertDType(LessThan(Iota(x.Graph(), square, 1), Iota(x.Graph(), square, 0)), dtypes.Float32)
	before := Einsum("tu,buk->btk", earlier, x) // of all pieces before each
	of := func(sums, rows *Node) *Node { return encoder.GatherRows(Reshape(sums, b*t, k), rows) }
	begin, end := of(before, first), of(Add(before, x), last) // [B, M, k]

	row := func(spans *Node) *Node { return Reshape(spans, b, m, 1, -1) }
	column := func(spans *Node) *Node { return Reshape(spans, b, 1, m, -1) }
	left := ConvertDType(LessThan(BroadcastToDims(row(last), b, m, m, 1), BroadcastToDims(column(first), b, m, m, 1)), dtypes.Float32)
	right := TransposeAllAxes(left, 0, 2, 1, 3)
	return Add(Mul(left, Sub(column(begin), row(end))), Mul(right, Sub(row(begin), column(end))))
}

const (
	gapSharpness = 3    // a piece weighs e^−3 to e^3, so that differences of sums stay exact
	leastGap     = 0.01 // less than one piece weighs
)
