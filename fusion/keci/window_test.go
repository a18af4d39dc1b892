package keci

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// withWindow reads so many sentences together.
func withWindow(n int) func(*Config) { return func(cfg *Config) { cfg.Window = n } }

// abstracts are documents with relations over the end of a sentence, in both directions.
func abstracts(t testing.TB) corpus.Corpus {
	t.Helper()
	c := annotated(t,
		"The gene of [p53:protein]! A complex binds [mdm2:protein]. It degrades. | 0 binds 1",
		"In the cell: [β-catenin:protein]. And [fk506:drug] inhibits it. A [rapamycin:drug] with [insulin:protein]? | 1 inhibits 0",
		"A disease of the cell. The kinase by [heparin:drug].",
	)
	for i := range c.Examples {
		c.Examples[i].Group = c.Examples[i].ID
	}
	return c
}

// cutFor cuts documents as keci train does.
func cutFor(t testing.TB, c corpus.Corpus, window int) (corpus.Corpus, corpus.Lost) {
	t.Helper()
	return c.InWindows(window, func(text string) bool { return len(text) <= maxWindow })
}

// contextLinker knows "p53" only in a text that says of what it is the protein.
type contextLinker struct{ *fakeKnowledge }

func (l contextLinker) Link(ctx context.Context, text string) ([]graph.Mention, error) {
	if !strings.Contains(text, "p53 (insulin)") {
		return nil, nil
	}
	return l.fakeKnowledge.Link(ctx, text)
}

// TestPartsAreLinkedInTheirDocument: the sentences that are learned from have the
// candidates that they have when the document is extracted from.
func TestPartsAreLinkedInTheirDocument(t *testing.T) {
	k := newFakeKnowledge()
	m := newRandomModel(t, tinyConfig(), k.base(), 4)
	m.reader.linker = contextLinker{k}
	documents := annotated(t, "The [p53:protein] binds. It is p53 (insulin).", "Only p53 binds.")
	parts, _ := documents.InSentences()
	learned, err := m.instances(t.Context(), parts)
	if err != nil {
		t.Fatal(err)
	}
	var served []*instance
	for _, e := range documents.Examples {
		r, err := m.prepare(t.Context(), e.Text)
		if err != nil {
			t.Fatal(err)
		}
		served = append(served, r.instances...)
	}
	if len(learned) != 3 || learned[0].linked() != 1 || learned[2].linked() != 0 {
		t.Fatalf("%d sentences, want three, the first with one linked span and the last with none", len(learned))
	}
	for i := range served {
		if diff := cmp.Diff(served[i].Candidates, learned[i].Candidates); diff != "" {
			t.Errorf("sentence %d: served - learned +:\n%s", i, diff)
		}
	}
}

// TestLearnsRelationsBetweenSentences: with a window of two sentences they are learned
// and found, with one they are lost, and counted.
func TestLearnsRelationsBetweenSentences(t *testing.T) {
	c := abstracts(t)
	if _, lost := cutFor(t, c, 1); lost != (corpus.Lost{Relations: 2}) {
		t.Fatalf("with one sentence %+v is lost, want both relations", lost)
	}
	windows, lost := cutFor(t, c, 2)
	if lost != (corpus.Lost{}) || len(windows.Examples) != 5 {
		t.Fatalf("%d windows, %+v is lost", len(windows.Examples), lost)
	}
	o, out := learnOptions(), t.TempDir()
	o.Epochs, o.BatchSize, o.EncoderRate, o.TaskRate = 120, 5, 1e-3, 1e-2
	l, err := NewLearner(t.Context(), enginetest.Go(), learnable(broad, withWindow(2)),
		newMaterial(t, o, system.Set{Train: windows, HeldOut: c}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	history, err := train.Run(ctx, enginetest.Go(), l, o, out, silent{onEpoch: func(e train.Epoch) {
		if e.Score == (train.Score{Entity: 1, Relation: 1}) {
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, the best of %d epochs is number %d", err, len(history.Epochs), history.Best+1)
	}
	m := openModel(t, filepath.Join(out, train.BestDir), newFakeKnowledge().base())
	checkByHeart(t, m, c)
	if d, err := (System{}).Describe(filepath.Join(out, train.BestDir)); err != nil || d.Reach != "within 2 consecutive sentences, of at most 256 word pieces together" {
		t.Errorf("relations are found %s, %v", d.Reach, err)
	}
	m.cfg.Window = 0
	mentions := 0
	for _, e := range c.Examples {
		doc := extract(t, m, e.Text)
		mentions += len(doc.Mentions)
		for _, r := range doc.Relations {
			ends := map[string]int{}
			for _, x := range doc.Mentions {
				ends[x.ID] = x.Start
			}
			if strings.ContainsAny(e.Text[min(ends[r.Head], ends[r.Tail]):max(ends[r.Head], ends[r.Tail])], ".!?") {
				t.Errorf("%s: a relation over the end of a sentence without a window", e.Text)
			}
		}
	}
	if mentions == 0 {
		t.Error("nothing is found sentence by sentence")
	}
}

// TestWindowsOfAText: neighbours are read together unless they are too long, no window
// is longer than a sentence may be, and what is found is the same however often, on
// however many processors.
func TestWindowsOfAText(t *testing.T) {
	cfg := everything(tinyConfig())
	cfg.KeptRatio = 1
	text := "🧬 The p53 of Sjögren binds β-catenin. “Insulin” – a café! " + strings.Repeat("Kinase of fk506 and ", 60) +
		"mdm2. The Ünbekannt β-catenin? Rapamycin inhibits p53.\n\nThe mdm2 gene."
	sentences := linker.Sentences(text)
	linked := candidatesOf(t, newRandomModel(t, cfg, newFakeKnowledge().base(), 4), text)
	if names := slices.Sorted(maps.Values(linked)); len(names) != 67 || names[66] != "β-catenin" {
		t.Fatalf("candidates of %v", names)
	}
	for _, n := range []int{0, 1, 2, 3, 9} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			withWindow(n)(&cfg)
			m := newRandomModel(t, cfg, newFakeKnowledge().base(), 4)
			windows := m.windows(text)
			together := func(a, b linker.Range) bool {
				return slices.ContainsFunc(windows, func(w linker.Range) bool { return w.Start <= a.Start && b.End <= w.End })
			}
			for i := 1; i < len(sentences); i++ {
				pair := linker.Range{Start: sentences[i-1].Start, End: sentences[i].End}
				fits := len(m.tokenizer.Tokenize(text[pair.Start:pair.End])) <= maxWindow
				if got, want := together(sentences[i-1], sentences[i]), n > 1 && fits; got != want {
					t.Errorf("%q and the next are read together: %t, want %t", text[sentences[i-1].Start:sentences[i-1].End], got, want)
				}
			}
			for _, w := range windows {
				if pieces := len(m.tokenizer.Tokenize(text[w.Start:w.End])); pieces > maxWindow {
					t.Errorf("a window has %d pieces", pieces)
				}
			}
			doc := extract(t, m, text)
			places := map[place]bool{}
			for _, x := range doc.Mentions {
				if text[x.Start:x.End] != x.Text || !utf8.ValidString(x.Text) || places[place{x.Start, x.End}] {
					t.Errorf("mention %+v", x)
				}
				places[place{x.Start, x.End}] = true
			}
			if diff := cmp.Diff(linked, candidatesOf(t, m, text)); diff != "" {
				t.Errorf("other names have candidates than in the sentences (-want +got):\n%s", diff)
			}
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			if diff := cmp.Diff(doc, extract(t, m, text)); diff != "" {
				t.Errorf("another document on one processor (-want +got):\n%s", diff)
			}
		})
	}
}

// candidatesOf gives the places of a text that have candidates, with their names.
func candidatesOf(t *testing.T, m *Model, text string) map[place]string {
	t.Helper()
	r, err := m.prepare(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	names := map[place]string{}
	for i, in := range r.instances {
		for n, span := range in.Spans {
			if len(in.Candidates[n]) > 0 {
				at := place{r.windows[i].Start + in.start(span), r.windows[i].Start + in.end(span)}
				names[at] = text[at.start:at.end]
			}
		}
	}
	return names
}

// oneWordSentences are windows of three sentences each, every sentence a word of
// three letters and a full stop, after an "é" that belongs to none.
func oneWordSentences(words ...string) reading {
	r := reading{}
	for first := range len(words) - 2 {
		in := &instance{}
		for i, word := range words[first : first+3] {
			in.Text += word + ". "
			in.Pieces = append(in.Pieces, encoder.Piece{Start: 5 * i, End: 5*i + 3, Starting: true})
			in.Spans = append(in.Spans, encoder.Span{First: i, Last: i})
		}
		in.Candidates = make([][]candidate, len(in.Spans))
		start := len("é ") + 5*first
		r.windows = append(r.windows, linker.Range{Start: start, End: start + 14})
		r.instances = append(r.instances, in)
	}
	return r
}

// TestSurestWindow: what several windows have is found once, as the surest says, and
// each pair of neighbours is found wherever a window begins.
func TestSurestWindow(t *testing.T) {
	cfg := Config{
		Variant: VariantSentContext, KeptRatio: 1, Window: 3,
		Head: Head{
			EntityThreshold: 0.5, RelationThreshold: 0.5,
			EntityTypes: []string{NoneLabel, "drug", "protein"}, RelationLabels: []string{NoneLabel, "binds", "inhibits"},
		},
	}
	text := oneWordSentences("p53", "ras", "myc", "src")
	window := func(types [][]float32, related map[[2]int][]float32) prediction {
		p := prediction{kept: []int32{0, 1, 2}, most: 3, finalTypes: slices.Concat(types...)}
		for a := range 3 {
			for b := range 3 {
				of, ok := related[[2]int{a, b}]
				if !ok {
					of = []float32{0.9, 0.05, 0.05}
				}
				p.finalRelations = append(p.finalRelations, of...)
			}
		}
		p.initialTypes, p.initialRelations = p.finalTypes, p.finalRelations
		return p
	}
	protein, drug, nothing := []float32{0.3, 0, 0.7}, []float32{0.2, 0.8, 0}, []float32{0.6, 0.2, 0.2}
	f := cfg.decode(text, []prediction{
		window([][]float32{protein, protein, nothing}, map[[2]int][]float32{
			{0, 1}: {0.4, 0.6, 0}, {1, 2}: {0.3, 0.7, 0}, // "myc" is nothing here, and something in the next
		}),
		window([][]float32{drug, drug, drug}, map[[2]int][]float32{
			{0, 1}: {0.1, 0.1, 0.8}, {1, 2}: {0.2, 0, 0.8},
		}),
	})
	var got []string
	for _, m := range f.mentions {
		got = append(got, fmt.Sprint(m.Text, " is ", m.Type, " at ", m.Start))
	}
	for _, r := range f.relations {
		got = append(got, f.mentions[r.head].Text+" "+r.label+" "+f.mentions[r.tail].Text)
	}
	want := []string{
		"p53 is protein at 3", "ras is drug at 8", "myc is drug at 13", "src is drug at 18",
		"p53 binds ras", "ras inhibits myc", "myc inhibits src",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

func TestInvalidWindow(t *testing.T) {
	cfg := tinyConfig()
	cfg.Window = -1
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "window is -1") {
		t.Errorf("error %v, want one that names the window", err)
	}
}
