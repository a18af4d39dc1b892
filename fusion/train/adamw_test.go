package train

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// layered has one weight, 1 at the start, at each of some paths; its loss is half
// the sum of their squares.
type layered struct {
	*quadratic
	paths []string
}

func (l layered) Loss(_ *model.Scope, batch []*Node) *Node {
	sum := ScalarZero(batch[0].Graph(), batch[0].DType())
	for _, path := range l.paths {
		v := l.store.VariableWithValue(path, float32(1))
		sum = Add(sum, MulScalar(Square(v.NodeValue(batch[0])), 0.5))
	}
	return sum
}

// TestLayerDecay: the first step of Adam moves every weight by its learning rate.
func TestLayerDecay(t *testing.T) {
	exponents := map[string]int{ // of the decay
		"/encoder/embeddings/position": 12, "/encoder/layer_0/inner/weights": 11, "/encoder/layer_1/gain": 10,
		"/encoder/layer_10/gain": 1, "/encoder/layer_11/attention/query/weights": 0,
	}
	for _, decay := range []float64{0, 0.8, 1} {
		l := layered{quadratic: &quadratic{store: model.NewStore(), targets: []float32{0}}, paths: []string{"/task/weights"}}
		for path := range exponents {
			l.paths = append(l.paths, path)
		}
		o := testOptions()
		o.Epochs, o.MaxSteps, o.WarmUp, o.WeightDecay, o.LayerDecay = 2, 1, 0, 0, decay
		mustRun(t, l, o, t.TempDir())
		for _, path := range l.paths {
			want := o.EncoderRate / 2 // half of all steps are done
			exponent, ofEncoder := exponents[path]
			switch {
			case !ofEncoder:
				want = o.TaskRate / 2
			case decay > 0:
				want *= math.Pow(decay, float64(exponent))
			}
			moved := 1 - float64(tensors.ToScalar[float32](l.store.GetVariable(path).MustValue()))
			if math.Abs(moved/want-1) > 1e-3 {
				t.Errorf("decay %g: %s moved by %g, want %g", decay, path, moved, want)
			}
		}
	}
}
