package keci

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/model"
)

// targets are the labels of a batch as graph nodes.
type targets struct {
	spanTypes      *Node // int32 [B, N] entity type of each span
	names          *Node // int32 [B, N] the same number for spans of the same name
	heads, tails   *Node // int32 [B, G] spans of each gold relation, −1 for padding
	labels         *Node // int32 [B, G] relation label
	texts          *Node // float32 [B] what each text counts in the loss of its batch, 0 for a padded row
	relationWeight *Node // float32 scalar: 0 while only span types are trained
}

func newTargets(nodes []*Node) targets {
	return targets{
		spanTypes: nodes[0], names: nodes[1], heads: nodes[2], tails: nodes[3],
		labels: nodes[4], texts: nodes[5], relationWeight: nodes[6],
	}
}

// loss is L = (L1_type + L1_rel) + 2 (L2_type + L2_rel) of KECI §2.6: cross
// entropies, each the mean over the spans or pairs of a text, weighted by text.
//
// L2_type sums over the kept spans and is divided by the number of all, as L1_type
// is. Divided by the kept ones alone, of which many are mentions, it is some twenty
// times as large and drowns the relations: after two epochs of BioRelEx their
// held-out F1 was 23 instead of 46 (doc/results.md).
func (n network) loss(root *model.Scope, in inputs, want targets) *Node {
	out := n.build(root, in)
	keptTypes := n.gatherLabels(want.spanTypes, out.keptIndex)
	pairs, pairMask := n.pairTargets(out, want)

	initial := meanOverText(n.crossEntropy(out.spanTypes, want.spanTypes), in.spanMask, in.spanMask, want.texts)
	initial = Add(initial, Mul(want.relationWeight,
		meanOverText(n.crossEntropy(out.relations, pairs), pairMask, pairMask, want.texts)))
	if !n.cfg.has().fusion {
		return initial
	}
	final := meanOverText(n.crossEntropy(out.finalTypes, keptTypes), out.keptMask, in.spanMask, want.texts)
	final = Add(final, Mul(want.relationWeight,
		meanOverText(n.crossEntropy(out.finalRelations, pairs), pairMask, pairMask, want.texts)))
	return Add(initial, MulScalar(final, 2))
}

// gatherLabels selects the labels of the kept spans: [B, N] → [B, M].
func (n network) gatherLabels(labels, index *Node) *Node {
	return Squeeze(n.gatherKept(InsertAxes(labels, -1), index), -1)
}

// pairTargets gives the relation label of each pair of kept spans [B, M, M], and
// a mask that is 1 for a pair of two kept spans with different names: decoding
// relates no others (see sameName).
func (n network) pairTargets(out outputs, want targets) (labels, mask *Node) {
	dims := out.keptIndex.Shape().Dimensions
	b, m := dims[0], dims[1]
	isHead := oneWhereEqual(out.keptIndex, want.heads) // [B, M, G]
	isTail := oneWhereEqual(out.keptIndex, want.tails)
	label := InsertAxes(ConvertDType(want.labels, dtypes.Float32), 1)
	sum := Einsum("big,bjg->bij", Mul(isHead, label), isTail)
	labels = ConvertDType(AddScalar(sum, 0.5), dtypes.Int32)

	names := n.gatherLabels(want.names, out.keptIndex)
	different := OneMinus(oneWhereEqual(names, names))
	kept := Mul(Reshape(out.keptMask, b, m, 1), Reshape(out.keptMask, b, 1, m))
	return labels, Mul(different, kept)
}

// oneWhereEqual compares every element of a [B, M] with every one of c [B, G]:
// float32 [B, M, G].
func oneWhereEqual(a, c *Node) *Node {
	b, m, g := a.Shape().Dim(0), a.Shape().Dim(1), c.Shape().Dim(1)
	left := BroadcastToDims(Reshape(a, b, m, 1), b, m, g)
	right := BroadcastToDims(Reshape(c, b, 1, g), b, m, g)
	return ConvertDType(Equal(left, right), dtypes.Float32)
}

// crossEntropy of logits [..., classes] and labels [...] is −Σ q log p: [...]. All
// of q is at the label, but for the share that LabelSmoothing spreads evenly over
// the classes (Szegedy et al. 2016, §7).
func (n network) crossEntropy(logits, labels *Node) *Node {
	classes := logits.Shape().Dim(-1)
	wanted := OneHot(labels, classes, dtypes.Float32)
	if even := n.cfg.LabelSmoothing; even > 0 {
		wanted = AddScalar(MulScalar(wanted, 1-even), even/float64(classes))
	}
	return Neg(ReduceSum(Mul(LogSoftmax(logits, -1), wanted), -1))
}

// meanOverText sums the values [B, ...] that the mask has, divides by how many
// the other mask, of, has in the same text, weights by text [B], and sums.
func meanOverText(values, mask, of, texts *Node) *Node {
	b := values.Shape().Dim(0)
	values, mask, of = Reshape(values, b, -1), Reshape(mask, b, -1), Reshape(of, b, -1)
	mean := Div(ReduceSum(Mul(values, mask), -1), MaxScalar(ReduceSum(of, -1), 1))
	return ReduceAllSum(Mul(mean, texts))
}
