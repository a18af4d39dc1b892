package kge

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
)

// Scope is the name of the scope, below the root, of the variables of Vectors in a
// store that this package fills.
const Scope = "kge"

// learner learns vectors. Where own is set each entity has a vector of its own,
// as in ComplEx; otherwise it is a function of the entity's description.
type learner struct {
	o         Options
	own       bool
	backend   compute.Backend
	facts     *Facts
	describer *describer
	store     *model.Store
	random    *rand.Rand
	rows      int             // room for the entities of a batch
	slots     map[int32]int32 // where each entity of a batch stands among its rows
	entities  []int32         // of the batch
}

func newLearner(backend compute.Backend, f *Facts, d *describer, o Options, own bool) *learner {
	o.Negatives = min(o.Negatives, len(f.entities))
	l := &learner{o: o, own: own, backend: backend, facts: f, describer: d, store: model.NewStore(),
		random: rand.New(rand.NewPCG(uint64(o.Seed), 1)), rows: 2*o.Batch + o.Negatives, slots: map[int32]int32{}}
	l.store.SetParam("/"+model.ParamInitialSeed, o.Seed)
	return l
}

// vectors are those of entities [U], given by their numbers and descriptions: [U, D].
func (l *learner) vectors(root *model.Scope, in []*Node) *Node {
	scope := root.At(Scope)
	if l.own {
		return Gather(matrix(scope, "entities", len(l.facts.entities), l.o.Size, in[0].Graph()), InsertAxes(in[0], -1))
	}
	return Vectors(scope, Description{Name: in[1], Definition: in[2], Types: in[3]}, l.o.Size)
}

func (l *learner) relations(root *model.Scope, g *Graph) *Node {
	return matrix(root.At(Scope), "relations", len(l.facts.relations), l.o.Size, g)
}

// run learns from triples.
func (l *learner) run(ctx context.Context, learned []triple, progress func(done int, loss float64)) error {
	others := math.Log(float64(len(l.facts.entities)) / float64(l.o.Negatives))
	step, err := model.NewExec(l.backend, l.store, func(root *model.Scope, in []*Node) *Node {
		g := in[0].Graph()
		l.store.SetTraining(g, true)
		q := questions{head: in[5], relation: in[6], tail: in[7], sampled: in[8]}
		loss := q.loss(l.vectors(root, in[1:5]), l.relations(root, g), others, l.o.N3)
		optimizer.LearningRateVar(root, dtypes.Float32, l.o.Rate).SetNodeValue(in[0])
		optimizer.Adam().Done().UpdateGraph(root, g, loss)
		return loss
	})
	if err != nil {
		return fmt.Errorf("build the training step: %w", err)
	}
	defer step.Finalize()
	batch := min(l.o.Batch, len(learned))
	order := l.random.Perm(len(learned))
	next, mean := 0, 0.0
	for done := range l.o.Steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if next+batch > len(order) {
			l.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			next = 0
		}
		rate := l.o.Rate * (1 - float64(done)/float64(l.o.Steps))
		loss, err := l.step(step, learned, order[next:next+batch], rate)
		if err != nil {
			return fmt.Errorf("step %d: %w", done+1, err)
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fmt.Errorf("step %d: the loss is %g: lower the learning rate", done+1, loss)
		}
		next += batch
		mean += (loss - mean) / float64(min(done+1, 100))
		progress(done+1, mean)
	}
	return nil
}

// step learns from a batch and returns its loss.
func (l *learner) step(exec *model.Exec, learned []triple, batch []int, rate float64) (float64, error) {
	clear(l.slots)
	l.entities = l.entities[:0]
	head, relation, tail := make([]int32, len(batch)), make([]int32, len(batch)), make([]int32, len(batch))
	for i, b := range batch {
		x := learned[b]
		head[i], relation[i], tail[i] = l.slot(x.head), x.relation, l.slot(x.tail)
	}
	sampled := make([]int32, l.o.Negatives)
	for i := range sampled {
		sampled[i] = l.slot(int32(l.random.IntN(len(l.facts.entities))))
	}
	args := append([]any{float32(rate)}, l.inputs(l.entities, l.rows)...)
	outs, err := exec.Call(append(args, head, relation, tail, sampled)...)
	if err != nil {
		return 0, err
	}
	defer outs[0].MustFinalizeAll()
	return float64(tensors.ToScalar[float32](outs[0])), nil
}

// slot is where an entity stands among the rows of the batch.
func (l *learner) slot(entity int32) int32 {
	slot, known := l.slots[entity]
	if !known {
		slot = int32(len(l.entities))
		l.slots[entity] = slot
		l.entities = append(l.entities, entity)
	}
	return slot
}

// inputs are what vectors reads of entities.
func (l *learner) inputs(entities []int32, rows int) []any {
	padded := append(slices.Clone(entities), make([]int32, rows-len(entities))...)
	if l.own {
		entities = nil
	}
	d := l.describer.describe(entities, rows)
	return []any{padded, d[0], d[1], d[2]}
}

// all are the vectors of all entities.
func (l *learner) all(ctx context.Context) ([]float32, error) {
	exec, err := model.NewExec(l.backend, l.store, func(root *model.Scope, in []*Node) *Node {
		l.store.SetTraining(in[0].Graph(), true) // variables stay variables
		return l.vectors(root, in)
	})
	if err != nil {
		return nil, fmt.Errorf("build the vectors: %w", err)
	}
	defer exec.Finalize()
	var vectors []float32
	numbers := make([]int32, len(l.facts.entities))
	for i := range numbers {
		numbers[i] = int32(i)
	}
	for chunk := range slices.Chunk(numbers, l.rows) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		outs, err := exec.Call(l.inputs(chunk, l.rows)...)
		if err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
		flat, err := tensors.CopyFlatData[float32](outs[0])
		outs[0].MustFinalizeAll()
		if err != nil {
			return nil, fmt.Errorf("vectors: %w", err)
		}
		vectors = append(vectors, flat[:len(chunk)*l.o.Size]...)
	}
	return vectors, nil
}
