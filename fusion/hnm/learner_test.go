package hnm

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/modeldir/modeltest"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	kg "github.com/keci-kg/keci/graph"
)

func learn(t *testing.T, l *Learner, o train.Options, out string) train.History {
	t.Helper()
	h, err := train.Run(t.Context(), enginetest.Go(), l, o, out, silent{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestLearning learns with both variants what drugs cause and what they cure, and
// serves the same from the directory, whole and in 8 bits.
func TestLearning(t *testing.T) {
	for _, variant := range variants() {
		out := t.TempDir()
		h := learn(t, newTestLearner(t, newEncoder(t), variant), options(), out)
		if s := h.Epochs[h.Best].Score; s.Relation < 0.99 {
			t.Fatalf("%s: held out %+v, want all", variant, s)
		}
		best := filepath.Join(out, train.BestDir)
		small := filepath.Join(t.TempDir(), "small")
		if err := modeldir.Quantize(best, small); err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{best, small} {
			checkServed(t, dir)
		}
		described, err := System{}.Describe(best)
		if err != nil || described.Variant != variant || described.Parameters == 0 {
			t.Errorf("described %+v, %v", described, err)
		}
	}
}

func checkServed(t *testing.T, dir string) {
	t.Helper()
	m, err := Open(enginetest.Go(), dir, fakeLinker{}.base())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := m.Extract(t.Context(), kg.Document{ID: "x", Text: "Zedol causes itch in men. Ibalin cured fever."})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	names := map[string]string{}
	for _, mention := range doc.Mentions {
		got = append(got, mention.Type+" "+mention.Text)
		names[mention.ID] = mention.Text
	}
	for _, r := range doc.Relations {
		got = append(got, names[r.Head]+" "+r.Label+" "+names[r.Tail])
	}
	if diff := cmp.Diff([]string{"Chemical Zedol", "Disease itch", "Chemical Ibalin", "Disease fever", "Zedol causes itch", "Ibalin cures fever"}, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", dir, diff)
	}
	again, err := m.Extract(t.Context(), kg.Document{ID: "x", Text: doc.Text})
	if diff := cmp.Diff(doc, again); err != nil || diff != "" {
		t.Errorf("the second time (%v):\n%s", err, diff)
	}
	if empty, err := m.Extract(t.Context(), kg.Document{ID: "e", Text: " "}); err != nil || empty.Mentions == nil || empty.Relations == nil {
		t.Errorf("of nothing: %+v, %v", empty, err)
	}
	measured, err := m.Measure(t.Context(), abstracts())
	p, ok := measured.Details.(Details)
	if err != nil || !ok || p.Pairs != 36 || p.Relations.TP != 18 || p.Clusters.Relations != 18 || p.Clusters.Labels != 2 {
		t.Errorf("measured %+v, %v", measured, err)
	}
	if f := measured.Figures; len(f) != 4 || f[2].Name != "relations of given entities, macro F1" || f[2].Value < 0.99 || f[3].Value != p.Clusters.ARI {
		t.Errorf("figures %+v", f)
	}
	if m.Info().Parameters == 0 || doc.Model.Digest != m.Info().Digest {
		t.Errorf("info %+v, document of %+v", m.Info(), doc.Model)
	}
}

// TestResumed cuts a run inside an epoch with hard negatives, by MaxSteps and by a
// signal, and goes on to the same weights.
func TestResumed(t *testing.T) {
	dir, o := newEncoder(t), options()
	o.Epochs = 3
	whole, out := t.TempDir(), filepath.Join(t.TempDir(), "run")
	want := learn(t, newTestLearner(t, dir, Variant), o, whole)
	stopped := o
	stopped.MaxSteps = 6 // of the 4 of an epoch
	l := newTestLearner(t, dir, Variant)
	learn(t, l, stopped, out)
	if l.mined.Epoch != 1 || len(l.mined.Confusions) == 0 {
		t.Fatalf("mined %+v: the test wants hard negatives", l.mined)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.Resume = true
	if _, err := train.Run(ctx, enginetest.Go(), newTestLearner(t, dir, Variant), o, out, silent{func(int) { cancel() }}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
	got := learn(t, newTestLearner(t, dir, Variant), o, out)
	last, reached := want.Epochs[2], got.Epochs[len(got.Epochs)-1]
	if diff := cmp.Diff(last, reached, cmpopts.IgnoreFields(train.Epoch{}, "Elapsed")); diff != "" {
		t.Errorf("another end (-want +got):\n%s", diff)
	}
	first, err := os.ReadFile(filepath.Join(whole, train.BestDir, modeldir.WeightsFile))
	second, err2 := os.ReadFile(filepath.Join(out, train.BestDir, modeldir.WeightsFile))
	if err != nil || err2 != nil || !slices.Equal(first, second) {
		t.Errorf("other weights (%v, %v)", err, err2)
	}
}

// TestEpoch: all relations once, as many samples in each epoch, and confusions beside
// relations of the label that they were taken for.
func TestEpoch(t *testing.T) {
	l := newTestLearner(t, newEncoder(t), Variant)
	random := func() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
	wrong := l.unrelated[4]
	confusions := slices.Repeat([]confusion{{wrong, 2}}, 50)
	for name, list := range map[string][]int{"first": l.epoch(nil, random()), "mined": l.epoch(confusions, random())} {
		counts := map[int]int{}
		for _, at := range list {
			counts[at]++
		}
		if len(list) != 36 {
			t.Errorf("%s: %d samples, want 18 relations and as many others", name, len(list))
		}
		for _, at := range l.related {
			if counts[at] != 1 {
				t.Errorf("%s: relation %d occurs %d times", name, at, counts[at])
			}
		}
		if name == "mined" && counts[wrong] < 9 { // half of the others
			t.Errorf("the confusion occurs %d times", counts[wrong])
		}
	}
	list := l.epoch(confusions, random())
	for i, at := range list {
		if at == wrong && i+1 < len(list) && l.samples[list[i+1]].class == 1 {
			t.Errorf("sample %d: a confusion with 2 stands before a relation of class 1", i)
		}
	}
}

// TestPacked: what is to be compared is in one shard; batches of five have shards of
// three and of two.
func TestPacked(t *testing.T) {
	l := &Learner{batch: 5}
	units := [][]int{{0}, {1, 2, 3}, {4, 5}, {6, 7}, {8}, {9, 10, 11}, {12, 13, 14}, {15}, {16}, {17}}
	list := l.packed(units)
	if sorted := slices.Sorted(slices.Values(list)); len(list) != 18 || sorted[0] != 0 || sorted[17] != 17 || len(slices.Compact(sorted)) != 18 {
		t.Fatalf("%v, want each of 18 once", list)
	}
	shard := map[int]int{}
	for at, sample := range list {
		shard[sample] = at/5*2 + min(at%5/3, 1)
	}
	for _, unit := range units {
		for _, sample := range unit {
			if shard[sample] != shard[unit[0]] {
				t.Errorf("%v: %v is divided", list, unit)
			}
		}
	}
	if single := l.packed([][]int{{3}, {1}, {2}, {0}}); !slices.Equal(single, []int{3, 1, 2, 0}) {
		t.Errorf("units of one: %v, want them as they were", single)
	}
}

// TestMine finds what the network takes for something else, and nothing else.
func TestMine(t *testing.T) {
	l := newTestLearner(t, newEncoder(t), Variant)
	found, err := l.mine(t.Context(), rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range found {
		judged, err := l.model.classify(t.Context(), []row{l.row(c.Sample)})
		if err != nil {
			t.Fatal(err)
		}
		if p := judged[0].probabilities[c.As]; l.samples[c.Sample].class == c.As || p < confident-1e-4 {
			t.Errorf("sample %+v is taken for %d by %g", l.samples[c.Sample], c.As, p)
		}
	}
}

// TestContrast compares the contrastive loss with its formula, term by term.
func TestContrast(t *testing.T) {
	vectors := [][]float32{{1, 2}, {2, 1}, {-1, 1}, {3, 1}, {9, 9}, {0, 1}}
	classes := []int32{1, 1, 0, 2, 1, 0}
	weights := []float32{1, 1, 1, 1, 0, 1} // the fifth is padding
	const temperature = 0.5
	alike := func(i, j int) float64 {
		a, b := vectors[i], vectors[j]
		dot := float64(a[0]*b[0] + a[1]*b[1])
		return math.Exp(dot / math.Hypot(float64(a[0]), float64(a[1])) / math.Hypot(float64(b[0]), float64(b[1])) / temperature)
	}
	want := 0.0
	for _, pair := range [][2]int{{0, 1}, {1, 0}} { // the only relations of one label
		sum := 0.0
		for a := range vectors {
			if a != pair[0] && weights[a] > 0 {
				sum += alike(pair[0], a)
			}
		}
		want -= math.Log(alike(pair[0], pair[1])/sum) / 2
	}
	got := model.MustCallOnce(enginetest.Go(), model.NewStore(), func(_ *model.Scope, z, y, w *graph.Node) *graph.Node {
		return contrast(z, y, w, 3, temperature)
	}, vectors, classes, weights)
	if loss := float64(tensors.ToScalar[float32](got)); math.Abs(loss-want) > 1e-5 {
		t.Errorf("loss %g, want %g", loss, want)
	}
}

// TestPaddingSaysNothing: the loss of pairs is the same whatever room the batch has
// beside them.
func TestPaddingSaysNothing(t *testing.T) {
	l := newTestLearner(t, newEncoder(t), Variant)
	exec, err := model.NewExec(enginetest.Go(), l.Store(), func(root *model.Scope, in []*graph.Node) *graph.Node {
		l.Store().SetTraining(in[0].Graph(), true)
		return l.network.loss(root, in)
	})
	if err != nil {
		t.Fatal(err)
	}
	loss := func(room int) float32 {
		l.batch = room // of two shards
		var args []any
		for _, tensor := range l.layOutShards(slices.Concat(l.related[:3], l.unrelated[:1]))[0] {
			args = append(args, tensor)
		}
		outs, err := exec.Call(args...)
		if err != nil {
			t.Fatal(err)
		}
		return tensors.ToScalar[float32](outs[0])
	}
	if full, half := loss(8), loss(16); math.Abs(float64(full-half)) > 1e-5 || full <= 0 {
		t.Errorf("loss %g in a full shard, %g in one half empty", full, half)
	}
}

// TestBadSettings names what is wrong before anything is read.
func TestBadSettings(t *testing.T) {
	for want, change := range map[string]func(*Config, *Settings){
		"negatives is 0":    func(_ *Config, s *Settings) { s.Negatives = 0 },
		"temperature 0":     func(_ *Config, s *Settings) { s.Temperature = 0 },
		"contrastive is -1": func(_ *Config, s *Settings) { s.Contrastive = -1 },
		"row is 5":          func(c *Config, _ *Settings) { c.Row = 5 },
	} {
		cfg, s := tinyConfig(Variant), DefaultSettings(Variant)
		change(&cfg, &s)
		_, err := NewLearner(t.Context(), enginetest.Go(), cfg, s, system.Material{Set: system.Set{Train: abstracts()}, KnowledgeBase: fakeLinker{}.base(), BatchSize: 4})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestOpenDamaged names the file at fault.
func TestOpenDamaged(t *testing.T) {
	o, out := options(), t.TempDir()
	o.Epochs = 1
	learn(t, newTestLearner(t, newEncoder(t), Baseline), o, out)
	for name, test := range map[string]struct{ file, old, new, want string }{
		"another variant":  {"keci.json", `"hnm-baseline"`, `"keci"`, "variant"},
		"a type less":      {"keci.json", `"Disease"`, `"Illness"`, "keci.json: "},
		"another size":     {"keci.json", `"width": 12`, `"width": 13`, "model.safetensors"},
		"a future version": {"keci.json", `"formatVersion": 1`, `"formatVersion": 2`, "formatVersion is 2"},
		"a threshold":      {"keci.json", `"relationThreshold": 0`, `"relationThreshold": 7`, "relationThreshold is 7"},
		"a weight missing": {"model.safetensors", `"relation/output/weights"`, `"relation/autput/weights"`, "relation/output/weights is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := modeltest.Damage(t, filepath.Join(out, train.BestDir), test.file, test.old, test.new)
			if _, err := Open(enginetest.Go(), dir, fakeLinker{}.base()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	m, err := Open(enginetest.Go(), filepath.Join(out, train.BestDir), fakeLinker{fault: errors.New("no disk")}.base())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Extract(t.Context(), kg.Document{ID: "d7", Text: "Ibalin."}); err == nil || !strings.Contains(err.Error(), "d7") || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("a linker that fails: %v", err)
	}
}
