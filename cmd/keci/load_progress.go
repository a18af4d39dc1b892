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

// rowProgress tells how many rows are written: a bar on a terminal, a line every
// plainInterval elsewhere.
type rowProgress struct {
	out           io.Writer
	bar           *progressbar.ProgressBar // nil where there is no terminal
	first         int                      // rows that an earlier run had written
	started, last time.Time
}

// newRowProgress writes to out, or nowhere when quiet.
func newRowProgress(out io.Writer, quiet bool) *rowProgress {
	if quiet {
		out = io.Discard
	}
	p := &rowProgress{out: out, first: -1, started: time.Now(), last: time.Now()}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
	}
	return p
}

// Tell says what is being written and how many of all rows are there.
func (p *rowProgress) Tell(step string, done, total int) {
	if p.first < 0 {
		p.first = done
	}
	if p.bar != nil {
		p.bar.ChangeMax(total)
		p.bar.Describe(step)
		_ = p.bar.Set(min(done, total))
		return
	}
	if time.Since(p.last) < plainInterval {
		return
	}
	p.last = time.Now()
	rate := float64(done-p.first) / time.Since(p.started).Seconds()
	left := "?"
	if rate > 0 {
		left = time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second).String()
	}
	fmt.Fprintf(p.out, "%s: %s of %s rows, %s/s, %s left\n", step,
		humanize.Comma(int64(done)), humanize.Comma(int64(total)), humanize.Comma(int64(rate)), left)
}

// Done removes the bar and tells the outcome.
func (p *rowProgress) Done(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
	fmt.Fprintf(p.out, format+" in %s\n", append(args, time.Since(p.started).Round(100*time.Millisecond))...)
}
