package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/graph/format/picture"
)

// documentFlags are the flags of the commands that read documents and write
// what they found in them.
type documentFlags struct {
	in, out, offsets string
	workers          int
	maxTextBytes     int
}

const documentInputHelp = `Documents come from files, from folders (all .txt and .jsonl files in them) or,
without any, from standard input. A .jsonl file holds one document a line,
{"id":…,"title":…,"text":…} with id and title optional; any other file is the
text of one document, and its path the id. Without an id the hash of the text is it.

A document that fails gives a line {"id":…,"error":{"detail":…}} in its place and
the exit code 3; the others are delivered.`

func (f *documentFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.in, "in", "", "form of the input: text, jsonl, json, bioc or pubtator (default: by the file name, text for standard input)")
	flags.StringVar(&f.out, "out", string(format.JSONL), "form of the output: jsonl, json or, for a single document, svg")
	flags.StringVar(&f.offsets, "offsets", string(graph.OffsetCodepoint), "what offsets count: codepoint, byte or utf16")
	flags.IntVar(&f.workers, "workers", runtime.NumCPU(), "documents worked on at the same time")
	flags.IntVar(&f.maxTextBytes, "max-text-bytes", 1<<20, "longest text of a document")
}

// documentRun is one run of such a command.
type documentRun struct {
	in      format.Kind // empty: by file name
	unit    graph.OffsetUnit
	workers int
	limit   int // bytes of a text
	stdin   io.Reader
	process func(context.Context, graph.Document) (graph.Document, error)
}

// run reads the documents of paths, processes them and writes the results, in
// the order of the input. The flags must have been checked.
func (f *documentFlags) run(cmd *cobra.Command, paths []string,
	process func(context.Context, graph.Document) (graph.Document, error)) error {
	r := documentRun{in: format.Kind(f.in), unit: graph.OffsetUnit(f.offsets), workers: f.workers,
		limit: f.maxTextBytes, stdin: cmd.InOrStdin(), process: process}
	out, err := f.newWriter(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	total, failures, err := r.deliver(cmd.Context(), paths, out)
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if failures > 0 {
		return &exitError{exitSomeFailed, fmt.Errorf("%d of %d documents failed; the output tells why", failures, total)}
	}
	return nil
}

// newWriter makes the writer of the form that --out names.
func (f *documentFlags) newWriter(out io.Writer) (format.Writer, error) {
	if kind := format.Kind(f.out); kind != format.SVG {
		return format.NewWriter(out, kind)
	}
	return picture.NewWriter(out), nil
}

// check tells what is wrong with the flags.
func (f *documentFlags) check() error {
	if f.in != "" {
		if _, err := format.ParseKind(f.in, format.Inputs); err != nil {
			return usageError("--in: %w", err)
		}
	}
	if _, err := format.ParseKind(f.out, append(slices.Clone(format.Outputs), format.SVG)); err != nil {
		return usageError("--out: %w", err)
	}
	if _, err := graph.ParseOffsetUnit(f.offsets); err != nil {
		return usageError("--offsets: %w", err)
	}
	if f.workers < 1 {
		return usageError("--workers is %d: at least 1 is needed", f.workers)
	}
	if f.maxTextBytes < 1 {
		return usageError("--max-text-bytes is %d: at least 1 is needed", f.maxTextBytes)
	}
	return nil
}

// task is a document on its way through a worker.
type task struct {
	document graph.Document
	err      error
	done     chan struct{} // closed when document and err are final
}

// deliver writes every document, or why it failed, and counts both.
func (r documentRun) deliver(ctx context.Context, paths []string, out format.Writer) (total, failures int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	work := make(chan *task)
	inOrder := make(chan *task, 4*r.workers) // bounds what is read ahead
	go r.readInto(ctx, paths, work, inOrder) // not waited for: it may hang in a read
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
func (r documentRun) readInto(ctx context.Context, paths []string, work, inOrder chan<- *task) {
	defer close(work)
	defer close(inOrder)
	for document, err := range r.documents(paths) {
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
func (t *task) write(out format.Writer) error {
	if t.err != nil {
		return out.WriteError(t.document.ID, t.err)
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

// documents reads all documents. Each has an id, also with an error.
func (r documentRun) documents(paths []string) iter.Seq2[graph.Document, error] {
	return func(yield func(graph.Document, error) bool) {
		if len(paths) == 0 {
			paths = []string{"-"}
		}
		for _, path := range paths {
			for file, err := range inputFiles(path) {
				if err != nil {
					if !yield(graph.Document{ID: file}, err) {
						return
					}
					continue
				}
				for document, err := range r.documentsOf(file) {
					if !yield(document, err) {
						return
					}
				}
			}
		}
	}
}

// inputFiles gives the file of path, or those in the folder path, in order of their names.
func inputFiles(path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if path == "-" {
			yield(path, nil)
			return
		}
		_ = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				// what cannot be read is told and passed over
			case entry.IsDir():
				return nil
			case file != path && filepath.Ext(file) != ".txt" && filepath.Ext(file) != ".jsonl":
				return nil
			}
			if !yield(file, err) {
				return fs.SkipAll
			}
			return nil
		})
	}
}

// documentsOf reads the documents of one file, or of standard input for "-".
func (r documentRun) documentsOf(path string) iter.Seq2[graph.Document, error] {
	return func(yield func(graph.Document, error) bool) {
		in := r.stdin
		if path != "-" {
			f, err := os.Open(path)
			if err != nil {
				yield(graph.Document{ID: path}, err)
				return
			}
			defer f.Close()
			in = f
		}
		kind := r.kindOf(path)
		for document, err := range format.Read(in, kind) {
			if !yield(identified(document, err, path, kind), err) {
				return
			}
		}
	}
}

// kindOf is the form of a file.
func (r documentRun) kindOf(path string) format.Kind {
	switch {
	case r.in != "":
		return r.in
	case filepath.Ext(path) == ".jsonl":
		return format.JSONL
	}
	return format.Text
}

// identified gives the document an id where it has none: the path for a text
// file, the hash of the text for others, the place where it failed to be read.
func identified(document graph.Document, err error, path string, kind format.Kind) graph.Document {
	var documentErr *format.DocumentError
	switch {
	case document.ID != "":
	case errors.As(err, &documentErr) && documentErr.Line > 0:
		document.ID = fmt.Sprintf("%s:%d", path, documentErr.Line)
	case err != nil || kind == format.Text && path != "-":
		document.ID = path
	default:
		document.ID = graph.TextID(document.Text)
	}
	return document
}
