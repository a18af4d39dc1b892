package train

import (
	"fmt"
	"math"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
)

// encoderScope and optimizerScope are where the variables of the encoder and
// what the optimizer keeps beside each variable lie in a store: its moments and
// its mean.
const (
	encoderScope   = "/encoder/"
	optimizerScope = "/optimizer"

	firstMoments  = "first"
	secondMoments = "second"
	averages      = "average"
)

// Adam's constants, those of the reference implementation of KECI.
const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-6
)

// rates are the scalars that change from step to step, inputs of the graph.
type rates struct {
	encoder, task *Node // learning rates
	correction1   *Node // 1/(1 − β₁ᵗ)
	correction2   *Node // 1/(1 − β₂ᵗ)
}

// biasCorrections are Adam's 1/(1 − βᵗ) at step t, from 1 (Kingma and Ba 2015).
func biasCorrections(t int) (first, second float32) {
	return float32(1 / (1 - math.Pow(beta1, float64(t)))), float32(1 / (1 - math.Pow(beta2, float64(t))))
}

// update adds one optimizer step to the graph and returns the norm of the
// gradient before clipping: AdamW on the encoder (Loshchilov and Hutter 2019), Adam on the
// rest (Kingma and Ba 2015), with the global norm of all gradients clipped (Pascanu et al. 2013).
func update(root *model.Scope, loss *Node, r rates, o Options) (norm *Node) {
	g := loss.Graph()
	var variables []*model.Variable
	for v := range root.IterVariables() {
		if v.Trainable && v.InUseByGraph(g) {
			variables = append(variables, v)
		}
	}
	gradients := root.BuildTrainableVariablesGradientsGraph(loss)
	norm = globalNorm(gradients)
	// 1 while the norm is below the limit.
	scale := Div(Scalar(g, dtypes.Float32, o.ClipNorm), MaxScalar(norm, o.ClipNorm))
	layers := encoderLayers(variables)
	for i, v := range variables {
		rate, decay := r.task, 0.0
		if strings.HasPrefix(v.Path(), encoderScope) {
			rate, decay = o.encoderRate(r.encoder, v, layers), o.decayOf(v)
		}
		value := adamW(root, v, Mul(gradients[i], scale), rate, decay, r)
		if o.EMA > 0 {
			average(root, v, value, o.EMA)
		}
	}
	return norm
}

// encoderRate is the learning rate of a variable of the encoder. With LayerDecay δ
// the last layer has the highest, each layer before it δ times that of the next,
// and the embeddings come before the first (discriminative fine-tuning, Howard
// and Ruder 2018).
func (o Options) encoderRate(highest *Node, v *model.Variable, layers int) *Node {
	if o.LayerDecay == 0 {
		return highest
	}
	return MulScalar(highest, math.Pow(o.LayerDecay, float64(layers-layerOf(v.Path()))))
}

// encoderLayers counts the layers of the encoder.
func encoderLayers(variables []*model.Variable) int {
	last := 0
	for _, v := range variables {
		last = max(last, layerOf(v.Path()))
	}
	return last
}

// layerOf is the layer of the encoder, from 1, that a variable is of, and 0 for
// the embeddings.
func layerOf(path string) int {
	var layer int
	if _, err := fmt.Sscanf(path, encoderScope+"layer_%d/", &layer); err != nil {
		return 0
	}
	return layer + 1
}

// decayOf is the weight decay of an encoder variable: none for biases and
// layer normalization.
func (o Options) decayOf(v *model.Variable) float64 {
	if v.Shape().Rank() < 2 {
		return 0
	}
	return o.WeightDecay
}

// globalNorm is the Euclidean norm of all gradients together.
func globalNorm(gradients []*Node) *Node {
	var sum *Node
	for _, g := range gradients {
		square := ReduceAllSum(Square(g))
		if sum == nil {
			sum = square
			continue
		}
		sum = Add(sum, square)
	}
	return Sqrt(sum)
}

// adamW updates one variable and its moments (Loshchilov and Hutter 2019), and
// returns its new value.
func adamW(root *model.Scope, v *model.Variable, gradient, rate *Node, decay float64, r rates) *Node {
	first := beside(root, firstMoments, v)
	second := beside(root, secondMoments, v)
	m := Add(MulScalar(first.NodeValue(gradient), beta1), MulScalar(gradient, 1-beta1))
	s := Add(MulScalar(second.NodeValue(gradient), beta2), MulScalar(Square(gradient), 1-beta2))
	first.SetNodeValue(m)
	second.SetNodeValue(s)

	step := Div(Mul(m, r.correction1), AddScalar(Sqrt(Mul(s, r.correction2)), epsilon))
	value := v.NodeValue(gradient)
	if decay > 0 {
		step = Add(step, MulScalar(value, decay))
	}
	value = Sub(value, Mul(step, rate))
	v.SetNodeValue(value)
	return value
}

// beside is what the optimizer keeps for a variable: the running mean of its
// gradient (first), of the gradient's square (second) or of its values (average),
// of the same shape and 0 at the start.
func beside(root *model.Scope, which string, v *model.Variable) *model.Variable {
	shape := shapes.Make(v.DType(), v.Shape().Dimensions...)
	return root.Store().VariableWithShape(optimizerScope+"/"+which+v.Path(), shape, initializer.Zero).SetTrainable(false)
}
