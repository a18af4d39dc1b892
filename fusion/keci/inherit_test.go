package keci

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
)

// trained is the directory of a model of some corpora, after one epoch.
func trained(t *testing.T, o train.Options, sets ...system.Set) string {
	t.Helper()
	return trainedBy(t, learnable(), o, sets...)
}

func trainedBy(t *testing.T, cfg Config, o train.Options, sets ...system.Set) string {
	t.Helper()
	l, err := NewLearner(t.Context(), enginetest.Go(), cfg, newMaterial(t, o, sets...))
	if err != nil {
		t.Fatal(err)
	}
	o.Epochs = 1
	out := t.TempDir()
	if _, err := train.Run(t.Context(), enginetest.Go(), l, o, out, silent{}); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(out, train.BestDir)
}

// goingOn is a learner that goes on from a model.
func goingOn(t *testing.T, cfg Config, o train.Options, dir string, sets ...system.Set) (*Learner, error) {
	t.Helper()
	m := newMaterial(t, o, sets...)
	m.Encoder, m.From = dir, dir
	return NewLearner(t.Context(), enginetest.Go(), cfg, m)
}

// TestGoesOn: a model that goes on from another one of the same corpora begins as that
// one ended, and learns relations from its first epoch.
func TestGoesOn(t *testing.T) {
	o, both := learnOptions(), []system.Set{{Train: tinyCorpus(t)}, {Train: diseases(t)}}
	dir := trained(t, o, both...)
	l, err := goingOn(t, learnable(), o, dir, both...)
	if err != nil {
		t.Fatal(err)
	}
	before := openModel(t, dir, newFakeKnowledge().base())
	for _, v := range weightsOf(before.store) {
		got := l.Store().GetVariable(v.Path())
		if got == nil || !slices.Equal(flatOf(t, got.MustValue()), flatOf(t, v.MustValue())) {
			t.Errorf("%s is not that of the model", v.Path())
		}
	}
	if got, want := len(weightsOf(l.Store())), len(weightsOf(before.store)); got != want {
		t.Errorf("%d weights, the model has %d", got, want)
	}
	batches, err := l.Batches(t.Context(), 0, rand.New(rand.NewPCG(1, 0)))
	if err != nil {
		t.Fatal(err)
	}
	shard := batches[0]()[0]
	if relations := shard[len(shard)-2]; tensors.ToScalar[float32](relations) != 1 {
		t.Error("the first epoch is without relations")
	}
	if _, err := train.Run(t.Context(), enginetest.Go(), l, o, t.TempDir(), silent{}); err != nil {
		t.Error(err)
	}
}

func flatOf(t *testing.T, of *tensors.Tensor) []float32 {
	t.Helper()
	flat, err := tensors.CopyFlatData[float32](of)
	if err != nil {
		t.Fatal(err)
	}
	return flat
}

// TestGoesOnToOtherCorpora: labels of the same corpus keep their weights, whatever heads
// stand before them now, and a new corpus begins with none.
func TestGoesOnToOtherCorpora(t *testing.T) {
	o, first, second, third := learnOptions(), tinyCorpus(t), diseases(t), diseases(t)
	third.Name = corpus.BioRelEx
	dir := trained(t, o, system.Set{Train: first}, system.Set{Train: second})
	l, err := goingOn(t, learnable(), o, dir, system.Set{Train: third}, system.Set{Train: second})
	if err != nil {
		t.Fatal(err)
	}
	theirs := openModel(t, dir, newFakeKnowledge().base()).store
	for _, name := range []string{"/initial/type/output/weights", "/final/type/output/biases"} {
		before, after := theirs.GetVariable(name).MustValue(), l.Store().GetVariable(name).MustValue()
		if got := after.Shape().Dim(-1); got != 4 { // none and disease, of each
			t.Fatalf("%s has %d classes", name, got)
		}
		rows := slices.Collect(slices.Chunk(flatOf(t, after), 4))
		for i, row := range slices.Collect(slices.Chunk(flatOf(t, before), 5)) { // none, drug, protein; none, disease
			if !slices.Equal(rows[i], []float32{0, 0, row[3], row[4]}) {
				t.Fatalf("%s, row %d is %v, was %v", name, i, rows[i], row)
			}
		}
	}
	if _, err := train.Run(t.Context(), enginetest.Go(), l, o, t.TempDir(), silent{}); err != nil {
		t.Error(err)
	}
}

// TestGoesOnFromBefore: a graph over the spans whose messages are not normalised is
// learned anew, and what stands between two spans is learned; everything else is kept.
func TestGoesOnFromBefore(t *testing.T) {
	o, set := learnOptions(), system.Set{Train: tinyCorpus(t)}
	dir := trainedBy(t, learnable(func(cfg *Config) { cfg.MessageNorm, cfg.Between = false, false }), o, set)
	l, err := goingOn(t, learnable(), o, dir, set)
	if err != nil {
		t.Fatal(err)
	}
	if !l.model.cfg.MessageNorm || !l.model.cfg.Between {
		t.Error("its messages are not normalised, or it does not hear what stands between")
	}
	if taken := spanGraphOf(l); taken != nil {
		t.Errorf("%v were taken over", taken)
	}
	if len(weightsOf(l.Store())) == 0 {
		t.Error("nothing was taken over")
	}
	if _, err := train.Run(t.Context(), enginetest.Go(), l, o, t.TempDir(), silent{}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"/bigcn/layer0/output/weights", "/final/relation/between/value/weights"} {
		if v := l.Store().GetVariable(name); v == nil || !slices.ContainsFunc(flatOf(t, v.MustValue()), func(x float32) bool { return x != 0 }) {
			t.Errorf("%s has learned nothing", name)
		}
	}
}

// spanGraphOf are the names of the weights of the graph over the spans.
func spanGraphOf(l *Learner) []string {
	var names []string
	for _, v := range weightsOf(l.Store()) {
		if ofSpanGraph(v.Path()) {
			names = append(names, v.Path())
		}
	}
	return names
}

// TestGoesOnWithOneCorpus: where the graph over the spans tells other kinds of pairs
// apart, it is learned anew.
func TestGoesOnWithOneCorpus(t *testing.T) {
	o, first := learnOptions(), tinyCorpus(t)
	dir := trained(t, o, system.Set{Train: first}, system.Set{Train: diseases(t)})
	l, err := goingOn(t, learnable(), o, dir, system.Set{Train: first})
	if err != nil {
		t.Fatal(err)
	}
	if taken := spanGraphOf(l); taken != nil {
		t.Errorf("%v were taken over", taken)
	}
	out := t.TempDir()
	if _, err := train.Run(t.Context(), enginetest.Go(), l, o, out, silent{}); err != nil {
		t.Fatal(err)
	}
	openModel(t, filepath.Join(out, train.BestDir), newFakeKnowledge().base())
}

// TestGoesOnWithOtherLabels: messages of the graph over the spans belong to labels, in
// whatever order, and a corpus without a name is known by its labels.
func TestGoesOnWithOtherLabels(t *testing.T) {
	o, first := learnOptions(), tinyCorpus(t)
	first.Name = ""
	dir := trained(t, o, system.Set{Train: first})
	second := tinyCorpus(t)
	second.RelationLabels = []string{"inhibits", "activates", "binds"}
	l, err := goingOn(t, learnable(), o, dir, system.Set{Train: second})
	if err != nil {
		t.Fatal(err)
	}
	before := openModel(t, dir, newFakeKnowledge().base()).store.GetVariable("/bigcn/layer0/forward/biases").MustValue()
	after := l.Store().GetVariable("/bigcn/layer0/forward/biases").MustValue()
	theirs, ours := flatOf(t, before), flatOf(t, after)
	k := len(theirs) / 3 // none, binds, inhibits
	if want := slices.Concat(theirs[:k], theirs[2*k:], make([]float32, k), theirs[k:2*k]); !slices.Equal(ours, want) {
		t.Errorf("messages are %v, want %v", ours, want)
	}
	second.Name, second.RelationLabels = corpus.BioRelEx, []string{"cures", "kills"}
	if l, err = goingOn(t, learnable(), o, dir, system.Set{Train: second}); err != nil {
		t.Fatal(err)
	}
	if taken := spanGraphOf(l); taken != nil {
		t.Errorf("of other labels %v were taken over", taken)
	}
}

// TestResumesWhatGoesOn: a run from a model that was stopped ends as one that was not.
func TestResumesWhatGoesOn(t *testing.T) {
	o, set := learnOptions(), system.Set{Train: tinyCorpus(t)}
	dir := trained(t, o, set)
	o.Epochs = 3
	run := func(out string, o train.Options) {
		l, err := goingOn(t, learnable(withDropout), o, dir, set)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := train.Run(t.Context(), enginetest.Go(), l, o, out, silent{}); err != nil {
			t.Fatal(err)
		}
	}
	whole, parts := t.TempDir(), t.TempDir()
	run(whole, o)
	part := o
	part.MaxSteps = 4
	run(parts, part)
	o.Resume = true
	run(parts, o)
	var digests []string
	for _, out := range []string{whole, parts} {
		digest, err := modeldir.WeightsDigest(filepath.Join(out, train.BestDir))
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	if digests[0] != digests[1] {
		t.Error("the resumed run has other weights")
	}
}

// TestGoesOnFromOtherModels: sizes that do not fit are named, with what would.
func TestGoesOnFromOtherModels(t *testing.T) {
	o, set := learnOptions(), system.Set{Train: tinyCorpus(t)}
	dir := trained(t, o, set)
	for want, change := range map[string]func(*Config){
		"it is of the variant keci, not sent-context": as(VariantSentContext),
		"give it --max-span 3":                        func(cfg *Config) { cfg.Span.MaxWidth = 5 },
		"give it --window 1":                          withWindow(2),
	} {
		if _, err := goingOn(t, learnable(change), o, dir, set); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
