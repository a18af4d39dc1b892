package kge

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"github.com/keci-kg/keci/encoder"
)

// How much of a text is read, in word pieces.
const (
	NamePieces       = 8
	DefinitionPieces = 40
)

// hiddenSize is that of the hidden layer between a description and its vector.
const hiddenSize = 256

// pieceScale brings word-piece vectors, whose elements are small (a standard
// deviation of about 0.05 in BERT models), to the scale of the other inputs.
const pieceScale = 10

// Description is what is known of nodes, as tensors of any rank that differ only
// in the last axis. H is the width of the encoder, T the number of semantic types.
type Description struct {
	Name       *Node // [..., H] mean of the frozen word-piece vectors of the name's first NamePieces
	Definition *Node // [..., H] the same of the definition's first DefinitionPieces, 0 where there is none; nil for no definitions at all
	Types      *Node // [..., T+1] the share of each semantic type; the last column is 1 for a semantic type itself
}

// Vectors are the embeddings of nodes, of so many numbers, from what is known of
// them:
//
//	e = W₂ ReLU(W_n name + W_d definition + W_t types + b₁) + b₂
//
// The variables lie in scope.
func Vectors(scope *model.Scope, d Description, size int) *Node {
	hidden := encoder.Dense(scope.At("name"), MulScalar(d.Name, pieceScale), hiddenSize)
	hidden = Add(hidden, encoder.Linear(scope.At("types"), d.Types, hiddenSize))
	if d.Definition != nil {
		hidden = Add(hidden, encoder.Linear(scope.At("definition"), MulScalar(d.Definition, pieceScale), hiddenSize))
	}
	return encoder.Dense(scope.At("output"), activation.Relu(hidden), size)
}

// tails is the product of heads and relations, both [B, D], as complex numbers:
// D/2 real parts, then as many imaginary ones. The score of a triple in ComplEx,
// Re⟨h, r, t̄⟩, is the inner product of this with the tail.
func tails(head, relation *Node) *Node {
	hr, hi := halves(head)
	rr, ri := halves(relation)
	return Concatenate([]*Node{Sub(Mul(hr, rr), Mul(hi, ri)), Add(Mul(hr, ri), Mul(hi, rr))}, -1)
}

// halves are the real and the imaginary parts of vectors [B, D].
func halves(x *Node) (re, im *Node) {
	half := x.Shape().Dim(-1) / 2
	return Slice(x, AxisRange(), AxisRange(0, half)), Slice(x, AxisRange(), AxisRangeToEnd(half))
}

// questions are B triples whose tails are asked for among K entities that were
// sampled, as indices into the vectors of a batch; int32.
type questions struct {
	head, relation, tail *Node // [B]
	sampled              *Node // [K]
}

// loss is the mean of −log of the tails' probability under the softmax over
// all entities, for which the sampled ones stand, each for e^others; the head,
// which is never its own tail and is described most like it, always takes part.
// It adds the N3 regularizer. rows [U, D] are the vectors of the entities in the batch,
// relations [R, D] those of all relations.
func (q questions) loss(rows, relations *Node, others, n3 float64) *Node {
	h, r, t := encoder.GatherRows(rows, q.head), encoder.GatherRows(relations, q.relation), encoder.GatherRows(rows, q.tail)
	wanted := tails(h, r)
	right := ReduceAndKeep(Mul(wanted, t), ReduceSum, -1)  // [B, 1]
	itself := ReduceAndKeep(Mul(wanted, h), ReduceSum, -1) // [B, 1]
	wrong := MatMul(wanted, TransposeAllAxes(encoder.GatherRows(rows, q.sampled), 1, 0))
	b, k := wrong.Shape().Dim(0), wrong.Shape().Dim(1)
	same := Equal(BroadcastToDims(InsertAxes(q.tail, -1), b, k), BroadcastToDims(InsertAxes(q.sampled, 0), b, k))
	wrong = Add(AddScalar(wrong, others), MulScalar(ConvertDType(same, dtypes.Float32), -1e9))
	probability := LogSoftmax(Concatenate([]*Node{right, itself, wrong}, -1), -1)
	loss := Neg(ReduceAllMean(Slice(probability, AxisRange(), AxisElem(0))))
	return Add(loss, MulScalar(Add(Add(cubes(h), cubes(r)), cubes(t)), n3))
}

// cubes is the mean over rows of Σ |x|³, where x are complex numbers.
func cubes(x *Node) *Node {
	re, im := halves(x)
	square := AddScalar(Add(Square(re), Square(im)), 1e-12) // at 0 a root has no gradient
	return ReduceAllMean(ReduceSum(Mul(square, Sqrt(square)), -1))
}

// matrix is a variable [rows, size] of small numbers.
func matrix(scope *model.Scope, name string, rows, size int, g *Graph) *Node {
	return scope.WithInitializer(initializer.RandomNormalFn(scope, 0.3)).
		VariableWithShape(name, shapes.Make(dtypes.Float32, rows, size)).NodeValue(g)
}
