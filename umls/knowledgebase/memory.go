package knowledgebase

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
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

// Search implements graph.Knowledge: names that begin with the query, then
// those that hold it.
func (m *memory) Search(_ context.Context, query string, limit int) ([]graph.Concept, error) {
	query = strings.ToLower(strings.TrimSpace(query))
	begins, holds := []graph.Concept{}, []graph.Concept{}
	for _, c := range m.concepts {
		names := append([]string{strings.ToLower(c.Name)}, c.Synonyms...)
		switch {
		case query == "":
		case slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(strings.ToLower(n), query) }):
			begins = append(begins, c)
		case slices.ContainsFunc(names, func(n string) bool { return strings.Contains(strings.ToLower(n), query) }):
			holds = append(holds, c)
		}
	}
	found := append(begins, holds...)
	return found[:min(len(found), max(limit, 0))], nil
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
