package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// readProgress tells how far files are read: a bar on a terminal, a line every
// plainInterval elsewhere.
type readProgress struct {
	out           io.Writer
	bar           *progressbar.ProgressBar // nil where there is no terminal
	step          string
	read, total   int64 // bytes
	started, last time.Time
}

// newReadProgress writes to out, or nowhere when quiet.
func newReadProgress(out io.Writer, quiet bool) *readProgress {
	if quiet {
		out = io.Discard
	}
	p := &readProgress{out: out, started: time.Now(), last: time.Now()}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(true),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
	}
	return p
}

// Total sets how many bytes there are to read.
func (p *readProgress) Total(bytes int64) {
	p.total = bytes
	if p.bar != nil {
		p.bar.ChangeMax64(bytes)
	}
}

// Step tells what is being done.
func (p *readProgress) Step(name string) {
	p.step = name
	if p.bar != nil {
		p.bar.Describe(name)
	}
}

// Read counts bytes that were read.
func (p *readProgress) Read(bytes int) {
	p.read = min(p.read+int64(bytes), p.total)
	if p.bar != nil {
		_ = p.bar.Set64(p.read)
		return
	}
	if time.Since(p.last) < plainInterval || p.read == 0 {
		return
	}
	p.last = time.Now()
	elapsed := time.Since(p.started)
	left := time.Duration(float64(elapsed) * float64(p.total-p.read) / float64(p.read))
	fmt.Fprintf(p.out, "%s: %s of %s, %s/s, %s left\n", p.step,
		humanize.Bytes(uint64(p.read)), humanize.Bytes(uint64(p.total)),
		humanize.Bytes(uint64(float64(p.read)/elapsed.Seconds())), left.Round(time.Second))
}

// Done removes the bar and tells the outcome.
func (p *readProgress) Done(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
	fmt.Fprintf(p.out, format+" in %s\n", append(args, time.Since(p.started).Round(100*time.Millisecond))...)
}
