package pretrain

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
)

// encoderScope and headScope are where the variables lie under the root.
const (
	encoderScope = "encoder"
	headScope    = "head"
	biasPath     = "/" + headScope + "/pieces/biases"
	wordPath     = "/" + encoderScope + "/embeddings/word"
)

// inputs are those of a shard; see there.
type inputs struct{ ids, at, targets, weights *Node }

// shardInputs is how many tensors a shard has.
const shardInputs = 4

func newInputs(in []*Node) inputs { return inputs{in[0], in[1], in[2], in[3]} }

// head is what tells the hidden pieces of a shard: BERT's, where a piece is scored
// by its row of the word-piece table. Only the hidden pieces are scored: the scores
// of all would cost more than the encoder.
type head struct {
	vectors *Node // [n, hidden] after the transform
	words   *Node // [vocabulary, hidden], frozen
	biases  *Node // [vocabulary]
}

func newHead(root *model.Scope, cfg encoder.Config, in inputs) head {
	g := in.ids.Graph()
	rows := encoder.BERT(root.At(encoderScope), cfg, in.ids, OnesLike(in.ids), 0)
	dims := rows.Shape().Dimensions
	hidden := Gather(Reshape(rows, dims[0]*dims[1], dims[2]), ExpandAxes(in.at, -1))
	return head{
		vectors: encoder.MaskedHead(root.At(headScope), cfg, hidden),
		words:   encoder.WordEmbeddings(root.At(encoderScope), cfg, g),
		biases:  root.Store().GetVariable(biasPath).NodeValue(g),
	}
}

// logits are the scores of all pieces, [n, vocabulary].
func (h head) logits() *Node {
	return Add(DotGeneral(h.vectors, []int{1}, nil, h.words, []int{1}, nil), ExpandAxes(h.biases, 0))
}

// surprise is −log p of the hidden pieces, [n]. Their logits are computed once
// more by themselves, which is cheaper than picking them out.
func (h head) surprise(logits, hidden *Node) *Node {
	hidden = ExpandAxes(hidden, -1)
	right := Add(ReduceSum(Mul(h.vectors, Gather(h.words, hidden)), -1), Gather(h.biases, hidden))
	highest := StopGradient(ReduceAndKeep(logits, ReduceMax, -1))
	total := Log(ReduceSum(Exp(Sub(logits, highest)), -1))
	return Sub(Add(total, Squeeze(highest, -1)), right)
}

// loss is the weighted sum of the surprises of a shard.
func loss(root *model.Scope, cfg encoder.Config, in inputs) *Node {
	h := newHead(root, cfg, in)
	return ReduceAllSum(Mul(in.weights, h.surprise(h.logits(), in.targets)))
}

// measure gives the weighted sum of the surprises, and that of the pieces that
// are told right.
func measure(root *model.Scope, cfg encoder.Config, in inputs) (lost, right *Node) {
	h := newHead(root, cfg, in)
	logits := h.logits()
	hits := ConvertDType(Equal(ArgMax(logits, -1, dtypes.Int32), in.targets), dtypes.Float32)
	return ReduceAllSum(Mul(in.weights, h.surprise(logits, in.targets))), ReduceAllSum(Mul(in.weights, hits))
}
