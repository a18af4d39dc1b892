package keci

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/compiled"
)

// predictor runs the network on batches and gives probabilities. It is safe for
// concurrent use.
type predictor struct{ graph *compiled.Graph[batchShape] }

// prediction is what the network says of a batch, with the labels of one head. The
// relation matrices are [B, M, M, |R|], the attention [B, M, 1+C].
type prediction struct {
	kept                             []int32   // [B, M]
	most                             int       // M
	attention                        []float32 // nil without knowledge
	initialTypes, finalTypes         []float32 // [B, M, |E|]
	initialRelations, finalRelations []float32

	more []prediction // with the labels of the other heads
}

// ofHead is the prediction with the labels of one head.
func (p prediction) ofHead(at int) prediction {
	if at > 0 {
		return p.more[at-1]
	}
	p.more = nil
	return p
}

func newPredictor(backend compute.Backend, store *model.Store, n network) (*predictor, error) {
	g, err := compiled.New[batchShape](backend, store, func(root *model.Scope, nodes []*Node) []*Node {
		in, _ := newInputs(n.cfg, nodes)
		return n.predictions(n.build(root, in))
	})
	return &predictor{g}, err
}

// predictions turns logits into what decoding needs: for each head its four tables.
func (n network) predictions(out outputs) []*Node {
	list := []*Node{out.keptIndex}
	initialTypes, finalTypes := byHead(n.gatherKept(out.spanTypes, out.keptIndex), n.cfg.typeCounts()), byHead(out.finalTypes, n.cfg.typeCounts())
	initial, final := byHead(out.relations, n.cfg.labelCounts()), byHead(out.finalRelations, n.cfg.labelCounts())
	for i, h := range n.cfg.heads() {
		list = append(list, Softmax(initialTypes[i], -1), Softmax(finalTypes[i], -1),
			relationProbabilities(initial[i], h.Directed), relationProbabilities(final[i], h.Directed))
	}
	if out.attention != nil {
		list = append(list, out.attention)
	}
	return list
}

// relationProbabilities of logits [B, M, M, |R|]; where relations have no
// direction both orders of a pair are heard.
func relationProbabilities(logits *Node, directed bool) *Node {
	if !directed {
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
	defer compiled.Free(outs)
	return readPrediction(outs)
}

// tablesOfHead are how many tables a prediction has for each head.
const tablesOfHead = 4

func readPrediction(outs []*tensors.Tensor) (prediction, error) {
	kept, err := tensors.CopyFlatData[int32](outs[0])
	if err != nil {
		return prediction{}, fmt.Errorf("read the model's answer: %w", err)
	}
	tables := make([][]float32, len(outs)-1)
	for i, out := range outs[1:] {
		if tables[i], err = tensors.CopyFlatData[float32](out); err != nil {
			return prediction{}, fmt.Errorf("read the model's answer: %w", err)
		}
	}
	var attention []float32
	if last := len(tables) - 1; len(tables)%tablesOfHead == 1 {
		attention, tables = tables[last], tables[:last]
	}
	var heads []prediction
	for t := range slices.Chunk(tables, tablesOfHead) {
		heads = append(heads, prediction{
			kept: kept, most: outs[0].Shape().Dim(1), attention: attention,
			initialTypes: t[0], finalTypes: t[1], initialRelations: t[2], finalRelations: t[3],
		})
	}
	result := heads[0]
	result.more = heads[1:]
	return result, nil
}
