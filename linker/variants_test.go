package linker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

func TestVariants(t *testing.T) {
	l := buildTest(t, []graph.Concept{
		{CUI: "C1", Name: "carcinoma, small cell"},
		{CUI: "C2", Name: "edema of the lung"},
		{CUI: "C3", Name: "ischemia"},
		{CUI: "C4", Name: "Krabbe disease"},
		{CUI: "C5", Name: "CDC6"},
		{CUI: "C6", Name: "EGFR"},
		{CUI: "C7", Name: "autoimmune disease"},
		{CUI: "C8", Name: "ABC1 (human)"},
		{CUI: "C9", Name: "toxicity"},
	})
	for text, want := range map[string]string{
		"small cell carcinoma":  "small cell carcinoma=C1",
		"lung oedema":           "lung oedema=C2",
		"pulmonary edema":       "pulmonary edema=C2",
		"ischaemic":             "ischaemic=C3",
		"Krabbe":                "Krabbe=C4",
		"Cdc6p":                 "Cdc6p=C5",
		"hCDC6":                 "hCDC6=C5",
		"EGF-R":                 "EGF-R=C6",
		"auto - immune disease": "",
		"nephrotoxicity":        "nephrotoxicity=C9",
	} {
		mentions, err := l.Link(context.Background(), text)
		if err != nil {
			t.Fatal(err)
		}
		got := brief(mentions)
		if want == "" && len(got) == 0 || len(got) > 0 && got[0] == want {
			continue
		}
		t.Errorf("Link(%q) = %q, want %q first", text, got, want)
	}
}

// The distances of the ways a word can vary, and with them the known answer 768 of
// "Beyond" the exact name: MetaMap's D = 5 path is truncated, not rounded.
func TestWordVariant(t *testing.T) {
	for _, test := range []struct {
		text, name string
		want       float64
	}{
		{"tumour", "tumor", distanceSpelling},
		{"oedema", "edema", distanceSpelling},
		{"signalling", "signal", distanceInflection},
		{"hepatic", "liver", distanceSynonym},
		{"thrombotic", "thrombosis", distanceSynonym},
		{"conjunctival", "conjunctiva", distanceDerivation},
		{"hepatical", "liver", distanceDerivation + distanceSynonym},
	} {
		if _, got := wordVariant([]byte(test.text), []byte(test.name), false, false); got != test.want {
			t.Errorf("wordVariant(%q, %q) has distance %v, want %v", test.text, test.name, got, test.want)
		}
	}
}

// "lung cancer" gives the concept Cancer 861 (Aronson 2001).
func TestPartOfAPhrase(t *testing.T) {
	if got := exactName(1, 0).within(1, 2, 1).points(); got != 861 {
		t.Errorf("got %d, want 861", got)
	}
}

func TestFinalMapping(t *testing.T) {
	l := buildTest(t, testConcepts)
	mentions, err := l.Link(context.Background(), "IL-2 receptor in lung cancer of the lung")
	if err != nil {
		t.Fatal(err)
	}
	end := 0
	var final []string
	for _, m := range mentions {
		if !m.Final {
			continue
		}
		if m.Start < end {
			t.Errorf("%q overlaps the one before", m.Text)
		}
		end = m.End
		final = append(final, m.Text)
	}
	if diff := cmp.Diff([]string{"IL-2 receptor", "lung", "cancer of the lung"}, final); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

func TestTrain(t *testing.T) {
	l := buildTest(t, testConcepts)
	var texts []Annotated
	for document := range 30 {
		texts = append(texts, Annotated{strconv.Itoa(document), "The cat saw a feline with lung cancer.", []Annotation{{4, 7, "C19"}, {14, 20, "C19"}}})
	}
	m, err := Train(context.Background(), l, texts, all)
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := m.Write(&first); err != nil {
		t.Fatal(err)
	}
	again, err := readModel(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("a model that was read is written otherwise (%v)", err)
	}
	mentions, err := buildTest(t, testConcepts, Learned(again)).Link(context.Background(), "A cat or a feline.")
	if err != nil {
		t.Fatal(err)
	}
	var final []string
	for _, mention := range mentions {
		if c := mention.Concepts[0]; mention.Final && c.CUI == "C19" && c.Confidence > 0.5 {
			final = append(final, mention.Text+" "+c.Variant)
		}
	}
	if diff := cmp.Diff([]string{"cat ", "feline learned"}, final); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

// Who ends a training does not wait for all passes over the examples.
func TestFitIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newExamples().fit(ctx, allFolds); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func all(graph.CUI) bool { return true }

// A name that people mostly gave to what the dictionary lacks is told from one that
// they gave to this concept alone.
func TestTrainOnNamesOfOthers(t *testing.T) {
	text := func(document int, cui graph.CUI) Annotated {
		return Annotated{strconv.Itoa(document), "A feline and a mog.", []Annotation{{2, 8, cui}, {15, 18, "C19"}}}
	}
	var texts []Annotated
	for document := range 40 {
		cui := graph.CUI("C0")
		if document%10 == 0 {
			cui = "C19"
		}
		texts = append(texts, text(document, cui))
	}
	m, err := Train(context.Background(), buildTest(t, testConcepts), texts, all)
	if err != nil {
		t.Fatal(err)
	}
	want := map[alias]int{{"feline", "C19"}: 4, {"feline", elsewhere}: 36, {"mog", "C19"}: 40}
	if !maps.Equal(m.aliases, want) {
		t.Errorf("%v, want %v", m.aliases, want)
	}
	mentions, err := buildTest(t, testConcepts, Learned(m)).Link(context.Background(), "A feline and a mog.")
	if err != nil || len(mentions) != 2 {
		t.Fatal(mentions, err)
	}
	if seldom, always := mentions[0].Concepts[0], mentions[1].Concepts[0]; seldom.Confidence > 0.3 || always.Confidence < 0.7 {
		t.Errorf("confidence %g of a name that is mostly another's, %g of one that is this concept's", seldom.Confidence, always.Confidence)
	}
}

// A word of another part of speech is a candidate, but no mapping of its own.
func TestDerivationsAreNotFinal(t *testing.T) {
	concepts := []graph.Concept{{CUI: "C1", Name: "formate"}, {CUI: "C2", Name: "inhibitor"}}
	mentions, err := buildTest(t, concepts, Learned(&Model{Threshold: 0.1, weights: []weight{{"b:", 5}}})).
		Link(context.Background(), "The formation of inhibitors.")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, m := range mentions {
		got[m.Text] = m.Final
	}
	if want := map[string]bool{"formation": false, "inhibitors": true}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A concept that people could not choose is no wrong choice, and neither is one whose name
// they gave to a concept that the dictionary lacks: where the name is marked it stays likely.
func TestTrainWithoutChoice(t *testing.T) {
	confidence := func(chosen graph.CUI, linkable func(graph.CUI) bool) float64 {
		var texts []Annotated
		for document := range 30 {
			texts = append(texts, Annotated{strconv.Itoa(document), "The cat saw lung cancer.", []Annotation{{4, 7, chosen}, {12, 23, "C13"}}})
		}
		m, err := Train(context.Background(), buildTest(t, testConcepts), texts, linkable)
		if err != nil {
			t.Fatal(err)
		}
		mentions, err := buildTest(t, testConcepts, Learned(m)).Link(context.Background(), "A cat.")
		if err != nil || len(mentions) == 0 {
			t.Fatal(mentions, err)
		}
		for _, c := range mentions[0].Concepts {
			if c.CUI == "C19" {
				return c.Confidence
			}
		}
		t.Fatalf("no cat in %+v", mentions[0])
		return 0
	}
	wrong := confidence("C20", all)
	notToChoose := confidence("C20", func(cui graph.CUI) bool { return cui != "C19" })
	absent := confidence("C0", all)
	if wrong >= 0.1 || notToChoose < 2*wrong || absent < 2*wrong {
		t.Errorf("confidence %g as a wrong choice, %g as none, %g where another is meant that is not there", wrong, notToChoose, absent)
	}
}

// Of concepts with the name of the best candidate the one with the fewest types is
// first, with the highest confidence; of others the ranking decides.
func TestSettleNamesakes(t *testing.T) {
	many, few, other := []graph.TUI{"T109", "T121"}, []graph.TUI{"T109"}, []graph.TUI{}
	hits := []hit{
		{cui: []byte("K1"), name: []byte("Dopamine"), types: many, points: 1000, value: 3},
		{cui: []byte("K2"), name: []byte("dopamine hydrochloride"), types: other, points: 1000, value: 2},
		{cui: []byte("K3"), name: []byte("dopamine"), types: few, points: 1000, value: 1},
		{cui: []byte("K4"), name: []byte("dopamine"), types: other, points: 900, value: 0},
	}
	settleNamesakes(hits)
	var got []string
	for _, h := range hits {
		got = append(got, fmt.Sprint(string(h.cui), h.value))
	}
	if want := []string{"K33", "K22", "K11", "K40"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	settleNamesakes(nil)
}

// Of the species that an abbreviated name may mean, the one with the most names is
// first, and of anything else the best.
func TestSettleSpecies(t *testing.T) {
	for name, want := range map[string]string{"E. coli": "Escherichia coli", "coli": "Entamoeba coli", "E. Coli": "Entamoeba coli"} {
		hits := []hit{
			{name: []byte("Entamoeba coli"), matched: []byte(name), names: 1, points: 1000, value: 3},
			{name: []byte("Escherichia coli"), matched: []byte(name), names: 14, points: 1000, value: 2},
			{name: []byte("Escherichia"), matched: []byte("E. colis"), names: 20, points: 1000, value: 1},
			{name: []byte("Eimeria coli"), matched: []byte(name), names: 20, points: 900, value: 0},
		}
		settleSpecies(hits)
		if got := string(hits[0].name); got != want || hits[0].value != 3 {
			t.Errorf("%s is %s, by %g", name, got, hits[0].value)
		}
	}
	settleSpecies(nil)
}

// A name is what it is before a comma, and where tokens are parted by blanks.
func TestGlueOfTokenisedText(t *testing.T) {
	glue := func(text string) int {
		s := buildTest(t, testConcepts).newScratch()
		s.tokens.text = text
		return s.glue(len("lung cancer"))
	}
	for _, mark := range []string{",", ".", ";", ":", ")", "-", "/", "'s"} {
		if written, tokenised := glue("lung cancer"+mark+" and"), glue("lung cancer "+mark+" and"); written != tokenised {
			t.Errorf("%q: %d as written, %d as tokens", mark, written, tokenised)
		}
	}
}

func TestConfidence(t *testing.T) {
	if got := confidence(math.Log(3)); got != 0.75 {
		t.Errorf("got %v", got)
	}
}

func TestDefaultModel(t *testing.T) {
	if m := DefaultModel(); len(m.aliases) == 0 || len(m.weights) == 0 || m.Threshold <= 0 {
		t.Error("the model in the program is empty")
	}
}
