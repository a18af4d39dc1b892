package keci

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/compiled"
)

// network builds the graph of KECI. Symbols as in the paper; dimensions: B
// texts, T pieces, N spans, M kept spans, V nodes, d span width.
type network struct {
	cfg      Config
	encoder  encoder.Config
	training bool
}

// inputs are the tensors of a batch as graph nodes; see batch for their shapes.
type inputs struct {
	ids, rowMask, tokens               *Node
	spans                              encoder.SpanInputs
	spanMask, kept                     *Node
	nodeType, namePieces, nameWeight   *Node
	candNode, candMask                 *Node
	definition, defined                *Node
	nodeTypes, bag                     *Node
	edgeAt, edgeKind, edgeNorm         *Node
	mention                            *Node
	batch, length, spanCount, keptMost int // B, T, N, M
}

// keptStep is what the number of kept spans is rounded up to: the Go engine multiplies
// the rows of small matrices by fours, and those left over without vector instructions.
const keptStep = 4

// newInputs names the nodes in the order of batch.tensors and returns those
// that follow them.
func newInputs(cfg Config, nodes []*Node) (in inputs, rest []*Node) {
	next := func() *Node {
		n := nodes[0]
		nodes = nodes[1:]
		return n
	}
	in.ids, in.rowMask, in.tokens = next(), next(), next()
	in.spans = encoder.SpanInputs{First: next(), Last: next(), Width: next(), Bias: next()}
	in.spanMask, in.kept = next(), next()
	has := cfg.has()
	if has.knowledge {
		in.nodeType, in.namePieces, in.nameWeight = next(), next(), next()
		in.candNode, in.candMask = next(), next()
	}
	if has.definitions {
		in.definition, in.defined = next(), next()
	}
	if has.kge {
		in.nodeTypes = next()
	}
	if has.kge && has.definitions {
		in.bag = next()
	}
	if has.rgcn {
		in.edgeAt, in.edgeKind, in.edgeNorm = next(), next(), next()
	}
	if has.kar {
		in.mention = next()
	}
	in.batch, in.length = in.tokens.Shape().Dimensions[0], in.tokens.Shape().Dimensions[1]
	in.spanCount = in.spanMask.Shape().Dimensions[1]
	in.keptMost = min(compiled.RoundUp(keptSpans(cfg, in.length), keptStep), in.spanCount)
	return in, nodes
}

// outputs are what the graph gives for a batch. The classes |E| and |R| are those of
// all heads, one head after the other.
type outputs struct {
	spanTypes      *Node // [B, N, |E|] logits of every span, from the text alone
	keptIndex      *Node // int32 [B, M] which spans are kept
	keptMask       *Node // [B, M] 1 for a kept span, 0 for padding
	relations      *Node // [B, M, M, |R|] logits from the text alone
	finalTypes     *Node // [B, M, |E|] logits of the final graph
	finalRelations *Node // [B, M, M, |R|]
	attention      *Node // [B, M, 1+C] β: the sentinel, then the candidates; nil without knowledge
}

// build is the whole model, from word pieces to the final span graph.
func (n network) build(root *model.Scope, in inputs) outputs {
	has := n.cfg.has()
	x := n.tokenVectors(root, in)
	var linked *Node // attention of the linker's mentions [B, K, 1+C]
	if has.kar {
		entities := n.nodeVectors(root, root.At("entities"), in)
		x, linked = n.recontextualize(root.At("kar"), x, entities, in)
	}
	s := encoder.SpanVectors(root.At("span"), n.cfg.Span, x, in.spans, n.rate(n.cfg.Span.Dropout)) // [B, N, d]

	var out outputs
	out.spanTypes = n.scorer(root.At("initial").At("type"), s, sum(n.cfg.typeCounts()))
	out.keptIndex, out.keptMask = keepSpans(nothing(StopGradient(out.spanTypes), n.cfg.typeCounts()), in)
	s = n.gatherKept(s, out.keptIndex) // [B, M, d]
	out.relations = n.pairScorer(root.At("initial").At("relation"), s, x, in, out.keptIndex)
	if !has.fusion {
		out.finalTypes = n.gatherKept(out.spanTypes, out.keptIndex)
		out.finalRelations = out.relations
		if has.kar {
			out.attention = attentionOfKept(linked, in.mention, out.keptIndex)
		}
		return out
	}
	h := s
	if has.bigcn {
		h = n.spanGraph(root.At("bigcn"), s, out.relations, out.keptMask)
	}
	nodes := n.knowledgeGraph(root, root.At("rgcn"), in)
	var fused *Node
	fused, out.attention = n.fuse(root.At("fusion"), h, nodes, in, out.keptIndex)
	final := Concatenate([]*Node{fused, h}, -1) // [f ; h]
	out.finalTypes = n.scorer(root.At("final").At("type"), final, sum(n.cfg.typeCounts()))
	out.finalRelations = n.pairScorer(root.At("final").At("relation"), final, x, in, out.keptIndex)
	return out
}

// tokenVectors encodes the texts: [B, T, H].
func (n network) tokenVectors(root *model.Scope, in inputs) *Node {
	rows := encoder.BERT(root.At("encoder"), n.encoder, in.ids, in.rowMask, n.rate(n.cfg.EncoderDropout))
	dims := rows.Shape().Dimensions
	return encoder.GatherRows(Reshape(rows, dims[0]*dims[1], dims[2]), in.tokens)
}

// rate is a dropout rate while training and 0 otherwise.
func (n network) rate(training float64) float64 {
	if n.training {
		return training
	}
	return 0
}

// scorer is a feed-forward network with two hidden layers over the last axis
// (FFNN_e of eq. 2): [..., in] → logits [..., classes].
func (n network) scorer(scope *model.Scope, x *Node, classes int) *Node {
	x = n.hidden(scope.At("hidden1"), x)
	x = n.hidden(scope.At("hidden2"), x)
	return encoder.Dense(scope.At("output"), x, classes)
}

func (n network) hidden(scope *model.Scope, x *Node) *Node {
	return n.dropout(scope, encoder.Dense(scope, x, n.cfg.Hidden, activation.TypeRelu))
}

func (n network) dropout(scope *model.Scope, x *Node) *Node {
	return layers.DropoutStatic(scope, x, n.rate(n.cfg.Dropout))
}

// pairScorer is FFNN_r([x_i ; x_j ; x_i∘x_j]) of eq. 3: [B, M, d] → logits
// [B, M, M, |R|]. The first layer is applied to the three parts one by one, so
// that the first two are computed once for each span and not for each pair. It also hears
// what stands between the two spans, in the tokens [B, T, H]; index [B, M] tells the spans.
func (n network) pairScorer(scope *model.Scope, x, tokens *Node, in inputs, index *Node) *Node {
	h := n.cfg.Hidden
	left := encoder.Dense(scope.At("left"), x, h)
	right := encoder.Linear(scope.At("right"), x, h)
	first := n.pairLayer(scope.At("product"), x, left, right)
	if n.cfg.Between {
		first = Add(first, n.between(scope.At("between"), tokens, in, index, h))
	}
	hidden := n.dropout(scope, activation.Relu(first))
	hidden = n.hidden(scope.At("hidden2"), hidden)
	return encoder.Dense(scope.At("output"), hidden, sum(n.cfg.labelCounts()))
}

// pairLayer is W(x_i∘x_j) + (left_i + right_j) for each pair: x [B, M, d], left and
// right [B, M, h] → [B, M, M, h]. Outside training the product, which is that of (j, i)
// as well, is computed once for both.
func (n network) pairLayer(product *model.Scope, x, left, right *Node) *Node {
	dims := x.Shape().Dimensions
	b, m, d, h := dims[0], dims[1], dims[2], left.Shape().Dim(2)
	if n.training {
		both := encoder.Linear(product, Mul(Reshape(x, b, m, 1, d), Reshape(x, b, 1, m, d)), h)
		return Add(both, Add(Reshape(left, b, m, 1, h), Reshape(right, b, 1, m, h)))
	}
	pairs := pairsOf(b, m)
	of := func(table *Node, rows []int32) *Node {
		return encoder.GatherRows(Reshape(table, -1, table.Shape().Dim(-1)), Const(x.Graph(), rows))
	}
	both := encoder.Linear(product, Mul(of(x, pairs.low), of(x, pairs.high)), h)
	sum := Add(of(both, pairs.same), Add(of(left, pairs.head), of(right, pairs.tail)))
	return Reshape(sum, b, m, m, h)
}

// pairRows are the rows of spans, of B·M, in the ordered pairs of each text, and of
// those that have the same two spans in the order of their rows.
type pairRows struct {
	head, tail []int32 // of each ordered pair, [B·M·M]
	same       []int32 // which of low and high an ordered pair is, [B·M·M]
	low, high  []int32 // [B·M·(M+1)/2]
}

func pairsOf(texts, spans int) pairRows {
	var p pairRows
	for b := range texts {
		number := map[[2]int]int32{}
		for i := range spans {
			for j := range i + 1 {
				number[[2]int{i, j}], number[[2]int{j, i}] = int32(len(p.low)), int32(len(p.low))
				p.low, p.high = append(p.low, int32(b*spans+j)), append(p.high, int32(b*spans+i))
			}
		}
		for i := range spans {
			for j := range spans {
				p.head, p.tail = append(p.head, int32(b*spans+i)), append(p.tail, int32(b*spans+j))
				p.same = append(p.same, number[[2]int{i, j}])
			}
		}
	}
	return p
}

// keepSpans picks the λ·n spans of each text with the lowest P(none) [B, N, 1], padding
// last, ties by order: their indices [B, M], and a mask [B, M] that is 0 where a
// text has fewer. It ranks by counting, since sorting is slow and no gradient
// goes through the choice.
func keepSpans(none *Node, in inputs) (index, mask *Node) {
	g := none.Graph()
	b, count, most := in.batch, in.spanCount, in.keptMost
	none = Add(Squeeze(none, -1), MulScalar(OneMinus(in.spanMask), 2)) // padding ranks after every span

	mine, other := Reshape(none, b, count, 1), Reshape(none, b, 1, count)
	mine, other = BroadcastToDims(mine, b, count, count), BroadcastToDims(other, b, count, count)
	full := shapes.Make(dtypes.Int32, b, count, count)
	earlier := LessThan(Iota(g, full, 2), Iota(g, full, 1))
	before := LogicalOr(LessThan(other, mine), LogicalAnd(Equal(other, mine), earlier))
	rank := ReduceSum(ConvertDType(before, dtypes.Int32), -1) // [B, N]

	slots := Iota(g, shapes.Make(dtypes.Int32, b, most, count), 1)
	chosen := Equal(BroadcastToDims(Reshape(rank, b, 1, count), b, most, count), slots)
	spans := Iota(g, shapes.Make(dtypes.Int32, b, most, count), 2)
	index = ReduceSum(Mul(ConvertDType(chosen, dtypes.Int32), spans), -1)
	slot := Iota(g, shapes.Make(dtypes.Int32, b, most), 1)
	mask = ConvertDType(LessThan(slot, BroadcastToDims(Reshape(in.kept, b, 1), b, most)), dtypes.Float32)
	return index, mask
}

// gatherKept selects the kept spans: x [B, N, D], index [B, M] → [B, M, D].
func (n network) gatherKept(x, index *Node) *Node {
	dims := x.Shape().Dimensions
	flat := Reshape(x, dims[0]*dims[1], dims[2])
	return encoder.GatherRows(flat, flatIndex(index, dims[1]))
}

// flatIndex turns index [B, M] into each text's own rows into rows of the flat
// table [B·size].
func flatIndex(index *Node, size int) *Node {
	base := Iota(index.Graph(), index.Shape(), 0)
	return Add(index, MulScalar(base, size))
}
