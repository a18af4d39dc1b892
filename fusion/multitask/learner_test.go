package multitask

import (
	"context"
	"errors"
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

// TestLearning learns what drugs cause and what they do not, and serves the same
// from the directory, whole and in 8 bits.
func TestLearning(t *testing.T) {
	l := newTestLearner(t, newEncoder(t), abstracts(), false)
	out := t.TempDir()
	h := learn(t, l, options(), out)
	if s := h.Epochs[h.Best].Score; s.Entity < 0.99 || s.Relation < 0.99 {
		t.Fatalf("held out %+v, want all", s)
	}
	best := filepath.Join(out, train.BestDir)
	small := filepath.Join(t.TempDir(), "small")
	if err := modeldir.Quantize(best, small); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{best, small} {
		m, err := Open(enginetest.Go(), dir, fakeKnowledge{}.base())
		if err != nil {
			t.Fatal(err)
		}
		doc, err := m.Extract(t.Context(), kg.Document{ID: "x", Text: "Rovane causes itch in men. The liver pain was cured."})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, mention := range doc.Mentions {
			line := mention.Type + " " + mention.Text
			for _, c := range mention.Concepts {
				line += " " + string(c.CUI)
			}
			got = append(got, line)
		}
		names := map[string]string{}
		for _, mention := range doc.Mentions {
			names[mention.ID] = mention.Text
		}
		for _, r := range doc.Relations {
			got = append(got, names[r.Head]+" "+r.Label+" "+names[r.Tail])
		}
		if diff := cmp.Diff([]string{"Chemical Rovane C01", "Disease itch C11", "Disease liver pain C12", "Rovane CID itch"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dir, diff)
		}
		again, err := m.Extract(t.Context(), kg.Document{ID: "x", Text: doc.Text})
		if diff := cmp.Diff(doc, again); err != nil || diff != "" {
			t.Errorf("the second time (%v):\n%s", err, diff)
		}
		if empty, err := m.Extract(t.Context(), kg.Document{ID: "e", Text: " "}); err != nil || len(empty.Mentions) != 0 || empty.Relations == nil {
			t.Errorf("of nothing: %+v, %v", empty, err)
		}
		if m.Info().Parameters == 0 || m.Info().Digest == "" || doc.Model.Digest != m.Info().Digest {
			t.Errorf("info %+v, document of %+v", m.Info(), doc.Model)
		}
	}
	described, err := System{}.Describe(best)
	if err != nil || described.Reach != "" || described.Parameters == 0 {
		t.Errorf("described %+v, %v", described, err)
	}
}

// TestResumed cuts a run in an epoch of augmented texts and goes on to the same weights.
func TestResumed(t *testing.T) {
	dir, o := newEncoder(t), options()
	o.Epochs = 3
	whole := t.TempDir()
	want := learn(t, newTestLearner(t, dir, abstracts(), true), o, whole)
	out := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	cut := silent{func(step int) {
		if step == 8 { // of the 5 of an epoch
			cancel()
		}
	}}
	if _, err := train.Run(ctx, enginetest.Go(), newTestLearner(t, dir, abstracts(), true), o, out, cut); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
	o.Resume = true
	got := learn(t, newTestLearner(t, dir, abstracts(), true), o, out)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(train.Epoch{}, "Elapsed"), cmpopts.IgnoreFields(train.Options{}, "Resume")); diff != "" {
		t.Errorf("another history (-want +got):\n%s", diff)
	}
	first, err := modeldir.Digest(filepath.Join(whole, train.BestDir))
	second, err2 := modeldir.Digest(filepath.Join(out, train.BestDir))
	if err != nil || err2 != nil || first != second {
		t.Errorf("models %s (%v) and %s (%v)", first, err, second, err2)
	}
}

// TestPaddingSaysNothing: the loss of texts is the same whatever room the batch has
// beside them, and behind them.
func TestPaddingSaysNothing(t *testing.T) {
	l := newTestLearner(t, newEncoder(t), abstracts(), false)
	l.network.training = false
	exec, err := model.NewExec(enginetest.Go(), l.Store(), func(root *model.Scope, in []*graph.Node) *graph.Node {
		l.Store().SetTraining(in[0].Graph(), true)
		return l.network.loss(root, in)
	})
	if err != nil {
		t.Fatal(err)
	}
	loss := func(shard []*tensors.Tensor) float32 {
		var args []any
		for _, tensor := range shard {
			args = append(args, tensor)
		}
		outs, err := exec.Call(args...)
		if err != nil {
			t.Fatal(err)
		}
		return tensors.ToScalar[float32](outs[0])
	}
	of := func(rows, longest int) float32 {
		return loss(l.layOut(l.examples[:2], rows, longest, weights{0.1, 0.1}))
	}
	two := of(2, 1)
	for name, other := range map[string]float32{"one of five": of(5, 1), "one of long texts": of(2, 100)} {
		if two-other > 1e-5 || other-two > 1e-5 || two <= 0 {
			t.Errorf("loss %g in a batch of two, %g in %s", two, other, name)
		}
	}

	// A text counts the same in every batch, also where the parts are of unlike size.
	batch := l.examples[:3]
	words, pairs := 0, 0
	for _, x := range batch {
		words, pairs = words+len(x.text.words), pairs+len(x.labels)
	}
	l.batch = 4
	sum := float32(0)
	for _, shard := range l.layOutShards(batch) {
		sum += loss(shard)
	}
	if whole := loss(l.layOut(batch, 3, 1, weights{1 / float32(words), 1 / float32(pairs)})); sum-whole > 1e-5 || whole-sum > 1e-5 {
		t.Errorf("loss %g of three texts in two parts, %g of all in one", sum, whole)
	}
}

// TestHintsBesideAText: what fills its room exactly has the same neighbours as what has
// padding behind it.
func TestHintsBesideAText(t *testing.T) {
	l := newTestLearner(t, newEncoder(t), abstracts(), false)
	exec, err := model.NewExec(enginetest.Go(), l.Store(), func(root *model.Scope, in []*graph.Node) *graph.Node {
		l.Store().SetTraining(in[0].Graph(), true)
		return l.network.hints(root.At("tags").At("hint"), in[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	vectors := func(pieces int) []float32 {
		hints := make([]int32, pieces*hintKinds)
		for i := range 2 * hintKinds { // of two pieces; the others are padding
			hints[i] = 1
		}
		outs, err := exec.Call(tensors.FromFlatDataAndDimensions(hints, 1, pieces, hintKinds))
		if err != nil {
			t.Fatal(err)
		}
		return tensors.MustCopyFlatData[float32](outs[0])
	}
	full, padded := vectors(2), vectors(3)
	if !slices.Equal(full, padded[:len(full)]) {
		t.Errorf("the vectors of two pieces are\n%v\nand with padding behind them\n%v", full, padded[:len(full)])
	}
}

// TestOpenDamaged names the file at fault.
func TestOpenDamaged(t *testing.T) {
	l, o := newTestLearner(t, newEncoder(t), abstracts(), false), options()
	o.Epochs = 1
	out := t.TempDir()
	learn(t, l, o, out)
	for name, test := range map[string]struct {
		file, old, new, want string
	}{
		"another variant":  {"keci.json", `"multitask"`, `"keci"`, "variant"},
		"a type less":      {"keci.json", `"Disease"`, `"Illness"`, "pairs"},
		"another size":     {"keci.json", `"hidden": 12`, `"hidden": 13`, "model.safetensors"},
		"a future version": {"keci.json", `"formatVersion": 1`, `"formatVersion": 2`, "formatVersion is 2"},
		"a threshold":      {"keci.json", `"relationThreshold": 0`, `"relationThreshold": 7`, "relationThreshold is 7"},
		"a weight missing": {"model.safetensors", `"relation/query/weights"`, `"relation/quary/weights"`, "relation/query/weights is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := modeltest.Damage(t, filepath.Join(out, train.BestDir), test.file, test.old, test.new)
			if _, err := Open(enginetest.Go(), dir, fakeKnowledge{}.base()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	m, err := Open(enginetest.Go(), filepath.Join(out, train.BestDir), fakeKnowledge{fault: errors.New("no disk")}.base())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Extract(t.Context(), kg.Document{ID: "d7", Text: "Ibalin."}); err == nil || !strings.Contains(err.Error(), "d7") || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("a linker that fails: %v", err)
	}
}
