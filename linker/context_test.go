package linker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// contextConcepts have names that are short forms of others.
var contextConcepts = []graph.Concept{
	{CUI: "C1", Name: "multiple sclerosis", SemanticTypes: []graph.TUI{"T047"}},
	{CUI: "C2", Name: "mass spectrometry", Synonyms: []string{"MS"}, SemanticTypes: []graph.TUI{"T059"}},
	{CUI: "C3", Name: "tumor necrosis factor", Synonyms: []string{"TNF"}, SemanticTypes: []graph.TUI{"T116"}},
	{CUI: "C4", Name: "mitral stenosis", SemanticTypes: []graph.TUI{"T047"}},
	{CUI: "C5", Name: "fever", SemanticTypes: []graph.TUI{"T184"}},
	{CUI: "C6", Name: "Ménière's disease", SemanticTypes: []graph.TUI{"T047"}},
	{CUI: "C7", Name: "calcium ion", SemanticTypes: []graph.TUI{"T196"}},
}

// inContext writes mentions as "id text=CUI,CUI", with "<id" for the long form
// and a "-" for the negated.
func inContext(mentions []graph.Mention) []string {
	lines := []string{}
	for i, line := range brief(mentions) {
		line = mentions[i].ID + " " + line
		if mentions[i].LongForm != "" {
			line += " <" + mentions[i].LongForm
		}
		if mentions[i].Negated {
			line += " -"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestLinkInContext(t *testing.T) {
	l := buildTest(t, contextConcepts)
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing defined", "MS was used.", []string{"T1 MS=C2"}},
		{"everywhere, also before", "MS: multiple sclerosis (MS), not Ms.\n\nMS-like, xMS, MSx, (MS).",
			[]string{"T1 MS=C1,C2 <T2", "T2 multiple sclerosis=C1", "T3 MS=C1,C2 <T2", "T4 Ms=C2 -", "T5 MS=C1,C2 <T2", "T6 MS=C1,C2 <T2"}},
		{"no name itself", "calcium ion (CI) and CI", []string{"T1 calcium ion=C7", "T2 CI=C7 <T1", "T3 CI=C7 <T1"}},
		{"a candidate once", "tumor necrosis factor (TNF)", []string{"T1 tumor necrosis factor=C3", "T2 TNF=C3 <T1"}},
		{"reversed", "TNF (tumor necrosis factor)", []string{"T1 TNF=C3 <T2", "T2 tumor necrosis factor=C3"}},
		{"plural", "mitral stenosis (MS) and two MSs", []string{"T1 mitral stenosis=C4", "T2 MS=C4,C2 <T1", "T3 MSs=C4,C2 <T1"}},
		{"the nearest definition before", "MS, mitral stenosis (MS), MS. Multiple sclerosis (MS), MS",
			[]string{"T1 MS=C4,C2 <T2", "T2 mitral stenosis=C4", "T3 MS=C4,C2 <T2", "T4 MS=C4,C2 <T2",
				"T5 Multiple sclerosis=C1", "T6 MS=C1,C2 <T5", "T7 MS=C1,C2 <T5"}},
		{"wide characters", "😀 Ménière's disease (MD): MD", []string{"T1 Ménière's disease=C6", "T2 Ménière=C6", "T3 MD=C6 <T1", "T4 MD=C6 <T1"}},
		{"an unknown long form", "major satellite (MS)", []string{"T1 MS=C2"}},
		{"marks belong to the letter", "mitral stenosis (MS), MS\u0301 e\u0301MS",
			[]string{"T1 mitral stenosis=C4", "T2 MS=C4,C2 <T1"}},
		{"negation ends with the sentence", "No fever. Fever.", []string{"T1 fever=C5 -", "T2 Fever=C5"}},
		{"negation ends with but", "No fever but multiple sclerosis (MS).\n\nFever was ruled out; no MS.",
			[]string{"T1 fever=C5 -", "T2 multiple sclerosis=C1", "T3 MS=C1,C2 <T2", "T4 Fever=C5 -", "T5 MS=C1,C2 <T2 -"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := l.Link(context.Background(), test.text)
			if err != nil {
				t.Fatal(err)
			}
			got = slices.DeleteFunc(got, func(m graph.Mention) bool { return strings.HasPrefix(m.Text, "MS\u0301") })
			if diff := cmp.Diff(test.want, inContext(got)); diff != "" {
				t.Errorf("Link(%q), want - got +:\n%s", test.text, diff)
			}
			for _, m := range got {
				if m.Text != test.text[m.Start:m.End] {
					t.Errorf("%+v is not where it says", m)
				}
			}
		})
	}
}

func TestMaxCandidatesInContext(t *testing.T) {
	got, err := buildTest(t, contextConcepts, MaxCandidates(1)).Link(context.Background(), "multiple sclerosis (MS)")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"T1 multiple sclerosis=C1", "T2 MS=C1 <T1"}, inContext(got)); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

func TestBeside(t *testing.T) {
	second := buildTest(t, []graph.Concept{
		{CUI: "D1", Name: "MS"},
		{CUI: "D2", Name: "ms"},
		{CUI: "C2", Name: "another MS", Synonyms: []string{"MS"}},
		{CUI: "D3", Name: "sclerosis"},
	})
	third := buildTest(t, []graph.Concept{{CUI: "E1", Name: "sclerosis"}, {CUI: "E2", Name: "MS"}, {CUI: "E3", Name: "fevers"}})
	l := buildTest(t, contextConcepts, Beside(second, third))
	got, err := l.Link(context.Background(), "Multiple sclerosis (MS), fever.")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"T1 Multiple sclerosis=C1", "T2 sclerosis=D3,E1", "T3 MS=C1,D1,E2,C2,D2 <T1", "T4 fever=C5,E3"}
	if diff := cmp.Diff(want, inContext(got)); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

// The longer of two mentions stays in the final mapping.
func TestSettleFinal(t *testing.T) {
	mentions := []graph.Mention{
		{Start: 0, End: 9, Final: true}, {Start: 0, End: 4, Final: true}, {Start: 5, End: 9}, {Start: 8, End: 20, Final: true},
		{Start: 10, End: 12, Final: true}, {Start: 20, End: 22, Final: true}, {Start: 21, End: 23, Final: true},
	}
	settleFinal(mentions)
	var final []int
	for i, m := range mentions {
		if m.Final {
			final = append(final, i)
		}
	}
	if diff := cmp.Diff([]int{3, 5}, final); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

func TestRepeatFinal(t *testing.T) {
	var mentions []graph.Mention
	for _, m := range []struct {
		text       string
		start, end int
		final      bool
	}{
		{"Pain", 0, 4, false},                                 // final below
		{"chest pain", 10, 20, true}, {"pain", 16, 20, false}, // in another that is final
		{"pain", 30, 34, true},
		{"back pain", 40, 49, false}, {"pain", 45, 49, false}, // in one that is not final
		{"pain of the leg", 50, 65, false}, {"pain", 50, 54, false}, {"leg", 62, 65, true},
		{"chest pain in", 70, 83, false}, {"chest pain", 70, 80, false}, {"pain", 76, 80, false},
	} {
		mentions = append(mentions, graph.Mention{Text: m.text, Start: m.start, End: m.end, Final: m.final, Concepts: []graph.Candidate{{Confidence: 0.1}}})
	}
	mentions = append(mentions, graph.Mention{Text: "leg", Start: 90, End: 93, Concepts: []graph.Candidate{{Confidence: 0.09}}})
	repeatFinal(mentions)
	var got []string
	for _, m := range mentions {
		if m.Final {
			got = append(got, fmt.Sprint(m.Start, " ", m.Text))
		}
	}
	want := []string{"0 Pain", "10 chest pain", "30 pain", "45 pain", "50 pain", "62 leg", "70 chest pain"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

func TestStopWords(t *testing.T) {
	text := "It can be a lung CAN can, feline."
	called := &Model{aliases: map[alias]int{{"feline", "C19"}: 3}}
	for _, test := range []struct {
		name string
		list string
		want []string
	}{
		{"none", "# no words\n", []string{"can=C06", "lung=C14", "CAN=C06", "can=C06", "feline=C19"}},
		{"others", "lung\n\nCan\n", []string{"CAN=C06", "feline=C19"}},
		{"the built-in ones", DefaultStopWords(), []string{"lung=C14", "CAN=C06", "feline=C19"}},
		{"and what people called things", "feline\nlung\n", []string{"can=C06", "CAN=C06", "can=C06"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			words, err := ReadStopWords(strings.NewReader(test.list))
			if err != nil {
				t.Fatal(err)
			}
			got, err := buildTest(t, testConcepts, StopWords(words), Learned(called)).Link(context.Background(), text)
			if err != nil {
				t.Fatal(err)
			}
			got = slices.DeleteFunc(got, func(m graph.Mention) bool { return m.Text == "a" })
			if diff := cmp.Diff(test.want, brief(got)); diff != "" {
				t.Errorf("want - got +:\n%s", diff)
			}
		})
	}
}

func TestReadStopWordsRefuses(t *testing.T) {
	for _, list := range []string{"a\nb c\n", "a\np53", "a\nx-y"} {
		if _, err := ReadStopWords(strings.NewReader(list)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", list, err)
		}
	}
	words, err := ReadStopWords(strings.NewReader("\uFEFFÉlan\r\n# b\n"))
	if diff := cmp.Diff([]string{"elan"}, words); err != nil || diff != "" {
		t.Errorf("%v, want - got +:\n%s", err, diff)
	}
}

// Definitions and negations without end: what grows with the square of a text
// would not come back from these.
func TestContextOfHugeTexts(t *testing.T) {
	l := buildTest(t, contextConcepts)
	for _, unit := range []string{"mitral stenosis (MS) ", "MS (", "no ", "no fever, ", "multiple sclerosis (MS). No MS. ", "fever was ruled out "} {
		text := strings.Repeat(unit, 1<<18/len(unit))
		mentions, err := l.Link(context.Background(), text)
		if err != nil {
			t.Error(err)
		}
		for _, m := range mentions {
			if text[m.Start:m.End] != m.Text {
				t.Fatalf("%q: mention %s has the text %q", unit, m.ID, text[m.Start:m.End])
			}
		}
	}
}

// Many short forms with many definitions each.
func TestManyDefinitions(t *testing.T) {
	var concepts []graph.Concept
	var text strings.Builder
	for i := range 2000 {
		concepts = append(concepts, graph.Concept{CUI: graph.CUI(fmt.Sprint("C", i)), Name: fmt.Sprintf("alpha beta%dx", i)})
		fmt.Fprintf(&text, "alpha beta%dx (AB%d) ", i, i)
	}
	got, err := buildTest(t, concepts).Link(context.Background(), strings.Repeat(text.String(), 10))
	if err != nil || len(got) < 40000 {
		t.Errorf("%d mentions, %v", len(got), err)
	}
}

func BenchmarkContext(b *testing.B) {
	l := buildTest(b, contextConcepts)
	text := strings.Repeat("Multiple sclerosis (MS) without fever is not mitral stenosis, but the tumor necrosis factor (TNF) of MS. ", 12)
	mentions, err := l.find(context.Background(), text)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		MarkNegated(text, spellOut(text, mentions))
	}
}

// TestAddConcepts: a mention has what was linked at its range, and nowhere else.
func TestAddConcepts(t *testing.T) {
	linked := []graph.Mention{{Start: 0, End: 4, Concepts: []graph.Candidate{{CUI: "C1"}}}, {Start: 5, End: 9}}
	mentions := []graph.Mention{{Start: 0, End: 4}, {Start: 0, End: 9, Concepts: []graph.Candidate{}}, {Start: 5, End: 9, Concepts: []graph.Candidate{}}}
	AddConcepts(mentions, linked)
	if len(mentions[0].Concepts) != 1 || mentions[0].Concepts[0].CUI != "C1" || mentions[1].Concepts == nil || len(mentions[1].Concepts) != 0 || mentions[2].Concepts == nil {
		t.Errorf("%+v", mentions)
	}
}
