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

// TestKept: what the caller keeps is there for another run, what it hands over is not.
func TestKept(t *testing.T) {
	g, err := compiled.New[int](enginetest.Go(), model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Sub(in[0], in[1])}
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := tensors.FromScalar(float32(3))
	for i := range 3 {
		given := tensors.FromScalar(float32(i))
		outs, err := g.Run(t.Context(), 0, []*tensors.Tensor{given}, kept)
		if err != nil {
			t.Fatal(err)
		}
		if got := tensors.ToScalar[float32](outs[0]); got != float32(i-3) {
			t.Errorf("%d − 3 is %g", i, got)
		}
		if given.CheckValid() == nil || kept.CheckValid() != nil {
			t.Errorf("run %d: given %v, kept %v", i, given.CheckValid(), kept.CheckValid())
		}
		compiled.Free(outs)
	}
	compiled.Free([]*tensors.Tensor{kept})
}

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
