package corpus

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// TestIdentifiers: ids of corpora meet the codes of a knowledge base, and ids of other
// sources none.
func TestIdentifiers(t *testing.T) {
	for id, want := range map[string]string{
		"D003490": "MESH:D003490", "MESH:D003490": "MESH:D003490", "C538232": "MESH:C538232",
		"672": "NCBIGene:672", "NCBIGene:672": "NCBIGene:672", "OMIM:672": "OMIM:672", "-1": "-1", "rs80357906": "rs80357906",
	} {
		if got := Identifier(id); got != want {
			t.Errorf("%s is compared as %s, want %s", id, got, want)
		}
	}
	got := Identifiers(graph.Candidate{Codes: []graph.Code{
		{Source: "MSH", Code: "D1"}, {Source: "MSH2015", Code: "D2"}, {Source: "CHEBI", Code: "672"},
		{Source: "NCBIGENE", Code: "NCBIGene:672#protein"}, {Source: "NCBIGENE", Code: "675"},
	}})
	if diff := cmp.Diff([]string{"MESH:D1", "MESH:D2", "NCBIGene:672", "NCBIGene:675"}, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}
