package storetest

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/names"
)

// Knowledge gives a fixture as a knowledge base in memory: the contract of
// graph.Knowledge in its plainest form, for tests that need some knowledge.
func Knowledge(fixture Fixture) graph.Knowledge { return memory{fixture} }

// Release gives a fixture as a release to be loaded into a store.
func Release(fixture Fixture) graph.Release { return memory{fixture} }

type memory struct{ Fixture }

func (m memory) Network() ([]graph.SemanticType, []graph.TypeRelation) {
	return m.SemanticTypes, m.TypeRelations
}

func (m memory) Concepts(context.Context) iter.Seq2[graph.Concept, error] {
	return all(m.Fixture.Concepts)
}

func (m memory) Relations(context.Context) iter.Seq2[graph.Relation, error] {
	return all(slices.SortedFunc(slices.Values(m.Fixture.Relations), func(a, b graph.Relation) int {
		return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Tail, b.Tail), cmp.Compare(a.Label, b.Label))
	}))
}

func (m memory) Retired(context.Context) iter.Seq2[graph.Retired, error] {
	var list []graph.Retired
	for _, r := range m.Fixture.Retired {
		if r.Into != "" {
			r.Into = m.present(r.Into)
		}
		list = append(list, r)
	}
	return all(list)
}

// present is the id that stands for another one: that of the concept that took
// its place, and otherwise itself.
func (m memory) present(cui graph.CUI) graph.CUI {
	for _, r := range m.Fixture.Retired {
		if r.CUI == cui && r.Into != "" {
			return m.present(r.Into)
		}
	}
	return cui
}

func all[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (m memory) Info(context.Context) (graph.KnowledgeBaseInfo, error) {
	info := m.Fixture.Info
	info.Concepts = len(m.Fixture.Concepts)
	info.Relations = len(m.Fixture.Relations)
	info.SemanticTypes = len(m.SemanticTypes)
	info.TypeRelations = len(m.TypeRelations)
	for _, concept := range m.Fixture.Concepts {
		info.Names += 1 + len(concept.Synonyms)
		if concept.Definition != "" {
			info.Definitions++
		}
	}
	return info, nil
}

func (m memory) Concept(_ context.Context, cui graph.CUI) (graph.Concept, error) {
	for _, concept := range m.Fixture.Concepts {
		if concept.CUI == m.present(cui) {
			return concept, nil
		}
	}
	if slices.ContainsFunc(m.Fixture.Retired, func(r graph.Retired) bool { return r.CUI == cui }) {
		return graph.Concept{}, fmt.Errorf("concept %q: %w: %w", cui, graph.ErrNotFound, graph.ErrRetired)
	}
	return graph.Concept{}, fmt.Errorf("concept %q: %w", cui, graph.ErrNotFound)
}

func (m memory) SemanticType(_ context.Context, tui graph.TUI) (graph.SemanticType, error) {
	for _, semanticType := range m.SemanticTypes {
		if semanticType.TUI == tui {
			return semanticType, nil
		}
	}
	return graph.SemanticType{}, fmt.Errorf("semantic type %q: %w", tui, graph.ErrNotFound)
}

func (m memory) Search(_ context.Context, query string, limit int) ([]graph.Concept, error) {
	query = names.Fold(query)
	ranked := map[int][]graph.Concept{} // 0 equals, 1 begins with, 2 holds
	for _, concept := range m.Fixture.Concepts {
		best := 3
		for _, name := range append([]string{concept.Name}, concept.Synonyms...) {
			name = names.Fold(name)
			switch {
			case name == query:
				best = min(best, 0)
			case strings.HasPrefix(name, query):
				best = min(best, 1)
			case holdsWords(name, query):
				best = min(best, 2)
			}
		}
		ranked[best] = append(ranked[best], concept)
	}
	found := slices.Concat(ranked[0], ranked[1], ranked[2])
	return found[:min(limit, len(found))], nil
}

func holdsWords(name, query string) bool {
	words := strings.Fields(name)
	for _, word := range strings.Fields(query) {
		if !slices.Contains(words, word) {
			return false
		}
	}
	return true
}

func (m memory) Neighbors(_ context.Context, cui graph.CUI, limit int) (found []graph.Relation, err error) {
	cui = m.present(cui)
	for _, relation := range m.Fixture.Relations {
		if relation.Head == cui || relation.Tail == cui {
			found = append(found, relation)
		}
	}
	slices.SortFunc(found, func(a, b graph.Relation) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Head, b.Head), cmp.Compare(a.Tail, b.Tail))
	})
	return found[:min(limit, len(found))], nil
}

func (m memory) Subgraph(_ context.Context, cuis []graph.CUI) (sub graph.Subgraph, err error) {
	var types []graph.TUI
	cuis = slices.Clone(cuis)
	for i := range cuis {
		cuis[i] = m.present(cuis[i])
	}
	for _, concept := range m.Fixture.Concepts {
		if slices.Contains(cuis, concept.CUI) {
			sub.Concepts = append(sub.Concepts, concept)
			types = append(types, concept.SemanticTypes...)
		}
	}
	for _, semanticType := range m.SemanticTypes {
		if slices.Contains(types, semanticType.TUI) {
			sub.SemanticTypes = append(sub.SemanticTypes, semanticType)
		}
	}
	for _, relation := range m.Fixture.Relations {
		if slices.Contains(cuis, relation.Head) && slices.Contains(cuis, relation.Tail) {
			sub.Relations = append(sub.Relations, relation)
		}
	}
	for _, relation := range m.TypeRelations {
		if slices.Contains(types, relation.Head) && slices.Contains(types, relation.Tail) {
			sub.TypeRelations = append(sub.TypeRelations, relation)
		}
	}
	slices.SortFunc(sub.Relations, func(a, b graph.Relation) int {
		return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Tail, b.Tail))
	})
	return sub, nil
}
