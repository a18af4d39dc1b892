package kge

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// name says who an entity is.
func (f *Facts) name(i int32) string { return f.entities[i].name }

func (f *Facts) written() []string {
	var list []string
	for _, t := range f.triples {
		list = append(list, f.name(t.head)+" "+f.relations[t.relation]+" "+f.name(t.tail))
	}
	slices.Sort(list)
	return list
}

func TestRead(t *testing.T) {
	f := mustRead(t, release{
		types: []graph.SemanticType{{TUI: "T1", Name: "type 1"}, {TUI: "T2", Name: "type 2"}},
		among: []graph.TypeRelation{{Head: "T1", Label: "affects", Tail: "T2"}, {Head: "T1", Label: "affects", Tail: "T9"}},
		concepts: []graph.Concept{
			{CUI: "C1", Name: "one", SemanticTypes: []graph.TUI{"T1", "T9"}, Definition: "the first"},
			{CUI: "C2", Name: "two", SemanticTypes: []graph.TUI{"T1", "T2"}},
			{CUI: "C3", Name: "three", SemanticTypes: []graph.TUI{"T2"}},
		},
		relations: []graph.Relation{
			{Head: "C2", Label: "isa", Tail: "C1"}, {Head: "C1", Label: "inverse_isa", Tail: "C2"},
			{Head: "C1", Label: "near", Tail: "C1"}, // to itself
			{Head: "C2", Label: "treats", Tail: "C1"},
		},
	})
	if diff := cmp.Diff([]string{
		"one has_semantic_type type 1", "one inverse_isa two", "two has_semantic_type type 1", "two has_semantic_type type 2",
		"two isa one", "two treats one", "type 1 affects type 2", "type 1 has_semantic_type⁻¹ one", "type 1 has_semantic_type⁻¹ two",
		"type 2 affects⁻¹ type 1", "type 2 has_semantic_type⁻¹ two",
	}, f.written()); diff != "" {
		t.Errorf("triples (-want +got):\n%s", diff)
	}
	want := []described{{"one", "the first", []int32{0}}, {"two", "", []int32{0, 1}}, {"type 1", "", []int32{0}}, {"type 2", "", []int32{1}}}
	if diff := cmp.Diff(want, f.entities, cmp.AllowUnexported(described{})); diff != "" || f.concepts != 2 {
		t.Errorf("%d concepts, entities (-want +got):\n%s", f.concepts, diff)
	}
}

func TestReadFaults(t *testing.T) {
	broken := errors.New("broken")
	faulty := families(1, 1)
	faulty.fault = broken
	if _, err := Read(t.Context(), faulty); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the relations", err)
	}
	if _, err := Read(t.Context(), release{}); err == nil || !strings.Contains(err.Error(), "no relations to learn from") {
		t.Errorf("error %v, want that there are no relations", err)
	}
}

func TestDivide(t *testing.T) {
	f := mustRead(t, families(8, 6))
	s := f.divide(0.1, rand.New(rand.NewPCG(1, 0)))
	if len(s.heldOut) < 10 || len(s.unseen) < 10 || len(s.learned) < 3*len(s.heldOut) {
		t.Fatalf("%d learned, %d held out, %d unseen", len(s.learned), len(s.heldOut), len(s.unseen))
	}
	related, learned := map[[2]int32]bool{}, map[int32]bool{}
	for _, x := range s.learned {
		if p, ok := f.pair(x); ok {
			related[p], learned[x.head], learned[x.tail] = true, true, true
		}
	}
	for _, x := range s.heldOut {
		p, _ := f.pair(x)
		if related[p] || !learned[x.head] || !learned[x.tail] {
			t.Errorf("%s and %s: related in what is learned: %t, learned at all: %t and %t",
				f.name(x.head), f.name(x.tail), related[p], learned[x.head], learned[x.tail])
		}
	}
	for _, x := range s.unseen {
		if learned[x.head] == learned[x.tail] {
			t.Errorf("%s and %s: learned: %t and %t", f.name(x.head), f.name(x.tail), learned[x.head], learned[x.tail])
		}
	}
	again := f.divide(0.1, rand.New(rand.NewPCG(1, 0)))
	if !slices.Equal(s.heldOut, again.heldOut) || !slices.Equal(s.unseen, again.unseen) {
		t.Error("the same seed holds out something else")
	}
}
