package hnm

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/tagging"
)

// network builds the graph. Dimensions: B pairs, each a row of S pieces, D width of
// the vector of a relation, C classes, H width of the encoder.
type network struct {
	cfg      Config
	encoder  encoder.Config
	training bool

	contrastive float64 // weight of the contrastive loss, over the shards of a batch
	temperature float64
}

// inputs are the pairs of a batch.
type inputs struct {
	ids, mask    *Node // [B, S] word pieces
	heads, tails *Node // [B, S] at each mark before a mention of the head, of the tail: 1 over their number
	types        *Node // int32 [B] index into Config.Pairs
}

// inputCount is how many tensors inputs are.
const inputCount = 5

func newInputs(nodes []*Node) inputs {
	return inputs{nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]}
}

// relate gives the vectors of the relations, [B, D], and the logits of their classes,
// [B, C]. With x_c, x_h and x_t what the encoder has at [CLS] and, on average, at the
// marks of head and tail, and τ the types of the pair, one-hot, the vector is
// z = tanh(W[x_c ; x_h ; x_t ; τ]), and the logits are linear in z.
func (n network) relate(root *model.Scope, in inputs) (vectors, logits *Node) {
	x := encoder.BERT(root.At("encoder"), n.encoder, in.ids, in.mask, n.rate())
	first := Squeeze(Slice(x, AxisRange(), AxisElem(0), AxisRange()), 1)
	at := func(places *Node) *Node { return Einsum("bs,bsh->bh", places, x) }
	types := OneHot(in.types, len(n.cfg.Pairs), dtypes.Float32)
	features := Concatenate([]*Node{first, at(in.heads), at(in.tails), types}, -1)
	scope := root.At("relation")
	features = layers.DropoutStatic(scope, features, n.rate())
	vectors = encoder.Dense(scope.At("vector"), features, n.cfg.Width, activation.TypeTanh)
	logits = encoder.Dense(scope.At("output"), layers.DropoutStatic(scope, vectors, n.rate()), n.cfg.classes())
	return vectors, logits
}

// rate is the dropout rate: that of the configuration while training, else 0.
func (n network) rate() float64 {
	if n.training {
		return n.cfg.Dropout
	}
	return 0
}

// loss is what a shard adds to the loss of its batch: the cross-entropy of the
// classes, int32 [B], with weights, [B], and the contrastive loss.
func (n network) loss(root *model.Scope, nodes []*Node) *Node {
	vectors, logits := n.relate(root, newInputs(nodes))
	classes, weights := nodes[inputCount], nodes[inputCount+1]
	loss := tagging.Loss(logits, classes, weights)
	if n.contrastive == 0 {
		return loss
	}
	return Add(loss, MulScalar(contrast(vectors, classes, weights, n.cfg.classes(), n.temperature), n.contrastive))
}

// contrast is the supervised contrastive loss (Khosla et al. 2020, eq. 2) of vectors
// [B, D], which are brought to length 1, with their classes, int32 [B]. A place with
// the weight 0 is padding. The anchors are the relations: with P(i) the others of the
// label of i, the loss is the mean over all i with such others of
//
//	−1/|P(i)| Σ_{p∈P(i)} log( exp(zᵢ·z_p/τ) / Σ_{a≠i} exp(zᵢ·z_a/τ) ).
//
// Pairs that are not related have nothing in common: they only are among the a.
func contrast(vectors, classes, weights *Node, count int, temperature float64) *Node {
	g, b := vectors.Graph(), vectors.Shape().Dim(0)
	present := ConvertDType(GreaterThan(weights, ScalarZero(g, dtypes.Float32)), dtypes.Float32)
	others := Mul(OneMinus(ConvertDType(Diagonal(g, b), dtypes.Float32)), Reshape(present, 1, b)) // [B, B]
	z := L2NormalizeWithEpsilon(vectors, 1e-12, -1)
	alike := DivScalar(Einsum("id,jd->ij", z, z), temperature)
	logs := LogSoftmax(Add(alike, MulScalar(OneMinus(others), -1e9)), -1)

	labels := Slice(OneHot(classes, count, dtypes.Float32), AxisRange(), AxisRange(none+1)) // all 0 for none
	labels = Mul(labels, Reshape(present, b, 1))
	positive := Mul(Einsum("il,jl->ij", labels, labels), others)
	found := ReduceSum(positive, -1)
	each := Div(ReduceSum(Mul(positive, logs), -1), MaxScalar(found, 1))
	anchors := ReduceAllSum(ConvertDType(GreaterThan(found, Zeros(g, shapes.Make(dtypes.Float32, b))), dtypes.Float32))
	return Neg(Div(ReduceAllSum(each), MaxScalar(anchors, 1)))
}
