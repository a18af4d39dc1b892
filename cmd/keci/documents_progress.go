package main

import (
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph/format"
)

// documentProgress tells how many documents are done: a bar on a terminal, a line
// every plainInterval elsewhere. The time left follows from the bytes of the files
// that are read; it is not known of standard input.
type documentProgress struct {
	out           io.Writer
	bar           *progressbar.ProgressBar // nil where there is no terminal
	read, total   atomic.Int64             // bytes
	done, failed  int
	started, last time.Time
}

// barDelay is how long a run lasts before it is worth a bar.
const barDelay = time.Second

// newDocumentProgress tells nothing when it is to be quiet.
func newDocumentProgress(cmd *cobra.Command, f *documentFlags, paths []string) *documentProgress {
	p := &documentProgress{out: cmd.ErrOrStderr(), started: time.Now(), last: time.Now()}
	if f.quiet {
		p.out = io.Discard
		return p
	}
	if isTerminal(p.out) && !(f.output.output == "" && isTerminal(cmd.OutOrStdout())) {
		p.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(p.out), progressbar.OptionShowBytes(true),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	if len(paths) > 0 && !slices.Contains(paths, standardInput) {
		files := format.Files{Kind: format.Kind(f.in)}
		for _, path := range paths {
			p.total.Add(files.Size(path))
		}
	}
	return p
}

// Read counts bytes of the input. It may be called beside the others.
func (p *documentProgress) Read(bytes int) { p.read.Add(int64(bytes)) }

// Document counts a document that was written, or that failed.
func (p *documentProgress) Document(failed bool) {
	p.done++
	if failed {
		p.failed++
	}
	switch now := time.Now(); {
	case p.bar != nil && now.Sub(p.started) > barDelay:
		p.bar.Describe(p.counts())
		if total := p.total.Load(); total > 0 {
			p.bar.ChangeMax64(total)
		}
		_ = p.bar.Set64(p.read.Load())
	case p.bar == nil && now.Sub(p.last) > plainInterval:
		p.last = now
		fmt.Fprintln(p.out, p.counts()+p.left())
	}
}

// counts says what is done, and at which rate.
func (p *documentProgress) counts() string {
	text := fmt.Sprintf("%s documents", humanize.Comma(int64(p.done)))
	if p.failed > 0 {
		text += fmt.Sprintf(" (%s failed)", humanize.Comma(int64(p.failed)))
	}
	return text + fmt.Sprintf(", %.1f/s", float64(p.done)/time.Since(p.started).Seconds())
}

// left says how much is read and how long the rest will take.
func (p *documentProgress) left() string {
	read, total := p.read.Load(), p.total.Load()
	if total == 0 || read == 0 {
		return ""
	}
	left := time.Duration(float64(time.Since(p.started)) * float64(max(0, total-read)) / float64(read))
	return fmt.Sprintf(", %s of %s read, %s left", humanize.Bytes(uint64(read)), humanize.Bytes(uint64(total)), left.Round(time.Second))
}

// Done removes the bar.
func (p *documentProgress) Done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
