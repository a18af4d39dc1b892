package kge

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/graph"
)

func learn(t testing.TB, o Options, own bool) *Embeddings {
	t.Helper()
	e, err := Learn(t.Context(), enginetest.Go(), mustRead(t, families(8, 8)), testTexts(t), o, own, silent(nil))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestLearn: relations that follow from names and types are found again, also
// those of concepts that training has not seen. By chance the MRR would be 0.04.
func TestLearn(t *testing.T) {
	e := learn(t, testOptions(), true)
	t.Logf("held out %+v, unseen %+v, own vectors %+v", e.Report.HeldOut, e.Report.Unseen, *e.Report.OwnVector)
	if e.Report.HeldOut.MRR < 0.3 || e.Report.Unseen.MRR < 0.3 {
		t.Errorf("held out %+v, unseen %+v", e.Report.HeldOut, e.Report.Unseen)
	}
	if e.Report.OwnVector.Queries != e.Report.HeldOut.Queries || e.Report.OwnVector.MRR > e.Report.HeldOut.MRR {
		t.Errorf("own vectors %+v: better than what names tell", e.Report.OwnVector)
	}
}

func TestSeed(t *testing.T) {
	o := testOptions()
	o.Steps = 20
	one, again := learn(t, o, false), learn(t, o, false)
	if !cmp.Equal(one, again, cmp.AllowUnexported(Embeddings{}, weight{})) {
		t.Error("the same seed gives something else")
	}
	o.Seed = 2
	if other := learn(t, o, false); cmp.Equal(one.weights, other.weights, cmp.AllowUnexported(weight{})) {
		t.Error("another seed gives the same")
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stop := silent(func(done int) {
		if done == 3 {
			cancel()
		}
	})
	_, err := Learn(ctx, enginetest.Go(), mustRead(t, families(8, 8)), testTexts(t), testOptions(), false, stop)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func TestWrongOptions(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"even":      func(o *Options) { o.Size = 7 },
		"positive":  func(o *Options) { o.Steps = 0 },
		"rate":      func(o *Options) { o.Rate = 0 },
		"held out":  func(o *Options) { o.HeldOut = 0.9 },
		"raise the": func(o *Options) { o.HeldOut = 1e-6 },
	} {
		o := testOptions()
		change(&o)
		_, err := Learn(t.Context(), enginetest.Go(), mustRead(t, families(2, 2)), testTexts(t), o, false, silent(nil))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestSaved: what is read back gives nearly the same vectors, and says the same.
func TestSaved(t *testing.T) {
	o := testOptions()
	o.Steps = 20
	e := learn(t, o, false)
	e.KnowledgeBase = graph.Provenance{Name: "test", Digest: "sha256:0"}
	path := filepath.Join(t.TempDir(), FileName)
	if err := e.Save(path); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	near := cmp.Comparer(func(a, b float32) bool { return a-b < 0.02 && b-a < 0.02 })
	if diff := cmp.Diff(e, opened, cmp.AllowUnexported(Embeddings{}, weight{}), near); diff != "" {
		t.Errorf("opened (-want +got):\n%s", diff)
	}
	store := model.NewStore()
	if err := opened.Install(store); err != nil {
		t.Fatal(err)
	}
	v := store.GetVariable("/kge/output/weights")
	if v == nil || v.Trainable || !cmp.Equal(tensors.MustCopyFlatData[float32](v.MustValue()), opened.weights["output/weights"].values) {
		t.Errorf("installed %v", v)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
}

func TestDamaged(t *testing.T) {
	o := testOptions()
	o.Steps = 1
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	if _, err := Open(path); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want that there are none, with the file", err)
	}
	e := learn(t, o, false)
	e.SemanticTypes = e.SemanticTypes[1:] // as if of another file
	if err := e.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "types/weights") {
		t.Errorf("error %v, want one that names the file and the tensor", err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, keep := range []int{0, 4, 100, len(content) - 1} {
		if err := os.WriteFile(path, content[:keep], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%d bytes: error %v, want one that names the file", keep, err)
		}
	}
}
