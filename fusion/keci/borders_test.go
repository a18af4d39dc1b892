package keci

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
)

// often repeats the examples of a corpus until every word counts.
func often(c corpus.Corpus) corpus.Corpus {
	c.Examples = slices.Repeat(c.Examples, enoughOfWord)
	return c
}

func newTinyTokenizer(t testing.TB) *encoder.Tokenizer {
	t.Helper()
	_, tokenizer, err := modeldir.ReadEncoder(newEncoderFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

// TestWindowsCountOnce: what several windows hold counts as often as in sentences.
func TestWindowsCountOnce(t *testing.T) {
	tokenizer := newTinyTokenizer(t)
	documents := often(annotated(t, "the [p53:protein] and [mdm2:protein]. In the tumor. The [fk506:drug] binds. | 0 binds 1"))
	for i := range documents.Examples {
		documents.Examples[i].ID = strconv.Itoa(i)
	}
	documents.Examples = documents.Examples[:enoughOfWord-1] // one "tumor" more would be enough, several "the" are
	sentences, _ := documents.InSentences()
	windows, _ := documents.InWindows(2, func(string) bool { return true })
	want, got := learnBorders(tokenizer, sentences), learnBorders(tokenizer, windows)
	if diff := cmp.Diff(want, got); diff != "" || slices.Contains(want.NeverFirst, "tumor") || !slices.Contains(want.NeverFirst, "the") {
		t.Errorf("-sentences +windows:\n%s", diff)
	}
	repeated := windows.Repeated()
	if len(repeated) != len(windows.Examples) || slices.Max(repeated) == 0 {
		t.Fatalf("repeated %v: the test wants windows that overlap", repeated)
	}
}

// TestBordersAcrossSentences: a mention that a window has and the one before has not,
// since it goes on behind its end, counts where both have its first word.
func TestBordersAcrossSentences(t *testing.T) {
	documents := often(annotated(t, "p53 binds. The [tumor. In the cell:disease] of p53."))
	for i := range documents.Examples {
		documents.Examples[i].ID = strconv.Itoa(i)
	}
	windows, _ := documents.InWindows(2, func(string) bool { return true })
	if got := learnBorders(newTinyTokenizer(t), windows); slices.Contains(got.NeverFirst, "tumor") || !slices.Contains(got.NeverFirst, "the") {
		t.Errorf("%+v: tumor begins mentions, the none", got)
	}
}

func TestBordersAreLearned(t *testing.T) {
	tokenizer := newTinyTokenizer(t)
	binding := often(annotated(t, "the [p53:protein] and [insulin receptor:protein] in the tumor"))
	for name, c := range map[string]struct {
		corpora []corpus.Corpus
		want    Borders
	}{
		"one corpus": {
			[]corpus.Corpus{binding},
			Borders{[]string{"and", "in", "receptor", "the", "tumor"}, []string{"and", "in", "insulin", "the", "tumor"}},
		},
		"two, of which each must know the word": {
			[]corpus.Corpus{binding, often(annotated(t, "the [tumor:disease] and insulin"))},
			Borders{[]string{"and", "the"}, []string{"and", "insulin", "the"}},
		},
		"words that are seen too seldom": {
			[]corpus.Corpus{annotated(t, "the [p53:protein] and [insulin receptor:protein]")}, Borders{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, learnBorders(tokenizer, c.corpora...)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestSpansWithinBorders(t *testing.T) {
	tokenizer := newTinyTokenizer(t)
	borders, err := Borders{NeverFirst: []string{"the", "rapa"}, NeverLast: []string{"the", "insulin"}}.in(tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	text := "the insulin rapamycin"
	pieces := tokenizer.Tokenize(text)
	var got []string
	for _, s := range borders.within(pieces, encoder.Spans(pieces, len(pieces))) {
		got = append(got, text[pieces[s.First].Start:pieces[s.Last].End])
	}
	if want := []string{"insulin rapamycin", "rapamycin"}; !slices.Equal(got, want) { // "rapa" is a piece of it, not the word
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnknownBorders(t *testing.T) {
	for field, borders := range map[string]Borders{"neverFirst": {NeverFirst: []string{"aardvark"}}, "neverLast": {NeverLast: []string{"aardvark"}}} {
		dir := newModelFolder(t, tinyConfig(), false)
		cfg, err := modeldir.ReadConfig[Config](dir)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Borders = borders
		if err := modeldir.WriteConfig(dir, cfg); err != nil {
			t.Fatal(err)
		}
		_, err = Open(enginetest.Go(), dir, newFakeKnowledge().base())
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, modeldir.ConfigFile)) || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), "aardvark") {
			t.Errorf("error %v", err)
		}
	}
}

// TestLearnsWithinBorders: neither what is held out nor what is learned from is read
// with the spans that have the learned words at their ends; they count in the loss.
func TestLearnsWithinBorders(t *testing.T) {
	c := often(annotated(t, "the [p53:protein] in the tumor"))
	l, err := NewLearner(t.Context(), enginetest.Go(), learnable(), newMaterial(t, learnOptions(), system.Set{Train: c, HeldOut: c}))
	if err != nil {
		t.Fatal(err)
	}
	heldOut, err := l.readHeldOut(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	pieces := l.examples[0].Pieces
	if got, want := l.examples[0].AllSpans, len(encoder.Spans(pieces, l.model.cfg.Span.MaxWidth)); got != want {
		t.Errorf("%d spans count, want %d", got, want)
	}
	if got := len(l.examples[0].Spans); got != 1 {
		t.Errorf("learns from %d spans, want that of p53", got)
	}
	if got := len(heldOut[0].instances[0].Spans); got != 1 {
		t.Errorf("%d spans of what is held out, want that of p53", got)
	}
}

func TestPrune(t *testing.T) {
	o, out := learnOptions(), t.TempDir()
	o.Epochs = 2
	learn(t, newLearner(t, learnable(), o), o, out)
	from := filepath.Join(out, train.BestDir)
	before := openModel(t, from, newFakeKnowledge().base())
	set := system.Set{Train: often(tinyCorpus(t)), HeldOut: tinyCorpus(t)}

	to := filepath.Join(t.TempDir(), "pruned")
	got, err := before.Prune(t.Context(), from, to, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	pruned := openModel(t, to, newFakeKnowledge().base())
	if pruned.cfg.KeptRatio != prunedRatios[0] || before.cfg.KeptRatio != 1 {
		t.Errorf("whatever it costs, %g of the spans are kept, %+v", pruned.cfg.KeptRatio, got)
	}
	if diff := cmp.Diff(learnBorders(pruned.tokenizer, set.Train), pruned.cfg.Borders); diff != "" || len(pruned.cfg.Borders.NeverFirst) == 0 {
		t.Errorf("borders -want +got:\n%s", diff)
	}
	after, err := pruned.reach(t.Context(), set.HeldOut)
	if err != nil || after != got.After {
		t.Errorf("reaches %+v (%v), said %+v", after, err, got.After)
	}

	for name, c := range map[string]struct {
		to        string
		tolerance float64
		want      string
	}{
		"into a directory that is there": {to, 1, "exists already"},
		"at a price that is too high":    {filepath.Join(t.TempDir(), "dear"), -2, "are these the texts"},
	} {
		if _, err := before.Prune(t.Context(), from, c.to, set, c.tolerance); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(c.to), "*.next")); len(left) > 0 {
			t.Errorf("%s: %v is left", name, left)
		}
	}
}

// A model of several corpora is measured on the one that the texts are of, with its
// labels. Without borders it is refused: one corpus does not tell those of all.
func TestPruneModelOfSeveralCorpora(t *testing.T) {
	o, first, second := learnOptions(), tinyCorpus(t), diseases(t)
	o.Epochs = 2
	refused := trained(t, o, system.Set{Train: first}, system.Set{Train: second})
	set := system.Set{Train: second, HeldOut: second}
	to := filepath.Join(t.TempDir(), "pruned")
	if _, err := openModel(t, refused, newFakeKnowledge().base()).Prune(t.Context(), refused, to, set, 1); err == nil || !strings.Contains(err.Error(), "only training can tell") {
		t.Errorf("without borders: %v", err)
	}
	from := trained(t, o, system.Set{Train: often(first)}, system.Set{Train: often(second)})
	before := openModel(t, from, newFakeKnowledge().base())
	got, err := before.Prune(t.Context(), from, to, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	pruned := openModel(t, to, newFakeKnowledge().base())
	if diff := cmp.Diff(before.cfg.Borders, pruned.cfg.Borders); diff != "" || pruned.cfg.KeptRatio != prunedRatios[0] {
		t.Errorf("%g of the spans are kept, borders -before +after:\n%s", pruned.cfg.KeptRatio, diff)
	}
	if after, err := pruned.reach(t.Context(), second); err != nil || after != got.After {
		t.Errorf("reaches %+v (%v), said %+v", after, err, got.After)
	}
	second.Name = corpus.BioRelEx
	if _, err := pruned.reach(t.Context(), second); err == nil || !strings.Contains(err.Error(), "no labels of the corpus biorelex") {
		t.Errorf("texts of another corpus: %v", err)
	}
}
