package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"
)

// SweepFile is where the output directory holds what a sweep found.
const SweepFile = "sweep.json"

// trialsDir is where it holds the trials under way.
const trialsDir = "trials"

// Trial is a short run of a sweep.
type Trial struct {
	Factor   float64 `json:"factor"`           // of both learning rates
	Epochs   int     `json:"epochs,omitempty"` // 0: not recorded
	Score    Score   `json:"score"`            // held out, at the end
	Loss     float64 `json:"loss"`             // mean over the last epoch
	Diverged bool    `json:"diverged,omitempty"`
}

// better tells whether a trial goes before another: by its score, then by its loss.
func (t Trial) better(than Trial) bool {
	if t.Diverged || than.Diverged {
		return !t.Diverged
	}
	if t.Score.Selection() != than.Score.Selection() {
		return t.Score.Selection() > than.Score.Selection()
	}
	return t.Loss < than.Loss
}

// Sweep looks for learning rates: it multiplies both with each of the factors,
// trains a fresh learner for a few epochs, with the whole schedule in them, and
// takes the factor that does best on what is held out. It returns the options
// with the rates to train with. The trials are kept in out/sweep.json as they
// end; a run that is resumed takes them from there, goes on with the one that was stopped,
// and with the others. tell hears of each trial.
func Sweep(ctx context.Context, backend compute.Backend, fresh func() (Learner, error), o Options, factors []float64, epochs int, out string, progress Progress, tell func(Trial)) (Options, []Trial, error) {
	short := o
	short.Epochs, short.Patience = epochs, 0
	if err := short.Validate(); err != nil {
		return o, nil, fmt.Errorf("sweep: %w", err)
	}
	path := filepath.Join(out, SweepFile)
	var trials []Trial
	if o.Resume {
		var err error
		if trials, err = readTrials(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return o, nil, fmt.Errorf("sweep: %w", err)
		}
	}
	if err := sameTrials(trials, factors, epochs); err != nil {
		return o, nil, fmt.Errorf("sweep: %s: %w", path, err)
	}
	trials, err := runTrials(ctx, backend, fresh, short, factors, trials, out, progress, tell)
	if err != nil {
		return o, nil, fmt.Errorf("sweep: %w", err)
	}
	best, err := bestTrial(trials)
	if err != nil {
		return o, trials, fmt.Errorf("sweep: %w", err)
	}
	o.EncoderRate, o.TaskRate = o.EncoderRate*best.Factor, o.TaskRate*best.Factor
	return o, trials, nil
}

func readTrials(path string) ([]Trial, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var trials []Trial
	if err := json.Unmarshal(data, &trials); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return trials, nil
}

// sameTrials refuses trials of other factors or epochs than those that are asked for.
func sameTrials(trials []Trial, factors []float64, epochs int) error {
	var tried []float64
	for _, t := range trials {
		tried = append(tried, t.Factor)
		if t.Epochs != 0 && t.Epochs != epochs {
			return fmt.Errorf("it was of %d epochs: give the same, or start anew in another directory", t.Epochs)
		}
	}
	if len(tried) > len(factors) || !slices.Equal(tried, factors[:len(tried)]) {
		return fmt.Errorf("it tried the factors %v: give the same, or start anew in another directory", tried)
	}
	return nil
}

func bestTrial(trials []Trial) (Trial, error) {
	best := Trial{Diverged: true}
	for _, t := range trials {
		if t.better(best) {
			best = t
		}
	}
	if best.Diverged {
		return best, errors.New("every trial diverged: try smaller factors")
	}
	return best, nil
}

// runTrials runs the trials of the factors that were not tried yet, and keeps what each
// gave as soon as it ends. The directories of trials do not stay.
func runTrials(ctx context.Context, backend compute.Backend, fresh func() (Learner, error), o Options, factors []float64, trials []Trial, out string, progress Progress, tell func(Trial)) ([]Trial, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	for _, factor := range factors[len(trials):] {
		dir := filepath.Join(out, trialsDir, fmt.Sprint(factor))
		t, err := runTrial(ctx, backend, fresh, o, factor, dir, progress)
		if err != nil {
			return nil, fmt.Errorf("factor %g: %w", factor, err)
		}
		tell(t)
		trials = append(trials, t)
		data, err := json.MarshalIndent(trials, "", "  ")
		if err != nil {
			return nil, err
		}
		if err := writeFile(filepath.Join(out, SweepFile), data); err != nil {
			return nil, err
		}
	}
	return trials, os.RemoveAll(filepath.Join(out, trialsDir))
}

// runTrial trains a learner in a directory, or goes on there.
func runTrial(ctx context.Context, backend compute.Backend, fresh func() (Learner, error), o Options, factor float64, dir string, progress Progress) (Trial, error) {
	learner, err := fresh()
	if err != nil {
		return Trial{}, err
	}
	defer learner.Store().Finalize()
	o.EncoderRate, o.TaskRate = o.EncoderRate*factor, o.TaskRate*factor
	history, err := Run(ctx, backend, learner, o, dir, progress)
	if errors.Is(err, ErrNotFinite) {
		return Trial{Factor: factor, Epochs: o.Epochs, Diverged: true}, nil
	}
	if err != nil {
		return Trial{}, err
	}
	last := history.Epochs[len(history.Epochs)-1]
	return Trial{Factor: factor, Epochs: o.Epochs, Score: last.Score, Loss: last.Loss}, nil
}
