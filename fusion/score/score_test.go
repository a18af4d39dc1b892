package score

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

func TestCounts(t *testing.T) {
	tests := []struct {
		counts                Counts
		precision, recall, f1 float64
	}{
		{Counts{}, 0, 0, 0},
		{Counts{TP: 3, FP: 1, FN: 3}, 0.75, 0.5, 0.6},
		{Counts{FP: 5}, 0, 0, 0},
		{Counts{FN: 5}, 0, 0, 0},
		{Counts{TP: 2}, 1, 1, 1},
	}
	for _, test := range tests {
		c := test.counts
		if c.Precision() != test.precision || c.Recall() != test.recall || c.F1() != test.f1 {
			t.Errorf("%+v: P, R, F1 = %g, %g, %g, want %g, %g, %g", c, c.Precision(), c.Recall(), c.F1(), test.precision, test.recall, test.f1)
		}
	}
	got, err := json.Marshal(Counts{TP: 3, FP: 1, FN: 3})
	if want := `{"tp":3,"fp":1,"fn":3,"precision":0.75,"recall":0.5,"f1":0.6}`; err != nil || string(got) != want {
		t.Errorf("JSON is %s (%v), want %s", got, err, want)
	}
}

func TestByLabel(t *testing.T) {
	b := ByLabel{"x": {TP: 1, FP: 0, FN: 0}, "y": {TP: 1, FP: 1, FN: 1}, "z": {FP: 1}}
	if got, want := b.Micro(), (Counts{TP: 2, FP: 2, FN: 1}); got != want {
		t.Errorf("Micro = %+v, want %+v", got, want)
	}
	if got, want := b.MacroF1(), 0.5; got != want { // (1 + ½ + 0)/3
		t.Errorf("MacroF1 = %g, want %g", got, want)
	}
	if got := (ByLabel{}).MacroF1(); got != 0 {
		t.Errorf("MacroF1 of nothing = %g, want 0", got)
	}
}

// predict makes a document with the given words of the text as mentions, "word"
// or "word/type" (the first place of each word), and "head tail label" of
// indices as relations.
func predict(id, text string, mentions []string, relations ...string) graph.Document {
	doc := graph.Document{ID: id, Text: text, Offsets: graph.OffsetByte}
	for i, m := range mentions {
		word, typ, _ := strings.Cut(m, "/")
		start := strings.Index(text, word)
		doc.Mentions = append(doc.Mentions, graph.Mention{ID: fmt.Sprint("T", i), Start: start, End: start + len(word), Text: word, Type: typ})
	}
	for i, r := range relations {
		var head, tail int
		var label string
		if _, err := fmt.Sscan(r, &head, &tail, &label); err != nil {
			panic(err)
		}
		doc.Relations = append(doc.Relations, graph.Extraction{ID: fmt.Sprint("R", i), Head: fmt.Sprint("T", head), Tail: fmt.Sprint("T", tail), Label: label})
	}
	return doc
}

func entity(start, end int, typ string, cluster int) corpus.Entity {
	return corpus.Entity{Start: start, End: end, Type: typ, Cluster: cluster}
}

func relation(head, tail int, label string) corpus.Relation {
	return corpus.Relation{Head: head, Tail: tail, Label: label}
}

func interaction(a, b int, label string) corpus.Interaction {
	return corpus.Interaction{A: a, B: b, Label: label}
}

// dimer: A, also called "Aα", binds B; B binds itself; A and B are annotated twice.
var dimer = corpus.Corpus{Name: corpus.BioRelEx, Examples: []corpus.Example{{
	ID: "s", Text: "A (Aα) binds B and C.",
	Entities:     []corpus.Entity{entity(0, 1, "protein", 0), entity(3, 6, "protein", 0), entity(14, 15, "protein", 1), entity(20, 21, "DNA", 2)},
	Relations:    []corpus.Relation{relation(0, 2, "bind"), relation(1, 2, "bind"), relation(0, 3, "bind-negated"), relation(1, 3, "bind-negated")},
	Interactions: []corpus.Interaction{interaction(0, 1, "bind"), interaction(1, 0, "bind"), interaction(0, 2, "bind-negated"), interaction(1, 1, "bind")},
}}}

func TestBioRelEx(t *testing.T) {
	text := dimer.Examples[0].Text
	tests := []struct {
		about               string
		predicted           []graph.Document
		entities, relations Counts
	}{
		{"nothing predicted", nil, Counts{FN: 4}, Counts{FN: 4}},
		{"types and labels are not compared, direction neither", []graph.Document{
			predict("s", text, []string{"A/cell", "Aα/cell", "B/cell", "C/cell"}, "2 0 x", "1 2 y"),
		}, Counts{TP: 4}, Counts{TP: 2, FN: 2}},
		{"half of an interaction is neither found nor false", []graph.Document{
			predict("s", text, []string{"A", "B"}, "0 1 bind"),
		}, Counts{TP: 2, FN: 2}, Counts{FN: 4}},
		{"a pair that nothing asks for is false, once", []graph.Document{
			predict("s", text, []string{"A", "B", "C", "binds"}, "1 2 bind", "2 1 bind", "1 2 x", "1 3 bind"),
		}, Counts{TP: 3, FP: 1, FN: 1}, Counts{FP: 2, FN: 4}},
		{"a mention with itself", []graph.Document{
			predict("s", text, []string{"B"}, "0 0 bind"),
		}, Counts{TP: 1, FN: 3}, Counts{TP: 1, FN: 3}},
		{"the same mention under two types counts once", []graph.Document{
			predict("s", text, []string{"B/protein", "B/cell"}),
		}, Counts{TP: 1, FN: 3}, Counts{FN: 4}},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			got, err := BioRelEx(dimer, test.predicted)
			if err != nil {
				t.Fatal(err)
			}
			if got.Entities != test.entities || got.Relations != test.relations {
				t.Errorf("entities, relations = %+v, %+v, want %+v, %+v", got.Entities, got.Relations, test.entities, test.relations)
			}
			if got.EntityF1 != test.entities.F1() || got.RelationF1 != test.relations.F1() {
				t.Errorf("F1 = %g, %g, want %g, %g", got.EntityF1, got.RelationF1, test.entities.F1(), test.relations.F1())
			}
		})
	}
}

// TestStrictUndirected looks at the counts per label of an undirected corpus.
func TestStrictUndirected(t *testing.T) {
	got, err := Evaluate(dimer, []graph.Document{predict("s", dimer.Examples[0].Text,
		[]string{"A/protein", "Aα/protein", "B/DNA", "C/DNA"},
		"3 0 bind-negated", "1 3 bind", "0 2 bind")})
	if err != nil {
		t.Fatal(err)
	}
	wantTypes := ByLabel{"protein": {TP: 2, FN: 1}, "DNA": {TP: 1, FP: 1}}
	if diff := cmp.Diff(wantTypes, got.EntityTypes); diff != "" {
		t.Errorf("EntityTypes (-want +got):\n%s", diff)
	}
	wantLabels := ByLabel{"bind": {FP: 2, FN: 2}, "bind-negated": {TP: 1, FN: 1}}
	if diff := cmp.Diff(wantLabels, got.RelationLabels); diff != "" {
		t.Errorf("RelationLabels (-want +got):\n%s", diff)
	}
}

func TestADE(t *testing.T) {
	gold := corpus.Corpus{Name: corpus.ADE, Directed: true, Examples: []corpus.Example{
		{
			ID: "1", Text: "lithium toxicity rash",
			Entities: []corpus.Entity{
				entity(0, 7, "Drug", 0), entity(0, 16, "Adverse-Effect", 1), entity(17, 21, "Adverse-Effect", 2),
			},
			Relations: []corpus.Relation{relation(1, 0, "Adverse-Effect"), relation(2, 0, "Adverse-Effect")},
		},
		{ID: "2", Text: "aspirin fever", Entities: []corpus.Entity{entity(0, 7, "Drug", 0), entity(8, 13, "Adverse-Effect", 1)}, Relations: []corpus.Relation{relation(1, 0, "Adverse-Effect")}},
	}}
	got, err := Evaluate(gold, []graph.Document{
		predict("1", "lithium toxicity rash", []string{"lithium/Drug", "lithium toxicity/Adverse-Effect", "rash/Adverse-Effect"},
			"1 0 Adverse-Effect", "0 2 Adverse-Effect"), // found; wrong way round
		predict("2", "aspirin fever", []string{"aspirin/Drug", "fever/Drug"},
			"1 0 Adverse-Effect"), // a type is wrong
		predict("3", "elsewhere", nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Result{
		Corpus: "ade", Documents: 2, Unknown: 1,
		EntityF1:    0.8, // both types: 2·2/(2·2+1)
		RelationF1:  1.0 / 3,
		Entities:    Counts{TP: 4, FP: 1, FN: 1},
		Relations:   Counts{TP: 1, FP: 2, FN: 2},
		EntityTypes: ByLabel{"Drug": {TP: 2, FP: 1}, "Adverse-Effect": {TP: 2, FN: 1}},
		RelationLabels: ByLabel{
			"Adverse-Effect": {TP: 1, FP: 2, FN: 2},
		},
	}
	closeTo := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
	if diff := cmp.Diff(want, got, closeTo); diff != "" {
		t.Errorf("Evaluate (-want +got):\n%s", diff)
	}

	gold.Name = "jsonl"
	micro, err := Evaluate(gold, []graph.Document{
		predict("1", "lithium toxicity rash", []string{"lithium/Drug", "lithium toxicity/Adverse-Effect"}, "1 0 Adverse-Effect"),
	})
	if err != nil || micro.EntityF1 != 4.0/7 || micro.RelationF1 != 0.5 { // 2 of 5 and 1 of 3 are found, nothing is false
		t.Errorf("another corpus: %+v, %v, want micro F1", micro, err)
	}

	missing, err := ADE(gold, []graph.Document{predict("2", "aspirin fever", nil)})
	if err != nil || missing.Missing != 1 || missing.Entities != (Counts{FN: 5}) {
		t.Errorf("one document missing: %+v, %v", missing, err)
	}
}

// TestUnits gives the mention "B" behind 2- and 4-byte characters in every unit.
func TestUnits(t *testing.T) {
	gold := corpus.Corpus{Name: corpus.BioRelEx, Examples: []corpus.Example{{
		ID: "s", Text: "β𝛼 B", Entities: []corpus.Entity{entity(7, 8, "protein", 0)},
	}}}
	for unit, start := range map[graph.OffsetUnit]int{"": 3, graph.OffsetCodepoint: 3, graph.OffsetUTF16: 4, graph.OffsetByte: 7} {
		doc := graph.Document{ID: "s", Text: "β𝛼 B", Offsets: unit, Mentions: []graph.Mention{{ID: "T1", Start: start, End: start + 1, Text: "B"}}}
		got, err := BioRelEx(gold, []graph.Document{doc})
		if want := (Counts{TP: 1}); err != nil || got.Entities != want {
			t.Errorf("unit %q: entities = %+v, %v, want %+v", unit, got.Entities, err, want)
		}
	}
}

func TestBadPredictions(t *testing.T) {
	const text = "A (Aα) binds B and C."
	mention := func(start, end int, text string) graph.Mention {
		return graph.Mention{ID: "T1", Start: start, End: end, Text: text}
	}
	tests := []struct {
		about string
		docs  []graph.Document
		want  []string
	}{
		{"other text", []graph.Document{{ID: "s", Text: "A"}}, []string{`"s"`, "text differs"}},
		{"twice", []graph.Document{{ID: "s", Text: text}, {ID: "s", Text: text}}, []string{`"s"`, "twice"}},
		{"unit", []graph.Document{{ID: "s", Text: text, Offsets: "word"}}, []string{`"word"`, "codepoint"}},
		{"outside", []graph.Document{{ID: "s", Text: text, Mentions: []graph.Mention{mention(20, 30, "C")}}}, []string{"T1", "20 to 30"}},
		{"inside a character", []graph.Document{{ID: "s", Text: text, Offsets: "byte", Mentions: []graph.Mention{mention(3, 5, "A")}}}, []string{"T1", "3 to 5"}},
		{"other unit", []graph.Document{{ID: "s", Text: text, Offsets: "byte", Mentions: []graph.Mention{mention(13, 14, "B")}}}, []string{`"B"`, `" "`, "unit"}},
		{"empty", []graph.Document{{ID: "s", Text: text, Mentions: []graph.Mention{mention(1, 1, "")}}}, []string{"T1", "empty"}},
		{"same mention id", []graph.Document{{ID: "s", Text: text, Mentions: []graph.Mention{mention(0, 1, "A"), mention(0, 1, "A")}}}, []string{"two mentions", `"T1"`}},
		{"relation to nowhere", []graph.Document{{ID: "s", Text: text, Mentions: []graph.Mention{mention(0, 1, "A")}, Relations: []graph.Extraction{{ID: "R1", Head: "T1", Tail: "T9"}}}}, []string{`"R1"`, `"T9"`}},
		{"nothing of the corpus", []graph.Document{{ID: "x", Text: text}}, []string{`"s"`, `"x"`}},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			_, err := Evaluate(dimer, test.docs)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %s", err, part)
				}
			}
		})
	}
}

func TestJudge(t *testing.T) {
	text := dimer.Examples[0].Text
	got, err := Judge(dimer, []graph.Document{predict("s", text, []string{"A/protein", "B/DNA", "C/DNA", "binds/DNA"},
		"1 0 bind", "0 2 bind", "2 0 bind-negated", "0 3 bind")})
	if err != nil {
		t.Fatal(err)
	}
	want := []Judged{{Mentions: []bool{true, false, true, false}, Relations: []bool{true, false, true, false}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Judge (-want +got):\n%s", diff)
	}
	directed := dimer
	directed.Directed = true
	if got, err := Judge(directed, []graph.Document{predict("s", text, []string{"A", "B"}, "1 0 bind", "0 1 bind")}); err != nil ||
		!cmp.Equal(got[0].Relations, []bool{false, true}) {
		t.Errorf("directed: %v, %v", got, err)
	}
	for about, doc := range map[string]graph.Document{"unknown": predict("x", text, nil), "other text": predict("s", "A", nil)} {
		if _, err := Judge(dimer, []graph.Document{doc}); err == nil {
			t.Errorf("%s: no error", about)
		}
	}
}
