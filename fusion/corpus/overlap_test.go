package corpus

import (
	"slices"
	"testing"
)

// TestWithout: a text that shares a sentence goes, whatever its spaces and marks; short
// sentences, which any paper may have, count only where they are all of it.
func TestWithout(t *testing.T) {
	c := Corpus{Name: ADE, Examples: []Example{
		{ID: "same", Text: "Intravenous azithromycin - induced ototoxicity in a patient with AIDS ."},
		{ID: "title", Text: "A case report. Lithium toxicity was seen in two elderly patients on enalapril."},
		{ID: "short", Text: "Lithium was stopped. The patient recovered fully."},
		{ID: "whole", Text: "The patient recovered fully ."},
		{ID: "cut", Text: "Seen by Smith et al . in four of the elderly patients on enalapril and lithium ."},
		{ID: "other", Text: "Lithium toxicity was seen in three elderly patients on enalapril."},
	}}
	test := Corpus{Examples: []Example{
		{ID: "1", Text: "Intravenous azithromycin-induced ototoxicity in a patient with AIDS. The patient recovered fully."},
		{ID: "3", Text: "As seen by Smith et al. in four of the elderly patients on enalapril and lithium."},
	}}
	heldOut := Corpus{Examples: []Example{{ID: "2", Text: "LITHIUM TOXICITY was seen in two elderly patients on enalapril."}}}
	rest, left := c.Without(test, heldOut)
	var ids []string
	for _, e := range rest.Examples {
		ids = append(ids, e.ID)
	}
	if left != 4 || !slices.Equal(ids, []string{"short", "other"}) || rest.Name != c.Name || len(c.Examples) != 6 {
		t.Errorf("left %v after leaving out %d, want short and other of 6", ids, left)
	}
	if rest, left := c.Without(); left != 0 || len(rest.Examples) != 6 {
		t.Errorf("without nothing %d are left, %d left out", len(rest.Examples), left)
	}
}
