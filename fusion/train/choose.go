package train

import (
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
)

// Choose takes the candidate – a configuration with thresholds of its own – with
// whose documents of the held-out texts the score is best, the earlier one of two
// that are equal.
func Choose[C any](heldOut corpus.Corpus, candidates []C, documents func(C) []graph.Document) (best C, of Score, err error) {
	of = Score{Entity: -1, Relation: -1}
	for _, c := range candidates {
		result, err := score.Evaluate(heldOut, documents(c))
		if err != nil {
			return best, of, err
		}
		if s := (Score{Entity: result.EntityF1, Relation: result.RelationF1}); s.Selection() > of.Selection() {
			best, of = c, s
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
