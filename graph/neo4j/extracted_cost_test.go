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
	cost := func() int64 {
		t.Helper()
		facts := []map[string]any{{"head": fkbp, "tail": fk506, "label": "bind", "directed": false}}
		summary := server.Profile(t, neo4j.EvidenceQuery, map[string]any{"facts": facts})
		return hits(summary)
	}
	same := func(cui string) func(int) string { return func(int) string { return cui } }
	fill(t, server, "both", 3, same(fkbp), same(fk506))
	alone := cost()
	fill(t, server, "others", 2000, func(i int) string { return fmt.Sprint("X", i%10) }, func(i int) string { return fmt.Sprint("Y", i%10) })
	if got := cost(); got > alone {
		t.Errorf("%d accesses, beside 2,000 documents about other concepts %d", alone, got)
	}
	fill(t, server, "one", 2000, same("Z"), same(fk506))
	if got := cost(); got > 2*alone {
		t.Errorf("%d accesses, beside 2,000 documents about one of the concepts %d", alone, got)
	}
}
