package knowledgebase

import (
	"context"
	"iter"

	"github.com/keci-kg/keci/graph"
)

// WithDefaultNetwork completes a source that has no Semantic Network, as
// subsets of UMLS often have none: its semantic types get what the default
// knowledge base says of them, and the relations that they have there.
func WithDefaultNetwork(source Source) (Source, error) {
	facts, err := DefaultFacts()
	if err != nil {
		return nil, err
	}
	known := make(map[graph.TUI]graph.SemanticType, len(facts.Types))
	for _, t := range facts.Types {
		known[t.TUI] = t
	}
	return completed{source, known, facts.TypeFacts}, nil
}

// completed is a source with types and their relations from elsewhere.
type completed struct {
	Source
	types     map[graph.TUI]graph.SemanticType
	relations []graph.TypeRelation
}

// SemanticTypes gives the types of the source, better described where they are known.
func (c completed) SemanticTypes(ctx context.Context) iter.Seq2[graph.SemanticType, error] {
	return func(yield func(graph.SemanticType, error) bool) {
		for t, err := range c.Source.SemanticTypes(ctx) {
			if described, known := c.types[t.TUI]; known && err == nil {
				t = described
			}
			if !yield(t, err) {
				return
			}
		}
	}
}

// Retired implements History.
func (c completed) Retired(ctx context.Context) iter.Seq2[graph.Retired, error] {
	return retired(ctx, c.Source)
}

// TypeRelations gives the relations between the types of the source.
func (c completed) TypeRelations(ctx context.Context) iter.Seq2[graph.TypeRelation, error] {
	return func(yield func(graph.TypeRelation, error) bool) {
		own := map[graph.TUI]bool{}
		for t, err := range c.Source.SemanticTypes(ctx) {
			if err != nil {
				yield(graph.TypeRelation{}, err)
				return
			}
			own[t.TUI] = true
		}
		for _, r := range c.relations {
			if own[r.Head] && own[r.Tail] && !yield(r, nil) {
				return
			}
		}
	}
}
