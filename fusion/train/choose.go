package train

import (
	"context"

	"github.com/keci-kg/keci/fusion/calibration"
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

// Decide reads the held-out texts, as many at once as there are processors, takes the
// threshold of relations with which what is found in them scores best, the earlier one
// of two that are equal, and calibrates the scores on them. find puts together, as the
// document that it is given, what is found of what was read of a text. The error is
// [ErrNothingHeldOut] where there is no text.
func Decide[R any](ctx context.Context, heldOut corpus.Corpus, thresholds []float64, read func(context.Context, corpus.Example) (R, error),
	find func(calibration.Decision, graph.Document, R) calibration.Findings) (calibration.Decision, Score, error) {
	if len(heldOut.Examples) == 0 {
		return calibration.Decision{}, Score{}, ErrNothingHeldOut
	}
	readings, err := corpus.Map(ctx, heldOut, read)
	if err != nil {
		return calibration.Decision{}, Score{}, err
	}
	findings := func(d calibration.Decision) []calibration.Findings {
		found := make([]calibration.Findings, len(readings))
		for i, e := range heldOut.Examples {
			found[i] = find(d, graph.Document{ID: e.ID, Text: e.Text}, readings[i])
		}
		return found
	}
	candidates := make([]calibration.Decision, len(thresholds))
	for i, threshold := range thresholds {
		candidates[i].RelationThreshold = threshold
	}
	chosen, best, err := Choose(ctx, heldOut, candidates, func(d calibration.Decision) []graph.Document {
		documents := make([]graph.Document, len(readings))
		for i, f := range findings(d) {
			documents[i] = f.Document
		}
		return documents
	})
	if err != nil {
		return chosen, best, err
	}
	chosen, err = chosen.Calibrated(heldOut, findings(chosen))
	return chosen, best, err
}

// Stateless is for a [Learner] that knows nothing beside its variables that does not
// follow from its material.
type Stateless struct{}

// SaveState has nothing to keep.
func (Stateless) SaveState(string) error { return nil }

// LoadState has nothing to read.
func (Stateless) LoadState(string) error { return nil }
