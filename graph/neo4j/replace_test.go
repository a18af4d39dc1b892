package neo4j_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
	"github.com/keci-kg/keci/graph/storetest"
)

func replace(t *testing.T, store *neo4j.Store, fixture storetest.Fixture) neo4j.LoadReport {
	t.Helper()
	report, err := store.Load(t.Context(), storetest.Release(fixture), neo4j.LoadOptions{BatchRows: 2, Replace: true})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

const (
	fk506, fkbp, calcineurin, ointment = "C0085149", "C0039246", "C0006686", "C0999999"
	newFK506                           = "C1000001" // of storetest.Newer
)

func TestReplaceWritesWhatDiffers(t *testing.T) {
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	newer := storetest.Newer()
	newer.SemanticTypes = newer.SemanticTypes[:3] // T200 goes, with its relation
	newer.TypeRelations = append(newer.TypeRelations[:2:2], graph.TypeRelation{Head: "T126", Label: "part_of", Tail: "T116"})
	newer.Concepts[2].SemanticTypes = []graph.TUI{"T116"}
	want := neo4j.LoadReport{
		Replaced: true, Retired: 3,
		Written: neo4j.Counts{Concepts: 3, Relations: 1, TypeRelations: 1},
		Removed: neo4j.Counts{Concepts: 2, SemanticTypes: 1, TypeRelations: 2},
	}
	if diff := cmp.Diff(want, replace(t, store, newer)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := count(t, server), [4]int64{4, 5, 2, 3}; got != want {
		t.Errorf("there are %v, want %v", got, want)
	}
	if types := server.Run(t, "MATCH (:Concept {name: 'Sirolimus'})-[:HAS_TYPE]->(t) RETURN collect(t.tui)", nil)[0].Values[0]; fmt.Sprint(types) != "[T116]" {
		t.Errorf("types %v", types)
	}
	if report := replace(t, store, newer); report != (neo4j.LoadReport{There: true}) {
		t.Errorf("again: %+v", report)
	}
}

// What was extracted follows its concepts, there and back again.
func TestReplaceTakesWhatWasExtractedAlong(t *testing.T) {
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	save := func(doc graph.Document) {
		t.Helper()
		if _, err := store.SaveDocument(t.Context(), doc, true); err != nil {
			t.Fatal(err)
		}
	}
	save(told("a", []graph.CUI{fk506, fkbp, ointment, fk506},
		relation(1, "bind", 2, false, 0.5), relation(3, "treat", 1, true, 0.7), relation(1, "inhibit", 4, true, 0.2)))
	save(told("b", []graph.CUI{newFK506, fkbp}, relation(1, "bind", 2, false, 0.5))) // named before the release has it
	before := []edge{
		{fkbp, "bind", fk506, false, 1, 1, 0.5, 0.5}, {fkbp, "bind", newFK506, false, 1, 1, 0.5, 0.5},
		{fk506, "inhibit", fk506, true, 1, 1, 0.2, 0.2}, {ointment, "treat", fk506, true, 1, 1, 0.7, 0.7},
	}
	sameEdges(t, server, before...)
	after := []edge{
		{fkbp, "bind", newFK506, false, 2, 2, 0.5, 0.75},
		{ointment, "treat", newFK506, true, 1, 1, 0.7, 0.7}, {newFK506, "inhibit", newFK506, true, 1, 1, 0.2, 0.2},
	}
	replace(t, store, storetest.Newer())
	sameEdges(t, server, after...)
	for cui, want := range map[graph.CUI]graph.Retired{fk506: {CUI: fk506, Into: newFK506, Release: "2025AB"}, ointment: {CUI: ointment}} {
		if got, err := store.Successor(t.Context(), cui); err != nil || got != want {
			t.Errorf("successor %+v, %v, want %+v", got, err, want)
		}
	}
	if got, err := store.Predecessors(t.Context(), newFK506); err != nil || fmt.Sprint(got) != "[C0085149 C0085150]" {
		t.Errorf("predecessors %v, %v", got, err)
	}
	labels := server.Run(t, "MATCH (r:Retired) WITH r ORDER BY r.cui RETURN collect([l IN ['Concept', 'Unlisted', 'Retired'] WHERE l IN labels(r)])", nil)[0].Values[0]
	if fmt.Sprint(labels) != "[[Retired] [Retired] [Concept Unlisted Retired]]" {
		t.Errorf("the retired ones have the labels %v", labels)
	}

	// Documents of today and of before say the same of it.
	save(told("c", []graph.CUI{fk506, fkbp}, relation(1, "bind", 2, false, 0.2)))
	save(told("a", []graph.CUI{newFK506, fkbp}, relation(1, "bind", 2, false, 0.5)))
	sameEdges(t, server, edge{fkbp, "bind", newFK506, false, 3, 3, 0.5, 0.8})
	save(told("a", []graph.CUI{fk506, fkbp, ointment, fk506},
		relation(1, "bind", 2, false, 0.5), relation(3, "treat", 1, true, 0.7), relation(1, "inhibit", 4, true, 0.2)))
	if err := store.DeleteDocument(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	sameEdges(t, server, after...)

	replace(t, store, storetest.Small())
	sameEdges(t, server, before...)
	if left := server.Run(t, "MATCH (r:Retired) RETURN r", nil); len(left) > 0 {
		t.Errorf("%d are retired still", len(left))
	}
	for _, id := range []string{"a", "b"} {
		if err := store.DeleteDocument(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	sameEdges(t, server)
	if got, want := count(t, server), [4]int64{5, 6, 4, 4}; got != want {
		t.Errorf("at the end there are %v, want %v", got, want)
	}
}

// cutRetired breaks off when the retired concepts are gone through a second time.
type cutRetired struct {
	graph.Release
	times *int
}

func (c cutRetired) Retired(ctx context.Context) iter.Seq2[graph.Retired, error] {
	return func(yield func(graph.Retired, error) bool) {
		if *c.times++; *c.times > 1 {
			yield(graph.Retired{}, errCut)
			return
		}
		c.Release.Retired(ctx)(yield)
	}
}

func TestReplaceGoesOnWhereItWasCutOff(t *testing.T) {
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	if _, err := store.SaveDocument(t.Context(), told("a", []graph.CUI{fk506, fkbp}, relation(1, "bind", 2, false, 0.5)), false); err != nil {
		t.Fatal(err)
	}
	release := storetest.Release(storetest.Newer())
	if _, err := store.Load(t.Context(), cutRetired{release, new(int)}, neo4j.LoadOptions{Replace: true}); !errors.Is(err, errCut) {
		t.Fatalf("error %v, want the one of the release", err)
	}
	if _, err := store.Info(t.Context()); err == nil {
		t.Error("the knowledge base passes for whole")
	}
	report, err := store.Load(t.Context(), release, neo4j.LoadOptions{}) // nothing is replaced any more
	if err != nil || !report.Replaced || report.Written.Concepts != 0 || report.Retired != 3 {
		t.Errorf("going on: %+v, %v", report, err)
	}
	sameEdges(t, server, edge{fkbp, "bind", newFK506, false, 1, 1, 0.5, 0.5})
	if _, err := store.Info(t.Context()); err != nil {
		t.Error(err)
	}
}
