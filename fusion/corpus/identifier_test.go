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
		{Source: "NCBITAXON", Code: "NCBITaxon:9606"}, {Source: "NCBI", Code: "10090"}, {Source: "CVCL", Code: "CVCL_0030"},
	}})
	if diff := cmp.Diff([]string{"MESH:D1", "MESH:D2", "NCBIGene:672", "NCBIGene:675", "NCBITaxon:9606", "NCBITaxon:10090", "CVCL_0030"}, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

// TestMeans: a number alone is of a gene or of an organism, one with its source of that alone.
func TestMeans(t *testing.T) {
	coded := func(source, code string) graph.Candidate {
		return graph.Candidate{Codes: []graph.Code{{Source: source, Code: code}}}
	}
	gene, organism, cell := coded("NCBIGENE", "NCBIGene:9606"), coded("NCBITAXON", "NCBITaxon:9606"), coded("CVCL", "CVCL_0030")
	for _, c := range []struct {
		id                   string
		gene, organism, cell bool
	}{
		{"9606", true, true, false}, {"NCBIGene:9606", true, false, false}, {"NCBITaxon:9606", false, true, false},
		{"CVCL_0030", false, false, true}, {"MESH:D9606", false, false, false},
	} {
		e := Entity{Concepts: []string{"-1", c.id}}
		if e.Means(gene) != c.gene || e.Means(organism) != c.organism || e.Means(cell) != c.cell {
			t.Errorf("%s means the gene: %t, the organism: %t, the cell line: %t", c.id, e.Means(gene), e.Means(organism), e.Means(cell))
		}
	}
}
