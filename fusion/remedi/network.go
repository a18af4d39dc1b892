package remedi

import (
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

// network builds the graph. Dimensions: B texts of T pieces, R rows of S pieces,
// H width of the encoder.
type network struct {
	cfg      Config
	encoder  encoder.Config
	training bool
}

// inputs are the texts of a batch.
type inputs struct {
	ids, rowMask *Node // [R, S] word pieces in rows, see encoder.Rows
	pieces       *Node // int32 [B, T] where each piece stands in the flat [R·S]
	mask         *Node // [B, T] 1 for a piece, 0 for padding
	kinds        *Node // int32 [B, T] 0, or 1 + the type that a piece masks
	speech       *Node // int32 [B, T] 0, or 1 + the part of speech of a piece's word
}

// inputCount is how many tensors inputs are.
const inputCount = 6

func newInputs(nodes []*Node) inputs {
	return inputs{nodes[0], nodes[1], nodes[2], nodes[3], nodes[4], nodes[5]}
}

// encode reads the texts: [B, T, H].
func (n network) encode(root *model.Scope, in inputs) *Node {
	rows := encoder.BERT(root.At("encoder"), n.encoder, in.ids, in.rowMask, n.rate())
	dims := rows.Shape().Dimensions
	x := encoder.GatherRows(Reshape(rows, dims[0]*dims[1], dims[2]), in.pieces)
	return layers.DropoutStatic(root, x, n.rate())
}

// tags gives the logits of the tags of each piece: [B, T, 1+2·types].
func (n network) tags(root *model.Scope, in inputs) *Node {
	return encoder.Dense(root.At("tags"), n.encode(root, in), tagging.Count(len(n.cfg.EntityTypes)))
}

// groups gives the logits of the group of each piece of a masked text, 0 where it
// masks nothing: [B, T, 1+Groups]. The BiLSTM hears which type a piece masks and,
// if the model has parts of speech, which its word is.
func (n network) groups(root *model.Scope, in inputs) *Node {
	kinds := OneHot(in.kinds, 1+len(n.cfg.EntityTypes), dtypes.Float32)
	heard := []*Node{n.encode(root, in), kinds}
	scope := root.At("groups")
	if len(n.cfg.PartsOfSpeech) > 0 {
		heard = append(heard, n.partsOfSpeech(scope.At("speech"), in.speech))
	}
	x := biLSTM(scope.At("lstm"), Concatenate(heard, -1), in.mask, n.cfg.LSTM)
	x = layers.DropoutStatic(scope, encoder.Dense(scope.At("hidden"), x, n.cfg.Hidden, activation.TypeGelu), n.rate())
	return encoder.Dense(scope.At("output"), x, 1+n.cfg.Groups)
}

// partsOfSpeech embeds the part of speech of each piece: [B, T, H]. The original's
// embeddings are as wide as what its encoder gives, and begin with the same variance.
func (n network) partsOfSpeech(scope *model.Scope, speech *Node) *Node {
	table := scope.WithInitializer(initializer.RandomNormalFn(scope, 1)).
		VariableWithShape("embeddings", shapes.Make(dtypes.Float32, 1+len(n.cfg.PartsOfSpeech), n.encoder.HiddenSize)).NodeValue(speech)
	return encoder.GatherRows(table, speech)
}

// rate is the dropout rate: that of the configuration while training, else 0.
func (n network) rate() float64 {
	if n.training {
		return n.cfg.Dropout
	}
	return 0
}

// loss is the sum of the losses of both heads. Of each come the inputs, the class
// of each piece, int32 [B, T], and what it counts for, [B, T].
func (n network) loss(root *model.Scope, nodes []*Node) *Node {
	of := func(nodes []*Node, logits func(*model.Scope, inputs) *Node) *Node {
		return tagging.Loss(logits(root, newInputs(nodes)), nodes[inputCount], nodes[inputCount+1])
	}
	const each = inputCount + 2
	return Add(of(nodes[:each], n.tags), of(nodes[each:], n.groups))
}
