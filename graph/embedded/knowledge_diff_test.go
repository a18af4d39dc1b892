package embedded

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/keci-kg/keci/graph"
)

// content is what a knowledge base of a test holds.
type content struct {
	types         []graph.SemanticType
	typeRelations []graph.TypeRelation
	concepts      []graph.Concept
	relations     []graph.Relation
	retired       []graph.Retired
}

func build(t *testing.T, c content) *Knowledge {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	b, err := NewKnowledgeBuilder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range c.types {
		b.AddSemanticType(st)
	}
	for _, r := range c.typeRelations {
		b.AddTypeRelation(r)
	}
	for _, concept := range c.concepts {
		err = errors.Join(err, b.AddConcept(concept))
	}
	for _, r := range c.relations {
		err = errors.Join(err, b.AddRelation(r))
	}
	for _, r := range c.retired {
		err = errors.Join(err, b.AddRetired(r))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Finish(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	return openKnowledge(t, dir)
}

func TestDiff(t *testing.T) {
	concept := func(cui graph.CUI, name string) graph.Concept {
		return graph.Concept{CUI: cui, Name: name, SemanticTypes: []graph.TUI{"T1"}}
	}
	relation := func(head, tail graph.CUI, source string) graph.Relation {
		return graph.Relation{Head: head, Label: "binds", Tail: tail, Rel: "RO", Sources: []string{source}}
	}
	type1, type2, type3 := graph.SemanticType{TUI: "T1", Name: "one"}, graph.SemanticType{TUI: "T2", Name: "two"}, graph.SemanticType{TUI: "T3", Name: "three"}
	named := type1
	named.Name = "first"
	isa := func(head, tail graph.TUI) graph.TypeRelation {
		return graph.TypeRelation{Head: head, Label: "isa", Tail: tail}
	}
	older := content{
		types: []graph.SemanticType{type1, type2}, typeRelations: []graph.TypeRelation{isa("T1", "T2"), isa("T1", "T1")},
		concepts:  []graph.Concept{concept("C1", "a"), concept("C2", "b"), concept("C3", "c"), concept("C5", "e")},
		relations: []graph.Relation{relation("C1", "C2", "A"), relation("C1", "C3", "A"), relation("C2", "C3", "A")},
	}
	newer := content{
		types: []graph.SemanticType{named, type3}, typeRelations: []graph.TypeRelation{isa("T1", "T3"), isa("T1", "T1")},
		concepts:  []graph.Concept{concept("C1", "a"), concept("C3", "sea"), concept("C4", "d")},
		relations: []graph.Relation{relation("C1", "C3", "B"), relation("C4", "C3", "A")},
		retired:   []graph.Retired{{CUI: "C2", Into: "C3", Release: "2026AA"}},
	}
	from, to := build(t, older), build(t, newer)
	pointer := func(r graph.Retired) *graph.Retired { return &r }
	removedType, addedType := isa("T1", "T2"), isa("T1", "T3")
	want := []Change{
		{Kind: Changed, SemanticType: &named}, {Kind: Removed, SemanticType: &type2}, {Kind: Added, SemanticType: &type3},
		{Kind: Removed, TypeRelation: &removedType}, {Kind: Added, TypeRelation: &addedType},
		{Kind: Removed, Concept: &older.concepts[1], Retired: pointer(newer.retired[0])},
		{Kind: Changed, Concept: &newer.concepts[1]}, {Kind: Added, Concept: &newer.concepts[2]}, {Kind: Removed, Concept: &older.concepts[3]},
		{Kind: Removed, Relation: &older.relations[0]}, {Kind: Changed, Relation: &newer.relations[0]},
		{Kind: Removed, Relation: &older.relations[2]}, {Kind: Added, Relation: &newer.relations[1]},
	}
	var got []Change
	for c, err := range Diff(t.Context(), from, to) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c)
	}
	same(t, want, got)

	for c, err := range Diff(t.Context(), from, from) {
		t.Errorf("with itself: %+v, %v", c, err)
	}
	for range Diff(t.Context(), from, to) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range Diff(ctx, from, to) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
