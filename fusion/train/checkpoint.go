package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/gomlx/ml/model/checkpoint"
)

// saveBest puts the model as it is in out/best, whole or not at all.
func (r *run) saveBest(ctx context.Context) error {
	dir := filepath.Join(r.out, BestDir)
	next := dir + nextSuffix
	if err := os.RemoveAll(next); err != nil {
		return fmt.Errorf("save the best model: %w", err)
	}
	if err := r.learner.Save(ctx, next); err != nil {
		return fmt.Errorf("save the best model: %w", err)
	}
	return replaceDir(dir, next)
}

// saveCheckpoint writes every variable, the learner's state and the history, whole
// or not at all.
func (r *run) saveCheckpoint() error {
	dir := filepath.Join(r.out, checkpointDir)
	next := dir + nextSuffix
	if err := os.RemoveAll(next); err != nil {
		return fmt.Errorf("save the checkpoint: %w", err)
	}
	handler, err := checkpoint.Build(r.learner.Store()).Dir(next).ExcludeAllParams().Keep(1).Done()
	if err != nil {
		return fmt.Errorf("save the checkpoint: %w", err)
	}
	if err := handler.Save(); err != nil {
		return fmt.Errorf("save the checkpoint: %w", err)
	}
	if err := r.learner.SaveState(next); err != nil {
		return fmt.Errorf("save the checkpoint: %w", err)
	}
	data, err := json.MarshalIndent(r.history, "", "  ")
	if err != nil {
		return fmt.Errorf("save the history: %w", err)
	}
	if err := os.WriteFile(filepath.Join(next, HistoryFile), data, 0o644); err != nil {
		return fmt.Errorf("save the history: %w", err)
	}
	if err := replaceDir(dir, next); err != nil {
		return err
	}
	r.saved = time.Now()
	return writeFile(filepath.Join(r.out, HistoryFile), data)
}

// Begun tells whether a directory holds a run that can be resumed, if only a sweep.
func Begun(out string) (bool, error) {
	for _, name := range []string{checkpointDir, checkpointDir + oldSuffix, trialsDir, SweepFile} {
		_, err := os.Stat(filepath.Join(out, name))
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("open output directory: %w", err)
		}
	}
	return false, nil
}

// resume reads the checkpoint of an interrupted run with the same options.
func (r *run) resume() error {
	dir := filepath.Join(r.out, checkpointDir)
	data, err := os.ReadFile(filepath.Join(dir, HistoryFile))
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	var history History
	if err := json.Unmarshal(data, &history); err != nil {
		return fmt.Errorf("resume: %s: %w", filepath.Join(dir, HistoryFile), err)
	}
	last, ok := history.saved()
	if !ok {
		return fmt.Errorf("resume: %s: no epochs", filepath.Join(dir, HistoryFile))
	}
	if err := sameRecipe(history.Options, r.o); err != nil {
		return fmt.Errorf("resume %s: %w", r.out, err)
	}
	// Variables that the graph makes are loaded when it makes them: their order,
	// in which sums over all of them are taken, is that of an uninterrupted run.
	if _, err := checkpoint.Load(r.learner.Store()).Dir(dir).Done(); err != nil {
		return fmt.Errorf("resume: read the checkpoint in %s: %w", dir, err)
	}
	if err := r.learner.LoadState(dir); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if err := writeFile(filepath.Join(r.out, HistoryFile), data); err != nil { // of a process that was killed before it
		return err
	}
	r.history = history
	r.history.Options = r.o
	r.steps = last.Steps
	r.started = time.Now().Add(-last.Elapsed)
	return nil
}

// sameRecipe refuses to go on with options that would give another model.
func sameRecipe(before, now Options) error {
	before.Resume, now.Resume = false, false
	before.MaxSteps, now.MaxSteps = 0, 0
	before.Patience, now.Patience = 0, 0
	before.SaveEvery, now.SaveEvery = 0, 0
	if before != now {
		return errors.New("the run was begun with other options: give the same, or start anew in another directory")
	}
	return nil
}

// A directory is replaced by one that was written whole beside it. Both moves
// are atomic, so that whenever a process is killed one of the two is there whole.
const (
	nextSuffix = ".next" // of what is being written
	oldSuffix  = ".old"  // of what is being replaced
)

// replaceDir puts dir.next, which is complete, in the place of dir.
func replaceDir(dir, next string) error {
	old := dir + oldSuffix
	if err := os.RemoveAll(old); err != nil {
		return fmt.Errorf("replace %s: %w", dir, err)
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace %s: %w", dir, err)
	}
	if err := os.Rename(next, dir); err != nil {
		return fmt.Errorf("replace %s: %w", dir, err)
	}
	return os.RemoveAll(old)
}

// recoverDirs completes what replaceDir began before the process was killed:
// where the old directory has moved away, the new one is complete.
func recoverDirs(out string) error {
	for _, name := range []string{BestDir, checkpointDir} {
		dir := filepath.Join(out, name)
		_, err := os.Stat(dir + oldSuffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			if err := os.Rename(dir+nextSuffix, dir); err != nil {
				return err
			}
		}
		if err := os.RemoveAll(dir + oldSuffix); err != nil {
			return err
		}
	}
	return nil
}

// writeFile replaces a file, whole or not at all.
func writeFile(path string, data []byte) error {
	next := path + ".next"
	if err := os.WriteFile(next, data, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
