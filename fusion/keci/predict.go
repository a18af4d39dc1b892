package keci

import (
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// predictor runs the network on batches and gives probabilities. It is safe for
// concurrent use: a graph is compiled for each shape of batch, one at a time
// and while nothing else runs, since compiling changes the store.
type predictor struct {
	backend  compute.Backend
	store    *model.Store
	network  network
	mu       sync.RWMutex // held for writing while a shape is compiled
	exec     *model.Exec
	compiled map[batchShape]bool
}

// maxCompiled bounds the compiled graphs; beyond it all are dropped.
const maxCompiled = 128

// prediction is what the network says of a batch. The relation matrices are
// [B, M, M, |R|], the attention [B, M, 1+C].
type prediction struct {
	kept                             []int32 // [B, M]
	most                             int     // M
	initialTypes, finalTypes         []float32
	initialRelations, finalRelations []float32
	attention                        []float32 // nil without knowledge
}

func newPredictor(backend compute.Backend, store *model.Store, n network) (*predictor, error) {
	p := &predictor{backend: backend, store: store, network: n}
	return p, p.reset()
}

// reset drops every compiled graph.
func (p *predictor) reset() error {
	if p.exec != nil {
		p.exec.Finalize()
	}
	exec, err := model.NewExec(p.backend, p.store, func(root *model.Scope, nodes []*Node) []*Node {
		p.store.SetTraining(nodes[0].Graph(), true) // variables stay variables: no copy of the weights in each shape's graph
		in, _ := newInputs(p.network.cfg, nodes)
		return p.network.predictions(p.network.build(root, in))
	})
	if err != nil {
		return fmt.Errorf("build the model: %w", err)
	}
	exec.SetMaxCache(-1)
	p.exec, p.compiled = exec, map[batchShape]bool{}
	return nil
}

// predictions turns logits into what decoding needs.
func (n network) predictions(out outputs) []*Node {
	list := []*Node{
		out.keptIndex,
		Softmax(n.gatherKept(out.spanTypes, out.keptIndex), -1),
		Softmax(out.finalTypes, -1),
		n.relationProbabilities(out.relations),
		n.relationProbabilities(out.finalRelations),
	}
	if out.attention != nil {
		list = append(list, out.attention)
	}
	return list
}

// relationProbabilities of logits [B, M, M, |R|]; where relations have no
// direction both orders of a pair are heard.
func (n network) relationProbabilities(logits *Node) *Node {
	if !n.cfg.Directed {
		logits = MulScalar(Add(logits, TransposeAllAxes(logits, 0, 2, 1, 3)), 0.5)
	}
	return Softmax(logits, -1)
}

// predict runs the network on a batch.
func (p *predictor) predict(ctx context.Context, b *batch) (prediction, error) {
	if err := ctx.Err(); err != nil {
		return prediction{}, err
	}
	inputs := b.tensors()
	defer finalize(inputs)
	outs, err := p.run(b.batchShape, inputs)
	if err != nil {
		return prediction{}, fmt.Errorf("run the model: %w", err)
	}
	defer finalize(outs)
	return readPrediction(outs)
}

// run executes the graph for a shape, which it compiles first if it must.
func (p *predictor) run(shape batchShape, inputs []*tensors.Tensor) ([]*tensors.Tensor, error) {
	args := make([]any, len(inputs))
	for i, t := range inputs {
		args[i] = t
	}
	for {
		p.mu.RLock()
		if p.compiled[shape] {
			defer p.mu.RUnlock()
			return p.exec.Call(args...)
		}
		p.mu.RUnlock()
		if err := p.compile(shape, inputs); err != nil {
			return nil, err
		}
	}
}

// compile builds the graph for a shape, while nothing runs.
func (p *predictor) compile(shape batchShape, inputs []*tensors.Tensor) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.compiled[shape] {
		return nil // another caller was first
	}
	if len(p.compiled) >= maxCompiled {
		if err := p.reset(); err != nil {
			return err
		}
	}
	of := make([]shapes.Shape, len(inputs))
	for i, t := range inputs {
		of[i] = t.Shape()
	}
	if _, err := p.exec.Compile(of...); err != nil {
		return err
	}
	p.compiled[shape] = true
	return nil
}

func readPrediction(outs []*tensors.Tensor) (prediction, error) {
	result := prediction{most: outs[0].Shape().Dim(1)}
	var err error
	if result.kept, err = tensors.CopyFlatData[int32](outs[0]); err != nil {
		return prediction{}, fmt.Errorf("read the model's answer: %w", err)
	}
	into := []*[]float32{
		&result.initialTypes, &result.finalTypes,
		&result.initialRelations, &result.finalRelations, &result.attention,
	}
	for i, out := range outs[1:] {
		if *into[i], err = tensors.CopyFlatData[float32](out); err != nil {
			return prediction{}, fmt.Errorf("read the model's answer: %w", err)
		}
	}
	return result, nil
}

// finalize frees tensors at once rather than when the garbage collector comes by.
func finalize(list []*tensors.Tensor) {
	for _, t := range list {
		t.MustFinalizeAll()
	}
}
