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
	dims := tokens.Shape().Dimensions
	b, t := dims[0], dims[1]
	m := index.Shape().Dim(1)

	weight := Exp(MulScalar(Tanh(encoder.Dense(scope.At("attention"), tokens, 1)), gapSharpness)) // [B, T, 1]
	value := Concatenate([]*Node{Mul(weight, zeroDense(scope.At("value"), tokens, out)), weight}, -1)
	square := shapes.Make(dtypes.Int32, t, t)
	g := tokens.Graph()
	earlier := ConvertDType(LessThan(Iota(g, square, 1), Iota(g, square, 0)), dtypes.Float32)
	before := Einsum("tu,buh->bth", earlier, value) // of the pieces before each
	upTo := Add(before, value)

	first := Squeeze(n.gatherKept(InsertAxes(in.spans.First, -1), index), -1) // [B, M], flat
	last := Squeeze(n.gatherKept(InsertAxes(in.spans.Last, -1), index), -1)
	of := func(table, rows *Node) *Node { return encoder.GatherRows(Reshape(table, b*t, out+1), rows) }
	begin, end := of(before, first), of(upTo, last) // [B, M, out+1]

	precedes := ConvertDType(LessThan(
		BroadcastToDims(Reshape(last, b, m, 1), b, m, m), BroadcastToDims(Reshape(first, b, 1, m), b, m, m)), dtypes.Float32)
	left := Reshape(precedes, b, m, m, 1)
	right := TransposeAllAxes(left, 0, 2, 1, 3)
	row := func(x *Node) *Node { return Reshape(x, b, m, 1, out+1) }
	column := func(x *Node) *Node { return Reshape(x, b, 1, m, out+1) }
	sum := Add(Mul(left, Sub(column(begin), row(end))), Mul(right, Sub(row(begin), column(end))))
	total := MaxScalar(Slice(sum, AxisRange(), AxisRange(), AxisRange(), AxisRangeToEnd(out)), leastGap)
	return Div(Slice(sum, AxisRange(), AxisRange(), AxisRange(), AxisRange(0, out)), total)
}

const (
	gapSharpness = 3    // a piece weighs e^−3 to e^3, so that differences of sums stay exact
	leastGap     = 0.01 // less than one piece weighs
)
