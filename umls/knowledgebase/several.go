package knowledgebase

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/graph"
)

// several reads knowledge bases as one. Concepts that more than one of them has
// are put together: the first one's name and definition, everybody's synonyms,
// semantic types, sources and codes.
type several struct {
	info  graph.KnowledgeBaseInfo
	parts []graph.Knowledge
}

var (
	_ graph.Knowledge  = several{}
	_ graph.Succession = several{}
)

// network is a Knowledge that can tell how types are related that none of its
// own concepts need have.
type network interface {
	NetworkAmong(types []graph.TUI) ([]graph.SemanticType, []graph.TypeRelation)
}

// Info implements graph.Knowledge. Counts are sums: what two knowledge bases
// have counts twice.
func (s several) Info(context.Context) (graph.KnowledgeBaseInfo, error) { return s.info, nil }

// Concept implements graph.Knowledge.
func (s several) Concept(ctx context.Context, cui graph.CUI) (graph.Concept, error) {
	var found []graph.Concept
	absent := fmt.Errorf("concept %s: %w", cui, graph.ErrNotFound)
	for _, part := range s.parts {
		c, err := part.Concept(ctx, cui)
		switch {
		case err == nil:
			found = append(found, c)
		case errors.Is(err, graph.ErrRetired):
			absent = err
		case !errors.Is(err, graph.ErrNotFound):
			return graph.Concept{}, err
		}
	}
	if len(found) == 0 {
		return graph.Concept{}, absent
	}
	// What one part has, another may have retired: its successor is another concept.
	own := slices.DeleteFunc(slices.Clone(found), func(c graph.Concept) bool { return c.CUI != cui })
	if len(own) == 0 {
		return s.Concept(ctx, found[0].CUI)
	}
	return uniteConcepts(own)[0], nil
}

// Successor implements graph.Succession. A concept that any part has is not retired.
func (s several) Successor(ctx context.Context, cui graph.CUI) (graph.Retired, error) {
	none := fmt.Errorf("retired concept %s: %w", cui, graph.ErrNotFound)
	known, err := graph.Retired{CUI: cui}, none
	for _, part := range s.parts {
		history, ok := part.(graph.Succession)
		if !ok {
			continue
		}
		r, absent := history.Successor(ctx, cui)
		switch {
		case absent == nil && known.Into == "":
			known, err = r, nil
		case absent != nil && !errors.Is(absent, graph.ErrNotFound):
			return known, absent
		}
	}
	if err != nil {
		return known, err
	}
	switch c, err := s.Concept(ctx, cui); {
	case err == nil && c.CUI == cui:
		return graph.Retired{CUI: cui}, none
	case err != nil && !errors.Is(err, graph.ErrNotFound):
		return known, err
	}
	return known, nil
}

// present are the concepts that stand for others, of which some may be retired. One part
// may have a concept that another one retired: then it stands for itself, and what a part
// that retired it says of its successor is not of it.
func (s several) present(ctx context.Context, cuis []graph.CUI) ([]graph.CUI, error) {
	var list []graph.CUI
	for _, cui := range cuis {
		switch r, err := s.Successor(ctx, cui); {
		case errors.Is(err, graph.ErrNotFound):
			list = append(list, cui)
		case err != nil:
			return nil, err
		case r.Into != "":
			list = append(list, r.Into)
		}
	}
	return list, nil
}

// Predecessors implements graph.Succession.
func (s several) Predecessors(ctx context.Context, cui graph.CUI) ([]graph.CUI, error) {
	var all []graph.CUI
	for _, part := range s.parts {
		history, ok := part.(graph.Succession)
		if !ok {
			continue
		}
		predecessors, err := history.Predecessors(ctx, cui)
		if err != nil {
			return nil, err
		}
		for _, p := range predecessors {
			r, err := s.Successor(ctx, p)
			if err != nil && !errors.Is(err, graph.ErrNotFound) {
				return nil, err
			}
			if r.Into == cui {
				all = append(all, p)
			}
		}
	}
	return sortedOnce(all, cmp.Compare), nil
}

// SemanticType implements graph.Knowledge.
func (s several) SemanticType(ctx context.Context, tui graph.TUI) (t graph.SemanticType, err error) {
	for _, part := range s.parts {
		if t, err = part.SemanticType(ctx, tui); !errors.Is(err, graph.ErrNotFound) {
			return t, err
		}
	}
	return t, err
}

// Search implements graph.Knowledge: the best of each, then the second best of
// each, and so on, with what all parts say of them.
func (s several) Search(ctx context.Context, query string, limit int) ([]graph.Concept, error) {
	answers := make([][]graph.Concept, len(s.parts))
	longest := 0
	for i, part := range s.parts {
		var err error
		if answers[i], err = part.Search(ctx, query, limit); err != nil {
			return nil, err
		}
		longest = max(longest, len(answers[i]))
	}
	best := []graph.Concept{}
	for rank := range longest {
		for _, answer := range answers {
			if rank < len(answer) && !slices.ContainsFunc(best, func(c graph.Concept) bool { return c.CUI == answer[rank].CUI }) {
				best = append(best, answer[rank])
			}
		}
	}
	best = best[:min(len(best), max(limit, 0))]
	for i := range best {
		var err error
		if best[i], err = s.Concept(ctx, best[i].CUI); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// Neighbors implements graph.Knowledge.
func (s several) Neighbors(ctx context.Context, cui graph.CUI, limit int) ([]graph.Relation, error) {
	present, err := s.present(ctx, []graph.CUI{cui})
	if err != nil {
		return nil, err
	}
	relations := []graph.Relation{}
	for _, cui := range present {
		for _, part := range s.parts {
			more, err := part.Neighbors(ctx, cui, limit)
			if err != nil {
				return nil, err
			}
			if len(more) > 0 && more[0].Head != cui && more[0].Tail != cui {
				continue // of the successor, which this part has in its place
			}
			relations = append(relations, more...)
		}
	}
	relations = uniteRelations(relations, graph.Relation.CompareLabels)
	return relations[:min(len(relations), max(limit, 0))], nil
}

// Subgraph implements graph.Knowledge. Relations hold among concepts of one
// knowledge base; the Semantic Network is everybody's.
func (s several) Subgraph(ctx context.Context, cuis []graph.CUI) (graph.Subgraph, error) {
	cuis, err := s.present(ctx, cuis)
	if err != nil {
		return graph.Subgraph{}, err
	}
	var all graph.Subgraph
	for _, part := range s.parts {
		sub, err := part.Subgraph(ctx, cuis)
		if err != nil {
			return graph.Subgraph{}, err
		}
		keepConcepts(&sub, cuis)
		all.Concepts = append(all.Concepts, sub.Concepts...)
		all.Relations = append(all.Relations, sub.Relations...)
	}
	all.Concepts = uniteConcepts(all.Concepts)
	all.Relations = uniteRelations(all.Relations, graph.Relation.Compare)
	s.addNetwork(&all)
	return all, nil
}

// keepConcepts leaves out of a subgraph what was not asked for: successors of concepts
// that only this part retired, and their relations.
func keepConcepts(sub *graph.Subgraph, cuis []graph.CUI) {
	asked := make(map[graph.CUI]bool, len(cuis))
	for _, cui := range cuis {
		asked[cui] = true
	}
	sub.Concepts = slices.DeleteFunc(sub.Concepts, func(c graph.Concept) bool { return !asked[c.CUI] })
	sub.Relations = slices.DeleteFunc(sub.Relations, func(r graph.Relation) bool { return !asked[r.Head] || !asked[r.Tail] })
}

// addNetwork completes the types of a subgraph with what any part knows of them.
func (s several) addNetwork(sub *graph.Subgraph) {
	var touched []graph.TUI
	for _, c := range sub.Concepts {
		touched = append(touched, c.SemanticTypes...)
	}
	for _, part := range s.parts {
		if n, ok := part.(network); ok {
			types, relations := n.NetworkAmong(touched)
			sub.SemanticTypes = append(sub.SemanticTypes, types...)
			sub.TypeRelations = append(sub.TypeRelations, relations...)
		}
	}
	sub.SemanticTypes = sortedOnce(sub.SemanticTypes, func(a, b graph.SemanticType) int { return cmp.Compare(a.TUI, b.TUI) })
	sub.TypeRelations = sortedOnce(sub.TypeRelations, graph.TypeRelation.Compare)
}

// sortedOnce sorts a list and keeps the first of equal items. It is never nil.
func sortedOnce[T any](list []T, compare func(a, b T) int) []T {
	slices.SortStableFunc(list, compare)
	list = slices.CompactFunc(list, func(a, b T) bool { return compare(a, b) == 0 })
	return append([]T{}, list...)
}

// uniteConcepts sorts concepts by CUI and puts those of one CUI together.
func uniteConcepts(list []graph.Concept) []graph.Concept {
	slices.SortStableFunc(list, func(a, b graph.Concept) int { return cmp.Compare(a.CUI, b.CUI) })
	united := []graph.Concept{}
	for _, c := range list {
		if last := len(united) - 1; last >= 0 && united[last].CUI == c.CUI {
			united[last] = unite(united[last], c)
		} else {
			united = append(united, c)
		}
	}
	return united
}

// unite adds to a concept what another knowledge base says of it.
func unite(c, other graph.Concept) graph.Concept {
	types := sortedOnce(slices.Concat(c.SemanticTypes, other.SemanticTypes), cmp.Compare)
	c = c.Merge(other)
	c.SemanticTypes = types
	return c
}

// uniteRelations sorts relations and puts equal ones together, with the sources of all.
func uniteRelations(list []graph.Relation, compare func(a, b graph.Relation) int) []graph.Relation {
	slices.SortStableFunc(list, compare)
	united := []graph.Relation{}
	for _, r := range list {
		if last := len(united) - 1; last >= 0 && compare(united[last], r) == 0 {
			united[last] = united[last].Merge(r)
		} else {
			united = append(united, r)
		}
	}
	return united
}
