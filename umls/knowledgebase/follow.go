package knowledgebase

import (
	"context"
	"fmt"
	"iter"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/embedded"
)

// Following is a source that remembers what an older knowledge base had. Releases
// tell what became of the concepts of earlier ones; most ontologies, and subsets
// of releases, do not, or not of all.
type Following struct {
	Source
	older *embedded.Knowledge
}

var _ History = (*Following)(nil)

// Follow opens the knowledge base in the folder older, for source to follow it.
// It must be closed.
func Follow(ctx context.Context, source Source, older string) (*Following, error) {
	knowledge, err := openStore(ctx, older)
	if err != nil {
		return nil, fmt.Errorf("opening the older knowledge base: %w", err)
	}
	return &Following{source, knowledge}, nil
}

// Close closes the older knowledge base.
func (f *Following) Close() error { return f.older.Close() }

// Retired implements History: what the source tells counts, then what the older
// knowledge base was told. Last come all concepts of the older one: Build passes
// over those that are still there.
func (f *Following) Retired(ctx context.Context) iter.Seq2[graph.Retired, error] {
	return func(yield func(graph.Retired, error) bool) {
		for _, history := range []iter.Seq2[graph.Retired, error]{retired(ctx, f.Source), f.older.Retired(ctx), f.olderConcepts(ctx)} {
			for r, err := range history {
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

func (f *Following) olderConcepts(ctx context.Context) iter.Seq2[graph.Retired, error] {
	return func(yield func(graph.Retired, error) bool) {
		info, err := f.older.Info(ctx)
		if err != nil {
			yield(graph.Retired{}, err)
			return
		}
		for c, err := range f.older.Concepts(ctx) {
			if !yield(graph.Retired{CUI: c.CUI, Release: info.Name}, err) {
				return
			}
		}
	}
}
