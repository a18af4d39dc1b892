// Package spill sorts more than fits into memory.
package spill

import (
	"context"
	"fmt"
	"iter"

	"github.com/lanrat/extsort"
)

// chunk is how many strings are sorted in memory before they go to disk; four
// chunks are under way at a time.
const chunk = 1 << 17

// Sorter sorts strings, in order of their bytes. It holds half a million of them in
// memory and the others in a temporary file. Add all, then range over Sorted;
// Close gives up what is left.
type Sorter struct {
	ctx    context.Context
	cancel context.CancelFunc
	in     chan string
	out    <-chan string
	errs   <-chan error
	closed bool // in is closed
	failed error
}

// New makes a sorter whose temporary file lies in dir, for as long as the context lives.
func New(ctx context.Context, dir string) *Sorter {
	ctx, cancel := context.WithCancel(ctx)
	in := make(chan string, 1024)
	sorter, out, errs := extsort.Strings(in, &extsort.Config{ChunkSize: chunk, NumWorkers: 2, SortedChanBuffSize: 1024, TempFilesDir: dir})
	s := &Sorter{ctx: ctx, cancel: cancel, in: in, out: out, errs: errs}
	go sorter.Sort(ctx)
	return s
}

// Add adds a string.
func (s *Sorter) Add(record string) error {
	select {
	case s.in <- record:
		return nil
	case err := <-s.errs: // the disk is full, or the like
		return s.failure(err)
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// Sorted gives all strings in order, once. It ends with the first error.
func (s *Sorter) Sorted() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		defer s.Close()
		s.end()
		for record := range s.out {
			if !yield(record, nil) {
				return
			}
		}
		if err := <-s.errs; err != nil || s.failed != nil {
			yield("", s.failure(err))
		}
	}
}

// failure keeps the first error: the sorter tells it once.
func (s *Sorter) failure(err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if s.failed == nil {
		s.failed = fmt.Errorf("sorting on disk: %w", err)
	}
	return s.failed
}

func (s *Sorter) end() {
	if !s.closed {
		s.closed = true
		close(s.in)
	}
}

// Close gives up the sorting and removes the temporary file.
func (s *Sorter) Close() {
	s.cancel()
	s.end()
	for range s.out { // until the sorter has noticed
	}
}
