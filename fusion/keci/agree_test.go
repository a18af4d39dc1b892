package keci

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// TestAgree: mentions of one name and type stand for one concept; of a gene and what it
// encodes the more attended.
func TestAgree(t *testing.T) {
	known := newBackground(graph.Subgraph{
		Concepts: []graph.Concept{{CUI: "gene"}, {CUI: "other"}, {CUI: "protein"}},
		Relations: []graph.Relation{
			{Head: "gene", Label: encodes, Tail: "protein"}, {Head: "gene", Label: "sibling", Tail: "other"},
		},
	})
	candidate := func(cui graph.CUI, confidence, weight float64) graph.Candidate {
		return graph.Candidate{CUI: cui, Confidence: confidence, Weight: &weight}
	}
	mention := func(text, kind string, concepts ...graph.Candidate) graph.Mention {
		return graph.Mention{Text: text, Type: kind, Concepts: concepts}
	}
	for name, test := range map[string]struct {
		mentions []graph.Mention
		want     []string // the concepts of each mention, in order
	}{
		"nothing": {},
		"as the linker has them": {
			[]graph.Mention{mention("a", "x", candidate("b", 0.5, 0.1), candidate("c", 0.4, 0.9)), mention("a", "x")},
			[]string{"b c", ""}},
		"most mentions, whatever their case": {
			[]graph.Mention{
				mention("Abc", "x", candidate("b", 0.9, 0), candidate("c", 0.1, 0), candidate("d", 0.1, 0)),
				mention("abc", "x", candidate("c", 0.3, 0), candidate("b", 0.1, 0)),
				mention("ABC", "x", candidate("c", 0.3, 0)),
			},
			[]string{"c b d", "c b", "c"}},
		"the surer where as many have another": {
			[]graph.Mention{
				mention("a", "x", candidate("b", 0.2, 0.9), candidate("c", 0.1, 0)),
				mention("a", "x", candidate("c", 0.6, 0), candidate("b", 0.3, 0.9)),
			},
			[]string{"c b", "c b"}},
		"other types apart": {
			[]graph.Mention{mention("a", "x", candidate("b", 0.2, 0), candidate("c", 0.1, 0)), mention("a", "y", candidate("c", 0.6, 0), candidate("b", 0.3, 0))},
			[]string{"b c", "c b"}},
		"the product, attended more in all": {
			[]graph.Mention{
				mention("p53", "protein", candidate("gene", 0.5, 0.1), candidate("other", 0.4, 0.1), candidate("protein", 0.3, 0.8)),
				mention("p53", "protein", candidate("gene", 0.5, 0.5), candidate("other", 0.4, 0.1), candidate("protein", 0.3, 0.4)),
			},
			[]string{"protein gene other", "protein gene other"}},
		"the gene, attended more": {
			[]graph.Mention{mention("p53", "gene", candidate("protein", 0.5, 0.1), candidate("gene", 0.3, 0.2))},
			[]string{"gene protein"}},
		"what its type settles": {
			[]graph.Mention{mention("p53", "settled", candidate("gene", 0.5, 0.1), candidate("protein", 0.3, 0.8))},
			[]string{"gene protein"}},
		"neither is first": {
			[]graph.Mention{mention("p53", "gene", candidate("other", 0.5, 0.1), candidate("gene", 0.3, 0.2), candidate("protein", 0.3, 0.7))},
			[]string{"other gene protein"}},
	} {
		agree(test.mentions, known.products, func(kind string) bool { return kind == "settled" })
		var got []string
		for _, m := range test.mentions {
			words := ""
			for i, c := range m.Concepts {
				if i > 0 {
					words += " "
				}
				words += string(c.CUI)
			}
			got = append(got, words)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
