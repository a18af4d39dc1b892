package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"

	"github.com/keci-kg/keci/fusion/train"
)

// plainInterval is how often progress is told where there is no terminal.
const plainInterval = 10 * time.Second

// progress tells how far something is: a bar on a terminal, a line every
// plainInterval elsewhere.
type progress struct {
	out           io.Writer
	bar           *progressbar.ProgressBar // nil where there is no terminal
	unit          unit
	first         int64 // done before this run; −1 before anything was told
	started, last time.Time
}

// unit is what is counted.
type unit struct {
	bytes bool
	write func(amount float64) string
}

var (
	things  = unit{write: func(n float64) string { return humanize.CommafWithDigits(n, 2) }}
	inBytes = unit{true, func(n float64) string { return humanize.Bytes(uint64(n)) }}
)

// newProgress writes to out, or nowhere when quiet.
func newProgress(out io.Writer, quiet bool, u unit) *progress {
	if quiet {
		out = io.Discard
	}
	p := &progress{out: out, unit: u, first: -1, started: time.Now(), last: time.Now()}
	if isTerminal(out) {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(u.bytes), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
	}
	return p
}

// tell says what is being done and how much of all is done; how much there is may
// not be known, then total is 0.
func (p *progress) tell(what string, done, total int64) {
	if p.first < 0 {
		p.first = done
	}
	if p.bar != nil {
		p.bar.Describe(what)
		if total > 0 {
			p.bar.ChangeMax64(total)
			done = min(done, total)
		}
		_ = p.bar.Set64(done)
		return
	}
	if time.Since(p.last) < plainInterval {
		return
	}
	p.last = time.Now()
	fmt.Fprintln(p.out, what+p.amounts(done, total))
}

// amounts says how much is done, how fast, and how long the rest will take.
func (p *progress) amounts(done, total int64) string {
	rate := float64(done-p.first) / time.Since(p.started).Seconds()
	if total == 0 || rate <= 0 {
		return ""
	}
	left := time.Duration(float64(total-done) / rate * float64(time.Second))
	return fmt.Sprintf(": %s of %s, %s/s, %s left", p.unit.write(float64(done)), p.unit.write(float64(total)), p.unit.write(rate), left.Round(time.Second))
}

// line removes the bar and writes a line.
func (p *progress) line(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}

// finish removes the bar and tells the outcome and how long it took.
func (p *progress) finish(format string, args ...any) {
	p.line(format+" in %s", append(args, time.Since(p.started).Round(100*time.Millisecond))...)
}

// remove removes the bar, if there is one.
func (p *progress) remove() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// tellRows is tell for rows that are written.
func (p *progress) tellRows(step string, done, total int) { p.tell(step, int64(done), int64(total)) }

// trainProgress tells how training goes, with a line for each epoch. It implements
// [train.Progress].
type trainProgress struct {
	*progress
	measured bool // whether epochs are, on what is held out
}

func newTrainProgress(out io.Writer, quiet bool) trainProgress {
	return trainProgress{newProgress(out, quiet, things), true}
}

// Step tells the loss of the epoch so far.
func (p trainProgress) Step(done, total int, loss float64) {
	p.tell(fmt.Sprintf("training, loss %.4f", loss), int64(done), int64(total))
}

// Epoch tells the score of an epoch.
func (p trainProgress) Epoch(e train.Epoch, best bool) {
	mark, score := "", ""
	if best && p.measured {
		mark = " (best so far)"
	}
	if p.measured {
		score = fmt.Sprintf(", held out: %s", e.Score)
	}
	p.line("epoch %d: loss %.4f%s, after %s%s", e.Epoch, e.Loss, score, e.Elapsed.Round(time.Second), mark)
}

// readProgress tells how far files are read.
type readProgress struct {
	*progress
	step        string
	read, total int64 // bytes
}

func newReadProgress(out io.Writer, quiet bool) *readProgress {
	return &readProgress{progress: newProgress(out, quiet, inBytes)}
}

// Step tells what is being done.
func (p *readProgress) Step(name string) {
	p.step = name
	p.tell(p.step, p.read, p.total)
}

// Read counts bytes that were read.
func (p *readProgress) Read(bytes int) {
	p.read = min(p.read+int64(bytes), p.total)
	p.tell(p.step, p.read, p.total)
}

// newTextProgress is for the texts of a corpus that are read, see texts.
func newTextProgress(out io.Writer, quiet bool) *progress { return newProgress(out, quiet, things) }

// texts begins to tell how many of so many texts are read. What it gives is to be
// called after each of them, also at the same time, and at the end.
func (p *progress) texts(total int) (read, end func()) {
	done, one := int64(0), sync.Mutex{}
	p.started = time.Now()
	p.tell("reading texts", 0, int64(total))
	return func() {
		one.Lock()
		defer one.Unlock()
		done++
		p.tell("reading texts", done, int64(total))
	}, p.remove
}
