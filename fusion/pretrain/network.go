package pretrain

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

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

// scores are what the pieces to be told are taken for: logits [n, vocabulary], and
// the vectors [n, hidden] that they come from. Only these pieces are scored: the
// scores of all would cost more than the encoder.
func scores(root *model.Scope, cfg encoder.Config, in inputs) (vectors, logits *Node) {
	rows := encoder.BERT(root.At(encoderScope), cfg, in.ids, OnesLike(in.ids), 0)
	dims := rows.Shape().Dimensions
	told := Gather(Reshape(rows, dims[0]*dims[1], dims[2]), ExpandAxes(in.at, -1))
	vectors = encoder.MaskedHead(root.At(headScope), cfg, told)
	logits = DotGeneral(vectors, []int{1}, nil, words(root, cfg, in), []int{1}, nil)
	return vectors, Add(logits, ExpandAxes(biases(root, cfg, in), 0))
}

func words(root *model.Scope, cfg encoder.Config, in inputs) *Node {
	return encoder.WordEmbeddings(root.At(encoderScope), cfg, in.ids.Graph())
}

// biases are what the logit of each piece has for itself, [vocabulary].
func biases(root *model.Scope, cfg encoder.Config, in inputs) *Node {
	return root.Store().VariableWithShape(biasPath, shapes.Make(dtypes.Float32, cfg.VocabSize), initializer.Zero).NodeValue(in.ids)
}

// surprise is −log p of each piece to be told, [n]. The logit of the right piece
// is computed once more by itself, which is cheaper than picking it out.
func surprise(root *model.Scope, cfg encoder.Config, in inputs, vectors, logits *Node) *Node {
	targets := ExpandAxes(in.targets, -1)
	right := ReduceSum(Mul(vectors, Gather(words(root, cfg, in), targets)), -1)
	right = Add(right, Gather(biases(root, cfg, in), targets))
	highest := StopGradient(ReduceAndKeep(logits, ReduceMax, -1))
	total := Log(ReduceSum(Exp(Sub(logits, highest)), -1))
	return Sub(Add(total, Squeeze(highest, -1)), right)
}

// loss is the weighted sum of the surprises of a shard.
func loss(root *model.Scope, cfg encoder.Config, in inputs) *Node {
	vectors, logits := scores(root, cfg, in)
	return ReduceAllSum(Mul(in.weights, surprise(root, cfg, in, vectors, logits)))
}

// measure gives the weighted sum of the surprises, and that of the pieces that
// are told right.
func measure(root *model.Scope, cfg encoder.Config, in inputs) (lost, right *Node) {
	vectors, logits := scores(root, cfg, in)
	hits := ConvertDType(Equal(ArgMax(logits, -1, dtypes.Int32), in.targets), dtypes.Float32)
	return ReduceAllSum(Mul(in.weights, surprise(root, cfg, in, vectors, logits))), ReduceAllSum(Mul(in.weights, hits))
}
