package multitask

import (
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// entitiesOf says which mentions of a text are one entity. Where relations are of
// concepts, mentions of one type are, whose names are the same but for case, whose
// best concepts are the same, or one of which is the short form of the other; else
// each mention is an entity.
func (c Config) entitiesOf(t *reading, places []place) []entity {
	keys := make([][]string, len(places))
	if c.OfConcepts {
		concepts, longForms := linkedAt(t.linked)
		for i, p := range places {
			at := linker.Range{Start: t.pieces[p.first].Start, End: t.pieces[p.last].End}
			keys[i] = append(keys[i], nameKey(t.text[at.Start:at.End]))
			if cui, ok := concepts[at]; ok {
				keys[i] = append(keys[i], "concept "+string(cui))
			}
			if long, ok := longForms[at]; ok {
				keys[i] = append(keys[i], nameKey(t.text[long.Start:long.End]))
			}
		}
	}
	return group(places, keys)
}

func nameKey(name string) string { return "name " + strings.ToLower(name) }

// linkedAt gives the best concept at each range, and the ranges of long forms at
// those of their short forms.
func linkedAt(linked []graph.Mention) (concepts map[linker.Range]graph.CUI, longForms map[linker.Range]linker.Range) {
	concepts, longForms = map[linker.Range]graph.CUI{}, map[linker.Range]linker.Range{}
	byID := map[string]linker.Range{}
	for _, m := range linked {
		byID[m.ID] = linker.Range{Start: m.Start, End: m.End}
		if len(m.Concepts) > 0 {
			concepts[byID[m.ID]] = m.Concepts[0].CUI
		}
	}
	for _, m := range linked {
		if long, ok := byID[m.LongForm]; ok {
			longForms[byID[m.ID]] = long
		}
	}
	return concepts, longForms
}

// group joins the places of one type that share a key, in order of their first.
func group(places []place, keys [][]string) []entity {
	parent := make([]int, len(places))
	var root func(int) int
	root = func(i int) int {
		if parent[i] != i {
			parent[i] = root(parent[i])
		}
		return parent[i]
	}
	type typedKey struct {
		typ int
		key string
	}
	first := map[typedKey]int{}
	for i, p := range places {
		parent[i] = i
		for _, key := range keys[i] {
			k := typedKey{p.typ, key}
			if before, ok := first[k]; ok {
				a, b := root(before), root(i)
				parent[max(a, b)] = min(a, b)
			} else {
				first[k] = i
			}
		}
	}
	var entities []entity
	index := map[int]int{}
	for i, p := range places {
		r := root(i)
		at, ok := index[r]
		if !ok {
			at = len(entities)
			index[r] = at
			entities = append(entities, entity{typ: p.typ})
		}
		entities[at].places = append(entities[at].places, i)
	}
	return entities
}
