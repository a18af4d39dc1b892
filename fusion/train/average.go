package train

import (
	"errors"
	"fmt"
	"math"
	"strings"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// average adds to the graph the running mean of a variable over the steps,
// ā ← δ ā + (1 − δ) θ from ā = 0, where θ is its value after the step. It is too
// small by 1 − δᵗ after t steps (Kingma and Ba 2015, §7.2).
func average(root *model.Scope, v *model.Variable, value *Node, decay float64) {
	mean := beside(root, averages, v)
	mean.SetNodeValue(Add(MulScalar(mean.NodeValue(value), decay), MulScalar(value, 1-decay)))
}

// onAverages calls f while the weights have their mean values, and then gives
// them back those of the last step. Without averaging it only calls f.
func (r *run) onAverages(f func() error) (err error) {
	if r.o.EMA == 0 {
		return f()
	}
	correction := float32(1 / (1 - math.Pow(r.o.EMA, float64(r.steps))))
	store := r.learner.Store()
	for mean := range store.IterVariables() {
		path, ok := strings.CutPrefix(mean.Path(), optimizerScope+"/"+averages)
		if !ok {
			continue
		}
		weight := store.GetVariable(path)
		last, failure := replace(weight, mean, correction)
		if failure != nil {
			return fmt.Errorf("average the weights %s: %w", path, failure)
		}
		defer func() { err = errors.Join(err, weight.SetValue(last)) }()
	}
	return f()
}

// replace gives a weight the value of its mean times a factor, and returns the
// value that it had.
func replace(weight, mean *model.Variable, factor float32) (last *tensors.Tensor, err error) {
	if last, err = weight.Value(); err != nil {
		return nil, err
	}
	sum, err := mean.Value()
	if err != nil {
		return nil, err
	}
	values, err := tensors.CopyFlatData[float32](sum)
	if err != nil {
		return nil, err
	}
	for i := range values {
		values[i] *= factor
	}
	return last, weight.SetValuePreservingOld(tensors.FromFlatDataAndDimensions(values, mean.Shape().Dimensions...))
}
