package kge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/keci-kg/keci/graph"
)

// The relation names of a graph that are not in a knowledge base.
const (
	relationHasType = "has_semantic_type" // concept → its semantic type
	inverseSuffix   = "⁻¹"                // an edge read from tail to head
)

// triple is an edge between two entities, by index: head –relation→ tail.
type triple struct{ head, relation, tail int32 }

// Facts are a knowledge base as link prediction sees it. Its entities are the
// concepts with a relation, in order of CUI, and after them all semantic types.
// Every edge can be read in both directions: where the knowledge base has none
// from tail to head, there is an inverse.
type Facts struct {
	entities  []described
	concepts  int // of the entities
	types     []graph.TUI
	relations []string
	triples   []triple
}

// described is what is known of an entity beside its relations.
type described struct {
	name, definition string
	types            []int32 // indices into Facts.types; of a semantic type, itself
}

// Source is what is read of a knowledge base; see graph.Release.
type Source interface {
	Network() ([]graph.SemanticType, []graph.TypeRelation)
	Concepts(ctx context.Context) iter.Seq2[graph.Concept, error]
	Relations(ctx context.Context) iter.Seq2[graph.Relation, error]
}

// Read goes through a knowledge base.
func Read(ctx context.Context, from Source) (*Facts, error) {
	r := reader{concepts: index[graph.CUI]{}, types: index[graph.TUI]{}, relations: index[string]{}}
	for relation, err := range from.Relations(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read the relations: %w", err)
		}
		if relation.Head != relation.Tail {
			r.triples = append(r.triples, triple{r.concepts.of(relation.Head), r.relations.of(relation.Label), r.concepts.of(relation.Tail)})
		}
	}
	if len(r.triples) == 0 {
		return nil, errors.New("there are no relations to learn from")
	}
	r.sortConcepts()
	if err := r.readTypes(ctx, from); err != nil {
		return nil, err
	}
	r.addInverses()
	return &Facts{r.entities, len(r.concepts), r.types.keys(), r.relations.keys(), r.triples}, nil
}

// reader numbers what it meets.
type reader struct {
	concepts  index[graph.CUI]
	types     index[graph.TUI]
	relations index[string]
	entities  []described
	triples   []triple
}

// index numbers keys in the order in which they are asked for.
type index[K cmp.Ordered] map[K]int32

func (x index[K]) of(key K) int32 {
	i, known := x[key]
	if !known {
		i = int32(len(x))
		x[key] = i
	}
	return i
}

// keys are in the order of their numbers.
func (x index[K]) keys() []K {
	list := make([]K, len(x))
	for key, i := range x {
		list[i] = key
	}
	return list
}

// sortConcepts numbers the concepts in order of CUI.
func (r *reader) sortConcepts() {
	renumbered := make([]int32, len(r.concepts))
	for i, cui := range slices.Sorted(maps.Keys(r.concepts)) {
		renumbered[r.concepts[cui]] = int32(i)
		r.concepts[cui] = int32(i)
	}
	for i, t := range r.triples {
		r.triples[i].head, r.triples[i].tail = renumbered[t.head], renumbered[t.tail]
	}
}

// readTypes adds the semantic types: edges from the concepts, and among them.
func (r *reader) readTypes(ctx context.Context, from Source) error {
	types, among := from.Network()
	for _, t := range types {
		r.types.of(t.TUI)
	}
	first := int32(len(r.concepts))
	r.entities = make([]described, len(r.concepts)+len(types))
	for _, t := range types {
		i := r.types[t.TUI]
		r.entities[first+i] = described{t.Name, t.Definition, []int32{i}}
	}
	for c, err := range from.Concepts(ctx) {
		if err != nil {
			return fmt.Errorf("read the concepts: %w", err)
		}
		i, related := r.concepts[c.CUI]
		if !related {
			continue
		}
		d := described{name: c.Name, definition: c.Definition}
		for _, tui := range c.SemanticTypes {
			if t, known := r.types[tui]; known {
				d.types = append(d.types, t)
				r.triples = append(r.triples, triple{i, r.relations.of(relationHasType), first + t})
			}
		}
		r.entities[i] = d
	}
	for _, t := range among {
		head, known := r.types[t.Head]
		tail, also := r.types[t.Tail]
		if known && also {
			r.triples = append(r.triples, triple{first + head, r.relations.of(t.Label), first + tail})
		}
	}
	return nil
}

// addInverses gives an inverse to each edge whose ends have no edge in the other
// direction. The tables of UMLS have one for most.
func (r *reader) addInverses() {
	forward := make(map[[2]int32]bool, len(r.triples))
	for _, t := range r.triples {
		forward[[2]int32{t.head, t.tail}] = true
	}
	names := r.relations.keys()
	for _, t := range r.triples { // those that were there before
		if !forward[[2]int32{t.tail, t.head}] {
			r.triples = append(r.triples, triple{t.tail, r.relations.of(names[t.relation] + inverseSuffix), t.head})
		}
	}
}
