package neo4j_test

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
	"github.com/keci-kg/keci/graph/storetest"
)

// edge is a relationship EXTRACTED.
type edge struct {
	Head, Label, Tail   string
	Directed            bool
	Documents, Mentions int64
	MaxScore, NoisyOr   float64
}

func sameEdges(t *testing.T, server *neo4jtest.Server, want ...edge) {
	t.Helper()
	var got []edge
	for _, record := range server.Run(t, `
		MATCH (a:Concept)-[x:EXTRACTED]->(b:Concept)
		RETURN a.cui, x.label, b.cui, x.directed, x.documents, x.mentions, x.maxScore, x.noisyOr
		ORDER BY a.cui, b.cui, x.label`, nil) {
		v := record.Values
		got = append(got, edge{v[0].(string), v[1].(string), v[2].(string), v[3].(bool), v[4].(int64), v[5].(int64), v[6].(float64), v[7].(float64)})
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("EXTRACTED differs (-want +got):\n%s", diff)
	}
}

// told is a document in which mentions, each of a best concept and of another one
// that must not count, are related.
func told(id string, cuis []graph.CUI, relations ...graph.Extraction) graph.Document {
	doc := graph.Document{ID: id, Offsets: graph.OffsetCodepoint, Relations: []graph.Extraction{}}
	for i, cui := range cuis {
		doc.Text += "x "
		doc.Mentions = append(doc.Mentions, graph.Mention{
			ID: fmt.Sprintf("T%d", i+1), Start: 2 * i, End: 2*i + 1, Text: "x",
			Concepts: []graph.Candidate{{CUI: cui, Name: "name of " + string(cui)}, {CUI: "C0999999"}},
		})
	}
	for i, relation := range relations {
		relation.ID = fmt.Sprintf("R%d", i+1)
		doc.Relations = append(doc.Relations, relation)
	}
	return doc
}

func relation(head int, label string, tail int, directed bool, score float64) graph.Extraction {
	return graph.Extraction{Head: fmt.Sprintf("T%d", head), Tail: fmt.Sprintf("T%d", tail), Label: label, Directed: directed, Score: score}
}

// TestExtracted follows the relationships over saving, replacing and deleting.
func TestExtracted(t *testing.T) {
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	save := func(doc graph.Document, replace bool) {
		t.Helper()
		if _, err := store.SaveDocument(t.Context(), doc, replace); err != nil {
			t.Fatal(err)
		}
	}
	save(told("a", []graph.CUI{fk506, fkbp, fk506},
		relation(1, "bind", 2, false, 0.5), relation(2, "bind", 3, false, 0.8), // the same twice, without direction
		relation(1, "inhibit", 2, true, 0.6)), false)
	bind := edge{fkbp, "bind", fk506, false, 1, 2, 0.8, 0.8} // one document, as sure as the better of the two
	inhibit := edge{fk506, "inhibit", fkbp, true, 1, 1, 0.6, 0.6}
	sameEdges(t, server, bind, inhibit)

	save(told("b", []graph.CUI{fk506, fkbp, "C7777777", fk506},
		relation(1, "bind", 2, false, 0.9), relation(2, "inhibit", 1, true, 0.3), // the other way round: another one
		relation(3, "bind", 4, false, 1)), false)
	both := edge{fkbp, "bind", fk506, false, 2, 3, 0.9, 0.98}
	inverse := edge{fkbp, "inhibit", fk506, true, 1, 1, 0.3, 0.3}
	unlisted := edge{fk506, "bind", "C7777777", false, 1, 1, 1, 1}
	sameEdges(t, server, both, inverse, inhibit, unlisted)

	save(told("a", []graph.CUI{fk506, calcineurin}, relation(1, "inhibit", 2, true, 0.7)), true)
	sameEdges(t, server,
		edge{fkbp, "bind", fk506, false, 1, 1, 0.9, 0.9}, inverse,
		edge{fk506, "inhibit", calcineurin, true, 1, 1, 0.7, 0.7}, unlisted)

	for _, id := range []string{"a", "b"} {
		if err := store.DeleteDocument(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	sameEdges(t, server)
	if left := server.Run(t, "MATCH (n) WHERE n:Mention OR n:Document OR n:Unlisted RETURN n", nil); len(left) > 0 {
		t.Errorf("%d nodes are left of the documents", len(left))
	}
}

// A mention that is related to itself counts like any other.
func TestExtractedOfOneMention(t *testing.T) {
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	want := edge{fkbp, "bind", fkbp, false, 1, 1, 0.5, 0.5}
	for range 2 { // saved, then replaced
		if _, err := store.SaveDocument(t.Context(), told("a", []graph.CUI{fkbp}, relation(1, "bind", 1, false, 0.5)), true); err != nil {
			t.Fatal(err)
		}
		sameEdges(t, server, want)
	}
}

// Documents that are saved at a time all count.
func TestExtractedByManyAtATime(t *testing.T) {
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	const savers, left = 9, 6
	var group sync.WaitGroup
	for i := range savers {
		group.Go(func() {
			doc := told(fmt.Sprint("doc", i), []graph.CUI{"C0085149", "C0039246"}, relation(1, "bind", 2, true, 0.5))
			if _, err := store.SaveDocument(t.Context(), doc, false); err != nil {
				t.Error(err)
			}
			switch i % 3 {
			case 0:
				if err := store.DeleteDocument(t.Context(), doc.ID); err != nil {
					t.Error(err)
				}
			case 1:
				if _, err := store.SaveDocument(t.Context(), doc, true); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	sameEdges(t, server, edge{"C0085149", "bind", "C0039246", true, left, left, 0.5, 1 - math.Pow(0.5, left)})
}
