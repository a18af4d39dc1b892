package embedded_test

import (
	"context"
	"errors"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/embedded"
	"github.com/keci-kg/keci/graph/storetest"
	"github.com/keci-kg/keci/internal/kv"
)

const docOfFacts = "PMID:1"

func saveFact(t *testing.T, store *embedded.Store) {
	t.Helper()
	_, err := store.SaveDocument(t.Context(), graph.Document{ID: docOfFacts, Text: "a b", Offsets: graph.OffsetCodepoint,
		Mentions: []graph.Mention{
			{ID: "T1", Start: 0, End: 1, Text: "a", Concepts: []graph.Candidate{{CUI: "C0085149", Name: "a"}}},
			{ID: "T2", Start: 2, End: 3, Text: "b", Concepts: []graph.Candidate{{CUI: "C0000001", Name: "b"}}},
		},
		Relations: []graph.Extraction{{ID: "R1", Head: "T1", Tail: "T2", Label: "bind", Score: 0.5}},
	}, false)
	if err != nil {
		t.Fatal(err)
	}
}

// impatient is cancelled when it was looked at as often as it has patience.
type impatient struct {
	context.Context
	patience *int
}

func (c impatient) Err() error {
	if *c.patience--; *c.patience < 0 {
		return context.Canceled
	}
	return c.Context.Err()
}

// What is read of documents behind what the index gives ends with the context.
func TestReadingDocumentsEndsWithTheContext(t *testing.T) {
	store := open(t, t.TempDir(), storetest.Knowledge(storetest.Small()))
	saveFact(t, store)
	for name, ask := range map[string]func(context.Context) error{
		"evidence": func(ctx context.Context) error {
			_, err := store.Evidence(ctx, graph.EvidenceQuery{Key: graph.FactKey{Head: "C0000001", Label: "bind", Tail: "C0085149"}, Limit: 10})
			return err
		},
		"mentions": func(ctx context.Context) error {
			_, err := store.ConceptMentions(ctx, "C0085149", 10)
			return err
		},
	} {
		patience := 1 // for the one entry of the index
		if err := ask(impatient{t.Context(), &patience}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error = %v, want that of the context", name, err)
		}
		patience = 2 // and for the one document
		if err := ask(impatient{t.Context(), &patience}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func onlyFact(t *testing.T, store *embedded.Store) string {
	t.Helper()
	facts, err := store.Facts(t.Context(), graph.FactQuery{Limit: 10})
	if err != nil || len(facts) != 1 {
		t.Fatalf("facts %+v, %v", facts, err)
	}
	return facts[0].ID
}

// Documents that were saved before there was an index are in it when the store
// is opened.
func TestIndexOfOldDocuments(t *testing.T) {
	dir, kb := t.TempDir(), storetest.Knowledge(storetest.Small())
	store, err := embedded.Open(t.Context(), dir, kb)
	if err != nil {
		t.Fatal(err)
	}
	saveFact(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := kv.Open(dir, kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"e", "f", "c", "v"} {
		if err := db.DropPrefix([]byte(kind)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := onlyFact(t, open(t, dir, kb)); got != "C0000001:bind:C0085149" {
		t.Errorf("fact %s", got)
	}
}

// An index whose making is broken off is made when the store is opened again.
func TestIndexBrokenOff(t *testing.T) {
	dir, kb := t.TempDir(), storetest.Knowledge(storetest.Small())
	store, err := embedded.Open(t.Context(), dir, kb)
	if err != nil {
		t.Fatal(err)
	}
	saveFact(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := embedded.Open(ctx, dir, later{kb}); !errors.Is(err, context.Canceled) {
		t.Errorf("broken off: error %v", err)
	}
	if got := onlyFact(t, open(t, dir, later{kb})); got != "C0039246:bind:C0085149" {
		t.Errorf("fact %s", got)
	}
}

// later is a knowledge base in which C0000001 was merged into C0039246.
type later struct{ graph.Knowledge }

func (k later) Info(ctx context.Context) (graph.KnowledgeBaseInfo, error) {
	info, err := k.Knowledge.Info(ctx)
	info.Digest = "sha256:1a7e4"
	return info, err
}

func (later) Successor(_ context.Context, cui graph.CUI) (graph.Retired, error) {
	if cui == "C0000001" {
		return graph.Retired{CUI: cui, Into: "C0039246"}, nil
	}
	return graph.Retired{}, graph.ErrNotFound
}

func (later) Predecessors(context.Context, graph.CUI) ([]graph.CUI, error) { return nil, nil }

// Facts follow their concepts to another release, and are gone with their document.
func TestFactsFollowTheirConcepts(t *testing.T) {
	dir, kb := t.TempDir(), storetest.Knowledge(storetest.Small())
	store, err := embedded.Open(t.Context(), dir, kb)
	if err != nil {
		t.Fatal(err)
	}
	saveFact(t, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store, err = embedded.Open(t.Context(), dir, later{kb})
	if err != nil {
		t.Fatal(err)
	}
	if got := onlyFact(t, store); got != "C0039246:bind:C0085149" {
		t.Errorf("fact %s", got)
	}
	if err := store.DeleteDocument(t.Context(), docOfFacts); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := kv.Open(dir, kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_ = db.View(func(txn *badger.Txn) error {
		entries := txn.NewIterator(badger.IteratorOptions{})
		defer entries.Close()
		for entries.Rewind(); entries.Valid(); entries.Next() {
			if key := entries.Item().Key(); string(key) != "v" {
				t.Errorf("the entry %q is left", key)
			}
		}
		return nil
	})
}
