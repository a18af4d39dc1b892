package main

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"

	"github.com/dustin/go-humanize/english"
	"golang.org/x/sync/errgroup"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// documentRun is one run of a command that reads documents.
type documentRun struct {
	files   format.Files
	stdin   io.Reader
	paths   []string
	unit    graph.OffsetUnit
	workers int
	limit   int // bytes of a text
	process func(context.Context, graph.Document) (graph.Document, error)
	onDone  func(failed bool)
}

// task is a document on its way through a worker.
type task struct {
	document graph.Document
	err      error
	done     chan struct{} // closed when document and err are final
}

// deliver writes every document, or why it failed, and counts both.
func (r documentRun) deliver(ctx context.Context, out *documentOutput) (total, failures int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	work := make(chan *task)
	inOrder := make(chan *task, 4*r.workers) // bounds what is read ahead
	go r.readInto(ctx, work, inOrder)        // not waited for: it may hang in a read
	for range r.workers {
		group.Go(func() error { return r.work(ctx, work) })
	}
	group.Go(func() error {
		for {
			t, err := receive(ctx, inOrder)
			if t == nil || err != nil {
				return err
			}
			if _, err := receive(ctx, t.done); err != nil {
				return err
			}
			total++
			if t.err != nil {
				failures++
			}
			if err := t.write(out); err != nil {
				return fmt.Errorf("write: %w", err)
			}
			r.onDone(t.err != nil)
		}
	})
	err = group.Wait()
	return total, failures, err
}

// receive gives the next value, the zero value when the channel is closed, or
// the error of the context.
func receive[T any](ctx context.Context, from <-chan T) (value T, err error) {
	select {
	case value = <-from:
	case <-ctx.Done():
	}
	return value, context.Cause(ctx)
}

// readInto hands every document to the workers and, in order, to the writer.
func (r documentRun) readInto(ctx context.Context, work, inOrder chan<- *task) {
	defer close(work)
	defer close(inOrder)
	known := newTexts()
	for document, err := range r.documents() {
		if err == nil {
			err = known.add(document)
		}
		t := &task{document, err, make(chan struct{})}
		for _, next := range []chan<- *task{inOrder, work} {
			select {
			case next <- t:
			case <-ctx.Done():
				return
			}
		}
	}
}

// work processes tasks until there are no more.
func (r documentRun) work(ctx context.Context, tasks <-chan *task) error {
	for {
		t, err := receive(ctx, tasks)
		if t == nil || err != nil {
			return err
		}
		if t.err == nil {
			t.document, t.err = r.result(ctx, t.document)
		}
		close(t.done)
	}
}

// write writes the document, or why it failed.
func (t *task) write(out *documentOutput) error {
	if t.err != nil {
		return out.writeFailure(t.document.ID, t.err)
	}
	return out.Write(t.document)
}

// result checks and processes one document.
func (r documentRun) result(ctx context.Context, document graph.Document) (graph.Document, error) {
	if err := graph.ValidateText(document.Text, r.limit); err != nil {
		if errors.Is(err, graph.ErrTextTooLong) {
			err = fmt.Errorf("%w (--max-text-bytes)", err)
		}
		return document, err
	}
	if err := graph.ValidateID(document.ID); err != nil {
		return document, err
	}
	done, err := r.process(ctx, document)
	if err != nil {
		return document, err
	}
	if done, err = done.WithOffsets(r.unit); err != nil {
		return document, err
	}
	return done, nil
}

// documents reads all documents. Each has an id, also with an error. A path without
// any gives an error.
func (r documentRun) documents() iter.Seq2[graph.Document, error] {
	return func(yield func(graph.Document, error) bool) {
		paths := r.paths
		if len(paths) == 0 {
			paths = []string{standardInput}
		}
		for _, path := range paths {
			documents := r.files.Read(path)
			if path == standardInput {
				documents = r.readStdin()
			}
			some := path == standardInput // which may well be empty
			for document, err := range documents {
				some = true
				if !yield(identified(document, err, path), err) {
					return
				}
			}
			if !some && !yield(graph.Document{ID: path}, r.nothingIn(path)) {
				return
			}
		}
	}
}

// nothingIn says why a path gives no document.
func (r documentRun) nothingIn(path string) error {
	known := "tell no form of documents"
	if kind := r.files.Kind; kind != "" {
		known = fmt.Sprintf("are not those of %s files", kind)
	}
	passed := r.files.PassedOver(path)
	if passed == 0 {
		return errors.New("there is no document in it")
	}
	return fmt.Errorf("there is no document in it: %s passed over whose names %s (name a file itself to have it read in any case)",
		english.Plural(passed, "file was", "files were"), known)
}

// standardInput is the path that stands for it.
const standardInput = "-"

func (r documentRun) readStdin() iter.Seq2[graph.Document, error] {
	kind := r.files.Kind
	if kind == "" {
		kind = format.Text
	}
	return format.Read(r.stdin, kind)
}

// identified gives the document an id where it has none: the place where it
// failed to be read, or the hash of its text.
func identified(document graph.Document, err error, path string) graph.Document {
	var documentErr *format.DocumentError
	switch {
	case document.ID != "":
	case errors.As(err, &documentErr):
		document.ID = path
		if documentErr.File != "" {
			document.ID = documentErr.File
		}
		if documentErr.Line > 0 {
			document.ID += fmt.Sprintf(":%d", documentErr.Line)
		}
	case err != nil:
		document.ID = path
	default:
		document.ID = graph.TextID(document.Text)
	}
	return document
}

// texts knows the texts of the documents so far, by their ids. Of both it keeps
// hashes, so that millions of documents fit.
type texts struct {
	seed maphash.Seed
	byID map[uint64]uint64
}

func newTexts() texts { return texts{maphash.MakeSeed(), map[uint64]uint64{}} }

// add tells when another text had the id of the document. The same document may
// come twice.
func (t texts) add(document graph.Document) error {
	id, text := maphash.String(t.seed, document.ID), maphash.String(t.seed, document.Text)
	if known, ok := t.byID[id]; ok && known != text {
		return fmt.Errorf("the id is that of another text before: ids must be unique")
	}
	t.byID[id] = text
	return nil
}
