// Package train is the training loop that the models of keci share: batches in
// a seeded order, AdamW with a learning rate for the encoder and another for
// the rest, warm-up and linear decay, clipping, a held-out score after each
// epoch, and checkpoints from which an interrupted run goes on.
package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Options say how to train.
type Options struct {
	Epochs      int     `json:"epochs"`
	MaxSteps    int     `json:"maxSteps,omitempty"`   // stop after so many steps; 0 means no limit. The schedule is that of Epochs.
	Patience    int     `json:"patience,omitempty"`   // stop after so many whole epochs without a better score; 0 means never
	BatchSize   int     `json:"batchSize"`            // texts
	EncoderRate float64 `json:"encoderRate"`          // highest learning rate of the encoder
	TaskRate    float64 `json:"taskRate"`             // highest learning rate of everything else
	WarmUp      float64 `json:"warmUp"`               // share of the steps in which both rates rise from 0
	ClipNorm    float64 `json:"clipNorm"`             // largest global norm of the gradient
	WeightDecay float64 `json:"weightDecay"`          // on the encoder's matrices
	EMA         float64 `json:"ema,omitempty"`        // the weights' running mean, which keeps so much of itself in a step, is measured and saved; 0: the last weights
	LayerDecay  float64 `json:"layerDecay,omitempty"` // learning rate of a layer of the encoder, as a share of that of the layer after it; 0: all learn alike
	Seed        int64   `json:"seed"`
	Resume      bool    `json:"-"` // go on from the checkpoint in the output directory

	SaveEvery time.Duration `json:"-"` // an epoch that takes longer is saved inside as well; 0: only when it ends or is stopped
}

// DefaultOptions are the usual ones; a model tells those it was trained with.
func DefaultOptions() Options {
	return Options{
		Epochs: 24, BatchSize: 8, EncoderRate: 2e-4, TaskRate: 5e-4,
		WarmUp: 0.1, ClipNorm: 1, WeightDecay: 0.01, Seed: 1, SaveEvery: 10 * time.Minute,
	}
}

// Validate reports the first option that makes no sense.
func (o Options) Validate() error {
	switch {
	case o.Epochs < 1:
		return fmt.Errorf("epochs is %d, it must be at least 1", o.Epochs)
	case o.BatchSize < 1:
		return fmt.Errorf("batch size is %d, it must be at least 1", o.BatchSize)
	case o.EncoderRate < 0 || o.TaskRate <= 0:
		return fmt.Errorf("learning rates are %g (encoder) and %g: the first must not be negative, and the second positive", o.EncoderRate, o.TaskRate)
	case o.WarmUp < 0 || o.WarmUp > 1:
		return fmt.Errorf("warm-up is %g, it is a share of the steps in [0, 1]", o.WarmUp)
	case o.ClipNorm <= 0 || o.WeightDecay < 0 || o.MaxSteps < 0 || o.Patience < 0:
		return errors.New("clip norm must be positive; weight decay, max steps and patience not negative")
	case !(o.LayerDecay >= 0 && o.LayerDecay <= 1):
		return fmt.Errorf("layer decay is %g, it must lie in [0, 1]", o.LayerDecay)
	case !(o.EMA >= 0 && o.EMA < 1):
		return fmt.Errorf("EMA is %g, it must lie in [0, 1)", o.EMA)
	}
	return nil
}

// Learner is a model in training: it makes batches, builds its loss, and
// measures itself on what is held out.
type Learner interface {
	// Store holds the variables.
	Store() *model.Store
	// Loss builds what a shard adds to the loss of its batch, a float32 scalar.
	// It is called once for each shard.
	Loss(root *model.Scope, shard []*graph.Node) *graph.Node
	// Batches lays out the batches of an epoch (from 0), all random choices
	// drawn from rng.
	Batches(ctx context.Context, epoch int, rng *rand.Rand) ([]Batch, error)
	// Evaluate measures the model as it is on the held-out data. The error is
	// ErrNothingHeldOut when there is none: then the last epoch is the best.
	Evaluate(ctx context.Context) (Score, error)
	// Save writes the model as it is into dir, which does not exist.
	Save(ctx context.Context, dir string) error
	// SaveState writes what a resumed run needs beside the variables into dir, a
	// checkpoint; LoadState reads it.
	SaveState(dir string) error
	LoadState(dir string) error
}

// Batch lays out the texts of one optimizer step when they are needed: its
// shards, which are computed side by side and whose losses are added, each as
// the inputs of Learner.Loss. All batches have the same number of shards, at
// least one, and these the same number of tensors.
type Batch func() [][]*tensors.Tensor

// Score is what a learner reaches on held-out data, 0…1: both F1 of a model that
// extracts, or the likelihood of a language model.
type Score struct {
	Entity     float64 `json:"entity"`               // F1
	Relation   float64 `json:"relation"`             // F1
	Likelihood float64 `json:"likelihood,omitempty"` // of a hidden word piece, exp(−loss): 1/perplexity

	EntitiesGiven bool `json:"entitiesGiven,omitempty"` // Entity is not measured, Relation is macro F1 between annotated entities
}

// String tells the F1 of a model that extracts, in percent.
func (s Score) String() string {
	if s.EntitiesGiven {
		return fmt.Sprintf("relation macro F1 %.2f between given entities", 100*s.Relation)
	}
	return fmt.Sprintf("entity F1 %.2f, relation F1 %.2f", 100*s.Entity, 100*s.Relation)
}

// Selection is the number by which epochs are compared: the mean of both F1, or
// the likelihood.
func (s Score) Selection() float64 { return (s.Entity+s.Relation)/2 + s.Likelihood }

// Epoch is one line of the history of a run: what was measured after an epoch,
// or inside one where MaxSteps stopped the run.
type Epoch struct {
	Epoch   int           `json:"epoch"`             // from 1
	Batches int           `json:"batches,omitempty"` // of this epoch, where it was stopped before its end; 0 for a whole epoch
	Steps   int           `json:"steps"`             // since the start of the run
	Loss    float64       `json:"loss"`              // mean over the epoch
	Score   Score         `json:"score"`             // held out
	Elapsed time.Duration `json:"elapsedNanoseconds"`
}

// whole tells whether all batches of the epoch were seen.
func (e Epoch) whole() bool { return e.Batches == 0 }

// History is the record of a run; it is also what a checkpoint knows beside the
// variables. A run that was stopped inside an epoch and went on has a line for
// the part and a line for the whole.
type History struct {
	Options Options `json:"options"`
	Epochs  []Epoch `json:"epochs"`
	Best    int     `json:"best"`           // index into Epochs, −1 before the first
	Part    *Epoch  `json:"part,omitempty"` // the epoch under way as far as it was saved, not measured; nil: the last of Epochs was
}

// saved is what the checkpoint holds. It is false before the first.
func (h History) saved() (Epoch, bool) {
	switch {
	case h.Part != nil:
		return *h.Part, true
	case len(h.Epochs) > 0:
		return h.Epochs[len(h.Epochs)-1], true
	}
	return Epoch{}, false
}

// next is the epoch to train now, from 0, and what was done of it before.
func (h History) next() (epoch int, done Epoch) {
	last, ok := h.saved()
	if !ok {
		return 0, Epoch{}
	}
	if last.whole() {
		return last.Epoch, Epoch{}
	}
	return last.Epoch - 1, last
}

// outOfPatience tells whether the last whole epochs all brought nothing better.
func (h History) outOfPatience() bool {
	if h.Options.Patience == 0 || h.Best < 0 {
		return false
	}
	without := 0
	for _, e := range h.Epochs[h.Best+1:] {
		if e.whole() {
			without++
		}
	}
	return without >= h.Options.Patience
}

// Progress hears of every step, of which total will be done at most, and of
// every epoch.
type Progress interface {
	Step(done, total int, loss float64)
	Epoch(e Epoch, best bool)
}

// The files of an output directory.
const (
	BestDir       = "best" // the model of the best epoch
	HistoryFile   = "history.json"
	checkpointDir = "checkpoint" // all variables with the optimizer's, when they were last measured
)

// ErrNotFinite is returned, wrapped, when the loss is not a number.
var ErrNotFinite = errors.New("loss is not finite")

// ErrNothingHeldOut is what a learner's Evaluate returns when it learns from all data.
var ErrNothingHeldOut = errors.New("nothing is held out")

// Run trains the learner and leaves the best model in out/best, the history in
// out/history.json, its picture in out/curve.png and a checkpoint in
// out/checkpoint. When ctx is cancelled it stops after the step under way and saves
// that; when MaxSteps is reached, after measuring the model as it is. Options.Resume
// goes on from there to the same weights.
func Run(ctx context.Context, backend compute.Backend, learner Learner, o Options, out string, progress Progress) (History, error) {
	if err := o.Validate(); err != nil {
		return History{}, fmt.Errorf("training options: %w", err)
	}
	r := &run{backend: backend, learner: learner, o: o, out: out, progress: progress,
		history: History{Options: o, Best: -1}, started: time.Now(), saved: time.Now()}
	if err := r.open(); err != nil {
		return History{}, err
	}
	if err := r.buildStep(); err != nil {
		return History{}, err
	}
	defer func() { r.exec.Finalize() }()
	for !r.isDone() {
		epoch, done := r.history.next()
		if err := r.epoch(ctx, epoch, done); err != nil {
			return r.history, err
		}
	}
	return r.history, nil
}

// isDone tells whether there is nothing left to do: neither a step nor to measure
// what an interrupted run had learned.
func (r *run) isDone() bool {
	epoch, _ := r.history.next()
	switch {
	case epoch >= r.o.Epochs || r.history.outOfPatience():
		return true
	case r.history.Part != nil:
		return false
	}
	return r.reachedMaxSteps()
}

// run is a training run under way.
type run struct {
	backend  compute.Backend
	learner  Learner
	o        Options
	out      string
	progress Progress
	exec     *model.Exec
	graphs   map[string]bool // shapes of batches for which exec has built a graph
	compiled bool            // whether a step's graph was built, and with it every variable made or read from the checkpoint
	history  History
	steps    int // done
	shards   int // of a batch
	started  time.Time
	saved    time.Time // when the last checkpoint was written, or the run began
}

// open makes the output directory, or reads the checkpoint of an interrupted run.
func (r *run) open() error {
	if err := r.learner.Store().SetRNGStateFromSeed(r.o.Seed); err != nil {
		return fmt.Errorf("seed the random numbers: %w", err)
	}
	if err := recoverDirs(r.out); err != nil {
		return fmt.Errorf("open output directory: %w", err)
	}
	_, err := os.Stat(filepath.Join(r.out, checkpointDir))
	switch {
	case r.o.Resume && err == nil:
		return r.resume()
	case r.o.Resume:
		slog.Info("no checkpoint yet, starting from the beginning", "dir", r.out)
	case err == nil:
		return fmt.Errorf("%s holds a training run already: choose another directory, or --resume it", r.out)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open output directory: %w", err)
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return fmt.Errorf("make output directory: %w", err)
	}
	return nil
}

// stepScalars is how many scalars the graph of a step has before its shards: rates.
const stepScalars = 4

// buildStep makes the graph of one training step. Its inputs are the scalars of
// rates and the tensors of each shard; it gives the loss and the gradient's norm.
func (r *run) buildStep() error {
	store := r.learner.Store()
	exec, err := model.NewExec(r.backend, store, func(root *model.Scope, in []*graph.Node) []*graph.Node {
		store.SetTraining(in[0].Graph(), true)
		loss := r.loss(root, in[stepScalars:])
		norm := update(root, loss, rates{in[0], in[1], in[2], in[3]}, r.o)
		return []*graph.Node{loss, norm}
	})
	if err != nil {
		return fmt.Errorf("build the training step: %w", err)
	}
	r.exec, r.graphs = exec, map[string]bool{}
	r.exec.SetMaxCache(-1)
	return nil
}

// mostGraphs is for how many shapes of batches the graphs of a step are kept, so that what
// is alive does not grow with the length of a run: that of one on five corpora that kept
// all had grown from 3.3 to 6.3 GB after 1,500 steps.
const mostGraphs = 128

// makeRoom drops all graphs where there are many, and the batch needs another.
func (r *run) makeRoom(batch []*tensors.Tensor) error {
	var shape strings.Builder
	for _, t := range batch {
		shape.WriteString(t.Shape().String())
	}
	if r.graphs[shape.String()] {
		return nil
	}
	if len(r.graphs) >= mostGraphs {
		r.exec.Finalize()
		if err := r.buildStep(); err != nil {
			return err
		}
	}
	r.graphs[shape.String()] = true
	return nil
}

// loss is the sum of what the shards add, each of which has as many of the inputs.
func (r *run) loss(root *model.Scope, in []*graph.Node) *graph.Node {
	var sum *graph.Node
	for shard := range slices.Chunk(in, len(in)/r.shards) {
		part := r.learner.Loss(root, shard)
		if sum == nil {
			sum = part
			continue
		}
		sum = graph.Add(sum, part)
	}
	return sum
}

// epoch trains on every batch once, but for those that were done before, measures, and saves.
func (r *run) epoch(ctx context.Context, epoch int, before Epoch) error {
	rng := rand.New(rand.NewPCG(uint64(r.o.Seed), uint64(epoch)))
	batches, err := r.learner.Batches(ctx, epoch, rng)
	if err != nil {
		return fmt.Errorf("epoch %d: %w", epoch+1, err)
	}
	if before.Batches > len(batches) {
		return fmt.Errorf("epoch %d has %d steps, and the checkpoint in %s did %d of it: it is of other texts", epoch+1, len(batches), r.out, before.Batches)
	}
	total, done, sum := len(batches)*r.o.Epochs, before.Batches, before.Loss*float64(before.Batches)
	for _, batch := range batches[done:] {
		if r.reachedMaxSteps() {
			break
		}
		if ctx.Err() != nil || r.o.SaveEvery > 0 && time.Since(r.saved) >= r.o.SaveEvery {
			if err := r.savePart(Epoch{Epoch: epoch + 1, Batches: done, Loss: sum / max(1, float64(done))}); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("training stopped in epoch %d; %s: %w", epoch+1, r.whereToResume(), err)
		}
		loss, err := r.step(batch(), total)
		if err != nil {
			return fmt.Errorf("epoch %d, step %d: %w", epoch+1, r.steps, err)
		}
		done, sum = done+1, sum+loss
		r.progress.Step(r.steps, r.lastStep(total), sum/float64(done))
	}
	if err := r.compile(batches); err != nil {
		return fmt.Errorf("epoch %d: %w", epoch+1, err)
	}
	e := Epoch{Epoch: epoch + 1, Steps: r.steps, Loss: sum / float64(done)}
	if done < len(batches) {
		e.Batches = done
	}
	if err := r.measure(ctx, e); err == nil || ctx.Err() == nil {
		return err
	}
	e.Batches = done
	if err := r.savePart(e); err != nil {
		return err
	}
	return fmt.Errorf("training stopped while epoch %d was measured; %s: %w", epoch+1, r.whereToResume(), ctx.Err())
}

// compile builds the graph of a step where none was done since the run was resumed:
// only then are all variables there, to be measured and saved.
func (r *run) compile(batches []Batch) error {
	if r.compiled {
		return nil
	}
	shards := batches[0]()
	r.shards = len(shards)
	of := slices.Repeat([]shapes.Shape{shapes.Make(dtypes.Float32)}, stepScalars)
	for _, t := range slices.Concat(shards...) {
		of = append(of, t.Shape())
		t.MustFinalizeAll()
	}
	if _, err := r.exec.Compile(of...); err != nil {
		return fmt.Errorf("build the training step: %w", err)
	}
	r.compiled = true
	return nil
}

// savePart writes a checkpoint inside an epoch, so many batches of which are done.
// Where no step was done since the last one, that is as good.
func (r *run) savePart(e Epoch) error {
	if last, ok := r.history.saved(); e.Batches == 0 || ok && last.Steps == r.steps {
		return nil
	}
	e.Steps, e.Elapsed = r.steps, time.Since(r.started)
	r.history.Part = &e
	return r.saveCheckpoint()
}

func (r *run) reachedMaxSteps() bool { return r.o.MaxSteps > 0 && r.steps >= r.o.MaxSteps }

// lastStep is where the run ends at the latest, of total steps in all epochs.
func (r *run) lastStep(total int) int {
	if r.o.MaxSteps > 0 {
		return min(total, r.o.MaxSteps)
	}
	return total
}

// whereToResume tells what a run that stops now can go on from.
func (r *run) whereToResume() string {
	last, ok := r.history.saved()
	if !ok {
		return "nothing was saved yet"
	}
	return fmt.Sprintf("--resume goes on after step %d", last.Steps)
}

// step runs one optimizer step and returns its loss.
func (r *run) step(shards [][]*tensors.Tensor, total int) (float64, error) {
	r.steps++
	r.shards = len(shards)
	batch := slices.Concat(shards...)
	if err := r.makeRoom(batch); err != nil {
		return 0, err
	}
	factor := schedule(r.steps, total, r.o.WarmUp)
	first, second := biasCorrections(r.steps)
	args := []any{float32(r.o.EncoderRate * factor), float32(r.o.TaskRate * factor), first, second}
	for _, t := range batch {
		args = append(args, t)
	}
	outs, err := r.exec.Call(args...)
	if err != nil {
		return 0, fmt.Errorf("run the training step: %w", err)
	}
	r.compiled = true
	for _, t := range batch {
		t.MustFinalizeAll()
	}
	loss, norm := float64(tensors.ToScalar[float32](outs[0])), float64(tensors.ToScalar[float32](outs[1]))
	if math.IsNaN(loss+norm) || math.IsInf(loss+norm, 0) {
		return 0, fmt.Errorf("%w (loss %g, gradient norm %g): %s; start anew with lower learning rates", ErrNotFinite, loss, norm, r.lastGood())
	}
	return loss, nil
}

// lastGood names the checkpoint, if there is one.
func (r *run) lastGood() string {
	last, ok := r.history.saved()
	if !ok {
		return "there is no checkpoint yet"
	}
	return fmt.Sprintf("the last good checkpoint, after step %d, is in %s", last.Steps, filepath.Join(r.out, checkpointDir))
}

// schedule is the share of the highest learning rate at a step (from 1): a
// linear rise over the warm-up, then a linear fall to 0 at the end.
func schedule(step, total int, warmUp float64) float64 {
	rise := warmUp * float64(total)
	s := float64(step)
	if s < rise {
		return s / rise
	}
	return max(0, (float64(total)-s)/max(1, float64(total)-rise))
}

// measure scores the model on the held-out data and saves what must survive.
func (r *run) measure(ctx context.Context, e Epoch) error {
	best := false
	if err := r.onAverages(func() (err error) {
		e, best, err = r.score(ctx, e)
		return err
	}); err != nil {
		return err
	}
	if err := r.saveCheckpoint(); err != nil {
		return err
	}
	if err := r.saveCurve(); err != nil {
		return err
	}
	r.progress.Epoch(e, best)
	return nil
}

// score measures the model on the held-out data, adds the epoch to the history,
// and saves the model when it is the best.
func (r *run) score(ctx context.Context, e Epoch) (measured Epoch, best bool, err error) {
	score, err := r.learner.Evaluate(ctx)
	unmeasured := errors.Is(err, ErrNothingHeldOut)
	if err != nil && !unmeasured {
		return e, false, fmt.Errorf("measure epoch %d: %w", e.Epoch, err)
	}
	best = unmeasured || r.history.Best < 0 || score.Selection() > r.history.Epochs[r.history.Best].Score.Selection()
	if best {
		if err := r.saveBest(ctx); err != nil {
			return e, true, err
		}
		r.history.Best = len(r.history.Epochs)
	}
	e.Score, e.Elapsed = score, time.Since(r.started)
	r.history.Epochs, r.history.Part = append(r.history.Epochs, e), nil
	return e, best, nil
}
