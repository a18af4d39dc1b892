package keci

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// TestExtractStages: the last stage is what Extract gives; the first has no
// attention, and differs exactly where the variant has a fusion.
func TestExtractStages(t *testing.T) {
	doc := graph.Document{ID: "d", Text: "Not rapamycin but fk506 and the p53 protein of the tumor cell inhibit insulin receptor kinase."}
	for _, test := range []struct {
		variant Variant
		fuses   bool
	}{{VariantKECI, true}, {VariantFlatAttention, true}, {VariantSentContext, false}} {
		t.Run(string(test.variant), func(t *testing.T) {
			cfg := tinyConfig()
			as(test.variant)(&cfg)
			cfg.EntityThreshold, cfg.RelationThreshold = 0.3, 0.3
			m := newRandomModel(t, cfg, newFakeKnowledge().base(), 3)
			initial, final, err := m.ExtractStages(t.Context(), doc)
			if err != nil {
				t.Fatal(err)
			}
			want, err := m.Extract(t.Context(), doc)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, final); diff != "" {
				t.Errorf("final stage (-Extract +stage):\n%s", diff)
			}
			for _, mention := range initial.Mentions {
				if mention.Sentinel != nil {
					t.Errorf("%q has attention in the initial stage", mention.Text)
				}
			}
			if fused := scores(initial) != scores(final); fused != test.fuses {
				t.Errorf("stages differ: %t, want %t", fused, test.fuses)
			}
		})
	}
}

// scores is the sum of the scores of all mentions and relations.
func scores(doc graph.Document) float64 {
	sum := 0.0
	for _, m := range doc.Mentions {
		sum += m.Score
	}
	for _, r := range doc.Relations {
		sum += r.Score
	}
	return sum
}
