package neo4j_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
	"github.com/keci-kg/keci/graph/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, fixture storetest.Fixture) graph.Store {
		return loaded(t, neo4jtest.Use(t), fixture)
	})
}

func TestUpgrade(t *testing.T) {
	server := neo4jtest.Use(t)
	storetest.RunUpgrade(t,
		func(t *testing.T, fixture storetest.Fixture) graph.Store {
			server.Empty(t)
			return loaded(t, server, fixture)
		},
		func(t *testing.T, store graph.Store, newer storetest.Fixture) graph.Store {
			if _, err := store.(*neo4j.Store).Load(t.Context(), storetest.Release(newer), neo4j.LoadOptions{Replace: true}); err != nil {
				t.Fatal(err)
			}
			return store
		})
}

// What was written before all fields were kept is read without them.
func TestDocumentsOfOlderMake(t *testing.T) {
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	doc := nasty()
	if _, err := store.SaveDocument(t.Context(), doc, false); err != nil {
		t.Fatal(err)
	}
	server.Run(t, `MATCH (m:Mention)-[l:REFERS_TO]->()
		REMOVE m.final, l.confidence, l.variant, l.path, l.codes, l.synonyms`, nil)
	got, err := store.Document(t.Context(), doc.ID)
	if err != nil {
		t.Fatal(err)
	}
	old := &doc.Mentions[0].Concepts[0]
	doc.Mentions[0].Final = false
	old.Confidence, old.Variant, old.Path, old.Codes, old.Synonyms = 0, "", nil, nil, nil
	if diff := cmp.Diff(doc, got); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

// loaded gives a store that holds the fixture.
func loaded(t *testing.T, server *neo4jtest.Server, fixture storetest.Fixture) *neo4j.Store {
	t.Helper()
	store := server.Open(t)
	if _, err := store.Load(t.Context(), storetest.Release(fixture), neo4j.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	return store
}
