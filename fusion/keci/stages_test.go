package keci

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
)

var _ fusion.Staged = (*Model)(nil)

// The final graph is that of Extract, and what it says of the text alone is what
// the initial graph says.
func TestExtractStages(t *testing.T) {
	m := seesEverything(t, newFakeKnowledge())
	initial, final, err := m.ExtractStages(t.Context(), graph.Document{ID: "d", Text: abstract})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(extract(t, m, abstract), final); diff != "" {
		t.Errorf("the final graph is not that of Extract (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(final.Model, initial.Model); diff != "" {
		t.Errorf("the graphs are of different models: %s", diff)
	}
	if len(initial.Mentions) != len(final.Mentions) {
		t.Fatalf("%d mentions, then %d: the model reports all of them", len(initial.Mentions), len(final.Mentions))
	}
	for i, before := range initial.Mentions {
		after := final.Mentions[i]
		if said := *after.Initial; said.Type == before.Type && said.Score != before.Score {
			t.Errorf("%s: the text alone said %+v, the initial graph %s %g", after.Text, said, before.Type, before.Score)
		}
		if before.Sentinel != nil || len(before.Concepts) > 0 {
			t.Errorf("%s: the initial graph attends to concepts: %+v", before.Text, before)
		}
	}
}
