package keci

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/graph"
)

// TestSettle: what a mention of a type stands for is weighed by semantic types.
func TestSettle(t *testing.T) {
	senses := Senses{"gene": {"T028": 1, "T116": -1, "T047": -3}}
	candidate := func(cui graph.CUI, name string, confidence float64, types ...graph.TUI) graph.Candidate {
		return graph.Candidate{CUI: cui, Name: name, Matched: name, Confidence: confidence, SemanticTypes: types}
	}
	part := candidate("part", "a", 0.9, "T028")
	part.Variant = graph.PartVariant
	for name, test := range map[string]struct {
		kind       string
		candidates []graph.Candidate
		want       string
	}{
		"nothing":                     {"gene", nil, ""},
		"of its type":                 {"gene", []graph.Candidate{candidate("protein", "a", 0.5, "T116"), candidate("gene", "b", 0.1, "T028")}, "gene protein"},
		"much less sure":              {"gene", []graph.Candidate{candidate("protein", "a", 0.5, "T116"), candidate("gene", "b", 0.01, "T028")}, "protein gene"},
		"most telling of its types":   {"gene", []graph.Candidate{candidate("disease", "a", 0.5, "T047", "T116"), candidate("both", "b", 0.2, "T047", "T028")}, "both disease"},
		"a type that was never seen":  {"gene", []graph.Candidate{candidate("protein", "a", 0.5, "T116"), candidate("new", "b", 0.2, "T999")}, "new protein"},
		"a type that says nothing":    {"cell", []graph.Candidate{candidate("protein", "a", 0.5, "T116"), candidate("gene", "b", 0.4, "T028")}, "protein gene"},
		"namesakes, as the linker":    {"gene", []graph.Candidate{candidate("plain", "A", 0.5, "T116"), candidate("gene", "a", 0.5, "T028"), candidate("c", "c", 0.1)}, "plain gene c"},
		"written as its name":         {"gene", []graph.Candidate{candidate("own", "own", 0.5, "T999"), candidate("gene", "b", 0.4, "T028")}, "own gene"},
		"written so, of a wrong type": {"gene", []graph.Candidate{candidate("own", "own", 0.5, "T116"), candidate("gene", "b", 0.4, "T028")}, "gene own"},
		"a part of the name, not":     {"gene", []graph.Candidate{candidate("protein", "a", 0.5, "T116"), part}, "protein part"},
		"parts alone":                 {"gene", []graph.Candidate{part, part}, "part part"},
		"a linker that is never sure": {"gene", []graph.Candidate{candidate("protein", "a", 0, "T116"), candidate("gene", "b", 0, "T028")}, "gene protein"},
	} {
		m := graph.Mention{Text: "Own", Type: test.kind, Concepts: test.candidates}
		senses.settle(&m)
		var got []string
		for _, c := range m.Concepts {
			got = append(got, string(c.CUI))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// namedCorpus tells the concepts of its mentions: p53 is the gene, whose protein the
// linker takes it for.
func namedCorpus(t *testing.T) corpus.Corpus {
	c := annotated(t, "[p53:protein] binds [mdm2:protein]", "[p53:drug] of the [insulin:drug] and [rapamycin:drug]")
	first, second := c.Examples[0].Entities, c.Examples[1].Entities
	first[0].Concepts, first[1].Concepts = []string{"2"}, []string{"NCBIGene:3"}
	second[0].Concepts, second[1].Concepts = []string{"2"}, []string{"2"}
	return c
}

// wantSenses are those of namedCorpus: right and wrong candidates of each type, each
// seen once more.
var wantSenses = Senses{
	"protein": {"T028": 0.41, "T116": -0.29},              // (2/4)/(1/3), (2/4)/(2/3)
	"drug":    {"T028": 1.1, "T116": -1.1, "T121": -0.69}, // (3/5)/(1/5), (1/5)/(3/5), (1/5)/(2/5)
}

// TestLearnSenses: a model is written again, and takes p53 for the gene.
func TestLearnSenses(t *testing.T) {
	cfg := everything(tinyConfig())
	cfg.Span.MaxWidth, cfg.KeptRatio = 1, 1
	dir := newModelFolder(t, cfg, false)
	before := openModel(t, dir, newFakeKnowledge().base())
	to := filepath.Join(t.TempDir(), "told")
	senses, err := before.LearnSenses(t.Context(), dir, to, namedCorpus(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantSenses, senses); diff != "" {
		t.Errorf("senses, want - got +:\n%s", diff)
	}
	firstOf := func(m *Model) (cuis []graph.CUI) {
		doc, err := m.Extract(t.Context(), graph.Document{Text: "p53 binds mdm2"})
		if err != nil {
			t.Fatal(err)
		}
		for _, mention := range doc.Mentions {
			if mention.Text == "p53" || mention.Text == "mdm2" {
				cuis = append(cuis, mention.Concepts[0].CUI)
			}
		}
		return cuis
	}
	if diff := cmp.Diff([][]graph.CUI{{"C1", "C3"}, {"C2", "C3"}}, [][]graph.CUI{firstOf(before), firstOf(openModel(t, to, newFakeKnowledge().base()))}); diff != "" {
		t.Errorf("before and after, want - got +:\n%s", diff)
	}
	for want, c := range map[string]corpus.Corpus{"exists already": namedCorpus(t), "no mention of the corpus has a concept": tinyCorpus(t)} {
		at := to
		if want != "exists already" {
			at = filepath.Join(t.TempDir(), "other")
		}
		if _, err := before.LearnSenses(t.Context(), dir, at, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestSensesCountOnce: a mention that several windows have counts as often as in sentences.
func TestSensesCountOnce(t *testing.T) {
	documents := annotated(t, "The [p53:protein] binds. The [mdm2:protein] grows. The [insulin:drug] too.")
	documents.Examples[0].ID = "1"
	for i, id := range []string{"2", "NCBIGene:3", "2"} {
		documents.Examples[0].Entities[i].Concepts = []string{id}
	}
	sentences, _ := documents.InSentences()
	windows, _ := documents.InWindows(2, func(string) bool { return true })
	if len(windows.Examples) != 2 {
		t.Fatalf("%d windows: the test wants two, of which both have the second sentence", len(windows.Examples))
	}
	m := openModel(t, newModelFolder(t, everything(tinyConfig()), false), newFakeKnowledge().base())
	learned := func(c corpus.Corpus) Senses {
		senses, err := m.learnSenses(t.Context(), c)
		if err != nil || len(senses) == 0 {
			t.Fatal(senses, err)
		}
		return senses
	}
	if diff := cmp.Diff(learned(sentences), learned(windows)); diff != "" {
		t.Errorf("-sentences +windows:\n%s", diff)
	}
}

// TestTrainingLearnsSenses: of a corpus that tells concepts, and of no other.
func TestTrainingLearnsSenses(t *testing.T) {
	named, o := namedCorpus(t), learnOptions()
	named.Name = "named"
	plain := tinyCorpus(t)
	plain.Name = "plain"
	cfg := learnable()
	cfg.Knowledge.Candidates = 2
	l, err := NewLearner(t.Context(), newLearner(t, learnable(), o).model.backend, cfg, newMaterial(t, o, system.Set{Train: plain, HeldOut: plain}, system.Set{Train: named, HeldOut: named}))
	if err != nil {
		t.Fatal(err)
	}
	var got []Senses
	for _, h := range l.model.cfg.heads() {
		got = append(got, h.Senses)
	}
	if diff := cmp.Diff([]Senses{nil, wantSenses}, got); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
	if !l.model.cfg.settles("drug") || l.model.cfg.settles("gene") {
		t.Error("what is settled is not what has senses")
	}
	l.model.cfg.More[0].Names = map[string]string{"drug": "chemical"}
	if all := l.model.cfg; !all.settles("chemical") || all.settles("drug") {
		t.Error("of several heads, what is settled is not what is told of it")
	}
	if one := l.model.cfg.ofHead(1); !one.settles("drug") || one.settles("chemical") {
		t.Error("of one head, what is settled is not its label")
	}
}

func TestSensesOfOtherModelsAreRefused(t *testing.T) {
	for want, senses := range map[string]Senses{
		`senses: "gene" is none of the entityTypes`:             {"gene": {}},
		`senses: drug: T116: NaN must lie between -3 and 3`:     {"drug": {"T116": math.NaN()}},
		`senses: protein: T116: -3.5 must lie between -3 and 3`: {"protein": {"T116": -3.5}},
	} {
		cfg := tinyConfig()
		cfg.Senses = senses
		if err := cfg.Validate(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := modeldir.ReadConfig[Config](newModelFolder(t, tinyConfig(), false)); err != nil {
		t.Error(err)
	}
}
