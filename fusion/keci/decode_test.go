package keci

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/linker"
)

// ofOne is a text of one window.
func ofOne(in *instance) reading {
	return reading{windows: []linker.Range{{Start: 0, End: len(in.Text)}}, instances: []*instance{in}}
}

// TestSameNamesAreNotRelated decodes a prediction that relates every pair of
// mentions: those of one name, but for case, are left out.
func TestSameNamesAreNotRelated(t *testing.T) {
	cfg := Config{
		Variant: VariantSentContext, KeptRatio: 1,
		Head: Head{
			EntityThreshold: 0.5, RelationThreshold: 0.5,
			EntityTypes: []string{NoneLabel, "protein"}, RelationLabels: []string{NoneLabel, "bind"},
		},
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
	f := cfg.decode(ofOne(in), []prediction{p})
	for _, r := range f.relations {
		got = append(got, f.mentions[r.head].Text+" "+f.mentions[r.tail].Text)
	}
	if diff := cmp.Diff([]string{"p53 mdm2", "P53 mdm2"}, got); diff != "" {
		t.Errorf("relations (-want +got):\n%s", diff)
	}
}

// TestMentionsThatOverlapSurerOnes: those must reach a threshold of their own.
func TestMentionsThatOverlapSurerOnes(t *testing.T) {
	in := &instance{
		Text:   "p53 mdm2 fk506",
		Pieces: []encoder.Piece{{Start: 0, End: 3}, {Start: 4, End: 8}, {Start: 9, End: 14}},
		Spans:  []encoder.Span{{First: 0, Last: 0}, {First: 0, Last: 1}, {First: 1, Last: 1}, {First: 2, Last: 2}},
	}
	in.Candidates = make([][]candidate, len(in.Spans))
	p := prediction{kept: []int32{0, 1, 2, 3}, most: 4, finalRelations: make([]float32, 16)}
	for _, something := range []float32{0.7, 0.9, 0.8, 0.6} { // p53, p53 mdm2, mdm2, fk506
		p.finalTypes = append(p.finalTypes, 1-something, something)
	}
	p.initialTypes, p.initialRelations = p.finalTypes, p.finalRelations
	for threshold, want := range map[float64][]string{
		0: {"p53 mdm2", "p53", "mdm2", "fk506"}, 0.5: {"p53 mdm2", "p53", "mdm2", "fk506"},
		0.75: {"p53 mdm2", "mdm2", "fk506"}, 0.95: {"p53 mdm2", "fk506"}, // that overlaps none
	} {
		cfg := Config{
			Variant: VariantSentContext, KeptRatio: 2,
			Head: Head{
				EntityThreshold: 0.5, OverlapThreshold: threshold,
				EntityTypes: []string{NoneLabel, "protein"}, RelationLabels: []string{NoneLabel},
			},
		}
		var got []string
		for _, m := range cfg.decode(ofOne(in), []prediction{p}).mentions {
			got = append(got, m.Text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("threshold %g (-want +got):\n%s", threshold, diff)
		}
	}
}
