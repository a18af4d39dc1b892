package embedded_test

import (
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/embedded"
	"github.com/keci-kg/keci/graph/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, fixture storetest.Fixture) graph.Store {
		return open(t, t.TempDir(), build(t, fixture))
	})
}

// The documents' folder is opened again beside a knowledge base of the newer release.
func TestUpgrade(t *testing.T) {
	dirs := map[graph.Store]string{} // of the stores that are open
	closeStore := func(t *testing.T, store graph.Store) {
		if _, isOpen := dirs[store]; isOpen {
			delete(dirs, store)
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	openStore := func(t *testing.T, dir string, fixture storetest.Fixture) graph.Store {
		store, err := embedded.Open(t.Context(), dir, build(t, fixture))
		if err != nil {
			t.Fatal(err)
		}
		dirs[store] = dir
		t.Cleanup(func() { closeStore(t, store) })
		return store
	}
	storetest.RunUpgrade(t,
		func(t *testing.T, fixture storetest.Fixture) graph.Store { return openStore(t, t.TempDir(), fixture) },
		func(t *testing.T, store graph.Store, newer storetest.Fixture) graph.Store {
			dir := dirs[store]
			closeStore(t, store)
			return openStore(t, dir, newer)
		})
}

// build makes a knowledge base of the fixture.
func build(t *testing.T, fixture storetest.Fixture) *embedded.Knowledge {
	t.Helper()
	dir := t.TempDir()
	builder, err := embedded.NewKnowledgeBuilder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, semanticType := range fixture.SemanticTypes {
		builder.AddSemanticType(semanticType)
	}
	for _, relation := range fixture.TypeRelations {
		builder.AddTypeRelation(relation)
	}
	for _, concept := range fixture.Concepts {
		if err := builder.AddConcept(concept); err != nil {
			t.Fatal(err)
		}
	}
	for _, relation := range fixture.Relations {
		if err := builder.AddRelation(relation); err != nil {
			t.Fatal(err)
		}
	}
	for _, retired := range fixture.Retired {
		if err := builder.AddRetired(retired); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := builder.Finish(t.Context(), fixture.Info.Name, nil); err != nil {
		t.Fatal(err)
	}
	knowledge, err := embedded.OpenKnowledge(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { knowledge.Close() })
	return knowledge
}

func open(t *testing.T, dir string, kb graph.Knowledge) *embedded.Store {
	t.Helper()
	store, err := embedded.Open(t.Context(), dir, kb)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func TestDocumentsSurviveClosing(t *testing.T) {
	dir, kb := t.TempDir(), storetest.Knowledge(storetest.Small())
	store, err := embedded.Open(t.Context(), dir, kb)
	if err != nil {
		t.Fatal(err)
	}
	doc := graph.Document{ID: "a", Text: "text", Offsets: graph.OffsetCodepoint, Mentions: []graph.Mention{}}
	if _, err := store.SaveDocument(t.Context(), doc, false); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, dir, kb).Document(t.Context(), "a")
	if err != nil || got.Text != "text" {
		t.Errorf("after opening again: %+v, %v", got, err)
	}
}

func TestSecondOpenSaysWhy(t *testing.T) {
	dir, kb := t.TempDir(), storetest.Knowledge(storetest.Small())
	open(t, dir, kb)
	_, err := embedded.Open(t.Context(), dir, kb)
	if err == nil || !strings.Contains(err.Error(), "another process") || !strings.Contains(err.Error(), dir) {
		t.Errorf("error = %v, want one that names the folder and the other process", err)
	}
}
