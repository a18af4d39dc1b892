package score

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// conceptCorpus is one document: Ibalin (D1) causes rash (D2); "salts" has no concept.
func conceptCorpus() corpus.Corpus {
	e := corpus.Example{ID: "5", Text: "Ibalin causes rash, RASH and itch by ibalin salts.",
		Entities: []corpus.Entity{
			{Start: 0, End: 6, Type: "Chemical", Concepts: []string{"D1"}}, {Start: 14, End: 18, Type: "Disease", Concepts: []string{"D2"}},
			{Start: 20, End: 24, Type: "Disease", Concepts: []string{"D2"}}, {Start: 29, End: 33, Type: "Disease", Concepts: []string{"D3", "D4"}},
			{Start: 37, End: 49, Type: "Chemical"},
		},
		ConceptRelations: []corpus.ConceptRelation{{Head: "D1", Tail: "D2", Label: "CID"}, {Head: "D1", Tail: "D4", Label: "CID"}},
	}
	return corpus.Corpus{Name: corpus.BC5CDR, OfConcepts: true, Examples: []corpus.Example{e}}
}

// conceptDocument has the mentions that are named by their places, and relations by index.
func conceptDocument(c corpus.Corpus, places [][2]int, types string, relations ...[2]int) graph.Document {
	text := c.Examples[0].Text
	doc := graph.Document{ID: "5", Text: text, Offsets: graph.OffsetByte}
	for i, p := range places {
		typ := map[byte]string{'C': "Chemical", 'D': "Disease"}[types[i]]
		doc.Mentions = append(doc.Mentions, graph.Mention{ID: string(rune('a' + i)), Start: p[0], End: p[1], Text: text[p[0]:p[1]], Type: typ})
	}
	for _, r := range relations {
		doc.Relations = append(doc.Relations, graph.Extraction{Head: doc.Mentions[r[0]].ID, Tail: doc.Mentions[r[1]].ID, Label: "CID"})
	}
	return doc
}

func TestConcepts(t *testing.T) {
	gold := conceptCorpus()
	all := [][2]int{{0, 6}, {14, 18}, {20, 24}, {29, 33}, {37, 49}, {37, 43}, {7, 13}}
	types := "CDDDCCD"
	for _, test := range []struct {
		name      string
		relations [][2]int
		want      Counts
		right     []bool
	}{
		{"by the annotated mention", [][2]int{{0, 1}}, Counts{1, 0, 1}, []bool{true}},
		{"twice and either way round", [][2]int{{0, 1}, {2, 0}}, Counts{1, 0, 1}, []bool{true, true}},
		{"by another mention of the name", [][2]int{{5, 2}}, Counts{1, 0, 1}, []bool{true}},
		{"a mention of two concepts", [][2]int{{0, 3}}, Counts{1, 1, 1}, []bool{true}},
		{"a mention without a concept", [][2]int{{4, 1}}, Counts{0, 0, 2}, []bool{false}},
		{"a name that is not annotated", [][2]int{{0, 6}, {5, 6}}, Counts{0, 1, 2}, []bool{false, false}},
		{"nothing", nil, Counts{0, 0, 2}, []bool{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := conceptDocument(gold, all, types, test.relations...)
			got, err := Evaluate(gold, []graph.Document{doc})
			if err != nil {
				t.Fatal(err)
			}
			if got.Relations != test.want || got.RelationF1 != test.want.F1() {
				t.Errorf("relations %+v, want %+v", got.Relations, test.want)
			}
			if want := (Counts{TP: 5, FP: 2}); got.Entities != want {
				t.Errorf("entities %+v, want %+v", got.Entities, want)
			}
			judged, err := Judge(gold, []graph.Document{doc})
			if err != nil || !slices.Equal(judged[0].Relations, test.right) {
				t.Errorf("judged %v, %v, want %v", judged, err, test.right)
			}
		})
	}
}

// TestLinkedConcepts compares by what mentions were linked to, whatever their names.
func TestLinkedConcepts(t *testing.T) {
	gold := conceptCorpus()
	doc := conceptDocument(gold, [][2]int{{0, 6}, {7, 13}}, "CD", [2]int{0, 1})
	link := func(i int, codes ...graph.Code) {
		doc.Mentions[i].Concepts = append(doc.Mentions[i].Concepts, graph.Candidate{Codes: codes})
	}
	link(0, graph.Code{Source: "CHEBI", Code: "D9"})
	link(0, graph.Code{Source: "MSH2015", Code: "D1"})
	link(1, graph.Code{Source: "MSH", Code: "D2"})
	got, err := Concepts(gold, []graph.Document{doc})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Counts{TP: 1, FN: 1}, got.LinkedRelations); diff != "" {
		t.Errorf("linked (-want +got):\n%s", diff)
	}
	if want := (Counts{FP: 1, FN: 2}); got.Relations != want {
		t.Errorf("by names %+v, want %+v", got.Relations, want)
	}
}
