package keci

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"github.com/gomlx/gomlx/ml/nn"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/kge"
)

// spanGraph is the bidirectional graph convolution over the initial span graph
// (KECI eq. 4), with residual connections: s [B, M, d] → h [B, M, d].
//
//	→h_i = Σ_{j≠i} Σ_k r_ij[k] (→W_k h_j + →b_k), ←h_i the same with r_ji
//	h_i ← h_i + W_a ReLU(norm(Σ_k dropout([←h_{i,k} ; →h_{i,k}])))
//
// norm, a layer normalization without gain and offset, is ours, and W_a is 0 at first:
// otherwise the sum over all spans is so large that the units of the ReLU soon die, one
// after the other, and with them the graph (doc/results.md, "The graph over the spans").
//
// The weights r are the initial relation probabilities; no gradient goes
// through them. k ranges over the relation labels; in a model of several corpora,
// whose labels exclude each other within a corpus only, over "not related" and
// "related in the eyes of some corpus".
func (n network) spanGraph(scope *model.Scope, s, relations, keptMask *Node) *Node {
	forward := n.adjacency(relations, keptMask)       // [B, M, M, K], r_ij
	backward := TransposeAllAxes(forward, 0, 2, 1, 3) // r_ji
	h := s
	for layer := range n.cfg.SpanLayers {
		at := scope.At("layer%d", layer)
		messages := Concatenate([]*Node{
			n.spanMessages(at.At("backward"), h, backward),
			n.spanMessages(at.At("forward"), h, forward),
		}, -1)
		if n.cfg.MessageNorm {
			messages = nn.LayerNorm(messages, []int{-1}, messageEpsilon, nil, nil, nil)
		}
		h = Add(h, zeroDense(at.At("output"), activation.Relu(messages), h.Shape().Dim(-1)))
	}
	return h
}

// messageEpsilon keeps messages that are all the same from being divided by nothing.
const messageEpsilon = 1e-6

// adjacency is the relation probability of each pair of different kept spans:
// [B, M, M, K].
func (n network) adjacency(relations, keptMask *Node) *Node {
	g := relations.Graph()
	dims := relations.Shape().Dimensions
	b, m := dims[0], dims[1]
	pair := shapes.Make(dtypes.Int32, b, m, m)
	others := ConvertDType(NotEqual(Iota(g, pair, 1), Iota(g, pair, 2)), dtypes.Float32)
	others = Mul(others, Mul(Reshape(keptMask, b, m, 1), Reshape(keptMask, b, 1, m)))
	return Mul(n.pairKinds(StopGradient(relations)), Reshape(others, b, m, m, 1))
}

// pairKinds are the probabilities of the kinds of pairs among which the BiGCN
// distinguishes: logits [B, M, M, |R|] → [B, M, M, K].
func (n network) pairKinds(relations *Node) *Node {
	if len(n.cfg.More) == 0 {
		return Softmax(relations, -1)
	}
	none := nothing(relations, n.cfg.labelCounts())
	return Concatenate([]*Node{none, OneMinus(none)}, -1)
}

// spanMessages sums what the neighbours of each span say over all relations:
// h [B, M, d], weights [B, M, M, K] → [B, M, d/2].
func (n network) spanMessages(scope *model.Scope, h, weights *Node) *Node {
	dims := weights.Shape().Dimensions
	b, m, k := dims[0], dims[1], dims[3]
	half := h.Shape().Dim(-1) / 2
	said := Reshape(encoder.Dense(scope, h, k*half), b, m, k, half) // W_k h_j + b_k
	if !n.training {
		// Without dropout between them the two sums over j and k are one product.
		flat := Reshape(TransposeAllAxes(weights, 0, 1, 3, 2), b, m, k*m)
		return MatMul(flat, Reshape(TransposeAllAxes(said, 0, 2, 1, 3), b, k*m, half))
	}
	byKind := Einsum("bijk,bjkd->bkid", weights, said)
	return ReduceSum(layers.DropoutStatic(scope, byKind, n.rate(n.cfg.GraphDropout)), 1)
}

// knowledgeGraph is the relational graph convolution over the background
// knowledge graph (KECI eq. 5) with basis decomposition: the vector n_j of every
// node, ReLU(W_n v_j), as [B·V, d].
//
//	v_i ← dropout(ReLU(U_0 v_i + b + Σ_k Σ_{j∈N_i^k} (1/|N_i^k|) U_k v_j)), U_k = Σ_c a_kc B_c
func (n network) knowledgeGraph(root, scope *model.Scope, in inputs) *Node {
	v := n.nodeVectors(root, scope, in) // [B, V, size]
	if n.cfg.has().rgcn {
		for layer := range n.cfg.Knowledge.Layers {
			v = n.convolve(scope.At("layer%d", layer), v, in)
		}
	}
	final := encoder.Dense(scope.At("output"), v, n.cfg.Span.Size, activation.TypeRelu)
	return Reshape(final, -1, n.cfg.Span.Size)
}

// convolve is one layer of the RGCN: [B, V, size] → [B, V, size].
func (n network) convolve(scope *model.Scope, v *Node, in inputs) *Node {
	dims := v.Shape().Dimensions
	b, nodes, size, bases := dims[0], dims[1], dims[2], n.cfg.Knowledge.Bases
	sum := encoder.Dense(scope.At("self"), v, size)
	mixed := n.mixedAdjacency(scope, in, b, nodes) // [B, bases·V, V]
	gathered := Reshape(MatMul(mixed, v), b, bases, nodes, size)
	gathered = Reshape(TransposeAllAxes(gathered, 0, 2, 1, 3), b, nodes, bases*size)
	sum = Add(sum, encoder.Linear(scope.At("bases"), gathered, size))
	return layers.DropoutStatic(scope, activation.Relu(sum), n.rate(n.cfg.GraphDropout))
}

// mixedAdjacency is Σ_k a_kc A_k for each basis c, where A_k holds 1/|N_i^k| for
// the edges of relation k: [B, bases·V, V].
func (n network) mixedAdjacency(scope *model.Scope, in inputs, b, nodes int) *Node {
	bases := n.cfg.Knowledge.Bases
	kinds := len(n.cfg.Knowledge.Relations) + 1
	coefficients := scope.WithInitializer(initializer.RandomNormalFn(scope, 0.5)).
		VariableWithShape("coefficients", shapes.Make(dtypes.Float32, kinds, bases)).NodeValue(in.edgeAt)
	coefficients = knowUnseen(coefficients, 0)
	weight := Mul(encoder.GatherRows(coefficients, in.edgeKind), InsertAxes(in.edgeNorm, -1)) // [E, bases]
	zeros := Zeros(in.edgeAt.Graph(), shapes.Make(dtypes.Float32, b*nodes*nodes, bases))
	sum := ScatterSum(zeros, InsertAxes(in.edgeAt, -1), weight, false, false)
	sum = TransposeAllAxes(Reshape(sum, b, nodes, nodes, bases), 0, 3, 1, 2)
	return Reshape(sum, b, bases*nodes, nodes)
}

// knowUnseen gives the row for everything that training has not seen, which has
// learned nothing, the mean of the rows after it: an unknown relation is taken
// for an average one. In training nothing is unseen, but where it goes on from a model
// that learned from other texts.
func knowUnseen(table *Node, row int) *Node {
	if table.Shape().Dim(0) <= row+1 {
		return table
	}
	seen := Slice(table, AxisRangeToEnd(row+1))
	rows := []*Node{ReduceAndKeep(seen, ReduceMean, 0), seen}
	if row > 0 {
		rows = append([]*Node{Slice(table, AxisRange(0, row))}, rows...)
	}
	return Concatenate(rows, 0)
}

// nodeVectors is v⁰ of every node: what its kind, its name, its definition and
// its knowledge-graph embedding say. [B, V, size]. A name is the mean of the
// encoder's word-piece vectors; the definition is read by the encoder beforehand.
// Nothing depends on an id.
func (n network) nodeVectors(root, scope *model.Scope, in inputs) *Node {
	size := n.cfg.Knowledge.Size
	table := encoder.WordEmbeddings(root.At("encoder"), n.encoder, in.ids.Graph())
	pieces := StopGradient(encoder.GatherRows(table, in.namePieces)) // [B, V, P, H]
	words := ReduceSum(Mul(pieces, InsertAxes(in.nameWeight, -1)), 2)
	name := encoder.Dense(scope.At("name"), MulScalar(words, nameScale), size)

	kinds := len(n.cfg.Knowledge.SemanticTypes) + 2
	kindTable := scope.WithInitializer(initializer.RandomNormalFn(scope, 0.1)).
		VariableWithShape("kinds", shapes.Make(dtypes.Float32, kinds, size)).NodeValue(in.ids)
	kind := encoder.GatherRows(knowUnseen(kindTable, 1), in.nodeType)
	v := Add(name, kind)
	if n.cfg.has().definitions {
		v = Add(v, n.definitionVectors(scope, in))
	}
	if n.cfg.has().kge {
		d := kge.Description{Name: words, Definition: in.bag, Types: in.nodeTypes}
		embedding := StopGradient(kge.Vectors(root.At(kge.Scope), d, n.cfg.Knowledge.Embeddings.Size))
		v = Add(v, encoder.Linear(scope.At("embedding"), embedding, size))
	}
	return activation.Relu(v)
}

// definitionVectors is what v⁰ has of the definition of each node, or of there
// being none: [B, V, size].
func (n network) definitionVectors(scope *model.Scope, in inputs) *Node {
	size := n.cfg.Knowledge.Size
	definition := encoder.Linear(scope.At("definition"), in.definition, size)
	undefined := scope.WithInitializer(initializer.Zero).
		VariableWithShape("undefined", shapes.Make(dtypes.Float32, size)).NodeValue(in.ids)
	none := Mul(InsertAxes(OneMinus(in.defined), -1), Reshape(undefined, 1, 1, size))
	return Add(definition, none)
}

// nameScale brings word-piece vectors, whose elements are small (a standard
// deviation of about 0.05 in BERT models), to the scale of the other inputs.
const nameScale = 10
