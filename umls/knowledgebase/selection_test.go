package knowledgebase

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
)

// second is a knowledge base that shares a concept with small.
func second() *Facts {
	return &Facts{
		Name:        "second",
		SourceInfos: []graph.SourceInfo{{Abbreviation: "OWN"}},
		Types:       []graph.SemanticType{{TUI: "T126", Name: "Enzyme"}, {TUI: "T116", Name: "Protein"}},
		TypeFacts:   []graph.TypeRelation{{Head: "T116", Label: "isa", Tail: "T126"}},
		ConceptFacts: []graph.Concept{
			{CUI: "C02", Name: "FKBP1A", Synonyms: []string{"FKBP12"}, SemanticTypes: []graph.TUI{"T116"}, Definition: "a rotamase",
				Sources: []string{"OWN"}, Codes: []graph.Code{{Source: "OWN", Code: "7"}}},
			{CUI: "C04", Name: "calcineurin", SemanticTypes: []graph.TUI{"T116"}, Sources: []string{"OWN"}},
		},
		RelationFacts: []graph.Relation{{Head: "C02", Label: "inhibits", Tail: "C04", Sources: []string{"OWN"}}},
	}
}

const ownTerms = "name\tCUI\tsemantic types\n# ours\nXY-7\tX1\tT109\nXY seven\tX1\tT126, T109\tCompound XY-7\tan inhibitor\n\nsirolimus\tC01\n"

// selectAll selects small, second and ownTerms.
func selectAll(t *testing.T) Selection {
	t.Helper()
	dir := t.TempDir()
	s := Selection{Terms: filepath.Join(dir, "own.tsv")}
	for _, facts := range []*Facts{small(), second()} {
		out := filepath.Join(dir, facts.Name)
		if _, err := Build(t.Context(), out, facts, Options{Name: facts.Name}); err != nil {
			t.Fatal(err)
		}
		s.Dirs = append(s.Dirs, out)
	}
	write(t, s.Terms, ownTerms)
	return s
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func openSelection(t *testing.T, s Selection) *KnowledgeBase {
	t.Helper()
	kb, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kb.Close(); err != nil {
			t.Error(err)
		}
	})
	return kb
}

func TestReadTerms(t *testing.T) {
	got, err := ReadTerms(strings.NewReader("\ufeff" + ownTerms))
	if err != nil {
		t.Fatal(err)
	}
	same(t, []graph.Concept{
		{CUI: "C01", Name: "sirolimus", SemanticTypes: []graph.TUI{}},
		{CUI: "X1", Name: "Compound XY-7", Synonyms: []string{"XY-7", "XY seven"}, SemanticTypes: []graph.TUI{"T109", "T126"}, Definition: "an inhibitor"},
	}, got)
	got, err = ReadTerms(strings.NewReader("# my terms\n\nName\tCUI\nname\tCUI\n"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, []graph.Concept{{CUI: "CUI", Name: "name", SemanticTypes: []graph.TUI{}}}, got) // the second one is no heading
	for text, want := range map[string]string{
		"":                         "no term",
		"a\tX1\nb":                 "line 2: a name and a CUI",
		"a\tX1\n\tX2":              "line 2: a name and a CUI",
		"a\tX 1":                   "line 1: the CUI",
		"a\tX1\t\tp\nb\tX1\t\tq":   `line 2: the preferred name of X1 is "q" here and "p" before`,
		strings.Repeat("x", 2<<20): "too long",
	} {
		if _, err := ReadTerms(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}

func TestSelectionLinks(t *testing.T) {
	kb := openSelection(t, selectAll(t))
	mentions, err := kb.Linker.Link(t.Context(), "XY seven and calcineurin, but not sirolimus, bind FKBP12.")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mentions {
		line := m.ID + " " + m.Text + ":"
		for _, c := range m.Concepts {
			line += " " + string(c.CUI) + " " + c.Name
		}
		got = append(got, line)
	}
	same(t, []string{"T1 XY seven: X1 Compound XY-7", "T2 calcineurin: C03 calcineurin C04 calcineurin", "T3 sirolimus: C01 sirolimus", "T4 FKBP12: C02 FKBP12"}, got)
	if !mentions[2].Negated || mentions[3].Negated == false {
		t.Errorf("negated: %+v", mentions)
	}
}

func TestSelectionKnows(t *testing.T) {
	kb := openSelection(t, selectAll(t))
	same(t, "small + second + own.tsv", kb.Info.Name)
	same(t, 7, kb.Info.Concepts)
	k := kb.Knowledge
	both := graph.Concept{CUI: "C02", Name: "FKBP12", Synonyms: []string{"FKBP1A"}, SemanticTypes: []graph.TUI{"T116", "T126"},
		Definition: "a rotamase", Sources: []string{"CHEBI", "OWN"}, Codes: []graph.Code{{Source: "OWN", Code: "7"}}}
	got, err := k.Concept(t.Context(), "C02")
	if err != nil {
		t.Fatal(err)
	}
	same(t, both, got)
	if _, err := k.Concept(t.Context(), "C99"); !errors.Is(err, graph.ErrNotFound) {
		t.Error(err)
	}
	if _, err := k.SemanticType(t.Context(), "T999"); !errors.Is(err, graph.ErrNotFound) {
		t.Error(err)
	}
	if got, err := k.SemanticType(t.Context(), "T116"); err != nil || got.Name != "Protein" {
		t.Error(got, err)
	}
	sub, err := k.Subgraph(t.Context(), []graph.CUI{"X1", "C04", "C02", "C01", "C99", "C02"})
	if err != nil {
		t.Fatal(err)
	}
	var cuis []graph.CUI
	for _, c := range sub.Concepts {
		cuis = append(cuis, c.CUI)
	}
	same(t, []graph.CUI{"C01", "C02", "C04", "X1"}, cuis)
	same(t, both, sub.Concepts[1])
	same(t, []graph.Relation{
		{Head: "C01", Label: "binds", Tail: "C02", Rel: "RO", Sources: []string{"CHEBI"}},
		{Head: "C02", Label: "inhibits", Tail: "C04", Sources: []string{"OWN"}},
	}, sub.Relations)
	same(t, []graph.TypeRelation{{Head: "T109", Label: "affects", Tail: "T126"}, {Head: "T116", Label: "isa", Tail: "T126"}}, sub.TypeRelations)
	// Types that only a term has are known from the others.
	alone, err := k.Subgraph(t.Context(), []graph.CUI{"X1"})
	if err != nil || len(alone.SemanticTypes) != 2 || len(alone.TypeRelations) != 1 {
		t.Errorf("%+v, %v", alone, err)
	}
	neighbors, err := k.Neighbors(t.Context(), "C02", 10)
	if err != nil || len(neighbors) != 2 {
		t.Errorf("%+v, %v", neighbors, err)
	}
	if neighbors, err = k.Neighbors(t.Context(), "C02", 1); err != nil || len(neighbors) != 1 || neighbors[0].Label != "binds" {
		t.Errorf("%+v, %v", neighbors, err)
	}
	var found []string
	concepts, err := k.Search(t.Context(), "calcineurin", 10)
	for _, c := range concepts {
		found = append(found, string(c.CUI))
	}
	same(t, []string{"C03", "C04"}, found)
	if concepts, err = k.Search(t.Context(), "XY", 1); err != nil || len(concepts) != 1 || concepts[0].CUI != "X1" {
		t.Errorf("%v, %v", concepts, err)
	}
}

// TestSelectionSearchesTerms: a user's own terms are found as other names are, by their
// words in any order, folded, the last one begun.
func TestSelectionSearchesTerms(t *testing.T) {
	terms := filepath.Join(t.TempDir(), "own.tsv")
	write(t, terms, "binding factor, alpha\tX1\nbinding\tX2\nunbinding factor\tX3\n")
	k := openSelection(t, Selection{Dirs: selectAll(t).Dirs[:1], Terms: terms}).Knowledge
	for query, want := range map[string]string{
		"binding factor, alpha": "X1", "alpha bind": "X1", "Binding factor, α": "X1", "BINDING": "X2 X1", "ding factor": "", "factor": "X3 X1", " , ": "",
	} {
		concepts, err := k.Search(t.Context(), query, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range concepts {
			got = append(got, string(c.CUI))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q finds %v, want %s", query, got, want)
		}
	}
}

// TestSelectionRemembers: of two knowledge bases the first has retired C02 and C04, and the
// second has C02 still. So C02 is itself, and C04 is C01 in both.
func TestSelectionRemembers(t *testing.T) {
	dir := t.TempDir()
	first, later := small(), second()
	first.ConceptFacts = slices.DeleteFunc(first.ConceptFacts, func(c graph.Concept) bool { return c.CUI == "C02" })
	first.RelationFacts = []graph.Relation{{Head: "C01", Label: "affects", Tail: "C03", Sources: []string{"CHEBI"}}}
	later.ConceptFacts[1].CUI = "C01"
	slices.Reverse(later.ConceptFacts)
	later.RelationFacts[0].Tail = "C01"
	s := Selection{Dirs: []string{filepath.Join(dir, "first"), filepath.Join(dir, "later")}}
	for i, source := range []Source{historic{first, []graph.Retired{{CUI: "C02", Into: "C01"}, {CUI: "C04", Into: "C01"}}}, later} {
		if _, err := Build(t.Context(), s.Dirs[i], source, Options{Name: filepath.Base(s.Dirs[i])}); err != nil {
			t.Fatal(err)
		}
	}
	k := openSelection(t, s).Knowledge
	inhibits := graph.Relation{Head: "C02", Label: "inhibits", Tail: "C01", Sources: []string{"OWN"}}
	for cui, want := range map[graph.CUI][]graph.Relation{"C02": {inhibits}, "C04": {first.RelationFacts[0], inhibits}} {
		got, err := k.Neighbors(t.Context(), cui, 10)
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	}
	for asked, want := range map[string]string{"C02": "C02", "C02 C03": "C02 C03", "C04": "C01", "C02 C04": "C01 C02"} {
		var cuis []graph.CUI
		for _, cui := range strings.Fields(asked) {
			cuis = append(cuis, graph.CUI(cui))
		}
		sub, err := k.Subgraph(t.Context(), cuis)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range sub.Concepts {
			got = append(got, string(c.CUI))
		}
		if strings.Join(got, " ") != want || len(sub.Relations) != strings.Count(want, "C01 C02") {
			t.Errorf("%s: concepts %v with %v, want %s", asked, got, sub.Relations, want)
		}
		for _, s := range sub.SemanticTypes {
			if !slices.ContainsFunc(sub.Concepts, func(c graph.Concept) bool { return slices.Contains(c.SemanticTypes, s.TUI) }) {
				t.Errorf("%s: type %s is of no concept", asked, s.TUI)
			}
		}
	}
	predecessors, err := k.(graph.Succession).Predecessors(t.Context(), "C01")
	if err != nil {
		t.Fatal(err)
	}
	same(t, []graph.CUI{"C04"}, predecessors)
	found, err := k.Search(t.Context(), "FKBP1A", 10)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	united, err := k.Search(t.Context(), "sirolimus", 10)
	if err != nil || len(united) != 1 || len(united[0].Sources) != 2 {
		t.Errorf("%+v, %v: want what both say of C01", united, err)
	}
}

// The digest tells everything that answers depend on.
func TestSelectionDigest(t *testing.T) {
	all := selectAll(t)
	stop := filepath.Join(t.TempDir(), "stop.txt")
	write(t, stop, "calcineurin\n")
	seen := map[string]bool{}
	for _, s := range []Selection{
		all, {Dirs: all.Dirs[:1]}, {Dirs: all.Dirs}, {Dirs: []string{all.Dirs[1], all.Dirs[0]}}, {Dirs: all.Dirs[:1], Terms: all.Terms},
		{Dirs: all.Dirs[:1], StopWords: stop},
	} {
		kb := openSelection(t, s)
		if info, err := kb.Knowledge.Info(t.Context()); err != nil || info.Digest != kb.Info.Digest || seen[info.Digest] {
			t.Errorf("%+v has digest %s, %v", s, info.Digest, err)
		}
		seen[kb.Info.Digest] = true
		mentions, err := kb.Linker.Link(t.Context(), "calcineurin")
		if err != nil || (len(mentions) == 0) != (s.StopWords != "") {
			t.Errorf("%+v finds %v, %v", s, mentions, err)
		}
	}
}

func TestSelectionRefuses(t *testing.T) {
	all := selectAll(t)
	bad := filepath.Join(t.TempDir(), "bad.txt")
	write(t, bad, "two words\n")
	for _, s := range []Selection{
		{Dirs: append(all.Dirs, t.TempDir())}, {Dirs: []string{t.TempDir(), all.Dirs[0]}}, {Dirs: all.Dirs, Terms: bad}, {Dirs: all.Dirs, Terms: "nowhere"},
		{Dirs: all.Dirs, StopWords: bad}, {Dirs: all.Dirs, StopWords: "nowhere"},
	} {
		if _, err := s.Open(t.Context()); err == nil {
			t.Errorf("%+v was opened", s)
		} else if s.Terms == bad || s.StopWords == bad {
			if !strings.Contains(err.Error(), bad+": line 1: ") {
				t.Errorf("%v does not tell the place", err)
			}
		}
	}
}

func TestDescribe(t *testing.T) {
	kb := openSelection(t, selectAll(t))
	mentions, err := kb.Linker.Link(t.Context(), "FKBP12")
	if err != nil {
		t.Fatal(err)
	}
	if err := graph.Describe(t.Context(), kb.Knowledge, mentions, graph.Details{Codes: true, Synonyms: true}); err != nil {
		t.Fatal(err)
	}
	same(t, []graph.Code{{Source: "OWN", Code: "7"}}, mentions[0].Concepts[0].Codes)
	same(t, []string{"FKBP1A"}, mentions[0].Concepts[0].Synonyms)
}
