package keci

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// annotated writes examples as "[p53:protein] binds [mdm2:protein] | 0 binds 1".
func annotated(t testing.TB, lines ...string) corpus.Corpus {
	t.Helper()
	c := corpus.Corpus{
		Name: corpus.ADE, Directed: true,
		EntityTypes: []string{"drug", "protein"}, RelationLabels: []string{"binds", "inhibits"},
	}
	for i, line := range lines {
		text, relations, _ := strings.Cut(line, " | ")
		e := corpus.Example{ID: fmt.Sprint("e", i)}
		for text != "" {
			before, rest, found := strings.Cut(text, "[")
			e.Text += before
			if !found {
				break
			}
			mention, after, _ := strings.Cut(rest, "]")
			name, kind, _ := strings.Cut(mention, ":")
			e.Entities = append(e.Entities, corpus.Entity{
				Start: len(e.Text), End: len(e.Text) + len(name), Type: kind, Cluster: len(e.Entities),
			})
			e.Text += name
			text = after
		}
		for relation := range strings.SplitSeq(relations, ", ") {
			var r corpus.Relation
			if n, _ := fmt.Sscan(relation, &r.Head, &r.Label, &r.Tail); n == 3 {
				e.Relations = append(e.Relations, r)
			}
		}
		c.Examples = append(c.Examples, e)
	}
	return c
}

func tinyCorpus(t testing.TB) corpus.Corpus {
	t.Helper()
	return annotated(t,
		"[p53:protein] binds [mdm2:protein] | 0 binds 1",
		"[rapamycin:drug] inhibits [insulin receptor:protein] kinase | 0 inhibits 1",
		"the [fk506:drug] of [fkbp12:protein], a complex",
		"[β-catenin:protein] activates [insulin:protein] and [rapamycin:drug] | 2 inhibits 0",
		"a disease of the cell",
	)
}

// learnable is a small recipe for few steps.
func learnable(change ...func(*Config)) Config {
	cfg := DefaultConfig()
	cfg.Name, cfg.KeptRatio, cfg.Hidden = "tiny", 1, 32
	cfg.Span = encoder.SpanConfig{MaxWidth: 3, WidthEmbedding: 4, Hidden: 32, Size: 24}
	cfg.Dropout, cfg.GraphDropout, cfg.EncoderDropout = 0, 0, 0
	cfg.Knowledge.Size, cfg.Knowledge.Layers, cfg.Knowledge.Bases = 12, 2, 2
	for _, c := range change {
		c(&cfg)
	}
	return cfg
}

// broad can learn a corpus by heart.
func broad(cfg *Config) {
	cfg.Span.Hidden, cfg.Span.Size, cfg.Hidden, cfg.Knowledge.Size = 96, 48, 96, 48
}

func withDropout(cfg *Config) {
	cfg.Span.Dropout, cfg.Dropout, cfg.GraphDropout, cfg.EncoderDropout = 0.2, 0.2, 0.2, 0.2
}

func as(v Variant) func(*Config) { return func(cfg *Config) { cfg.Variant = v } }

func learnOptions() train.Options {
	o := train.DefaultOptions()
	o.Epochs, o.BatchSize, o.EncoderRate, o.TaskRate = 5, 2, 2e-3, 5e-3
	return o
}

// newMaterial is what a model is made from: the sets of all corpora, and an encoder
// with random weights.
func newMaterial(t testing.TB, o train.Options, sets ...system.Set) system.Material {
	t.Helper()
	return system.Material{
		Encoder: newEncoderFolder(t), Set: sets[0], More: sets[1:],
		KnowledgeBase: newFakeKnowledge().base(), BatchSize: o.BatchSize, Seed: o.Seed,
	}
}

func newLearner(t testing.TB, cfg Config, o train.Options) *Learner {
	t.Helper()
	return newLearnerOn(t, enginetest.Go(), cfg, o)
}

func newLearnerOn(t testing.TB, backend compute.Backend, cfg Config, o train.Options) *Learner {
	t.Helper()
	c := tinyCorpus(t)
	l, err := NewLearner(t.Context(), backend, cfg, newMaterial(t, o, system.Set{Train: c, HeldOut: c}))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// silent hears of progress and may act on it.
type silent struct {
	onStep  func(step int)
	onEpoch func(train.Epoch)
}

func (s silent) Step(done, _ int, _ float64) {
	if s.onStep != nil {
		s.onStep(done)
	}
}

func (s silent) Epoch(e train.Epoch, _ bool) {
	if s.onEpoch != nil {
		s.onEpoch(e)
	}
}

func learn(t testing.TB, l *Learner, o train.Options, out string) train.History {
	t.Helper()
	history, err := train.Run(t.Context(), enginetest.Go(), l, o, out, silent{})
	if err != nil {
		t.Fatal(err)
	}
	return history
}

// weights are all of a learner, by path.
func (l *Learner) weights() map[string][]float32 {
	all := map[string][]float32{}
	for _, v := range weightsOf(l.Store()) {
		all[v.Path()] = tensors.MustCopyFlatData[float32](v.MustValue())
	}
	return all
}

// differing lists the paths whose values differ in a bit.
func differing(a, b map[string][]float32) []string {
	var paths []string
	for path := range a {
		if !cmp.Equal(a[path], b[path]) {
			paths = append(paths, path)
		}
	}
	return paths
}

// TestLearnsByHeart: every variant finds all of a tiny corpus after few steps,
// also when it is opened from its folder.
func TestLearnsByHeart(t *testing.T) {
	for _, variant := range Variants() {
		cfg := learnable(broad, as(variant))
		t.Run(string(variant), func(t *testing.T) {
			o, out := learnOptions(), t.TempDir()
			o.Epochs, o.BatchSize, o.EncoderRate, o.TaskRate = 80, 5, 1e-3, 1e-2
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			stopAtOne := silent{onEpoch: func(e train.Epoch) {
				if e.Score == (train.Score{Entity: 1, Relation: 1}) {
					stop()
				}
			}}
			history, err := train.Run(ctx, enginetest.Go(), newLearner(t, cfg, o), o, out, stopAtOne)
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, the best of %d epochs is number %d", err, len(history.Epochs), history.Best+1)
			}
			t.Logf("after %d steps", history.Epochs[history.Best].Steps)
			m := openModel(t, filepath.Join(out, train.BestDir), newFakeKnowledge().base())
			checkByHeart(t, m, tinyCorpus(t))
			if m.Info().Variant != string(variant) || m.Info().Parameters == 0 || !strings.HasPrefix(m.Info().Digest, "sha256:") {
				t.Errorf("info %+v", m.Info())
			}
		})
	}
}

// checkByHeart extracts the texts of a corpus and compares with what is annotated.
func checkByHeart(t *testing.T, m fusion.Extractor, c corpus.Corpus) {
	t.Helper()
	for _, e := range c.Examples {
		doc, err := m.Extract(t.Context(), graph.Document{ID: e.ID, Text: e.Text})
		if err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, x := range e.Entities {
			want = append(want, e.Text[x.Start:x.End]+" is "+x.Type)
		}
		for _, r := range e.Relations {
			head, tail := e.Entities[r.Head], e.Entities[r.Tail]
			want = append(want, e.Text[head.Start:head.End]+" "+r.Label+" "+e.Text[tail.Start:tail.End])
		}
		names := map[string]string{}
		for _, x := range doc.Mentions {
			names[x.ID] = x.Text
			got = append(got, x.Text+" is "+x.Type)
		}
		for _, r := range doc.Relations {
			got = append(got, names[r.Head]+" "+r.Label+" "+names[r.Tail])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e.Text, diff)
		}
	}
}

func TestSameSeedGivesSameWeights(t *testing.T) {
	for _, variant := range Variants() {
		t.Run(string(variant), func(t *testing.T) {
			run := func(seed int64) map[string][]float32 {
				o := learnOptions()
				o.Epochs, o.Seed = 2, seed
				l := newLearner(t, learnable(withDropout, as(variant)), o)
				learn(t, l, o, t.TempDir())
				return l.weights()
			}
			want := run(1)
			if paths := differing(want, run(1)); len(paths) > 0 {
				t.Errorf("the same seed gives other values to %v", paths)
			}
			if paths := differing(want, run(2)); len(paths) < 20 {
				t.Errorf("another seed gives other values only to %v", paths)
			}
		})
	}
}

// TestResumedLearning cuts a run in the middle of an epoch, between two
// encodings of the definitions, and goes on with a new learner.
func TestResumedLearning(t *testing.T) {
	for name, run := range map[string]struct {
		cfg Config
		ema float64
	}{
		"keci": {cfg: learnable(withDropout)}, "keci averaged": {learnable(withDropout), 0.9},
		"knowbert": {cfg: learnable(withDropout, as(VariantKnowBERT))},
	} {
		t.Run(name, func(t *testing.T) {
			o, cfg := learnOptions(), run.cfg
			o.EMA = run.ema
			whole, wholeDir := newLearner(t, cfg, o), t.TempDir()
			want := learn(t, whole, o, wholeDir)

			out := filepath.Join(t.TempDir(), "run")
			ctx, cancel := context.WithCancel(t.Context())
			cut := silent{onStep: func(step int) {
				if step == 8 { // of the 3 of an epoch
					cancel()
				}
			}}
			if _, err := train.Run(ctx, enginetest.Go(), newLearner(t, cfg, o), o, out, cut); !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, want that of the context", err)
			}
			resumed := newLearner(t, cfg, o)
			o.Resume = true
			got := learn(t, resumed, o, out)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(train.Epoch{}, "Elapsed"), cmpopts.IgnoreFields(train.Options{}, "Resume")); diff != "" {
				t.Errorf("another history (-want +got):\n%s", diff)
			}
			if paths := differing(whole.weights(), resumed.weights()); len(paths) > 0 {
				t.Errorf("other values of %v", paths)
			}
			first, err := modeldir.Digest(filepath.Join(wholeDir, train.BestDir))
			second, err2 := modeldir.Digest(filepath.Join(out, train.BestDir))
			if err != nil || err2 != nil || first != second {
				t.Errorf("models %s (%v) and %s (%v)", first, err, second, err2)
			}
		})
	}
}

// TestResumedInsideAnEpoch stops inside an epoch that encodes the definitions anew:
// the rest of it must see the vectors of its start, and where the texts take turns the
// same of them.
func TestResumedInsideAnEpoch(t *testing.T) {
	for _, epochTexts := range []int{0, 3} {
		o, cfg := learnOptions(), learnable(withDropout)
		o.Epochs = definitionRefresh + 2
		fresh := func() *Learner {
			l := newLearner(t, cfg, o)
			l.EpochTexts.Each = epochTexts
			return l
		}
		whole := fresh()
		learn(t, whole, o, t.TempDir())
		out := t.TempDir()
		o.MaxSteps = definitionRefresh*[]int{3, 2}[min(epochTexts, 1)] + 1
		learn(t, fresh(), o, out)
		o.MaxSteps, o.Resume = 0, true
		resumed := fresh()
		learn(t, resumed, o, out)
		if paths := differing(whole.weights(), resumed.weights()); len(paths) > 0 {
			t.Errorf("%d texts in an epoch: other values of %v", epochTexts, paths)
		}
	}
}

// TestWhatMoves: the table of word pieces keeps its values; all else that a
// variant has moves.
func TestWhatMoves(t *testing.T) {
	for _, variant := range Variants() {
		t.Run(string(variant), func(t *testing.T) {
			o, cfg := learnOptions(), learnable(as(variant))
			o.Epochs, o.WeightDecay = 3, 0 // decay moves what no gradient reaches
			fresh := newLearner(t, cfg, o)
			if err := fresh.model.definitions.ensure(t.Context(), allOf(fresh)...); err != nil {
				t.Fatal(err)
			}
			lossOf(t, fresh, fresh.layOutShards([]int{0, 1}, true)) // gives every weight its first value
			l := newLearner(t, cfg, o)
			learn(t, l, o, t.TempDir())
			before, after := fresh.weights(), l.weights()
			if len(before) != len(after) {
				t.Errorf("%d weights before, %d after", len(before), len(after))
			}
			for path := range before {
				if frozen := path == "/encoder/embeddings/word"; cmp.Equal(before[path], after[path]) != frozen {
					t.Errorf("%s moves: %t", path, frozen)
				}
			}
		})
	}
}

func TestVocabulariesComeFromTraining(t *testing.T) {
	l := newLearner(t, learnable(), learnOptions())
	cfg := l.model.cfg
	if diff := cmp.Diff([]string{NoneLabel, "drug", "protein"}, cfg.EntityTypes); diff != "" {
		t.Errorf("entity types (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{NoneLabel, "binds", "inhibits"}, cfg.RelationLabels); diff != "" {
		t.Errorf("relation labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]graph.TUI{"T028", "T109", "T116", "T121"}, cfg.Knowledge.SemanticTypes); diff != "" {
		t.Errorf("semantic types (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"has_semantic_type", "has_semantic_type⁻¹", "inhibits", "inhibits⁻¹", "interacts_with", "interacts_with⁻¹", "ligand_of", "ligand_of⁻¹", "sibling", "sibling⁻¹",
	}, cfg.Knowledge.Relations); diff != "" {
		t.Errorf("relations (-want +got):\n%s", diff)
	}
}

func TestLabels(t *testing.T) {
	m := newRandomModel(t, tinyConfig(), newFakeKnowledge().base(), 1)
	e := annotated(t, "[p53:protein] of [fkbp12 of the insulin:protein] [insulin receptor:protein] | 0 binds 2, 0 inhibits 2, 2 binds 2, 0 binds 1, 2 inhibits 0").Examples[0]
	e.Entities = append(e.Entities, corpus.Entity{Start: 1, End: 3, Type: "drug"}, // inside a word
		corpus.Entity{Start: 0, End: 3, Type: "drug"}) // a second reading of p53
	x := label(tinyConfig(), mustInstance(t, m, e.Text), e)
	var got []string
	name := func(i int32) string { return e.Text[x.start(x.Spans[i]):x.end(x.Spans[i])] }
	for i, kind := range x.types {
		if kind > 0 {
			got = append(got, name(int32(i))+" is "+tinyConfig().EntityTypes[kind])
		}
	}
	for _, r := range x.relations {
		got = append(got, name(r.head)+" "+tinyConfig().RelationLabels[r.label]+" "+name(r.tail))
	}
	want := []string{"p53 is protein", "insulin receptor is protein", "p53 binds insulin receptor", "insulin receptor inhibits p53"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

// allOf are the instances of every example.
func allOf(l *Learner) []*instance {
	list := make([]*instance, len(l.examples))
	for i, x := range l.examples {
		list[i] = x.instance
	}
	return list
}

// TestCheck tells the same of the same settings every time.
func TestCheck(t *testing.T) {
	r := System{}.Recipe(string(VariantKECI)).(*recipe)
	r.cfg.EntityThreshold, r.cfg.RelationThreshold, r.epochTexts = 2, -1, EpochTexts{Of: map[string]int{"a": -1, "b": -2, "c": -3}}
	want := "entity threshold is 2, it must lie in [0, 1]\nrelation threshold is -1, it must lie in [0, 1]\nepoch texts is -3, it must not be negative"
	for range 20 {
		if err := r.Check(); err == nil || err.Error() != want {
			t.Fatalf("%v, want %s", err, want)
		}
	}
}

// TestTurn: every example has its turn as often as any other, give or take one, each
// epoch has as many as it may, and the same seed gives the same turns.
func TestTurn(t *testing.T) {
	all := []int{3, 5, 7, 9, 11, 13, 15}
	seen := map[int]int{}
	for epoch := range 20 {
		got := turn(all, epoch, 3, 1, 0)
		if len(got) != 3 || !slices.Equal(got, turn(all, epoch, 3, 1, 0)) {
			t.Fatalf("epoch %d has %v", epoch, got)
		}
		for _, x := range got {
			seen[x]++
		}
	}
	least, most := 60, 0
	for _, x := range all {
		least, most = min(least, seen[x]), max(most, seen[x])
	}
	if least < 8 || most > 9 { // 60 turns of 7 examples
		t.Errorf("turns %v", seen)
	}
	if got := turn(all, 4, 7, 1, 0); !slices.Equal(got, all) {
		t.Errorf("where there is room for all: %v", got)
	}
	if slices.Equal(turn(all, 0, 6, 1, 0), turn(all, 0, 6, 2, 0)) {
		t.Error("two seeds give the same turns")
	}
}

// TestEpochTexts: of each corpus an epoch has no more texts than it may.
func TestEpochTexts(t *testing.T) {
	small, large := tinyCorpus(t), tinyCorpus(t)
	small.Examples, large.Name = small.Examples[:2], corpus.BioRelEx
	l, err := NewLearner(t.Context(), enginetest.Go(), learnable(),
		newMaterial(t, learnOptions(), system.Set{Train: small}, system.Set{Train: large}))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]map[int32]int{
		"0": {0: 2, 1: 5}, "3,biorelex=1": {0: 2, 1: 1}, "0,ade=1": {0: 1, 1: 5}, "1,biorelex=0": {0: 1, 1: 5}, "3": {0: 2, 1: 3},
	} {
		if err := l.EpochTexts.Set(text); err != nil || l.EpochTexts.String() != text {
			t.Errorf("%q is read as %q: %v", text, l.EpochTexts, err)
		}
		of := map[int32]int{}
		for _, i := range l.order(0, rand.New(rand.NewPCG(1, 0))) {
			of[l.examples[i].head]++
		}
		if !maps.Equal(of, want) {
			t.Errorf("%s: an epoch has %v texts of each corpus, want %v", text, of, want)
		}
	}
	l.EpochTexts = EpochTexts{Each: 3}
	batches, err := l.Batches(t.Context(), 0, rand.New(rand.NewPCG(1, 0)))
	if err != nil || len(batches) != 3 {
		t.Errorf("%d batches, want 3 of 2 texts: %v", len(batches), err)
	}
}
