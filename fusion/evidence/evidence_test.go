package evidence

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

func candidate(weight float64, types ...graph.TUI) graph.Candidate {
	return graph.Candidate{SemanticTypes: types, Weight: &weight}
}

func TestAverage(t *testing.T) {
	sentinel := []float64{0.2, 0.4}
	documents := []graph.Document{{Mentions: []graph.Mention{
		{Sentinel: &sentinel[0], Concepts: []graph.Candidate{candidate(0.5, "T116", "T123"), candidate(0.3, "T116")}},
		{Sentinel: &sentinel[1], Concepts: []graph.Candidate{candidate(0.6, "T109")}},
		{Sentinel: &sentinel[0]}, // no concept, so no choice
		{Concepts: []graph.Candidate{{SemanticTypes: []graph.TUI{"T116"}}}}, // only linked
	}}}
	a := Average(documents, 1)
	if a.Mentions != 2 || math.Abs(a.Sentinel-0.3) > 1e-12 {
		t.Errorf("%d mentions, sentinel %g, want 2 and 0.3", a.Mentions, a.Sentinel)
	}
	want := []TypeAttention{{"T116", 2, 0.4}, {"T123", 1, 0.5}, {"T109", 1, 0.6}}
	if diff := cmp.Diff(want, a.Types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	if few := Average(documents, 2); len(few.Types) != 1 || few.Types[0].Type != "T116" {
		t.Errorf("types seen twice: %+v", few.Types)
	}
	if ends := a.Extremes(1); len(ends.Types) != 2 || ends.Types[1].Type != "T109" {
		t.Errorf("extremes %+v", ends.Types)
	}
	var table bytes.Buffer
	if err := a.Extremes(1).Write(&table, func(graph.TUI) string { return "name" }); err != nil {
		t.Fatal(err)
	}
	wantTable := "2 mentions with candidates; average attention to none of them 0.300\n\n| semantic type | candidates | average attention |\n| --- | --- | --- |\n" +
		"| name (T116) | 2 | 0.400 |\n| name (T109) | 1 | 0.600 |\n"
	if diff := cmp.Diff(wantTable, table.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	if none := Average(nil, 1); none.Mentions != 0 || none.Sentinel != 0 || len(none.Types) != 0 {
		t.Errorf("nothing: %+v", none)
	}
}

// TestCompareLinking: a mention counts where its range is annotated and a candidate is
// right by its codes; the first and the most attended are looked at apart.
func TestCompareLinking(t *testing.T) {
	coded := func(weight float64, source, code string) graph.Candidate {
		return graph.Candidate{Weight: &weight, Codes: []graph.Code{{Source: "CHEBI", Code: "1"}, {Source: source, Code: code}}}
	}
	gold := corpus.Corpus{Examples: []corpus.Example{{ID: "a", Text: "BRCA1 and zinc", Entities: []corpus.Entity{
		{Start: 0, End: 5, Concepts: []string{"672"}}, {Start: 10, End: 14, Concepts: []string{"MESH:D015032", "1"}},
	}}}}
	mention := func(start, end int, concepts ...graph.Candidate) graph.Mention {
		return graph.Mention{Start: start, End: end, Concepts: concepts}
	}
	gene, other := coded(0.2, "NCBIGENE", "NCBIGene:672#protein"), coded(0.7, "NCBIGENE", "NCBIGene:51742")
	zinc, salt := coded(0.6, "MSH2015", "D015032"), coded(0.3, "MSH2015", "D009999")
	got := CompareLinking(gold, []graph.Document{
		{ID: "a", Mentions: []graph.Mention{
			mention(0, 5, gene, other), mention(0, 5, other), mention(0, 4, gene), mention(0, 5),
			mention(10, 14, zinc, salt), mention(10, 14, salt, zinc), mention(10, 14, salt, zinc), mention(10, 14, graph.Candidate{Codes: zinc.Codes}),
		}},
		{ID: "unknown", Mentions: []graph.Mention{mention(0, 5, gene)}},
	})
	if want := (Linking{Mentions: 4, First: 2, MostAttended: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	var told, nothing bytes.Buffer
	if err := errors.Join(got.Write(&told), Linking{}.Write(&nothing)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(told.String(), "Of 4 mentions") || !strings.Contains(told.String(), "is right for 2 (50.0 %)") || !strings.Contains(told.String(), "attention for 3 (75.0 %)") || nothing.Len() > 0 {
		t.Errorf("told %q and of nothing %q", told.String(), nothing.String())
	}
}

func TestChanges(t *testing.T) {
	gold := corpus.Corpus{Examples: []corpus.Example{
		{ID: "same", Text: "A binds B", Entities: []corpus.Entity{{Start: 0, End: 1, Type: "x"}}},
		{ID: "worse", Text: "A binds B", Entities: []corpus.Entity{{Start: 0, End: 1, Type: "x"}}},
		{ID: "better", Text: "A binds B", Entities: []corpus.Entity{{Start: 0, End: 1, Type: "x"}, {Start: 8, End: 9, Type: "x"}},
			Relations: []corpus.Relation{{Head: 0, Tail: 1, Label: "bind"}}},
	}}
	a := graph.Mention{ID: "T1", Start: 0, End: 1, Text: "A", Type: "x"}
	b := graph.Mention{ID: "T2", Start: 8, End: 9, Text: "B", Type: "x"}
	other := b
	other.Type = "y"
	document := func(id string, relations []graph.Extraction, mentions ...graph.Mention) graph.Document {
		return graph.Document{ID: id, Text: "A binds B", Offsets: graph.OffsetByte, Mentions: mentions, Relations: relations}
	}
	bind := []graph.Extraction{{ID: "R1", Head: "T1", Tail: "T2", Label: "bind"}}
	changes, err := Changes(gold,
		[]graph.Document{document("same", nil, a), document("worse", nil, a), document("better", nil, a, other)},
		[]graph.Document{document("same", nil, a), document("worse", nil, a, b), document("better", bind, a, b)})
	if err != nil {
		t.Fatal(err)
	}
	type summary struct {
		ID        string
		Gain      int
		Lost, Won []Finding
	}
	var got []summary
	for _, c := range changes {
		got = append(got, summary{c.Example.ID, c.Gain, c.Lost, c.Won})
	}
	want := []summary{
		{"better", 3, []Finding{{"B (y)", false}}, []Finding{{"B (x)", true}, {"A –bind– B", true}}},
		{"worse", -1, nil, []Finding{{"B (x)", false}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Changes (-want +got):\n%s", diff)
	}
}
