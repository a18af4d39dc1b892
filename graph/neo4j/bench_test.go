package neo4j_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
	"github.com/keci-kg/keci/graph/storetest"
)

// BenchmarkSaveDocument saves and deletes a document of two mentions and a
// relation, beside nothing, beside 10,000 documents about other concepts, and
// beside as many about one of its own and about both.
func BenchmarkSaveDocument(b *testing.B) {
	server := neo4jtest.Use(b)
	store := server.Open(b)
	if _, err := store.Load(b.Context(), storetest.Release(storetest.Small()), neo4j.LoadOptions{}); err != nil {
		b.Fatal(err)
	}
	for _, beside := range []struct {
		name       string
		head, tail func(i int) string
	}{
		{"nothing", nil, nil},
		{"others", func(i int) string { return fmt.Sprint("X", i%1000) }, func(i int) string { return fmt.Sprint("Y", i%1000) }},
		{"one", func(int) string { return fk506 }, func(i int) string { return fmt.Sprint("Y", i%1000) }},
		{"both", func(int) string { return fk506 }, func(int) string { return fkbp }},
	} {
		if beside.head != nil {
			fill(b, server, beside.name, 10_000, beside.head, beside.tail)
		}
		b.Run("beside="+beside.name, func(b *testing.B) {
			var saving, deleting time.Duration
			for range b.N {
				doc := told("measured", []graph.CUI{fk506, fkbp}, relation(1, "bind", 2, false, 0.5))
				begin := time.Now()
				if _, err := store.SaveDocument(b.Context(), doc, false); err != nil {
					b.Fatal(err)
				}
				saved := time.Now()
				if err := store.DeleteDocument(b.Context(), doc.ID); err != nil {
					b.Fatal(err)
				}
				saving, deleting = saving+saved.Sub(begin), deleting+time.Since(saved)
			}
			b.ReportMetric(saving.Seconds()*1000/float64(b.N), "ms/save")
			b.ReportMetric(deleting.Seconds()*1000/float64(b.N), "ms/delete")
		})
	}
}

// fill writes documents of two mentions and a relation, quickly.
func fill(t testing.TB, server *neo4jtest.Server, name string, documents int, head, tail func(i int) string) {
	t.Helper()
	rows := make([]map[string]any, documents)
	for i := range rows {
		rows[i] = map[string]any{"id": fmt.Sprint(name, i), "head": head(i), "tail": tail(i)}
	}
	server.Run(t, `
		UNWIND $rows AS row
		MERGE (a:Concept {cui: row.head}) MERGE (b:Concept {cui: row.tail})
		CREATE (d:Document {id: row.id})-[:HAS_MENTION]->(h:Mention)-[:REFERS_TO {rank: 1}]->(a),
			(d)-[:HAS_MENTION]->(t:Mention)-[:REFERS_TO {rank: 1}]->(b),
			(h)-[:BIND {label: 'bind', directed: false, score: 0.5, place: 0}]->(t)`, map[string]any{"rows": rows})
}
