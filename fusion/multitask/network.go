package multitask

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/tagging"
)

// network builds the graph. Dimensions: B texts, T pieces, H width of the encoder,
// E entities, P pairs, L relation labels.
type network struct {
	cfg      Config
	encoder  encoder.Config
	training bool
}

// textInputs are the texts of a batch.
type textInputs struct {
	ids, rowMask *Node // [R, S] word pieces in rows, see encoder.Rows
	tokens       *Node // int32 [B, T] where each piece stands in the flat [R·S]
	hints        *Node // int32 [B, T, hintKinds]
}

// pairInputs are the pairs of a batch.
type pairInputs struct {
	pieces       *Node // [B, T] 1 for a piece, 0 for padding
	members      *Node // [B, E, T] 1/n for the n pieces of an entity's mentions
	near         *Node // [B, E, T] 1 for the pieces of sentences that mention it
	heads, tails *Node // int32 [B, P] flat index b·E+e
	surface      *Node // [B, P, surfaceSize]
}

func newTextInputs(nodes []*Node) (in textInputs, rest []*Node) {
	return textInputs{nodes[0], nodes[1], nodes[2], nodes[3]}, nodes[4:]
}

func newPairInputs(nodes []*Node) (in pairInputs, rest []*Node) {
	return pairInputs{nodes[0], nodes[1], nodes[2], nodes[3], nodes[4], nodes[5]}, nodes[6:]
}

// encode reads the texts: [B, T, H].
func (n network) encode(root *model.Scope, in textInputs) *Node {
	rows := encoder.BERT(root.At("encoder"), n.encoder, in.ids, in.rowMask, n.rate(n.cfg.EncoderDropout))
	dims := rows.Shape().Dimensions
	return encoder.GatherRows(Reshape(rows, dims[0]*dims[1], dims[2]), in.tokens)
}

// tags gives the logits of the tags of each piece: [B, T, 1+2·types], see package tagging.
func (n network) tags(scope *model.Scope, x *Node, hints *Node) *Node {
	hidden := encoder.Dense(scope.At("text"), x, n.cfg.Hidden)
	if n.cfg.Dictionary {
		hidden = Add(hidden, encoder.Linear(scope.At("hint"), n.hints(scope.At("hint"), hints), n.cfg.Hidden))
	}
	hidden = n.dropout(scope, activation.Relu(hidden))
	return encoder.Dense(scope.At("output"), hidden, tagging.Count(len(n.cfg.EntityTypes)))
}

// hints are the vectors of the hints of each piece and its neighbours: [B, T, 3·kinds·D].
// A text has no hint beside it, as padding has none, so that it reads the same however
// much room there is.
func (n network) hints(scope *model.Scope, hints *Node) *Node {
	g, dims := hints.Graph(), hints.Shape().Dimensions
	rows, width := n.cfg.hintRows(), n.cfg.Hint
	table := scope.WithInitializer(initializer.RandomNormalFn(scope, 0.1)).
		VariableWithShape("table", shapes.Make(dtypes.Float32, hintKinds*rows, width)).NodeValue(hints)
	kind := MulScalar(Iota(g, hints.Shape(), 2), rows)
	here := Reshape(encoder.GatherRows(table, Add(hints, kind)), dims[0], dims[1], hintKinds*width)
	none := MulScalar(Iota(g, shapes.Make(dtypes.Int32, dims[0], 1, hintKinds), 2), rows)
	edge := Reshape(encoder.GatherRows(table, AddScalar(none, noHint)), dims[0], 1, hintKinds*width)
	before := Concatenate([]*Node{edge, Slice(here, AxisRange(), AxisRange(0, dims[1]-1))}, 1)
	after := Concatenate([]*Node{Slice(here, AxisRange(), AxisRange(1)), edge}, 1)
	return Concatenate([]*Node{before, here, after}, -1)
}

// relations gives the logits of the labels of each pair, which do not exclude each
// other: [B, P, L]. With e the mean of the vectors of an entity's mentions, a pair
// asks the text with q = W_q[e_head ; e_tail] and reads it by attention, whose
// scores q·W_k x + w·m hear how a piece is marked for the pair (see marks). Head,
// tail, their product, what was read and the surface features are classified.
func (n network) relations(scope *model.Scope, x *Node, in pairInputs) *Node {
	b, t, width := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2)
	e, p := in.members.Shape().Dim(1), in.heads.Shape().Dim(1)
	entities := Reshape(MatMul(in.members, x), b*e, width)
	head, tail := encoder.GatherRows(entities, in.heads), encoder.GatherRows(entities, in.tails)
	both := Concatenate([]*Node{head, tail}, -1)

	heads, size := n.cfg.Heads, n.cfg.HeadSize
	query := Reshape(encoder.Dense(scope.At("query"), both, heads*size), b, p, heads, size)
	key := Reshape(encoder.Linear(scope.At("key"), x, heads*size), b, t, heads, size)
	value := Reshape(encoder.Linear(scope.At("value"), x, heads*size), b, t, heads, size)
	score := MulScalar(Einsum("bpad,btad->bapt", query, key), 1/math.Sqrt(float64(size)))
	marked := TransposeAllAxes(encoder.Linear(scope.At("mark"), n.marks(in), heads), 0, 3, 1, 2) // [B, A, P, T]
	padding := MulScalar(OneMinus(in.pieces), -1e9)
	attention := Softmax(Add(Add(score, marked), Reshape(padding, b, 1, 1, t)), -1)
	read := Reshape(Einsum("bapt,btad->bpad", attention, value), b, p, heads*size)

	features := Concatenate([]*Node{both, Mul(head, tail), read, in.surface}, -1)
	hidden := n.dropout(scope, encoder.Dense(scope.At("hidden"), features, n.cfg.Hidden, activation.TypeRelu))
	return encoder.Dense(scope.At("output"), hidden, len(n.cfg.RelationLabels))
}

// marks tell of each piece, for each pair, whether it is of the head, of the tail,
// in a sentence that mentions the head, one that mentions the tail, or one that
// mentions both: [B, P, T, 5].
func (n network) marks(in pairInputs) *Node {
	dims := in.members.Shape().Dimensions
	rows := func(maps, which *Node) *Node {
		return encoder.GatherRows(Reshape(maps, dims[0]*dims[1], dims[2]), which)
	}
	of := ConvertDType(GreaterThan(in.members, ScalarZero(in.members.Graph(), dtypes.Float32)), dtypes.Float32)
	nearHead, nearTail := rows(in.near, in.heads), rows(in.near, in.tails)
	return Stack([]*Node{rows(of, in.heads), rows(of, in.tails), nearHead, nearTail, Mul(nearHead, nearTail)}, -1)
}

// rate is a dropout rate while training and 0 otherwise.
func (n network) rate(training float64) float64 {
	if n.training {
		return training
	}
	return 0
}

func (n network) dropout(scope *model.Scope, x *Node) *Node {
	return layers.DropoutStatic(scope, x, n.rate(n.cfg.Dropout))
}

// targets are the labels of a batch.
type targets struct {
	tags   *Node // int32 [B, T]
	words  *Node // [B, T] what a tag counts: at the pieces that begin words 1 over their number in the whole batch, else 0
	labels *Node // [B, P, L] 1 for a relation
	pairs  *Node // [B, P] what a pair counts: 1 over their number in the whole batch, 0 for padding
}

// loss is the sum of the losses of both heads, the mean cross-entropy of the tags
// of words and the mean binary cross-entropy of the labels of pairs of the batch,
// as far as they are of this shard: the losses of all are added.
func (n network) loss(root *model.Scope, nodes []*Node) *Node {
	text, nodes := newTextInputs(nodes)
	x := n.encode(root, text)
	logits := n.tags(root.At("tags"), x, text.hints)
	want := targets{tags: nodes[0], words: nodes[1]}
	loss := tagging.Loss(logits, want.tags, want.words)
	if !n.cfg.relates() {
		return loss
	}
	pairs, nodes := newPairInputs(nodes[2:])
	want.labels, want.pairs = nodes[0], nodes[1]
	related := n.relations(root.At("relation"), x, pairs)
	return Add(loss, ReduceAllSum(Mul(ReduceSum(binaryCrossEntropy(related, want.labels), -1), want.pairs)))
}

// binaryCrossEntropy of logits z and labels y is max(z, 0) − z·y + log(1 + e^−|z|).
func binaryCrossEntropy(z, y *Node) *Node {
	return Add(Sub(MaxScalar(z, 0), Mul(z, y)), Log1P(Exp(Neg(Abs(z)))))
}
