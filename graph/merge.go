package graph

import (
	"cmp"
	"slices"
)

// Merge is a concept that two sources describe, with the id of c: the name of c,
// its definition and semantic types where it has them, and all names, sources and
// codes of both. Neither is changed.
func (c Concept) Merge(other Concept) Concept {
	named := map[string]bool{c.Name: true}
	for _, name := range c.Synonyms {
		named[name] = true
	}
	c.Synonyms = slices.Clip(c.Synonyms)
	for _, name := range append([]string{other.Name}, other.Synonyms...) {
		if !named[name] {
			named[name] = true
			c.Synonyms = append(c.Synonyms, name)
		}
	}
	if len(c.SemanticTypes) == 0 {
		c.SemanticTypes = other.SemanticTypes
	}
	c.Definition = cmp.Or(c.Definition, other.Definition)
	c.Sources = union(c.Sources, other.Sources, cmp.Compare[string])
	c.Codes = union(c.Codes, other.Codes, func(a, b Code) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Code, b.Code))
	})
	return c
}

// Merge is a relation that two sources state, with the sources of both.
func (r Relation) Merge(other Relation) Relation {
	r.Sources = union(r.Sources, other.Sources, cmp.Compare[string])
	return r
}

// union is the sorted union of two lists, nil when both are empty.
func union[T comparable](a, b []T, compare func(T, T) int) []T {
	all := slices.Concat(a, b)
	slices.SortFunc(all, compare)
	return slices.Compact(all)
}
