package train

import (
	"context"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/parallel"
)

// Choose takes the candidate – a configuration with thresholds of its own – with
// whose documents of the held-out texts the score is best, the earlier one of two
// that are equal. It asks for the documents of several at once.
func Choose[C any](ctx context.Context, heldOut corpus.Corpus, candidates []C, documents func(C) []graph.Document) (best C, of Score, err error) {
	scores, err := parallel.Map(ctx, candidates, func(ctx context.Context, c C) (Score, error) {
		if err := ctx.Err(); err != nil {
			return Score{}, err
		}
		result, err := score.Evaluate(heldOut, documents(c))
		return Score{Entity: result.EntityF1, Relation: result.RelationF1}, err
	})
	if err != nil {
		return best, of, err
	}
	of = Score{Entity: -1, Relation: -1}
	for i, s := range scores {
		if s.Selection() > of.Selection() {
			best, of = candidates[i], s
		}
	}
	return best, of, nil
}

// Stateless is for a [Learner] that knows nothing beside its variables that does not
// follow from its material.
type Stateless struct{}

// SaveState has nothing to keep.
func (Stateless) SaveState(string) error { return nil }

// LoadState has nothing to read.
func (Stateless) LoadState(string) error { return nil }
