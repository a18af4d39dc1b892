package neo4j_test

import (
	"fmt"
	"testing"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
	"github.com/keci-kg/keci/graph/storetest"
)

// hits are the accesses to the database of a profiled plan with all its steps.
func hits(plan driver.ProfiledPlan) int64 {
	sum := plan.DbHits()
	for _, child := range plan.Children() {
		sum += hits(child)
	}
	return sum
}

// What it costs to work a relationship EXTRACTED out anew hangs on the documents
// of the rarer of its concepts, and not on any others.
func TestExtractedCost(t *testing.T) {
	server := neo4jtest.Use(t)
	loaded(t, server, storetest.Small())
	tell := func(documents int, label string, head, tail string) {
		t.Helper()
		server.Run(t, `
			MERGE (a:Concept {cui: $head}) MERGE (b:Concept {cui: $tail})
			WITH a, b UNWIND range(1, $documents) AS i
			CREATE (d:Document {id: $label + i})-[:HAS_MENTION]->(h:Mention)-[:REFERS_TO {rank: 1}]->(a),
				(d)-[:HAS_MENTION]->(t:Mention)-[:REFERS_TO {rank: 1}]->(b), (h)-[:BIND {label: 'bind', directed: false, score: 0.5, place: 0}]->(t)`,
			map[string]any{"documents": documents, "label": label, "head": head, "tail": tail})
	}
	cost := func() int64 {
		t.Helper()
		pairs := []map[string]any{{"head": fkbp, "tail": fk506, "label": "bind", "directed": false}}
		summary := server.Profile(t, neo4j.EvidenceQuery, map[string]any{"pairs": pairs})
		return hits(summary)
	}
	tell(3, "both", fkbp, fk506)
	alone := cost()
	for i := range 10 {
		tell(200, fmt.Sprint("unrelated", i), fmt.Sprint("X", i), fmt.Sprint("Y", i))
	}
	if got := cost(); got > alone {
		t.Errorf("%d accesses, beside 2,000 documents about other concepts %d", alone, got)
	}
	tell(2000, "hub", "Z", fk506)
	if got := cost(); got > 2*alone {
		t.Errorf("%d accesses, beside 2,000 documents about one of the concepts %d", alone, got)
	}
}
