package keci

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
)

// TestConstraintsAreLearned: of 190 pairs 64 are related, about a third, so a kind
// must occur 30 times to be judged, and is forbidden when a twelfth or less of it
// is related.
func TestConstraintsAreLearned(t *testing.T) {
	lines := slices.Concat(
		slices.Repeat([]string{"[p53:protein] binds [mdm2:protein] | 0 binds 1"}, 63),
		slices.Repeat([]string{"[p53:protein] and [mdm2:protein]"}, 27),
		slices.Repeat([]string{"[fk506:drug] and [rapamycin:drug]"}, 39),
		[]string{"[fk506:drug] inhibits [rapamycin:drug] | 0 inhibits 1"},        // one of 40: rare
		slices.Repeat([]string{"[β-catenin:protein] of a [tumor:disease]"}, 31),  // never, just often enough
		slices.Repeat([]string{"[insulin:drug] in a [tumor:disease]"}, 29),       // never, not often enough
		slices.Repeat([]string{"[p53:protein] and [P53:protein] of a cell"}, 90), // one name: no pair
	)
	c := annotated(t, lines...)
	c.Directed = false
	want := Constraints{Types: [][2]string{{"disease", "protein"}, {"drug", "drug"}}}
	if diff := cmp.Diff(want, learnConstraints(c)); diff != "" {
		t.Errorf("undirected (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Constraints{}, learnConstraints(corpus.Corpus{})); diff != "" {
		t.Errorf("nothing to learn from (-want +got):\n%s", diff)
	}

	directed := annotated(t, slices.Repeat([]string{"[fk506:drug] inhibits [p53:protein] | 0 inhibits 1"}, 20)...)
	want = Constraints{Types: [][2]string{{"protein", "drug"}}} // the other way round
	if diff := cmp.Diff(want, learnConstraints(directed)); diff != "" {
		t.Errorf("directed (-want +got):\n%s", diff)
	}
}

func TestOverlapIsLearned(t *testing.T) {
	nested := corpus.Example{Text: "insulin receptor kinase", Entities: []corpus.Entity{
		{Start: 0, End: 7, Type: "protein"}, {Start: 0, End: 16, Type: "protein", Cluster: 1}, {Start: 17, End: 23, Type: "protein", Cluster: 2},
	}, Relations: []corpus.Relation{{Head: 0, Tail: 2, Label: "binds"}, {Head: 1, Tail: 2, Label: "binds"}}}
	for count, want := range map[int]bool{14: false, 15: true} { // two thirds are related, so that ten of fifteen are expected
		got := learnConstraints(corpus.Corpus{Examples: slices.Repeat([]corpus.Example{nested}, count)})
		if diff := cmp.Diff(Constraints{Overlap: want}, got); diff != "" {
			t.Errorf("%d texts (-want +got):\n%s", count, diff)
		}
	}
	nested.Relations = append(nested.Relations, corpus.Relation{Head: 0, Tail: 1, Label: "binds"})
	if got := learnConstraints(corpus.Corpus{Examples: slices.Repeat([]corpus.Example{nested}, 50)}); got.Overlap {
		t.Error("overlapping mentions that are related are forbidden")
	}
}

// TestForbiddenPairsAreNotRelated decodes a prediction that relates every pair.
func TestForbiddenPairsAreNotRelated(t *testing.T) {
	in := &instance{
		Text:   "p53 mdm2 fk506",
		Pieces: []encoder.Piece{{Start: 0, End: 3}, {Start: 4, End: 8}, {Start: 9, End: 14}},
		Spans:  []encoder.Span{{First: 0, Last: 0}, {First: 0, Last: 1}, {First: 2, Last: 2}}, // p53, p53 mdm2, fk506
	}
	in.Candidates = make([][]candidate, len(in.Spans))
	p := prediction{kept: []int32{0, 1, 2}, most: 3, finalTypes: []float32{0, 0, 1, 0, 0, 1, 0, 1, 0}} // protein, protein, drug
	for range 9 {
		p.finalRelations = append(p.finalRelations, 0.1, 0.9)
	}
	p.initialTypes, p.initialRelations = p.finalTypes, p.finalRelations
	for _, test := range []struct {
		about    string
		directed bool
		rules    Constraints
		want     string
	}{
		{"no rules", false, Constraints{}, "p53 mdm2–p53, p53 mdm2–fk506, p53–fk506"},
		{"overlap", false, Constraints{Overlap: true}, "p53 mdm2–fk506, p53–fk506"},
		{"types", false, Constraints{Types: [][2]string{{"drug", "protein"}}}, "p53 mdm2–p53"},
		{"directed types", true, Constraints{Types: [][2]string{{"drug", "protein"}, {"protein", "protein"}}}, "p53 mdm2–fk506, p53–fk506"},
	} {
		cfg := Config{
			Variant: VariantSentContext, KeptRatio: 1,
			Head: Head{
				EntityThreshold: 0.5, RelationThreshold: 0.5, Directed: test.directed, Unrelated: test.rules,
				EntityTypes: []string{NoneLabel, "drug", "protein"}, RelationLabels: []string{NoneLabel, "bind"},
			},
		}
		var got []string
		f := cfg.decode(ofOne(in), []prediction{p})
		for _, r := range f.relations {
			got = append(got, f.mentions[r.head].Text+"–"+f.mentions[r.tail].Text)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.about, diff)
		}
	}
}

func TestConstraintsOfUnknownTypes(t *testing.T) {
	cfg := tinyConfig()
	cfg.Unrelated.Types = [][2]string{{"drug", "planet"}}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), `unrelated: types: "planet"`) {
		t.Errorf("error %v, want one that names the type", err)
	}
}
