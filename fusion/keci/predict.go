package keci

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/compiled"
)

// predictor runs the network on batches and gives probabilities. It is safe for
// concurrent use.
type predictor struct{ graph *compiled.Graph[batchShape] }

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
	g, err := compiled.New[batchShape](backend, store, func(root *model.Scope, nodes []*Node) []*Node {
		in, _ := newInputs(n.cfg, nodes)
		return n.predictions(n.build(root, in))
	})
	return &predictor{g}, err
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
	outs, err := p.graph.Run(ctx, b.batchShape, b.tensors())
	if err != nil {
		return prediction{}, err
	}
	defer finalize(outs)
	return readPrediction(outs)
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
func finalize(list []*tensors.Tensor) { compiled.Free(list) }
