package keci

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// What engines may differ by. They add in other orders, so that float32 differs in
// its last bits; Adam divides by the size of a gradient, and so blows up what is
// small.
const (
	scoresAgree  = 2e-4  // scores of a document, which are rounded to 1e-4
	lossAgrees   = 1e-4  // relative
	weightsAgree = 0.005 // of the way that a weight can go in the steps
)

// everyOperation are variants that use, together, all that the model is made of.
var everyOperation = []Variant{VariantKECI, VariantKnowBERT}

// TestEnginesExtractTheSame: a document has the same mentions and relations on all
// engines, with the same scores.
func TestEnginesExtractTheSame(t *testing.T) {
	enginetest.Each(t, engine.Sentences, func(t *testing.T, backend compute.Backend) {
		for _, variant := range everyOperation {
			t.Run(string(variant), func(t *testing.T) {
				cfg := everything(tinyConfig())
				cfg.Variant, cfg.Knowledge.Size, cfg.MessageNorm, cfg.Between = variant, 8, true, true
				dir, kb := newModelFolder(t, cfg, false), newFakeKnowledge().base()
				want, err := Open(enginetest.Go(), dir, kb)
				if err != nil {
					t.Fatal(err)
				}
				got, err := Open(backend, dir, kb)
				if err != nil {
					t.Fatal(err)
				}
				random := rand.New(rand.NewPCG(4, 0))
				for _, words := range []int{1, 9, 30} {
					doc := graph.Document{ID: "d", Text: randomText(random, words)}
					a, err := want.Extract(t.Context(), doc)
					if err != nil {
						t.Fatal(err)
					}
					b, err := got.Extract(t.Context(), doc)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(a, b, cmpopts.EquateApprox(0, scoresAgree)); diff != "" {
						t.Errorf("%d words (-go +%s):\n%s", words, backend, diff)
					}
				}
			})
		}
	})
}

// TestEnginesLearnTheSame: from the same weights, without dropout, the same batches
// give the same losses and weights.
func TestEnginesLearnTheSame(t *testing.T) {
	enginetest.Each(t, engine.Batches, func(t *testing.T, backend compute.Backend) {
		for _, variant := range everyOperation {
			t.Run(string(variant), func(t *testing.T) {
				o, cfg := learnOptions(), learnable(as(variant))
				o.BatchSize, o.Epochs = len(tinyCorpus(t).Examples), 4 // steps, all but the first with relations
				first := newLearner(t, cfg, o)
				if err := first.model.definitions.ensure(t.Context(), allOf(first)...); err != nil {
					t.Fatal(err)
				}
				lossOf(t, first, first.layOutShards([]int{0, 1}, true)) // gives every weight its first value

				learnOn := func(backend compute.Backend) (*Learner, train.History) {
					l := newLearnerOn(t, backend, cfg, o)
					startFrom(t, l, first)
					l.heldOut = []corpus.Corpus{{}} // nothing to measure
					history, err := train.Run(t.Context(), backend, l, o, t.TempDir(), silent{})
					if err != nil {
						t.Fatal(err)
					}
					return l, history
				}
				want, wantHistory := learnOn(enginetest.Go())
				got, gotHistory := learnOn(backend)
				for i := range wantHistory.Epochs {
					if a, b := wantHistory.Epochs[i].Loss, gotHistory.Epochs[i].Loss; math.Abs(a-b) > lossAgrees*a {
						t.Errorf("epoch %d: loss %g, on %s %g", i+1, a, backend, b)
					}
				}
				path, apart := farthest(want.weights(), got.weights())
				t.Logf("%s: values are up to %g apart", path, apart)
				if limit := weightsAgree * o.TaskRate * float64(o.Epochs); apart > limit {
					t.Errorf("%s: values are %g apart, more than %g", path, apart, limit)
				}
			})
		}
	})
}

// startFrom gives a learner that has not begun the weights of another.
func startFrom(t *testing.T, l, other *Learner) {
	t.Helper()
	for _, v := range weightsOf(other.Store()) {
		if l.Store().GetVariable(v.Path()) == nil {
			value := tensors.FromFlatDataAndDimensions(tensors.MustCopyFlatData[float32](v.MustValue()), v.Shape().Dimensions...)
			if _, err := l.Store().CreateVariable(v.Path(), value); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// farthest is the weight that differs most, and by how much.
func farthest(a, b map[string][]float32) (path string, apart float64) {
	for p := range a {
		for i := range a[p] {
			if d := math.Abs(float64(a[p][i] - b[p][i])); !(d <= apart) {
				path, apart = p, d
			}
		}
	}
	return path, apart
}

// TestEnginesDropOut: dropout drops the share it should, others each time.
func TestEnginesDropOut(t *testing.T) {
	enginetest.Each(t, engine.Batches, func(t *testing.T, backend compute.Backend) {
		const rows, columns, rate = 100, 1000, 0.2
		store := model.NewStore()
		if err := store.SetRNGStateFromSeed(1); err != nil {
			t.Fatal(err)
		}
		exec := model.MustNewExec(backend, store, func(root *model.Scope, x *Node) *Node {
			store.SetTraining(x.Graph(), true)
			return layers.DropoutStatic(root, Mul(x, Ones(x.Graph(), shapes.Make(dtypes.Float32, rows, columns))), rate)
		})
		var last []float32
		for range 3 {
			out, err := exec.Call(float32(1))
			if err != nil {
				t.Fatal(err)
			}
			values := tensors.MustCopyFlatData[float32](out[0])
			var dropped, pairs, repeated float64
			for i, v := range values {
				if v == 0 {
					dropped++
					if i > 0 && values[i-1] == 0 {
						pairs++
					}
					if last != nil && last[i] == 0 {
						repeated++
					}
				} else if math.Abs(float64(v)-1/(1-rate)) > 1e-5 {
					t.Fatalf("a value of 1 became %g", v)
				}
			}
			n := float64(len(values))
			for what, share := range map[string][2]float64{"dropped": {dropped / n, rate}, "neighbours": {pairs / n, rate * rate}, "as before": {repeated / n, rate * rate}} {
				if what == "as before" && last == nil {
					continue
				}
				if math.Abs(share[0]-share[1]) > 0.005 {
					t.Errorf("%s: %.4f of the values, want %.4f", what, share[0], share[1])
				}
			}
			last = values
		}
	})
}
