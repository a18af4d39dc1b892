package main

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph/format"
)

// documentProgress tells how many documents are done. The time left follows from the
// bytes of the files that are read; it is not known of standard input.
type documentProgress struct {
	*progress
	read, total  atomic.Int64 // bytes
	done, failed int
}

// barDelay is how long a run lasts before it is worth a bar.
const barDelay = time.Second

// newDocumentProgress tells nothing when it is to be quiet, and draws no bar between
// documents that are written to the same terminal.
func newDocumentProgress(cmd *cobra.Command, f *documentFlags, paths []string) *documentProgress {
	p := &documentProgress{progress: newProgress(cmd.ErrOrStderr(), f.quiet, inBytes)}
	p.first = 0
	if f.output.output == "" && isTerminal(cmd.OutOrStdout()) {
		p.bar = nil
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
	if p.bar == nil || time.Since(p.started) > barDelay {
		p.tell(p.counts(), p.read.Load(), p.total.Load())
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
