package keci

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/model"
)

// targets are the labels of a batch as graph nodes.
type targets struct {
	spanTypes      *Node // int32 [B, N] entity type of each span, among those of its text's head
	names          *Node // int32 [B, N] the same number for spans of the same name
	heads, tails   *Node // int32 [B, G] spans of each gold relation, −1 for padding
	labels         *Node // int32 [B, G] relation label
	spans          *Node // float32 [B] how many spans a text has, with those that are not looked at
	texts          *Node // float32 [B] what each text counts in the loss of its batch, 0 for a padded row
	relationWeight *Node // float32 scalar: 0 while only span types are trained
	head           *Node // int32 [B] the head of each text; nil where there is one
}

func newTargets(nodes []*Node) targets {
	t := targets{
		spanTypes: nodes[0], names: nodes[1], heads: nodes[2], tails: nodes[3],
		labels: nodes[4], spans: nodes[5], texts: nodes[6], relationWeight: nodes[7],
	}
	if len(nodes) > 8 {
		t.head = nodes[8]
	}
	return t
}

// loss is L = (L1_type + L1_rel) + 2 (L2_type + L2_rel) of KECI §2.6: cross
// entropies, each the mean over the spans or pairs of a text, weighted by text.
//
// L2_type sums over the kept spans and is divided by the number of all, as L1_type
// is. Divided by the kept ones alone, of which many are mentions, it is some twenty
// times as large and drowns the relations: after two epochs of BioRelEx their
// held-out F1 was 23 instead of 46. The spans that are not looked at
// count as ones that are surely no mention, so that leaving them out shifts no weight.
func (n network) loss(root *model.Scope, in inputs, want targets) *Node {
	out := n.build(root, in)
	keptTypes := n.gatherLabels(want.spanTypes, out.keptIndex)
	pairs, pairMask := n.pairTargets(out, want)
	ofTypes := func(logits, labels *Node) *Node { return n.typeLoss(logits, labels, want.head) }
	ofRelations := func(logits *Node) *Node { return n.crossEntropy(logits, pairs, want.head, n.cfg.labelCounts()) }

	initial := meanOverText(ofTypes(out.spanTypes, want.spanTypes), in.spanMask, want.spans, want.texts)
	pairCount := ReduceSum(pairMask, 1, 2)
	initial = Add(initial, Mul(want.relationWeight, meanOverText(ofRelations(out.relations), pairMask, pairCount, want.texts)))
	if !n.cfg.has().fusion {
		return initial
	}
	final := meanOverText(ofTypes(out.finalTypes, keptTypes), out.keptMask, want.spans, want.texts)
	final = Add(final, Mul(want.relationWeight, meanOverText(ofRelations(out.finalRelations), pairMask, pairCount, want.texts)))
	return Add(initial, MulScalar(final, 2))
}

// typeLoss is the cross entropy of the types of spans, and what other heads lose by
// contradicting them: shapes as crossEntropy has them.
func (n network) typeLoss(logits, labels, head *Node) *Node {
	loss := n.crossEntropy(logits, labels, head, n.cfg.typeCounts())
	if len(n.cfg.Kinds) > 0 {
		loss = Add(loss, n.contradictions(logits, labels, head))
	}
	return loss
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

// crossEntropy of logits [B, ..., Σ counts] and labels [B, ...] is −Σ q log p: [B, ...].
// All of q is at the label, but for the share that LabelSmoothing spreads evenly over
// the classes (Szegedy et al. 2016, §7). The classes of a text, which its labels number
// from 0, are those of its head alone.
func (n network) crossEntropy(logits, labels, head *Node, counts []int) *Node {
	var total *Node
	for i, part := range byHead(logits, counts) {
		wanted := OneHot(labels, counts[i], dtypes.Float32)
		if even := n.cfg.LabelSmoothing; even > 0 {
			wanted = AddScalar(MulScalar(wanted, 1-even), even/float64(counts[i]))
		}
		loss := Neg(ReduceSum(Mul(LogSoftmax(part, -1), wanted), -1))
		if head == nil {
			return loss
		}
		own := ConvertDType(Equal(head, Scalar(head.Graph(), dtypes.Int32, i)), dtypes.Float32)
		loss = Mul(loss, overTexts(own, loss))
		if total == nil {
			total = loss
		} else {
			total = Add(total, loss)
		}
	}
	return total
}

// overTexts gives values of texts [B] as many axes as like [B, ...] has.
func overTexts(values, like *Node) *Node {
	dims := slices.Repeat([]int{1}, like.Rank())
	dims[0] = values.Shape().Dim(0)
	return Reshape(values, dims...)
}

// meanOverText sums the values [B, ...] that the mask has, divides by how many
// there are of them in the text [B], weights by text [B], and sums.
func meanOverText(values, mask, count, texts *Node) *Node {
	b := values.Shape().Dim(0)
	values, mask = Reshape(values, b, -1), Reshape(mask, b, -1)
	mean := Div(ReduceSum(Mul(values, mask), -1), MaxScalar(count, 1))
	return ReduceAllSum(Mul(mean, texts))
}
