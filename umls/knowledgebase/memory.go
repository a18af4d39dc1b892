package knowledgebase

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/names"
)

// memory is a graph.Knowledge of concepts alone: no relations and no Semantic
// Network.
type memory struct {
	info     graph.KnowledgeBaseInfo
	concepts []graph.Concept // in order of CUI
	index    map[graph.CUI]int
}

var _ graph.Knowledge = (*memory)(nil)

// newMemory takes concepts in order of CUI.
func newMemory(concepts []graph.Concept) *memory {
	m := &memory{concepts: concepts, index: map[graph.CUI]int{}}
	m.info.Concepts = len(concepts)
	for i, c := range concepts {
		m.index[c.CUI] = i
		m.info.Names += 1 + len(c.Synonyms)
		if c.Definition != "" {
			m.info.Definitions++
		}
	}
	return m
}

// Info implements graph.Knowledge.
func (m *memory) Info(context.Context) (graph.KnowledgeBaseInfo, error) { return m.info, nil }

// Concept implements graph.Knowledge.
func (m *memory) Concept(_ context.Context, cui graph.CUI) (graph.Concept, error) {
	i, known := m.index[cui]
	if !known {
		return graph.Concept{}, fmt.Errorf("concept %s: %w", cui, graph.ErrNotFound)
	}
	return m.concepts[i], nil
}

// SemanticType implements graph.Knowledge.
func (m *memory) SemanticType(_ context.Context, tui graph.TUI) (graph.SemanticType, error) {
	return graph.SemanticType{}, fmt.Errorf("semantic type %s: %w", tui, graph.ErrNotFound)
}

// Search implements graph.Knowledge.
func (m *memory) Search(_ context.Context, query string, limit int) ([]graph.Concept, error) {
	wanted := names.Words(names.Fold(query))
	found := []graph.Concept{}
	for _, c := range m.concepts {
		if len(wanted) > 0 && holds(c, wanted) {
			found = append(found, c)
		}
	}
	names.Rank(found, query)
	return found[:min(len(found), max(limit, 0))], nil
}

// holds tells whether the names of a concept hold all words, of which the last may be the
// beginning of one.
func holds(c graph.Concept, wanted []string) bool {
	words := names.Words(names.Fold(c.Name))
	for _, synonym := range c.Synonyms {
		words = append(words, names.Words(names.Fold(synonym))...)
	}
	last := wanted[len(wanted)-1]
	if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, last) }) {
		return false
	}
	return !slices.ContainsFunc(wanted[:len(wanted)-1], func(w string) bool { return !slices.Contains(words, w) })
}

// Neighbors implements graph.Knowledge.
func (m *memory) Neighbors(context.Context, graph.CUI, int) ([]graph.Relation, error) {
	return []graph.Relation{}, nil
}

// Subgraph implements graph.Knowledge.
func (m *memory) Subgraph(_ context.Context, cuis []graph.CUI) (graph.Subgraph, error) {
	sub := graph.Subgraph{
		Concepts: []graph.Concept{}, SemanticTypes: []graph.SemanticType{},
		Relations: []graph.Relation{}, TypeRelations: []graph.TypeRelation{},
	}
	for _, cui := range sortedOnce(slices.Clone(cuis), func(a, b graph.CUI) int { return strings.Compare(string(a), string(b)) }) {
		if i, known := m.index[cui]; known {
			sub.Concepts = append(sub.Concepts, m.concepts[i])
		}
	}
	return sub, nil
}
