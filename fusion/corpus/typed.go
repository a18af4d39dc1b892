package corpus

import "cmp"

// TypePair are the entity types of a relation's head and tail.
type TypePair struct {
	Head string `json:"head"`
	Tail string `json:"tail"`
}

// Compare orders pairs by their heads, then by their tails.
func (p TypePair) Compare(q TypePair) int {
	return cmp.Or(cmp.Compare(p.Head, q.Head), cmp.Compare(p.Tail, q.Tail))
}

// TypedRelation is a relation by the types of what it joins.
type TypedRelation struct {
	Types TypePair // in alphabetical order where the corpus is not Directed
	Label string
}

// TypedRelations are the relations of the examples: of concepts where the corpus is
// OfConcepts, else of mentions. A relation of a concept that no mention denotes, such as
// one id for two concepts, is left out; unnamed is how many are.
func (c Corpus) TypedRelations() (relations []TypedRelation, unnamed int) {
	add := func(head, tail, label string) {
		switch {
		case head == "" || tail == "":
			unnamed++
			return
		case !c.Directed && tail < head:
			head, tail = tail, head
		}
		relations = append(relations, TypedRelation{TypePair{head, tail}, label})
	}
	for _, e := range c.Examples {
		if !c.OfConcepts {
			for _, r := range e.Relations {
				add(e.Entities[r.Head].Type, e.Entities[r.Tail].Type, r.Label)
			}
			continue
		}
		types := e.conceptTypes()
		for _, r := range e.ConceptRelations {
			add(types[r.Head], types[r.Tail], r.Label)
		}
	}
	return relations, unnamed
}

// conceptTypes are the types of the concepts that mentions denote: of each the first.
func (e Example) conceptTypes() map[string]string {
	types := map[string]string{}
	for _, m := range e.Entities {
		for _, id := range m.Concepts {
			types[id] = cmp.Or(types[id], m.Type)
		}
	}
	return types
}
