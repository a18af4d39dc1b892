// Package compiled runs the graph of a trained model, which is compiled once for
// each shape of its inputs.
package compiled

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Graph runs a graph on tensors. It is safe for concurrent use. Shapes are compiled
// one at a time, while others run; the first of all, which makes variables that the
// store lacks, while nothing runs. Shape tells shapes of inputs apart.
type Graph[Shape comparable] struct {
	backend compute.Backend
	store   *model.Store
	build   Build

	changes   sync.RWMutex // held for writing while the store or exec change
	exec      *model.Exec
	compiling sync.Mutex // held while a shape is compiled
	compiled  sync.Map   // Shape → struct{}: those that exec knows
	count     int        // of them
}

// Build makes the graph of a model from its inputs.
type Build func(root *model.Scope, in []*graph.Node) []*graph.Node

// maxShapes bounds the compiled graphs; beyond it all are dropped.
const maxShapes = 128

// New prepares a graph over the variables of a store; nothing is compiled yet.
func New[Shape comparable](backend compute.Backend, store *model.Store, build Build) (*Graph[Shape], error) {
	g := &Graph[Shape]{backend: backend, store: store, build: build}
	return g, g.reset()
}

// reset drops every compiled graph.
func (g *Graph[Shape]) reset() error {
	if g.exec != nil {
		g.exec.Finalize()
	}
	exec, err := model.NewExec(g.backend, g.store, func(root *model.Scope, in []*graph.Node) []*graph.Node {
		g.store.SetTraining(in[0].Graph(), true) // variables stay variables: no copy of the weights in each shape's graph
		return g.build(root, in)
	})
	if err != nil {
		return fmt.Errorf("build the model: %w", err)
	}
	exec.SetMaxCache(-1)
	g.compiled.Clear()
	g.exec, g.count = exec, 0
	return nil
}

// RLocker is held by those who read the store beside the graph: no variables are
// made then.
func (g *Graph[Shape]) RLocker() sync.Locker { return g.changes.RLocker() }

// Run gives what the graph makes of the inputs, which are of the given shape and
// are freed, and of those behind them that the caller keeps for another run. The
// caller frees the outputs with [Free].
func (g *Graph[Shape]) Run(ctx context.Context, shape Shape, inputs []*tensors.Tensor, kept ...*tensors.Tensor) ([]*tensors.Tensor, error) {
	defer Free(inputs)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	outs, err := g.run(shape, slices.Concat(inputs, kept))
	if err != nil {
		return nil, fmt.Errorf("run the model: %w", err)
	}
	return outs, nil
}

// run executes the graph for a shape, which it compiles first if it must.
func (g *Graph[Shape]) run(shape Shape, inputs []*tensors.Tensor) ([]*tensors.Tensor, error) {
	args := make([]any, len(inputs))
	for i, t := range inputs {
		args[i] = t
	}
	for {
		g.changes.RLock()
		if _, ok := g.compiled.Load(shape); ok {
			defer g.changes.RUnlock()
			return g.exec.Call(args...)
		}
		g.changes.RUnlock()
		if err := g.compile(shape, inputs); err != nil {
			return nil, err
		}
	}
}

// compile builds the graph for a shape.
func (g *Graph[Shape]) compile(shape Shape, inputs []*tensors.Tensor) error {
	g.compiling.Lock()
	defer g.compiling.Unlock()
	if _, ok := g.compiled.Load(shape); ok {
		return nil // another caller was first
	}
	if g.count == 0 || g.count >= maxShapes {
		g.changes.Lock()
		defer g.changes.Unlock()
	}
	if g.count >= maxShapes {
		if err := g.reset(); err != nil {
			return err
		}
	}
	of := make([]shapes.Shape, len(inputs))
	for i, t := range inputs {
		of[i] = t.Shape()
	}
	if _, err := g.exec.Compile(of...); err != nil {
		return err
	}
	g.compiled.Store(shape, struct{}{})
	g.count++
	return nil
}

// Free frees tensors at once rather than when the garbage collector comes by.
func Free(list []*tensors.Tensor) {
	for _, t := range list {
		t.MustFinalizeAll()
	}
}
