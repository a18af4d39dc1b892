package keci

import (
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"github.com/gomlx/gomlx/ml/nn"

	"github.com/keci-kg/keci/encoder"
)

// karHeads is the number of attention heads in the layers of KAR.
const karHeads = 4

// recontextualize is the knowledge attention and recontextualization of KnowBert
// (Peters et al. 2019, §3.3): x [B, T, H] are the token vectors, entities
// [B, V, E] the vectors of the nodes. It gives the new token vectors and the
// attention ψ of each of the linker's mentions [B, K, 1+C], NULL first.
//
//	H^proj = x W₁ + b₁
//	S^e = Layer(S), where s_m is the attention-weighted sum of H^proj in mention m
//	ψ_m = softmax over {e_NULL} ∪ {e_j, j ∈ C(m)} of s^e_m · e_j / √E
//	s'_m = s^e_m + Σ ψ_mj e_j
//	x' = x + Layer(H^proj attending to S') W₂ + b₂
//
// Two things differ from the original, since there is no knowledge of which
// candidate is right to learn from: NULL is a candidate like the others, where
// the original has it below a threshold, and scores have no prior of the linker,
// which other variants do not see either. W₂ starts at 0, so that training starts
// with what the encoder says.
func (n network) recontextualize(scope *model.Scope, x, entities *Node, in inputs) (tokens, psi *Node) {
	size, cfg := entities.Shape().Dim(-1), n.karLayer()
	dropout := n.rate(n.cfg.GraphDropout)
	projected := encoder.Dense(scope.At("project"), x, size)
	mask := ConvertDType(GreaterOrEqual(in.mention, ZerosLike(in.mention)), dtypes.Float32) // [B, K]
	bias := encoder.AttentionBias(mask)

	s := n.mentionVectors(scope.At("mention"), projected, in) // [B, K, E]
	s = encoder.Layer(scope.At("mentions"), cfg, s, s, bias, dropout)
	psi, known := n.linkMentions(scope.At("link"), s, entities, in)
	s = Add(s, known)
	mixed := encoder.Layer(scope.At("tokens"), cfg, projected, s, bias, dropout)

	said := zeroDense(scope.At("output"), mixed, x.Shape().Dim(-1))
	any := InsertAxes(ReduceAndKeep(mask, ReduceMax, -1), -1) // [B, 1, 1]: 0 where there is nothing to attend to
	return Add(x, Mul(said, any)), psi
}

// karLayer has the sizes of the transformer layers in KAR.
func (n network) karLayer() encoder.Config {
	size := n.cfg.Knowledge.Size
	return encoder.Config{
		HiddenSize: size, NumAttentionHeads: karHeads, IntermediateSize: 4 * size,
		HiddenAct: n.encoder.HiddenAct, LayerNormEps: n.encoder.LayerNormEps,
	}
}

// mentionVectors is s_m, the attention-weighted sum of the token vectors
// [B, T, E] in each mention: [B, K, E].
func (n network) mentionVectors(scope *model.Scope, tokens *Node, in inputs) *Node {
	dims := tokens.Shape().Dimensions
	score := Reshape(encoder.Dense(scope, tokens, 1), dims[0], 1, dims[1])
	inside := n.gatherKept(in.spans.Bias, notNegative(in.mention)) // [B, K, T]
	return MatMul(Softmax(Add(inside, score), -1), tokens)
}

// linkMentions lets each mention s [B, K, E] attend to its candidates and to
// NULL: ψ [B, K, 1+C] and Σ ψ e [B, K, E].
func (n network) linkMentions(scope *model.Scope, s, entities *Node, in inputs) (psi, known *Node) {
	dims := s.Shape().Dimensions
	b, k, size := dims[0], dims[1], dims[2]
	c := n.cfg.Knowledge.Candidates
	span := notNegative(in.mention)
	which, there := n.gatherKept(in.candNode, span), n.gatherKept(in.candMask, span) // [B, K, C]

	flat := Reshape(encoder.Dense(scope.At("entity"), entities, size), -1, size)
	null := scope.WithInitializer(initializer.RandomNormalFn(scope, 0.1)).
		VariableWithShape("null", shapes.Make(dtypes.Float32, size)).NodeValue(s)
	items := Concatenate([]*Node{
		BroadcastToDims(Reshape(null, 1, 1, 1, size), b, k, 1, size),
		encoder.GatherRows(flat, which),
	}, 2) // [B, K, 1+C, E]
	mask := Concatenate([]*Node{Ones(s.Graph(), shapes.Make(dtypes.Float32, b, k, 1)), there}, -1)

	score := Squeeze(MatMul(items, Reshape(s, b, k, size, 1)), -1)
	score = MulScalar(score, 1/math.Sqrt(float64(size)))
	psi = Softmax(Add(score, MulScalar(OneMinus(mask), absentCandidate)), -1)
	known = Squeeze(MatMul(Reshape(psi, b, k, 1, c+1), items), 2)
	return psi, known
}

// attentionOfKept gives the kept spans [B, M] the attention ψ [B, K, 1+C] of the
// mentions that they are: [B, M, 1+C]. Others attend to NULL alone.
func attentionOfKept(psi, mention, keptIndex *Node) *Node {
	same := oneWhereEqual(keptIndex, mention) // [B, M, K]
	other := OneMinus(ReduceAndKeep(same, ReduceSum, -1))
	attended := MatMul(same, psi)
	null := Slice(attended, AxisRange(), AxisRange(), AxisRange(0, 1))
	candidates := Slice(attended, AxisRange(), AxisRange(), AxisRangeToEnd(1))
	return Concatenate([]*Node{Add(null, other), candidates}, -1)
}

// notNegative takes the padding of indices for 0.
func notNegative(index *Node) *Node { return Max(index, ZerosLike(index)) }

// zeroDense is x·W + b with W and b of 0 at the start.
func zeroDense(scope *model.Scope, x *Node, out int) *Node {
	scope = scope.WithInitializer(initializer.Zero)
	w := scope.VariableWithShape("weights", shapes.Make(dtypes.Float32, x.Shape().Dim(-1), out)).NodeValue(x)
	b := scope.VariableWithShape("biases", shapes.Make(dtypes.Float32, out)).NodeValue(x)
	return nn.Dense(x, w, b, compute.DenseLayoutInputOutputs)
}
