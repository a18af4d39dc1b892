package corpus

import "fmt"

// CountTypes counts the entities of each type.
func (c Corpus) CountTypes() map[string]int {
	counts := map[string]int{}
	for _, e := range c.Examples {
		for _, m := range e.Entities {
			counts[m.Type]++
		}
	}
	return counts
}

// CountLabels counts the relations of each label.
func (c Corpus) CountLabels() map[string]int {
	counts := map[string]int{}
	for _, e := range c.Examples {
		for _, r := range e.Relations {
			if !c.OfConcepts {
				counts[r.Label]++
			}
		}
		for _, r := range e.ConceptRelations {
			if c.OfConcepts {
				counts[r.Label]++
			}
		}
	}
	return counts
}

// PlaceOfType names an entity type with the place where it occurs first.
func (c Corpus) PlaceOfType(name string) string {
	for _, e := range c.Examples {
		for _, m := range e.Entities {
			if m.Type == name {
				return fmt.Sprintf("%q (%s, text %s)", name, e.Place(), e.ID)
			}
		}
	}
	return fmt.Sprintf("%q", name)
}

// PlaceOfLabel names a relation label with the place where it occurs first.
func (c Corpus) PlaceOfLabel(name string) string {
	for _, e := range c.Examples {
		for _, r := range e.Relations {
			if r.Label == name {
				return fmt.Sprintf("%q (%s, text %s)", name, e.Place(), e.ID)
			}
		}
		for _, r := range e.ConceptRelations {
			if r.Label == name {
				return fmt.Sprintf("%q (%s, text %s)", name, e.Place(), e.ID)
			}
		}
	}
	return fmt.Sprintf("%q", name)
}
