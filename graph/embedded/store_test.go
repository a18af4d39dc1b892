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
	store, err := embedded.Open(dir, kb)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func TestDocumentsSurviveClosing(t *testing.T) {
	dir, kb := t.TempDir(), storetest.Knowledge(storetest.Small())
	store, err := embedded.Open(dir, kb)
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
	_, err := embedded.Open(dir, kb)
	if err == nil || !strings.Contains(err.Error(), "another process") || !strings.Contains(err.Error(), dir) {
		t.Errorf("error = %v, want one that names the folder and the other process", err)
	}
}
