package neo4j_test

import (
	"testing"

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

// loaded gives a store that holds the fixture.
func loaded(t *testing.T, server *neo4jtest.Server, fixture storetest.Fixture) *neo4j.Store {
	t.Helper()
	store := server.Open(t)
	if _, err := store.Load(t.Context(), storetest.Release(fixture), neo4j.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	return store
}
