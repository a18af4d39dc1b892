package keci

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
)

// TestSameNamesAreNotRelated decodes a prediction that relates every pair of
// mentions: those of one name, but for case, are left out.
func TestSameNamesAreNotRelated(t *testing.T) {
	cfg := Config{
		Variant: VariantSentContext, KeptRatio: 1, EntityThreshold: 0.5, RelationThreshold: 0.5,
		EntityTypes: []string{NoneLabel, "protein"}, RelationLabels: []string{NoneLabel, "bind"},
	}
	in := &instance{
		Text:   "p53 P53 mdm2",
		Pieces: []encoder.Piece{{Start: 0, End: 3}, {Start: 4, End: 7}, {Start: 8, End: 12}},
		Spans:  []encoder.Span{{First: 0, Last: 0}, {First: 1, Last: 1}, {First: 2, Last: 2}},
	}
	in.Candidates = make([][]candidate, len(in.Spans))
	p := prediction{kept: []int32{0, 1, 2}, most: 3}
	for range 3 {
		p.initialTypes = append(p.initialTypes, 0.1, 0.9)
	}
	for range 9 {
		p.initialRelations = append(p.initialRelations, 0.1, 0.9)
	}
	p.finalTypes, p.finalRelations = p.initialTypes, p.initialRelations

	var got []string
	f := cfg.decode(in, p)
	for _, r := range f.relations {
		got = append(got, f.mentions[r.head].Text+" "+f.mentions[r.tail].Text)
	}
	if diff := cmp.Diff([]string{"p53 mdm2", "P53 mdm2"}, got); diff != "" {
		t.Errorf("relations (-want +got):\n%s", diff)
	}
}
