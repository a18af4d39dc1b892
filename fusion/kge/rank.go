package kge

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
	"github.com/gomlx/gomlx/core/tensors"
)

// LinkPrediction is how well held-out relations are found again: for each the
// tail is asked for among all entities, those left out that are known to be
// right as well (the filtered setting of Bordes et al. 2013). An entity of the
// same score counts half.
type LinkPrediction struct {
	Queries int     `json:"queries"`
	MRR     float64 `json:"mrr"`    // mean of 1/rank
	Hits1   float64 `json:"hits1"`  // share of rank 1
	Hits10  float64 `json:"hits10"` // share of rank 10 or better
}

// queriesAtOnce bounds the scores that are held: one for each query and entity.
const queriesAtOnce = 64

// ranking ranks all entities as tails.
type ranking struct {
	backend             compute.Backend
	size                int       // D
	entities, relations []float32 // vectors
	known               []triple  // all there are, learned or not
}

// ask ranks the tails of triples.
func (r ranking) ask(ctx context.Context, queries []triple) (LinkPrediction, error) {
	exec, err := NewExec(r.backend, func(all, head, relation *Node) *Node {
		return MatMul(tails(head, relation), TransposeAllAxes(all, 1, 0))
	})
	if err != nil {
		return LinkPrediction{}, fmt.Errorf("build the ranking: %w", err)
	}
	defer exec.Finalize()
	right := tailsOf(queries, r.known)
	all := tensors.FromFlatDataAndDimensions(r.entities, len(r.entities)/r.size, r.size)
	var result LinkPrediction
	for chunk := range slices.Chunk(queries, queriesAtOnce) {
		if ctx.Err() != nil {
			return LinkPrediction{}, context.Cause(ctx)
		}
		heads, relations := r.vectorsOf(chunk)
		scores, err := exec.Call1(all, heads, relations)
		if err != nil {
			return LinkPrediction{}, fmt.Errorf("rank: %w", err)
		}
		ranks := make([]float64, len(chunk))
		err = tensors.ConstFlatData(scores, func(flat []float32) {
			n := len(r.entities) / r.size
			parallel(len(chunk), func(i int) {
				q := chunk[i]
				ranks[i] = rank(flat[i*n:(i+1)*n], q.tail, right[[2]int32{q.head, q.relation}])
			})
		})
		scores.MustFinalizeAll()
		if err != nil {
			return LinkPrediction{}, fmt.Errorf("rank: %w", err)
		}
		for _, place := range ranks {
			result.add(place)
		}
	}
	return result.mean(), nil
}

// vectorsOf are the vectors of heads and relations, with room for queriesAtOnce.
func (r ranking) vectorsOf(queries []triple) (heads, relations *tensors.Tensor) {
	h, rel := make([]float32, queriesAtOnce*r.size), make([]float32, queriesAtOnce*r.size)
	for i, q := range queries {
		copy(h[i*r.size:], r.entities[int(q.head)*r.size:(int(q.head)+1)*r.size])
		copy(rel[i*r.size:], r.relations[int(q.relation)*r.size:(int(q.relation)+1)*r.size])
	}
	return tensors.FromFlatDataAndDimensions(h, queriesAtOnce, r.size), tensors.FromFlatDataAndDimensions(rel, queriesAtOnce, r.size)
}

// tailsOf lists the known tails of every head and relation of the queries.
func tailsOf(queries, known []triple) map[[2]int32][]int32 {
	right := make(map[[2]int32][]int32, len(queries))
	for _, q := range queries {
		right[[2]int32{q.head, q.relation}] = nil
	}
	for _, t := range known {
		key := [2]int32{t.head, t.relation}
		if list, asked := right[key]; asked {
			right[key] = append(list, t.tail)
		}
	}
	return right
}

// rank is the place of the tail among the scores, from 1, without the others
// that are right.
func rank(scores []float32, tail int32, right []int32) float64 {
	place := 1.0
	count := func(score float32, weight float64) {
		switch {
		case score > scores[tail]:
			place += weight
		case score == scores[tail]:
			place += weight / 2
		}
	}
	for _, s := range scores {
		count(s, 1)
	}
	count(scores[tail], -1) // itself
	for _, other := range slices.Compact(slices.Sorted(slices.Values(right))) {
		if other != tail {
			count(scores[other], -1)
		}
	}
	return place
}

func (l *LinkPrediction) add(rank float64) {
	l.Queries++
	l.MRR += 1 / rank
	if rank <= 1 {
		l.Hits1++
	}
	if rank <= 10 {
		l.Hits10++
	}
}

// mean divides the sums.
func (l LinkPrediction) mean() LinkPrediction {
	n := float64(max(l.Queries, 1))
	return LinkPrediction{l.Queries, l.MRR / n, l.Hits1 / n, l.Hits10 / n}
}
