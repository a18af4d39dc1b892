package neo4j_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
	"github.com/keci-kg/keci/graph/storetest"
)

var cypherBlock = regexp.MustCompile("(?s)\n## (\\d+)\\. .*?```cypher\n(.*?)```")

// The queries of the guide are run as they stand there.
func TestQueriesOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "doc", "neo4j", "queries.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := cypherBlock.FindAllStringSubmatch(string(guide), -1)
	server := neo4jtest.Use(t)
	store := loaded(t, server, storetest.Small())
	doc := told("example", []graph.CUI{fk506, fkbp, calcineurin, "C7777777"},
		relation(1, "bind", 2, false, 0.5), relation(2, "inhibit", 3, true, 0.75))
	doc.Mentions[0].Type, doc.Mentions[0].Initial = "chemical", &graph.Judgement{Type: "drug", Score: 0.6}
	doc.Mentions[0].Score = 0.9
	if _, err := store.SaveDocument(t.Context(), doc, false); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"1": {"[C0039246 FKBP12 true 0.5]"},
		"2": {"[C0085149 Tacrolimus [FK506]]", "[C0039246 FKBP12 [FK506 binding protein 12 Tacrolimus Binding Protein 1A]]"},
		"3": {"[FKBP12 bind 1 1 0.5]"},
		"4": {"[example x bind x FKBP12 0.5 x x x x ]"},
		"5": {"[FKBP12 inhibit Calcineurin 1 0.75]"},
		"6": {"[FKBP12 bind [BINDS] Tacrolimus]"},
		"7": {"[[Sirolimus FKBP12 Calcineurin] [binds inhibit (extracted)]]"},
		"8": {"[Calcineurin 1]", "[FKBP12 1]", "[name of C7777777 1]"},
		"9": {"[example x drug chemical 0.9]"},
		"10": {
			"[Amino Acid, Peptide, or Protein inhibit Amino Acid, Peptide, or Protein 1]",
			"[Amino Acid, Peptide, or Protein inhibit Enzyme 1]",
			"[Amino Acid, Peptide, or Protein bind Pharmacologic Substance 1]",
		},
		"11": {"[C7777777 name of C7777777 1]"},
	}
	if len(blocks) != 12 {
		t.Fatalf("the guide has %d queries, want 12", len(blocks))
	}
	for _, block := range blocks {
		number, query := block[1], block[2]
		t.Run(number, func(t *testing.T) {
			var got []string
			for _, record := range server.Run(t, query, nil) {
				got = append(got, fmt.Sprint(record.Values))
			}
			if number == "12" { // a picture: four mentions with two concepts each
				if len(got) < 8 {
					t.Errorf("%d paths, want 8 at least", len(got))
				}
				return
			}
			if diff := cmp.Diff(want[number], got); diff != "" {
				t.Errorf("query %s (-want +got):\n%s", number, diff)
			}
		})
	}
}
