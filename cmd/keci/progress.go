package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/keci-kg/keci/fusion/train"
)

// plainInterval is how often progress is told where there is no terminal.
const plainInterval = 10 * time.Second

// trainProgress tells how training goes: a bar on a terminal, a line every
// plainInterval elsewhere, and a line for each epoch.
type trainProgress struct {
	out     io.Writer
	bar     *progressbar.ProgressBar
	total   int
	last    time.Time
	started time.Time
	first   int // steps that were done before this run
}

// newTrainProgress writes to out, or nowhere when quiet.
func newTrainProgress(out io.Writer, quiet bool) *trainProgress {
	if quiet {
		out = io.Discard
	}
	p := &trainProgress{out: out, started: time.Now(), last: time.Now(), first: -1}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	return p
}

// Step tells the loss of the epoch so far.
func (p *trainProgress) Step(done, total int, loss float64) {
	if p.first < 0 {
		p.first = done - 1
	}
	if p.bar != nil {
		p.bar.ChangeMax(total)
		p.bar.Describe(fmt.Sprintf("training, loss %.3f", loss))
		_ = p.bar.Set(done)
		return
	}
	if time.Since(p.last) < plainInterval {
		return
	}
	p.last = time.Now()
	each := time.Since(p.started) / time.Duration(done-p.first)
	left := (time.Duration(total-done) * each).Round(time.Second)
	fmt.Fprintf(p.out, "step %d of %d, loss %.4f, %.2f steps/s, %s left\n", done, total, loss, 1/each.Seconds(), left)
}

// Epoch tells the score of an epoch.
func (p *trainProgress) Epoch(e train.Epoch, best bool) {
	mark := ""
	if best {
		mark = " (best so far)"
	}
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	score := ""
	if e.Score != (train.Score{}) {
		score = fmt.Sprintf(", held out: %s", e.Score)
	}
	fmt.Fprintf(p.out, "epoch %d: loss %.4f%s, after %s%s\n", e.Epoch, e.Loss, score, e.Elapsed.Round(time.Second), mark)
}
