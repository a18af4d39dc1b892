package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keci-kg/keci/fusion/engine/enginetest"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/model"
)

// quadratic learns to be where its batches are: the loss of a batch, one vector
// of targets, is ½‖θ − target‖², so that the gradient is θ − target. θ is a
// matrix and a vector of the encoder, a matrix of the rest, and a matrix that is
// frozen. Those of the encoder are there from the start, as a pretrained encoder
// is; the graph makes the other.
type quadratic struct {
	store    *model.Store
	dropout  float64
	targets  []float32 // of batches; NaN spoils the loss
	score    func(epoch int) Score
	epochs   int // evaluated
	saved    []string
	evaluate func(ctx context.Context) error
	save     func(dir string) error
	onState  func() // when a checkpoint is written
}

// parameters are those of quadratic, with their initial values.
var parameters = []struct {
	path   string
	dims   []int
	values []float32
}{
	{"/encoder/matrix", []int{1, 2}, []float32{1, -2}},
	{"/encoder/vector", []int{2}, []float32{0.5, 3}},
	{"/task/matrix", []int{2, 1}, []float32{-1.5, 2}},
	{"/encoder/frozen", []int{1, 1}, []float32{7}},
}

func newQuadratic(t testing.TB, targets ...float32) *quadratic {
	t.Helper()
	l := &quadratic{store: model.NewStore(), targets: targets}
	for _, p := range parameters {
		if !strings.HasPrefix(p.path, encoderScope) {
			continue // the graph makes it
		}
		if _, err := l.store.CreateVariable(p.path, tensors.FromFlatDataAndDimensions(slices.Clone(p.values), p.dims...)); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *quadratic) Store() *model.Store { return l.store }

func (l *quadratic) Loss(root *model.Scope, batch []*Node) *Node {
	l.store.GetVariable("/encoder/frozen").SetTrainable(false)
	var sum *Node
	for i, p := range parameters {
		v := l.store.VariableWithValue(p.path, tensors.FromFlatDataAndDimensions(slices.Clone(p.values), p.dims...))
		difference := Sub(v.NodeValue(batch[0]), batch[0])
		if i == 0 {
			difference = layers.DropoutStatic(root.At("dropout"), difference, l.dropout)
		}
		half := MulScalar(ReduceAllSum(Square(difference)), 0.5)
		if sum == nil {
			sum = half
			continue
		}
		sum = Add(sum, half)
	}
	return sum
}

func (l *quadratic) Batches(_ context.Context, _ int, rng *rand.Rand) ([]Batch, error) {
	order := rng.Perm(len(l.targets))
	var batches []Batch
	for _, i := range order {
		batches = append(batches, func() [][]*tensors.Tensor { return [][]*tensors.Tensor{{tensors.FromScalar(l.targets[i])}} })
	}
	return batches, nil
}

func (l *quadratic) Evaluate(ctx context.Context) (Score, error) {
	if l.evaluate != nil {
		if err := l.evaluate(ctx); err != nil {
			return Score{}, err
		}
	}
	l.epochs++
	if l.score != nil {
		return l.score(l.epochs), nil
	}
	return Score{Entity: float64(l.epochs) / 100}, nil
}

func (l *quadratic) Save(_ context.Context, dir string) error {
	l.saved = append(l.saved, dir)
	if l.save != nil {
		return l.save(dir)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "model"), fmt.Append(nil, l.epochs), 0o644)
}

// SaveState keeps the number of epochs, on which the scores depend.
func (l *quadratic) SaveState(dir string) error {
	if l.onState != nil {
		l.onState()
	}
	return os.WriteFile(filepath.Join(dir, "state"), fmt.Append(nil, l.epochs), 0o644)
}

func (l *quadratic) LoadState(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "state"))
	if err != nil {
		return err
	}
	_, err = fmt.Sscan(string(data), &l.epochs)
	return err
}

// values are all parameters, one after another.
func (l *quadratic) values() map[string][]float32 {
	all := map[string][]float32{}
	for _, p := range parameters {
		all[p.path] = tensors.MustCopyFlatData[float32](l.store.GetVariable(p.path).MustValue())
	}
	return all
}

// listener hears of the progress and may act on a step.
type listener struct {
	steps  []int
	totals []int
	losses []float64
	epochs []Epoch
	best   []bool
	onStep func(step int)
}

func (l *listener) Step(done, total int, loss float64) {
	l.steps, l.totals, l.losses = append(l.steps, done), append(l.totals, total), append(l.losses, loss)
	if l.onStep != nil {
		l.onStep(done)
	}
}

func (l *listener) Epoch(e Epoch, best bool) {
	l.epochs, l.best = append(l.epochs, e), append(l.best, best)
}

func testOptions() Options {
	return Options{Epochs: 3, BatchSize: 1, EncoderRate: 0.05, TaskRate: 0.1, WarmUp: 0.25, ClipNorm: 6, WeightDecay: 0.1, Seed: 5}
}

func mustRun(t testing.TB, l Learner, o Options, out string) History {
	t.Helper()
	history, err := Run(t.Context(), enginetest.Go(), l, o, out, &listener{})
	if err != nil {
		t.Fatal(err)
	}
	return history
}

// files lists what lies under dir, without the names that GoMLX gives.
func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestSteps compares every step of a run with AdamW in float64: the schedule,
// the clipping, the two rates, and the decay of the encoder's matrix alone.
func TestSteps(t *testing.T) {
	o := testOptions()
	l := newQuadratic(t, 0.5, 4, -3, 1)
	progress := &listener{}
	var got []map[string][]float32
	progress.onStep = func(int) { got = append(got, l.values()) }
	if _, err := Run(t.Context(), enginetest.Go(), l, o, t.TempDir(), progress); err != nil {
		t.Fatal(err)
	}
	if want := o.Epochs * len(l.targets); len(got) != want {
		t.Fatalf("%d steps, want %d", len(got), want)
	}
	want := newLiteralAdamW(o, len(got))
	clipped := 0
	for epoch := range o.Epochs {
		rng := rand.New(rand.NewPCG(uint64(o.Seed), uint64(epoch)))
		sum := 0.0
		for i, at := range rng.Perm(len(l.targets)) {
			loss, wasClipped := want.step(float64(l.targets[at]))
			if wasClipped {
				clipped++
			}
			sum += loss
			step := epoch*len(l.targets) + i
			for path, values := range want.values {
				for c := range values {
					if !(math.Abs(float64(got[step][path][c])-values[c]) < 1e-5) {
						t.Fatalf("step %d, %s: %v, want %v", step+1, path, got[step][path], values)
					}
				}
			}
			if mean := sum / float64(i+1); math.Abs(progress.losses[step]-mean) > 1e-4*mean {
				t.Errorf("step %d: loss %g, want %g", step+1, progress.losses[step], mean)
			}
		}
	}
	if clipped == 0 || clipped == len(got) {
		t.Errorf("%d of %d gradients are clipped: the test sees only one of both ways", clipped, len(got))
	}
}

// literalAdamW is the optimizer by the book.
type literalAdamW struct {
	o             Options
	total, steps  int
	values        map[string][]float64
	first, second map[string][]float64
}

func newLiteralAdamW(o Options, total int) *literalAdamW {
	a := &literalAdamW{o: o, total: total, values: map[string][]float64{}, first: map[string][]float64{}, second: map[string][]float64{}}
	for _, p := range parameters {
		for _, x := range p.values {
			a.values[p.path] = append(a.values[p.path], float64(x))
		}
		a.first[p.path], a.second[p.path] = make([]float64, len(p.values)), make([]float64, len(p.values))
	}
	return a
}

func (a *literalAdamW) step(target float64) (loss float64, clipped bool) {
	a.steps++
	norm := 0.0
	for path, values := range a.values {
		for _, x := range values {
			loss += (x - target) * (x - target) / 2
			if path != "/encoder/frozen" {
				norm += (x - target) * (x - target)
			}
		}
	}
	norm = math.Sqrt(norm)
	factor := float64(a.total-a.steps) / (float64(a.total) * (1 - a.o.WarmUp))
	if float64(a.steps) < a.o.WarmUp*float64(a.total) {
		factor = float64(a.steps) / (a.o.WarmUp * float64(a.total))
	}
	t := float64(a.steps)
	for path, values := range a.values {
		rate, decay := a.o.EncoderRate*factor, 0.0
		switch path {
		case "/encoder/frozen":
			continue
		case "/encoder/matrix":
			decay = a.o.WeightDecay
		case "/task/matrix":
			rate = a.o.TaskRate * factor
		}
		m, v := a.first[path], a.second[path]
		for i := range values {
			g := (values[i] - target) * math.Min(1, a.o.ClipNorm/norm)
			m[i] = 0.9*m[i] + 0.1*g
			v[i] = 0.999*v[i] + 0.001*g*g
			mHat, vHat := m[i]/(1-math.Pow(0.9, t)), v[i]/(1-math.Pow(0.999, t))
			values[i] -= rate * (mHat/(math.Sqrt(vHat)+1e-6) + decay*values[i])
		}
	}
	return loss, norm > a.o.ClipNorm
}

func TestSchedule(t *testing.T) {
	for _, test := range []struct {
		step, total int
		warmUp      float64
		want        float64
	}{
		{1, 100, 0.1, 0.1}, {5, 100, 0.1, 0.5}, {9, 100, 0.1, 0.9}, {10, 100, 0.1, 1},
		{55, 100, 0.1, 0.5}, {91, 100, 0.1, 0.1}, {100, 100, 0.1, 0},
		{1, 100, 0, 0.99}, {100, 100, 0, 0},
		{50, 100, 1, 0.5}, {99, 100, 1, 0.99}, {100, 100, 1, 0},
		{1, 1, 0.1, 0}, {1, 2, 0.5, 1}, {2, 2, 0.5, 0},
	} {
		if got := schedule(test.step, test.total, test.warmUp); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("schedule(%d, %d, %g) = %g, want %g", test.step, test.total, test.warmUp, got, test.want)
		}
	}
}

func TestBiasCorrections(t *testing.T) {
	for _, test := range []struct {
		step          int
		first, second float64
	}{{1, 10, 1000}, {2, 1 / 0.19, 1 / 0.001999}, {10_000_000, 1, 1}} {
		first, second := biasCorrections(test.step)
		if math.Abs(float64(first)/test.first-1) > 1e-6 || math.Abs(float64(second)/test.second-1) > 1e-6 {
			t.Errorf("step %d: %g and %g, want %g and %g", test.step, first, second, test.first, test.second)
		}
	}
}

func TestOptionsAreValidated(t *testing.T) {
	if err := DefaultOptions().Validate(); err != nil {
		t.Errorf("the default options: %v", err)
	}
	for name, change := range map[string]func(*Options){
		"epochs": func(o *Options) { o.Epochs = 0 }, "batch size": func(o *Options) { o.BatchSize = 0 },
		"rates": func(o *Options) { o.TaskRate = 0 }, "warm-up": func(o *Options) { o.WarmUp = 1.5 },
		"clip norm": func(o *Options) { o.ClipNorm = 0 }, "weight decay": func(o *Options) { o.WeightDecay = -1 },
		"EMA": func(o *Options) { o.EMA = 1 }, "layer decay": func(o *Options) { o.LayerDecay = 1.1 },
	} {
		o := testOptions()
		change(&o)
		out := filepath.Join(t.TempDir(), "out")
		_, err := Run(t.Context(), enginetest.Go(), newQuadratic(t, 1), o, out, &listener{})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: %s was made", name, out)
		}
	}
}

func TestHistory(t *testing.T) {
	scores := []Score{{Entity: 0.1, Relation: 0.3}, {Entity: 0.5, Relation: 0.1}, {Entity: 0.2, Relation: 0.2}, {Entity: 0.3, Relation: 0.3}}
	l := newQuadratic(t, 1, 2)
	l.score = func(epoch int) Score { return scores[epoch-1] }
	o, out, progress := testOptions(), t.TempDir(), &listener{}
	o.Epochs = len(scores)
	history, err := Run(t.Context(), enginetest.Go(), l, o, out, progress)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{true, true, false, false}, progress.best); diff != "" { // the first of equals stays
		t.Errorf("epochs that were the best (-want +got):\n%s", diff)
	}
	if history.Best != 1 || len(history.Epochs) != 4 || history.Epochs[2].Score != scores[2] || history.Epochs[3].Steps != 8 {
		t.Errorf("history %+v", history)
	}
	if data, err := os.ReadFile(filepath.Join(out, BestDir, "model")); string(data) != "2" {
		t.Errorf("the best model is that of epoch %s, %v, want 2", data, err)
	}
	if diff := cmp.Diff([]string{BestDir, checkpointDir, CurveFile, HistoryFile}, files(t, out)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestMaxSteps(t *testing.T) {
	l, progress, o := newQuadratic(t, 1, 2, 3), &listener{}, testOptions()
	o.MaxSteps = 4
	history, err := Run(t.Context(), enginetest.Go(), l, o, t.TempDir(), progress)
	if err != nil {
		t.Fatal(err)
	}
	if len(progress.steps) != 4 || progress.totals[0] != 4 || len(history.Epochs) != 2 || history.Epochs[1].Steps != 4 || history.Epochs[1].Batches != 1 {
		t.Errorf("steps %v of %v, epochs %+v", progress.steps, progress.totals, history.Epochs)
	}
}

// TestMaxStepsAndResume stops a run at every step by MaxSteps and goes on: the
// rest of the epoch is trained, no batch twice and none left out.
func TestMaxStepsAndResume(t *testing.T) {
	o := testOptions()
	start := func() *quadratic {
		l := newQuadratic(t, 1, 2, 3)
		l.dropout = 0.5
		return l
	}
	whole := start()
	want := mustRun(t, whole, o, t.TempDir())
	for stop := 1; stop < 9; stop++ {
		out, cut := t.TempDir(), o
		cut.MaxSteps = stop
		mustRun(t, start(), cut, out)
		last, resumed := start(), o
		resumed.Resume = true
		got := mustRun(t, last, resumed, out)
		if diff := cmp.Diff(whole.values(), last.values()); diff != "" {
			t.Errorf("stopped after step %d: other weights (-want +got):\n%s", stop, diff)
		}
		var complete []Epoch
		for _, e := range got.Epochs {
			if e.whole() {
				complete = append(complete, e)
			}
		}
		closeTo := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
		if diff := cmp.Diff(want.Epochs, complete, cmpopts.IgnoreFields(Epoch{}, "Elapsed", "Score"), closeTo); diff != "" {
			t.Errorf("stopped after step %d: other epochs (-want +got):\n%s", stop, diff)
		}
	}
}

func TestPatience(t *testing.T) {
	scores := []Score{{Entity: 0.1, Relation: 0.1}, {Entity: 0.3, Relation: 0.3}, {Entity: 0.2, Relation: 0.2}, {Entity: 0.3, Relation: 0.3}, {Entity: 0.9, Relation: 0.9}}
	for patience, epochs := range map[int]int{0: 5, 1: 3, 2: 4, 3: 5} {
		l, o := newQuadratic(t, 1, 2), testOptions()
		l.score = func(epoch int) Score { return scores[epoch-1] }
		o.Epochs, o.Patience = len(scores), patience
		out := t.TempDir()
		history := mustRun(t, l, o, out)
		if len(history.Epochs) != epochs {
			t.Errorf("patience %d: %d epochs, want %d", patience, len(history.Epochs), epochs)
		}
		again := newQuadratic(t, 1, 2)
		again.score, o.Resume = l.score, true
		if history := mustRun(t, again, o, out); len(history.Epochs) != epochs {
			t.Errorf("patience %d: %d epochs after resuming, want %d", patience, len(history.Epochs), epochs)
		}
	}
}

// TestKilledWhileReplacing leaves the directory as a process that is killed at
// each point of replacing the checkpoint and the best model would.
func TestKilledWhileReplacing(t *testing.T) {
	move := func(t *testing.T, from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for name, kill := range map[string]func(t *testing.T, dir string){
		"while the next one is written": func(t *testing.T, dir string) {
			if err := os.MkdirAll(dir+nextSuffix, 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"between the two moves": func(t *testing.T, dir string) {
			if err := os.CopyFS(dir+oldSuffix, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			move(t, dir, dir+nextSuffix)
		},
		"before the old one is removed": func(t *testing.T, dir string) {
			if err := os.MkdirAll(dir+oldSuffix, 0o755); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, replaced := range []string{checkpointDir, BestDir} {
			t.Run(replaced+" "+name, func(t *testing.T) {
				whole, o := newQuadratic(t, 1, 2, 3), testOptions()
				mustRun(t, whole, o, t.TempDir())
				out := t.TempDir()
				o.MaxSteps = 6
				mustRun(t, newQuadratic(t, 1, 2, 3), o, out)
				kill(t, filepath.Join(out, replaced))
				o.MaxSteps, o.Resume = 0, true
				resumed, progress := newQuadratic(t, 1, 2, 3), &listener{}
				if _, err := Run(t.Context(), enginetest.Go(), resumed, o, out, progress); err != nil {
					t.Fatal(err)
				}
				if len(progress.steps) != 3 {
					t.Errorf("%d steps after resuming, want the 3 that were missing", len(progress.steps))
				}
				if diff := cmp.Diff(whole.values(), resumed.values()); diff != "" {
					t.Errorf("other weights (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{BestDir, checkpointDir, CurveFile, HistoryFile}, files(t, out)); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// shaped is a quadratic whose batches all have other shapes.
type shaped struct{ *quadratic }

func (l shaped) Loss(root *model.Scope, batch []*Node) *Node {
	return l.quadratic.Loss(root, []*Node{ReduceAllMax(batch[0])})
}

func (l shaped) Batches(ctx context.Context, epoch int, rng *rand.Rand) ([]Batch, error) {
	batches, err := l.quadratic.Batches(ctx, epoch, rng)
	for i, batch := range batches {
		batches[i] = func() [][]*tensors.Tensor {
			target := tensors.ToScalar[float32](batch()[0][0])
			values := slices.Repeat([]float32{target}, i+1)
			return [][]*tensors.Tensor{{tensors.FromFlatDataAndDimensions(values, len(values))}}
		}
	}
	return batches, err
}

// TestManyShapes: when the graphs of many shapes of batches are dropped, the training goes
// on with what it has.
func TestManyShapes(t *testing.T) {
	o := testOptions()
	targets := make([]float32, mostGraphs+9)
	for i := range targets {
		targets[i] = float32(i % 4)
	}
	same, many := newQuadratic(t, targets...), newQuadratic(t, targets...)
	mustRun(t, same, o, t.TempDir())
	mustRun(t, shaped{many}, o, t.TempDir())
	if diff := cmp.Diff(same.values(), many.values()); diff != "" {
		t.Errorf("another result than with one shape (-want +got):\n%s", diff)
	}
}

func TestSameSeedGivesSameBits(t *testing.T) {
	run := func(seed int64) map[string][]float32 {
		l, o := newQuadratic(t, 1, 2, 3, 4), testOptions()
		l.dropout, o.Seed = 0.5, seed
		mustRun(t, l, o, t.TempDir())
		return l.values()
	}
	want := run(1)
	if diff := cmp.Diff(want, run(1)); diff != "" {
		t.Errorf("another result with the same seed (-want +got):\n%s", diff)
	}
	if cmp.Equal(want, run(2)) {
		t.Error("the same result with another seed")
	}
}

// TestResume cuts a run at every step and goes on after it with a new learner, which
// must end with the bits and the history of a run that was never cut.
func TestResume(t *testing.T) {
	o := testOptions()
	start := func() *quadratic {
		l := newQuadratic(t, 1, 2, 3)
		l.dropout = 0.5
		return l
	}
	whole, wholeDir := start(), t.TempDir()
	want := mustRun(t, whole, o, wholeDir)
	for cut := 1; cut < 9; cut++ {
		t.Run(fmt.Sprintf("cut after step %d", cut), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "run")
			ctx, cancel := context.WithCancel(t.Context())
			progress := &listener{onStep: func(step int) {
				if step == cut {
					cancel()
				}
			}}
			first := start()
			first.evaluate = func(ctx context.Context) error { return ctx.Err() }
			before, err := Run(ctx, enginetest.Go(), first, o, out, progress)
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, want that of the context", err)
			}
			complete := (cut - 1) / 3 // an epoch that is cut while it is measured is measured again
			if len(before.Epochs) != complete || before.Part == nil || before.Part.Steps != cut {
				t.Errorf("history of %d epochs, want %d; part %+v", len(before.Epochs), complete, before.Part)
			}
			if said := fmt.Sprintf("goes on after step %d", cut); !strings.Contains(err.Error(), said) {
				t.Errorf("error %v, want one that says %q", err, said)
			}
			checkNothingHalfWritten(t, out, complete)

			second, resumed, more := start(), o, &listener{}
			resumed.Resume = true
			got, err := Run(t.Context(), enginetest.Go(), second, resumed, out, more)
			if err != nil || len(more.steps) != 9-cut {
				t.Errorf("%d more steps, %v", len(more.steps), err)
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Epoch{}, "Elapsed"), cmpopts.IgnoreFields(Options{}, "Resume"), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("another history (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(whole.values(), second.values()); diff != "" {
				t.Errorf("other weights (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(files(t, wholeDir), files(t, out)); diff != "" {
				t.Errorf("other files (-want +got):\n%s", diff)
			}
		})
	}
}

// cutWhile runs a learner until act, which it is given, is called.
func cutWhile(t *testing.T, l Learner, o Options, out string, progress *listener, arrange func(act func())) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	arrange(cancel)
	if _, err := Run(ctx, enginetest.Go(), l, o, out, progress); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
}

// TestResumeIsCutAtOnce: a resumed run that is stopped before its first step leaves
// the checkpoint as it was, with all that the next one needs.
func TestResumeIsCutAtOnce(t *testing.T) {
	o := testOptions()
	start := func() *quadratic { return newQuadratic(t, 1, 2, 3) }
	whole, out := start(), filepath.Join(t.TempDir(), "run")
	mustRun(t, whole, o, t.TempDir())
	progress := &listener{}
	cutWhile(t, start(), o, out, progress, func(act func()) {
		progress.onStep = func(step int) {
			if step == 5 {
				act()
			}
		}
	})
	o.Resume = true
	cutWhile(t, start(), o, out, &listener{}, func(act func()) { act() })
	last := start()
	mustRun(t, last, o, out)
	if diff := cmp.Diff(whole.values(), last.values()); diff != "" {
		t.Errorf("other weights (-want +got):\n%s", diff)
	}
}

// TestMaxStepsCutWhileMeasured: what was not measured when MaxSteps was reached is
// measured when the run goes on, without a step.
func TestMaxStepsCutWhileMeasured(t *testing.T) {
	o, out := testOptions(), filepath.Join(t.TempDir(), "run")
	o.MaxSteps = 2
	first := newQuadratic(t, 1, 2, 3)
	first.evaluate = func(ctx context.Context) error { return ctx.Err() }
	progress := &listener{}
	cutWhile(t, first, o, out, progress, func(act func()) {
		progress.onStep = func(step int) {
			if step == 2 {
				act()
			}
		}
	})
	o.Resume = true
	more := &listener{}
	history, err := Run(t.Context(), enginetest.Go(), newQuadratic(t, 1, 2, 3), o, out, more)
	if err != nil || len(more.steps) != 0 || len(history.Epochs) != 1 || history.Best != 0 {
		t.Errorf("%d steps, history %+v, %v", len(more.steps), history, err)
	}
}

// TestCutBehindMeasuring stops a run when an epoch was measured already: it is not
// measured again.
func TestCutBehindMeasuring(t *testing.T) {
	o, out := testOptions(), filepath.Join(t.TempDir(), "run")
	first := newQuadratic(t, 1, 2, 3)
	cutWhile(t, first, o, out, &listener{}, func(act func()) { first.onState = act })
	o.Resume = true
	history := mustRun(t, newQuadratic(t, 1, 2, 3), o, out)
	var epochs []int
	for _, e := range history.Epochs {
		epochs = append(epochs, e.Epoch)
	}
	if !slices.Equal(epochs, []int{1, 2, 3}) {
		t.Errorf("epochs %v, want each once", epochs)
	}
}

// TestSaveEvery: a run that is killed inside an epoch goes on from what was saved
// last.
func TestSaveEvery(t *testing.T) {
	o, out := testOptions(), t.TempDir()
	o.SaveEvery = time.Nanosecond
	start := func() *quadratic { return newQuadratic(t, 1, 2, 3) }
	whole := start()
	mustRun(t, whole, o, filepath.Join(out, "whole"))
	killed := filepath.Join(out, "killed")
	copied := &listener{onStep: func(step int) {
		if step == 5 { // what a process leaves that is killed now: the checkpoint after step 4
			if err := os.CopyFS(killed, os.DirFS(filepath.Join(out, "run"))); err != nil {
				t.Error(err)
			}
		}
	}}
	if _, err := Run(t.Context(), enginetest.Go(), start(), o, filepath.Join(out, "run"), copied); err != nil {
		t.Fatal(err)
	}
	second, more := start(), &listener{}
	o.Resume, o.SaveEvery = true, 0
	if _, err := Run(t.Context(), enginetest.Go(), second, o, killed, more); err != nil || !slices.Equal(more.steps, []int{5, 6, 7, 8, 9}) {
		t.Errorf("went on with the steps %v, %v", more.steps, err)
	}
	if diff := cmp.Diff(whole.values(), second.values()); diff != "" {
		t.Errorf("other weights (-want +got):\n%s", diff)
	}
}

func checkNothingHalfWritten(t *testing.T, out string, epochs int) {
	t.Helper()
	want := []string{BestDir, checkpointDir, CurveFile, HistoryFile}
	if epochs == 0 {
		want = []string{checkpointDir, HistoryFile}
	}
	if diff := cmp.Diff(want, files(t, out)); diff != "" {
		t.Errorf("files after the cut (-want +got):\n%s", diff)
	}
}

func TestResumeOfACompleteRun(t *testing.T) {
	o, out := testOptions(), t.TempDir()
	want := mustRun(t, newQuadratic(t, 1, 2), o, out)
	o.Resume = true
	progress := &listener{}
	got, err := Run(t.Context(), enginetest.Go(), newQuadratic(t, 1, 2), o, out, progress)
	if err != nil || len(progress.steps) != 0 || len(got.Epochs) != len(want.Epochs) {
		t.Errorf("%d more steps, history %+v, error %v", len(progress.steps), got, err)
	}
}

func TestResumeIsRefused(t *testing.T) {
	o := testOptions()
	o.MaxSteps = 2
	out := t.TempDir()
	mustRun(t, newQuadratic(t, 1, 2), o, out)
	t.Run("without being asked for", func(t *testing.T) {
		_, err := Run(t.Context(), enginetest.Go(), newQuadratic(t, 1, 2), o, out, &listener{})
		if err == nil || !strings.Contains(err.Error(), out) {
			t.Errorf("error %v, want one that names %s", err, out)
		}
	})
	for name, change := range map[string]func(*Options){
		"epochs": func(o *Options) { o.Epochs++ }, "batch size": func(o *Options) { o.BatchSize++ },
		"encoder rate": func(o *Options) { o.EncoderRate *= 2 }, "task rate": func(o *Options) { o.TaskRate *= 2 },
		"warm-up": func(o *Options) { o.WarmUp = 0 }, "clip norm": func(o *Options) { o.ClipNorm = 1 },
		"weight decay": func(o *Options) { o.WeightDecay = 0 }, "seed": func(o *Options) { o.Seed++ }, "EMA": func(o *Options) { o.EMA = 0.5 },
		"layer decay": func(o *Options) { o.LayerDecay = 0.9 },
	} {
		t.Run("with another "+name, func(t *testing.T) {
			other := o
			other.Resume = true
			change(&other)
			_, err := Run(t.Context(), enginetest.Go(), newQuadratic(t, 1, 2), other, out, &listener{})
			if err == nil || !strings.Contains(err.Error(), "other options") || !strings.Contains(err.Error(), out) {
				t.Errorf("error %v, want one that names %s and other options", err, out)
			}
		})
	}
}

func TestResumeOfDamagedCheckpoints(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"history is gone":  func(dir string) error { return os.Remove(filepath.Join(dir, HistoryFile)) },
		"history is cut":   func(dir string) error { return os.Truncate(filepath.Join(dir, HistoryFile), 20) },
		"history is empty": func(dir string) error { return os.Truncate(filepath.Join(dir, HistoryFile), 0) },
		"no epochs": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, HistoryFile), []byte(`{"options":{"epochs":3,"batchSize":1,"encoderRate":0.05,"taskRate":0.1,"warmUp":0.25,"clipNorm":6,"weightDecay":0.1,"seed":5},"epochs":[],"best":-1}`), 0o644)
		},
		"state is gone": func(dir string) error { return os.Remove(filepath.Join(dir, "state")) },
		"variables are cut": func(dir string) error {
			return eachFile(dir, ".bin", func(path string) error { return os.Truncate(path, 9) })
		},
		"variables are gone": func(dir string) error { return eachFile(dir, ".bin", os.Remove) },
		"index is cut": func(dir string) error {
			return eachFile(dir, ".json", func(path string) error { return os.Truncate(path, 9) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, out := testOptions(), t.TempDir()
			o.MaxSteps = 2
			mustRun(t, newQuadratic(t, 1, 2), o, out)
			dir := filepath.Join(out, checkpointDir)
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			o.Resume, o.MaxSteps = true, 0
			_, err := Run(t.Context(), enginetest.Go(), newQuadratic(t, 1, 2), o, out, &listener{})
			if err == nil || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, want one that names %s", err, dir)
			}
		})
	}
}

func eachFile(dir, ending string, do func(path string) error) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+ending))
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("no %s in %s: %w", ending, dir, err)
	}
	for _, path := range paths {
		if err := do(path); err != nil {
			return err
		}
	}
	return nil
}

func TestLossThatIsNotFinite(t *testing.T) {
	for _, spoiled := range []float32{float32(math.NaN()), float32(math.Inf(1)), 1e30} {
		out := t.TempDir()
		l := newQuadratic(t, 1, 2)
		o := testOptions()
		progress := &listener{onStep: func(step int) {
			if step == 2 {
				l.targets[0] = spoiled
			}
		}}
		history, err := Run(t.Context(), enginetest.Go(), l, o, out, progress)
		if !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), filepath.Join(out, checkpointDir)) || !strings.Contains(err.Error(), "epoch 2") {
			t.Errorf("target %g: error %v, want one that tells of the epoch and the checkpoint", spoiled, err)
		}
		if len(history.Epochs) != 1 {
			t.Errorf("target %g: history %+v, want the first epoch", spoiled, history)
		}
		resumed := newQuadratic(t, 1, 2)
		o.Resume = true
		mustRun(t, resumed, o, out)
		for path, values := range resumed.values() {
			for _, x := range values {
				if math.IsNaN(float64(x)) {
					t.Errorf("target %g: %s is not finite after the resumed run", spoiled, path)
				}
			}
		}
	}
}

func TestLossThatIsNotFiniteFromTheStart(t *testing.T) {
	out := t.TempDir()
	_, err := Run(t.Context(), enginetest.Go(), newQuadratic(t, float32(math.NaN())), testOptions(), out, &listener{})
	if !errors.Is(err, ErrNotFinite) || strings.Contains(err.Error(), out) || !strings.Contains(err.Error(), "no checkpoint") {
		t.Errorf("error %v, want one that names no checkpoint", err)
	}
}

func TestErrorsOfTheLearner(t *testing.T) {
	fault := errors.New("disk is full")
	for name, spoil := range map[string]func(*quadratic){
		"evaluate": func(l *quadratic) { l.evaluate = func(context.Context) error { return fault } },
		"save":     func(l *quadratic) { l.save = func(string) error { return fault } },
		"save, half": func(l *quadratic) {
			l.save = func(dir string) error { return errors.Join(os.Mkdir(dir, 0o755), fault) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, out := newQuadratic(t, 1, 2), t.TempDir()
			spoil(l)
			if _, err := Run(t.Context(), enginetest.Go(), l, testOptions(), out, &listener{}); !errors.Is(err, fault) {
				t.Errorf("error %v, want the learner's", err)
			}
			if _, err := os.Stat(filepath.Join(out, BestDir)); err == nil {
				t.Error("a best model was left")
			}
			again, o := newQuadratic(t, 1, 2), testOptions()
			mustRun(t, again, o, out) // what was left does not stand in the way
		})
	}
}

// TestSweep: of rates that diverge, fit and are far too small, the sweep takes
// those that fit, and a run that is resumed takes them again without a trial.
func TestSweep(t *testing.T) {
	o, out := testOptions(), t.TempDir()
	fresh := func() (Learner, error) {
		l := newQuadratic(t, 1, 1, 1)
		l.score = func(int) Score { // the nearer to the targets the better
			distance := 0.0
			for path, values := range l.values() {
				for _, x := range values {
					if path != "/encoder/frozen" {
						distance += math.Abs(float64(x) - 1)
					}
				}
			}
			return Score{Entity: 1 / (1 + distance)}
		}
		return l, nil
	}
	var heard []Trial
	tell := func(trial Trial) { heard = append(heard, trial) }
	got, trials, err := Sweep(t.Context(), enginetest.Go(), fresh, o, []float64{1e-3, 10, 1e30}, 4, out, &listener{}, tell)
	if err != nil {
		t.Fatal(err)
	}
	if got.EncoderRate != 10*o.EncoderRate || got.TaskRate != 10*o.TaskRate || got.Epochs != o.Epochs {
		t.Errorf("options %+v after trials %+v, want ten times the rates", got, trials)
	}
	if len(heard) != 3 || !trials[2].Diverged {
		t.Errorf("trials %+v, want three of which the last diverged", heard)
	}
	if diff := cmp.Diff([]string{SweepFile}, files(t, out)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	o.Resume = true
	factors := []float64{1e-3, 10, 1e30}
	again, _, err := Sweep(t.Context(), enginetest.Go(), nil, o, factors, 4, out, &listener{}, tell)
	if err != nil || again.EncoderRate != got.EncoderRate {
		t.Errorf("resumed: %+v, %v, want the rates that were found", again, err)
	}
	if _, _, err = Sweep(t.Context(), enginetest.Go(), nil, o, factors[:2], 4, out, &listener{}, tell); err == nil || !strings.Contains(err.Error(), out) {
		t.Errorf("resumed with other factors: %v", err)
	}
	if _, _, err = Sweep(t.Context(), enginetest.Go(), nil, o, factors, 3, out, &listener{}, tell); err == nil || !strings.Contains(err.Error(), "4 epochs") {
		t.Errorf("resumed with other epochs: %v", err)
	}
	half := t.TempDir()
	stopped, stop := context.WithCancel(t.Context())
	if _, _, err := Sweep(stopped, enginetest.Go(), fresh, testOptions(), factors, 4, half, &listener{}, func(Trial) { stop() }); !errors.Is(err, context.Canceled) {
		t.Errorf("broken off after a trial: %v", err)
	}
	heard = nil
	stopped, stop = context.WithCancel(t.Context())
	inside := &listener{onStep: func(int) { stop() }}
	if _, _, err := Sweep(stopped, enginetest.Go(), fresh, o, factors, 4, half, inside, tell); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "goes on after step 1") {
		t.Errorf("broken off in a trial: %v", err)
	}
	if begun, err := Begun(half); err != nil || !begun {
		t.Errorf("what a sweep left is no run: %t, %v", begun, err)
	}
	rest := &listener{}
	whole, left, err := Sweep(t.Context(), enginetest.Go(), fresh, o, factors, 4, half, rest, tell)
	if err != nil || whole.EncoderRate != got.EncoderRate || len(heard) != 2 {
		t.Errorf("gone on with: %+v, %v, %d trials, want the same rates after the two that were left", whole, err, len(heard))
	}
	if diff := cmp.Diff(trials, left); diff != "" || rest.steps[0] != 2 {
		t.Errorf("gone on from step %d (-in one go +gone on):\n%s", rest.steps[0], diff)
	}
	if diff := cmp.Diff([]string{SweepFile}, files(t, half)); diff != "" {
		t.Errorf("files after going on (-want +got):\n%s", diff)
	}
	_, _, err = Sweep(t.Context(), enginetest.Go(), fresh, testOptions(), []float64{1e30}, 2, t.TempDir(), &listener{}, tell)
	if err == nil || !strings.Contains(err.Error(), "diverged") {
		t.Errorf("all diverge: %v", err)
	}
}
