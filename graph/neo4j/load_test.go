package neo4j_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
	"github.com/keci-kg/keci/graph/storetest"
)

// chain is a knowledge base of concepts that are each related to the next.
func chain(concepts int) storetest.Fixture {
	fixture := storetest.Small()
	fixture.Concepts, fixture.Relations = nil, nil
	cui := func(i int) graph.CUI { return graph.CUI(fmt.Sprintf("C%07d", i)) }
	for i := range concepts {
		fixture.Concepts = append(fixture.Concepts, graph.Concept{CUI: cui(i), Name: fmt.Sprint("concept ", i), SemanticTypes: []graph.TUI{"T116"}})
		if i > 0 {
			fixture.Relations = append(fixture.Relations, graph.Relation{Head: cui(i - 1), Label: "isa", Tail: cui(i), Rel: "CHD"})
		}
	}
	return fixture
}

// count tells what the database holds of a knowledge base.
func count(t *testing.T, server *neo4jtest.Server) (counts [4]int64) {
	t.Helper()
	for i, query := range []string{
		"MATCH (c:Concept) RETURN count(c)",
		"MATCH (:Concept)-[r:HAS_TYPE]->(:SemanticType) RETURN count(r)",
		"MATCH (:Concept)-[r]->(:Concept) RETURN count(r)",
		"MATCH (:SemanticType)-[r]->(:SemanticType) RETURN count(r)",
	} {
		counts[i] = server.Run(t, query, nil)[0].Values[0].(int64)
	}
	return counts
}

var errCut = errors.New("cut off")

// cutRelease breaks off after some relations.
type cutRelease struct {
	graph.Release
	after int
}

func (c cutRelease) Relations(ctx context.Context) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		n := 0
		for relation, err := range c.Release.Relations(ctx) {
			if n++; n > c.after {
				yield(relation, errCut)
				return
			}
			if !yield(relation, err) {
				return
			}
		}
	}
}

func TestLoadGoesOnWhereItWasCutOff(t *testing.T) {
	server := neo4jtest.Use(t)
	store, release := server.Open(t), storetest.Release(chain(100))
	if _, err := store.Load(t.Context(), cutRelease{release, 55}, neo4j.LoadOptions{BatchRows: 10}); !errors.Is(err, errCut) {
		t.Fatalf("error %v, want the one of the release", err)
	}
	if got, want := count(t, server), [4]int64{100, 100, 50, 4}; got != want {
		t.Errorf("after the cut there are %v, want %v", got, want)
	}
	if _, err := store.Info(t.Context()); err == nil || !strings.Contains(err.Error(), "keci load") {
		t.Errorf("half a knowledge base: error %v", err)
	}
	var told []string
	report, err := store.Load(t.Context(), release, neo4j.LoadOptions{BatchRows: 10, Progress: func(step string, done, total int) {
		told = append(told, fmt.Sprint(step, " ", done, "/", total))
	}})
	if err != nil || report.There {
		t.Fatal(report, err)
	}
	if got, want := count(t, server), [4]int64{100, 100, 99, 4}; got != want {
		t.Errorf("at the end there are %v, want %v", got, want)
	}
	want := []string{"relations 168/207", "relations 178/207", "relations 188/207", "relations 198/207", "relations 207/207", "indexes of names 207/207"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("progress differs, so what was there was written again (-want +got):\n%s", diff)
	}
}

func TestLoadWritesNothingTwice(t *testing.T) {
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	loadedAt := server.Run(t, "MATCH (r:Release) RETURN r.loadedAt", nil)[0].Values[0]
	again, err := store.Load(t.Context(), storetest.Release(storetest.Small()), neo4j.LoadOptions{Progress: func(step string, _, _ int) {
		t.Errorf("%s was written again", step)
	}})
	if err != nil || !again.There {
		t.Errorf("%+v, error %v", again, err)
	}
	if now := server.Run(t, "MATCH (r:Release) RETURN r.loadedAt", nil)[0].Values[0]; fmt.Sprint(now) != fmt.Sprint(loadedAt) {
		t.Errorf("loadedAt went from %v to %v", loadedAt, now)
	}
	other := storetest.Small()
	other.Info.Digest = "sha256:0713e4"
	if _, err := store.Load(t.Context(), storetest.Release(other), neo4j.LoadOptions{}); !errors.Is(err, neo4j.ErrOtherRelease) || !strings.Contains(err.Error(), "another release, small") {
		t.Errorf("another release: error %v", err)
	}
}

// A concept that a document names becomes one of the release that has it.
func TestLoadListsConceptsOfDocuments(t *testing.T) {
	server := neo4jtest.Use(t)
	store := server.Open(t)
	if _, err := store.SaveDocument(t.Context(), told("early", []graph.CUI{"C0085149"}), false); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Concept(t.Context(), "C0085149"); !errors.Is(err, graph.ErrNotFound) {
		t.Errorf("before the load: error %v, want that it is not found", err)
	}
	if _, err := store.Load(t.Context(), storetest.Release(storetest.Small()), neo4j.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	if c, err := store.Concept(t.Context(), "C0085149"); err != nil || c.Name != "Tacrolimus" {
		t.Errorf("after the load: %+v, %v", c, err)
	}
	if seen, err := store.ConceptMentions(t.Context(), "C0085149", 10); err != nil || len(seen) != 1 {
		t.Errorf("it was seen %v, %v", seen, err)
	}
}
