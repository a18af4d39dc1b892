package tagging

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
)

// Loss is the weighted cross-entropy −Σ w·log softmax(logits)[class]: a scalar.
// logits are [..., C]; classes, int32, and weights are [...]. A weight of 0 leaves
// a place out, such as padding, whatever its class says.
func Loss(logits, classes, weights *Node) *Node {
	wanted := OneHot(classes, logits.Shape().Dim(-1), dtypes.Float32)
	return Neg(ReduceAllSum(Mul(ReduceSum(Mul(LogSoftmax(logits, -1), wanted), -1), weights)))
}

// Balanced are weights of classes that make rare ones count more: (n/(C·nᶜ))^exponent
// for a class that occurs nᶜ times of n. With the exponent 1 all classes count
// the same together, with 0 all places do. One that does not occur has weight 0.
func Balanced(counts []int, exponent float64) []float32 {
	total := 0
	for _, n := range counts {
		total += n
	}
	weights := make([]float32, len(counts))
	for class, n := range counts {
		if n > 0 {
			weights[class] = float32(math.Pow(float64(total)/float64(len(counts)*n), exponent))
		}
	}
	return weights
}
