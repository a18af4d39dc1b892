package train

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
)

// measured is a quadratic that remembers which weights were measured last and
// which were saved as the best.
type measured struct {
	*quadratic
	last, best map[string][]float32
}

func newMeasured(t testing.TB) *measured {
	m := &measured{quadratic: newQuadratic(t, 0.5, 4, -3)}
	m.dropout = 0.5
	return m
}

func (m *measured) Evaluate(ctx context.Context) (Score, error) {
	m.last = m.values()
	return m.quadratic.Evaluate(ctx)
}

func (m *measured) Save(ctx context.Context, dir string) error {
	m.best = m.values()
	return m.quadratic.Save(ctx, dir)
}

// TestAverages compares what is measured and saved with the mean of the weights
// of all steps, computed in float64; training itself must not notice.
func TestAverages(t *testing.T) {
	o := testOptions()
	plain := newMeasured(t)
	mustRun(t, plain, o, t.TempDir())

	o.EMA = 0.7
	l, progress := newMeasured(t), &listener{}
	var steps []map[string][]float32
	progress.onStep = func(int) { steps = append(steps, l.values()) }
	if _, err := Run(t.Context(), enginetest.Go(), l, o, t.TempDir(), progress); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain.values(), l.values()); diff != "" {
		t.Errorf("other weights than without averaging (-want +got):\n%s", diff)
	}
	for path, got := range l.last {
		for c := range got {
			sum, weights := 0.0, 0.0
			for age := range steps {
				w := math.Pow(o.EMA, float64(age))
				sum, weights = sum+w*float64(steps[len(steps)-1-age][path][c]), weights+w
			}
			if want := sum / weights; !(math.Abs(float64(got[c])-want) < 1e-5) {
				t.Errorf("%s[%d] is measured as %g, the mean is %g", path, c, got[c], want)
			}
		}
	}
	if diff := cmp.Diff(l.last, l.best); diff != "" {
		t.Errorf("what is saved is not what was measured (-measured +saved):\n%s", diff)
	}
	if cmp.Equal(l.last, l.values()) {
		t.Error("the mean is the last value: the test sees no difference")
	}
}

// TestAveragesAreResumed stops at every step and goes on: means are in the
// checkpoint, beside the weights of the last step.
func TestAveragesAreResumed(t *testing.T) {
	o := testOptions()
	o.EMA = 0.7
	whole := newMeasured(t)
	mustRun(t, whole, o, t.TempDir())
	for stop := 1; stop < 9; stop++ {
		out, cut := t.TempDir(), o
		cut.MaxSteps = stop
		mustRun(t, newMeasured(t), cut, out)
		last, resumed := newMeasured(t), o
		resumed.Resume = true
		mustRun(t, last, resumed, out)
		if diff := cmp.Diff(whole.last, last.last); diff != "" {
			t.Errorf("stopped after step %d: other means (-want +got):\n%s", stop, diff)
		}
		if diff := cmp.Diff(whole.values(), last.values()); diff != "" {
			t.Errorf("stopped after step %d: other weights (-want +got):\n%s", stop, diff)
		}
	}
}

// TestAveragesOfWhatWasCutWhileMeasured: the means are there, and are measured, though
// no step is done before.
func TestAveragesOfWhatWasCutWhileMeasured(t *testing.T) {
	o := testOptions()
	o.EMA = 0.7
	whole := newMeasured(t)
	mustRun(t, whole, o, t.TempDir())
	for _, cut := range []int{6, 9} { // after the second epoch, and after the last
		out, first, progress := filepath.Join(t.TempDir(), "run"), newMeasured(t), &listener{}
		first.evaluate = func(ctx context.Context) error { return ctx.Err() }
		cutWhile(t, first, o, out, progress, func(act func()) {
			progress.onStep = func(step int) {
				if step == cut {
					act()
				}
			}
		})
		last, resumed := newMeasured(t), o
		resumed.Resume = true
		mustRun(t, last, resumed, out)
		if diff := cmp.Diff(whole.last, last.last); diff != "" {
			t.Errorf("cut after step %d: other means (-want +got):\n%s", cut, diff)
		}
		if diff := cmp.Diff(whole.values(), last.values()); diff != "" {
			t.Errorf("cut after step %d: other weights (-want +got):\n%s", cut, diff)
		}
	}
}

// TestWeightsComeBack: a measurement that fails leaves the weights of the last
// step, not their means.
func TestWeightsComeBack(t *testing.T) {
	o := testOptions()
	o.EMA = 0.7
	l, progress := newMeasured(t), &listener{}
	var last map[string][]float32
	progress.onStep = func(int) { last = l.values() }
	l.evaluate = func(context.Context) error { return context.DeadlineExceeded }
	if _, err := Run(t.Context(), enginetest.Go(), l, o, t.TempDir(), progress); err == nil {
		t.Fatal("a measurement that failed is no error")
	}
	if diff := cmp.Diff(last, l.values()); diff != "" {
		t.Errorf("other weights than after the last step (-want +got):\n%s", diff)
	}
}
