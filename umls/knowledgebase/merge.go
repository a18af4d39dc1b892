package knowledgebase

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/align"
)

// Merge makes one source of two. A concept of both keeps the name, definition
// and semantic types of the first, where it has them, and gets all names, codes
// and sources of the second as well; a relation of both gets the sources of both.
// Neither source is held in memory: both give their concepts and relations in order.
func Merge(first, second Source) Source { return merged{first, second} }

type merged struct{ first, second Source }

// Concepts implements Source.
func (m merged) Concepts(ctx context.Context) iter.Seq2[graph.Concept, error] {
	return mergeSorted(m.first.Concepts(ctx), m.second.Concepts(ctx), compareConcepts, graph.Concept.Merge)
}

// Relations implements Source.
func (m merged) Relations(ctx context.Context) iter.Seq2[graph.Relation, error] {
	return mergeSorted(m.first.Relations(ctx), m.second.Relations(ctx), compareRelations, graph.Relation.Merge)
}

// SemanticTypes implements Source.
func (m merged) SemanticTypes(ctx context.Context) iter.Seq2[graph.SemanticType, error] {
	byTUI := func(a, b graph.SemanticType) int { return cmp.Compare(a.TUI, b.TUI) }
	return mergeSorted(m.first.SemanticTypes(ctx), m.second.SemanticTypes(ctx), byTUI, firstOf)
}

// TypeRelations implements Source.
func (m merged) TypeRelations(ctx context.Context) iter.Seq2[graph.TypeRelation, error] {
	return mergeSorted(m.first.TypeRelations(ctx), m.second.TypeRelations(ctx), graph.TypeRelation.Compare, firstOf)
}

// Sources implements Source.
func (m merged) Sources(ctx context.Context) ([]graph.SourceInfo, error) {
	first, err := m.first.Sources(ctx)
	if err != nil {
		return nil, err
	}
	second, err := m.second.Sources(ctx)
	if err != nil {
		return nil, err
	}
	byName := func(a, b graph.SourceInfo) int { return cmp.Compare(a.Abbreviation, b.Abbreviation) }
	all := slices.Concat(first, second)
	slices.SortStableFunc(all, byName)
	return slices.CompactFunc(all, func(a, b graph.SourceInfo) bool { return byName(a, b) == 0 }), nil
}

// Retired implements History: what the first knows counts.
func (m merged) Retired(ctx context.Context) iter.Seq2[graph.Retired, error] {
	return func(yield func(graph.Retired, error) bool) {
		told := &graph.CUISet{}
		for _, source := range []Source{m.first, m.second} {
			for r, err := range retired(ctx, source) {
				if (err != nil || told.Add(r.CUI)) && !yield(r, err) {
					return
				}
			}
		}
	}
}

func compareConcepts(a, b graph.Concept) int { return cmp.Compare(a.CUI, b.CUI) }

func compareRelations(a, b graph.Relation) int {
	return cmp.Or(cmp.Compare(a.Tail, b.Tail), cmp.Compare(a.Head, b.Head), cmp.Compare(a.Label, b.Label))
}

func firstOf[T any](a, _ T) T { return a }

// mergeSorted merges two sorted sequences; what compares equal is joined.
func mergeSorted[T any](first, second iter.Seq2[T, error], compare func(a, b T) int, join func(a, b T) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for p, err := range align.Sorted(first, second, compare) {
			item := p.First
			switch {
			case !p.InFirst:
				item = p.Second
			case p.InSecond:
				item = join(p.First, p.Second)
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}
