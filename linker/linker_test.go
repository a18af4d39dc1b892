package linker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keci-kg/keci/graph"
)

// concepts of the tests; the first name is the preferred one.
var testConcepts = []graph.Concept{
	{CUI: "C01", Name: "FKBP1A", Synonyms: []string{"FKBP12", "FKBP-12", "peptidyl-prolyl isomerase"}, SemanticTypes: []graph.TUI{"T116"}},
	{CUI: "C02", Name: "Interleukin-2", Synonyms: []string{"IL-2", "IL2"}, SemanticTypes: []graph.TUI{"T129", "T116"}},
	{CUI: "C03", Name: "Interleukin-2 receptor", Synonyms: []string{"IL-2 receptor"}, SemanticTypes: []graph.TUI{"T116"}},
	{CUI: "C04", Name: "tumor necrosis factor", Synonyms: []string{"TNF-alpha", "TNFα"}, SemanticTypes: []graph.TUI{"T116"}},
	{CUI: "C05", Name: "Crohn's disease", Synonyms: []string{"Crohn disease"}, SemanticTypes: []graph.TUI{"T047"}},
	{CUI: "C06", Name: "nuclear pore complex protein CAN", Synonyms: []string{"CAN"}, SemanticTypes: []graph.TUI{"T028"}},
	{CUI: "C07", Name: "iron(III)", SemanticTypes: []graph.TUI{"T196"}},
	{CUI: "C08", Name: "(S)-warfarin", SemanticTypes: []graph.TUI{"T109"}},
	{CUI: "C09", Name: "Calcium ion", Synonyms: []string{"Ca2+", "calcium"}, SemanticTypes: []graph.TUI{"T196"}},
	{CUI: "C10", Name: "carbonic anhydrase 2", Synonyms: []string{"CA2", "Ca2"}, SemanticTypes: []graph.TUI{"T116"}},
	{CUI: "C11", Name: "AIDS", SemanticTypes: []graph.TUI{"T047"}},
	{CUI: "C12", Name: "aid", SemanticTypes: []graph.TUI{"T078"}},
	{CUI: "C13", Name: "lung cancer", Synonyms: []string{"cancer of the lung"}, SemanticTypes: []graph.TUI{"T191"}},
	{CUI: "C14", Name: "lung", SemanticTypes: []graph.TUI{"T023"}},
	{CUI: "C15", Name: "cancer", Synonyms: []string{"Cancers"}, SemanticTypes: []graph.TUI{"T191"}},
	{CUI: "C16", Name: "Escherichia coli", Synonyms: []string{"E. coli"}, SemanticTypes: []graph.TUI{"T007"}},
	{CUI: "C17", Name: "Ménière's disease", SemanticTypes: []graph.TUI{"T047"}},
	{CUI: "C18", Name: "NF-kappa B", SemanticTypes: []graph.TUI{"T116"}},
	{CUI: "C19", Name: "cat", SemanticTypes: []graph.TUI{"T015"}},
	{CUI: "C20", Name: "catalase", Synonyms: []string{"CAT"}, SemanticTypes: []graph.TUI{"T116"}},
	{CUI: "C21", Name: "acetylsalicylic acid", Synonyms: []string{"ASA", "A"}, SemanticTypes: []graph.TUI{"T109"}},
	{CUI: "C22", Name: "12", SemanticTypes: []graph.TUI{"T081"}},
}

// rankingModel knows a little about testConcepts.
var rankingModel = &Model{
	Threshold: 0.3, aliases: map[alias]int{{"feline", "C19"}: 3, {"t cell", "C14"}: 2, {"t cell", "C99"}: 2},
	weights: []weight{{"b:", -1}, {"w:lung cancer", 2}, {"l:cancer", 1}, {"T:T191|cancer", 0.5}, {"k:BD", 0.7}, {"m:TA", 0.2}},
}

// buildTest writes a dictionary of concepts and opens it.
func buildTest(t testing.TB, concepts []graph.Concept, options ...Option) *Linker {
	t.Helper()
	dir := t.TempDir()
	b, err := NewBuilder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range concepts {
		if err := b.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	l, err := Open(dir, append([]Option{Learned(new(Model))}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// brief writes mentions as "text=CUI,CUI".
func brief(mentions []graph.Mention) []string {
	lines := []string{}
	for _, m := range mentions {
		var cuis []string
		for _, c := range m.Concepts {
			cuis = append(cuis, string(c.CUI))
		}
		lines = append(lines, m.Text+"="+strings.Join(cuis, ","))
	}
	return lines
}

func TestLink(t *testing.T) {
	l := buildTest(t, testConcepts)
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", []string{}},
		{"exact", "FKBP12 binds.", []string{"FKBP12=C01"}},
		{"case", "fkbp12 Binds", []string{"fkbp12=C01"}},
		{"hyphen, space or neither", "IL-2, IL 2 and il2", []string{"IL-2=C02", "IL 2=C02", "il2=C02"}},
		{"part of a compound", "the GST-FKBP12/IL2-bound", []string{"FKBP12=C01", "IL2=C02"}},
		{"never inside a word", "qFKBP12 FKBP12x FKBP123 catalases cats", []string{"catalases=C20", "cats=C19,C20"}},
		{"nested, longest first", "IL-2 receptor", []string{"IL-2 receptor=C03", "IL-2=C02"}},
		{"overlapping", "lung cancer of the lung", []string{"lung cancer=C13", "lung=C14", "cancer of the lung=C13", "cancer=C15", "lung=C14"}},
		{"Greek letters", "TNF-α TNFα TNF alpha TNFalpha TNF-Α", []string{"TNF-α=C04", "TNFα=C04", "TNF alpha=C04", "TNFalpha=C04", "TNF-Α=C04"}},
		{"Greek inside", "NF-κB, NF-kappaB, NFκB", []string{"NF-κB=C18", "NF-kappaB=C18", "NFκB=C18"}},
		{"possessive", "Crohn’s disease, Crohn disease, Crohn 's disease", []string{"Crohn’s disease=C05", "Crohn=C05", "Crohn disease=C05", "Crohn=C05", "Crohn 's disease=C05", "Crohn=C05"}},
		{"diacritics", "Meniere's disease, Ménière disease, Me\u0301nie\u0300re disease",
			[]string{"Meniere's disease=C17", "Meniere=C17", "Ménière disease=C17", "Ménière=C17", "Me\u0301nie\u0300re disease=C17", "Me\u0301nie\u0300re=C17"}},
		{"stop words need their case", "It can be, Can it? CAN can.", []string{"CAN=C06"}},
		{"a single letter never", "A test of a drug", []string{}},
		{"words are not joined", "as a test", []string{}},
		{"plural", "lung cancers", []string{"lung cancers=C13", "lung=C14", "cancers=C15"}},
		{"symbols are not plurals", "AIDS and aids", []string{"AIDS=C11", "aids=C12"}},
		{"brackets belong to it", "iron(III) and (S)-warfarin", []string{"iron(III)=C07", "(S)-warfarin=C08"}},
		{"brackets in tokenised text", "iron ( III ) and ( S ) - warfarin", []string{"iron ( III )=C07", "( S ) - warfarin=C08"}},
		{"brackets must pair", "iron (III, lung) cancer", []string{"lung=C14", "cancer=C15"}},
		{"brackets around it do not", "(IL-2) [calcium]", []string{"IL-2=C02", "calcium=C09"}},
		{"plus sign", "Ca2+ and Ca(2+) and CA2", []string{"Ca2+=C09", "Ca2=C10", "Ca(2+)=C09", "CA2=C10"}},
		{"raised and wide plus signs", "Ca²⁺ and Ca2＋", []string{"Ca²⁺=C09", "Ca²=C10", "Ca2＋=C09", "Ca2=C10"}},
		{"a symbol is not inflected", "canned and CANs", []string{"CANs=C06"}},
		{"case decides the order", "CAT and cat", []string{"CAT=C20,C19", "cat=C19,C20"}},
		{"not over the end of a sentence", "in the lung. Cancer is", []string{"lung=C14", "Cancer=C15"}},
		{"abbreviated genus", "E. coli", []string{"E. coli=C16"}},
		{"over a line end", "lung\ncancer", []string{"lung\ncancer=C13", "lung=C14", "cancer=C15"}},
		{"over an indented line", "cancer of\n        the lung", []string{"cancer of\n        the lung=C13", "cancer=C15", "lung=C14"}},
		{"not over much else", "lung -----> cancer", []string{"lung=C14", "cancer=C15"}},
		{"not over a paragraph", "lung\n\ncancer", []string{"lung=C14", "cancer=C15"}},
		{"no name of digits alone", "12 of 12", []string{}},
		{"invisible characters", "FKBP\u00AD12 FK\u200BBP12", []string{"FKBP\u00AD12=C01", "FK\u200BBP12=C01"}},
		{"invalid UTF-8", "\xff\xfeFKBP12\xc3", []string{"FKBP12=C01"}},
		{"wide characters", "😀 ＦＫＢＰ１２ 😀", []string{"ＦＫＢＰ１２=C01"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := l.Link(context.Background(), test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, brief(got)); diff != "" {
				t.Errorf("Link(%q), want - got +:\n%s", test.text, diff)
			}
			for i, m := range got {
				if m.ID != fmt.Sprint("T", i+1) || m.Text != test.text[m.Start:m.End] {
					t.Errorf("mention %d is %s, %q", i+1, m.ID, m.Text)
				}
			}
		})
	}
}

func TestCandidate(t *testing.T) {
	got, err := buildTest(t, testConcepts).Link(context.Background(), "lung cancers, il-2")
	if err != nil {
		t.Fatal(err)
	}
	lung := graph.Candidate{CUI: "C14", Name: "lung", SemanticTypes: []graph.TUI{"T023"}, Matched: "lung",
		Score: 1000, Centrality: 1, Variation: 1, Coverage: 1, Cohesiveness: 1}
	lungCancer := lung
	lungCancer.CUI, lungCancer.Name, lungCancer.Matched = "C13", "lung cancer", "lung cancer"
	lungCancer.SemanticTypes = []graph.TUI{"T191"}
	lungCancer.Score, lungCancer.Variation = 983, 0.9
	cancer := lungCancer
	lungCancer.Path = []graph.VariantStep{{Text: "cancers", Name: "cancer", Kind: "inflection", Distance: 1}}
	cancer.CUI, cancer.Name, cancer.Matched, cancer.Score, cancer.Variation = "C15", "cancer", "Cancers", 1000, 1
	interleukin := lung
	interleukin.CUI, interleukin.Name, interleukin.Matched = "C02", "Interleukin-2", "IL-2"
	interleukin.SemanticTypes = []graph.TUI{"T116", "T129"}
	want := []graph.Mention{
		{ID: "T1", Start: 0, End: 12, Text: "lung cancers", Final: true, Concepts: []graph.Candidate{lungCancer}},
		{ID: "T2", Start: 0, End: 4, Text: "lung", Concepts: []graph.Candidate{lung}},
		{ID: "T3", Start: 5, End: 12, Text: "cancers", Concepts: []graph.Candidate{cancer}},
		{ID: "T4", Start: 14, End: 18, Text: "il-2", Final: true, Concepts: []graph.Candidate{interleukin}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

func TestOrderOfCandidates(t *testing.T) {
	l := buildTest(t, []graph.Concept{
		{CUI: "C1", Name: "CATS"},                             // plural away
		{CUI: "C2", Name: "other", Synonyms: []string{"Cat"}}, // case away
		{CUI: "C3", Name: "other", Synonyms: []string{"cat"}}, // a synonym
		{CUI: "C4", Name: "cat"},
		{CUI: "C5", Name: "c-a-t"}, // another normal form
		{CUI: "C6", Name: "cat"},
		{CUI: "C7", Name: "cats"},
	})
	got, err := l.Link(context.Background(), "cat")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"cat=C4,C6,C3,C2,C7"}, brief(got)); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

func TestMaxCandidates(t *testing.T) {
	got, err := buildTest(t, testConcepts, MaxCandidates(1)).Link(context.Background(), "CAT and cat")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"CAT=C20", "cat=C19"}, brief(got)); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

func TestLinkCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	_, err := buildTest(t, testConcepts).Link(ctx, "FKBP12")
	if err == nil || err.Error() != "enough" {
		t.Errorf("got %v", err)
	}
}

func TestLinkConcurrently(t *testing.T) {
	// Another linker tells what is right, so that the one that is tested also seeks its aliases concurrently.
	text := strings.Repeat("IL-2 receptor and FKBP12 in feline lung cancers, T cells. ", 20)
	want, err := buildTest(t, testConcepts, Learned(rankingModel)).Link(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	l := buildTest(t, testConcepts, Learned(rankingModel))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				got, err := l.Link(context.Background(), text)
				if err != nil || !cmp.Equal(want, got) {
					t.Errorf("differs: %v", err)
					return
				}
			}
		})
	}
	group.Wait()
}

// Texts without spaces, with very many names or written from right to left end
// before the test's time is up, with ranges that are whole.
func TestLinkHugeTexts(t *testing.T) {
	l := buildTest(t, testConcepts, Learned(rankingModel))
	for name, unit := range map[string]string{
		"letters": "a", "words": "lung ", "mixed": "a1", "hyphens": "a-", "brackets": "((", "marks": "e\u0301\u0301",
		"right to left": "\u05d0\u05d1", "right to left, words": "\u05d0\u05d1 IL-2 \u0627\u0644 ", "no characters": "\xff\xc3",
	} {
		t.Run(name, func(t *testing.T) { checkRanges(t, l, strings.Repeat(unit, 1<<20/len(unit))) })
	}
}

// checkPaths sees to it that the steps of each candidate are parts of the mention
// and of the name, and that the score follows from the components.
func checkPaths(t *testing.T, m graph.Mention) {
	t.Helper()
	for _, c := range m.Concepts {
		for _, step := range c.Path {
			inName := strings.Contains(c.Matched, step.Name) || step.Kind == kindNames[learnedName] && step.Name == c.Name
			if step.Kind == "" || step.Text == "" || !strings.Contains(m.Text, step.Text) || !inName {
				t.Fatalf("%+v is no step from %q to %q", step, m.Text, c.Matched)
			}
		}
		if score := (components{c.Centrality, c.Variation, c.Coverage, c.Cohesiveness}).points(); score != c.Score || score < 0 || score > 1000 {
			t.Fatalf("%+v has a score of %d by its components", c, score)
		}
	}
}

// FuzzLink: whatever the bytes of a text, a mention is a range of whole characters,
// each once and with candidates
// that explain themselves; with a model that ranks and one that does not.
func FuzzLink(f *testing.F) {
	plain, ranked := buildTest(f, testConcepts), buildTest(f, testConcepts, Learned(rankingModel))
	for _, seed := range []string{"", "IL-2's receptor (S)-warfarin", "Ca(2+), TNF-α", "( S ) - warfarin\n\nCAN", "\xffFKBP\u00AD12\xc3", "[iron(III)]",
		"small-cell lung cancers in the feline T-cell", "\u05e9\u05dc\u05d5\u05dd IL-2 \u202eCAT\u202c \u0627\u0644", "cancer auto-immune FK-BP-12p hIL2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range []*Linker{plain, ranked} {
			checkRanges(t, l, text)
		}
	})
}

func checkRanges(t *testing.T, l *Linker, text string) {
	mentions, err := l.Link(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[[2]int]bool)
	for _, m := range mentions {
		if m.Start < 0 || m.End <= m.Start || m.End > len(text) || m.Text != text[m.Start:m.End] {
			t.Fatalf("%+v is no range of %q", m, text)
		}
		if !onBorder(text, m.Start) || !onBorder(text, m.End) {
			t.Fatalf("%d to %d of %q cuts a character", m.Start, m.End, text)
		}
		if len(m.Concepts) == 0 || seen[[2]int{m.Start, m.End}] {
			t.Fatalf("%d to %d of %q has no candidates or is there twice", m.Start, m.End, text)
		}
		seen[[2]int{m.Start, m.End}] = true
		checkPaths(t, m)
	}
}
