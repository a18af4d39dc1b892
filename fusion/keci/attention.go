package keci

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
)

// fuse lets every kept span attend to its candidate concepts and to a sentinel
// (KECI eq. 6–9). h is [B, M, d], nodes the knowledge vectors [B·V, d]; it gives
// f [B, M, d] and the attention β [B, M, 1+C], the sentinel first.
//
//	c_i = ReLU(W_s h_i); α over {c_i} ∪ {n_j, j ∈ C(s_i)} = FFNN_c([h_i ; ·])
//	β = softmax(α); f_i = Σ β·{c_i, n_j}
func (n network) fuse(scope *model.Scope, h, nodes *Node, in inputs, keptIndex *Node) (f, beta *Node) {
	dims := h.Shape().Dimensions
	b, m, d := dims[0], dims[1], dims[2]
	c := n.cfg.Knowledge.Candidates

	which := n.gatherKept(in.candNode, keptIndex) // int32 [B, M, C]
	known := n.gatherKept(in.candMask, keptIndex) // [B, M, C]
	sentinel := encoder.Dense(scope.At("sentinel"), h, d, activation.TypeRelu)
	items := Concatenate([]*Node{Reshape(sentinel, b, m, 1, d), encoder.GatherRows(nodes, which)}, 2) // [B, M, 1+C, d]
	mask := Concatenate([]*Node{OnesLike(Slice(known, AxisRange(), AxisRange(), AxisRange(0, 1))), known}, -1)

	alpha := Add(n.relevance(scope.At("score"), h, items), MulScalar(OneMinus(mask), absentCandidate))
	beta = Softmax(alpha, -1)
	f = Squeeze(MatMul(Reshape(beta, b, m, 1, c+1), items), 2)
	return f, beta
}

// absentCandidate is added to the score of a candidate that is not there.
const absentCandidate = -1e9

// relevance is FFNN_c([h_i ; item]), two hidden layers: [B, M, 1+C]. Its first
// layer is applied to the two parts apart, so that h_i's is computed once.
func (n network) relevance(scope *model.Scope, h, items *Node) *Node {
	dims := items.Shape().Dimensions
	b, m, c := dims[0], dims[1], dims[2]
	size := n.cfg.Hidden
	span := Reshape(encoder.Dense(scope.At("span"), h, size), b, m, 1, size)
	hidden := n.dropout(scope, activation.Relu(Add(encoder.Linear(scope.At("item"), items, size), span)))
	hidden = n.hidden(scope.At("hidden2"), hidden)
	return Reshape(encoder.Dense(scope.At("output"), hidden, 1), b, m, c)
}
