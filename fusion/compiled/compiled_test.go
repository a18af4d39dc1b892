package compiled_test

import (
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"

	"github.com/keci-kg/keci/fusion/compiled"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
)

// TestManyShapesAtOnce runs more shapes than are kept, each by several callers, while
// others are compiled: each answer is right, and the race detector finds nothing.
func TestManyShapesAtOnce(t *testing.T) {
	const callers, most = 8, 150
	g, err := compiled.New[int](enginetest.Go(), model.NewStore(), func(root *model.Scope, in []*graph.Node) []*graph.Node {
		weight := root.WithInitializer(initializer.One).VariableWithShape("weight", shapes.Make(dtypes.Float32)).NodeValue(in[0])
		return []*graph.Node{graph.ReduceAllSum(graph.Mul(in[0], weight))}
	})
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	for caller := range callers {
		group.Go(func() error {
			for i := range most {
				length := (i+caller)%most + 1
				outs, err := g.Run(t.Context(), length, []*tensors.Tensor{tensors.FromFlatDataAndDimensions(slices.Repeat([]float32{1}, length), length)})
				if err != nil {
					return err
				}
				if sum := tensors.ToScalar[float32](outs[0]); sum != float32(length) {
					t.Errorf("the sum of %d ones is %g", length, sum)
				}
				compiled.Free(outs)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}
