package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/graph/forms"
)

// documentFlags are the flags of the commands that read documents and write
// what they found in them.
type documentFlags struct {
	in           string
	output       outputFlags
	workers      int
	maxTextBytes int
	quiet        bool
}

const documentInputHelp = `Documents come from files, from folders or, without any, from standard input. The
name of a file tells its form, unless --in does: .jsonl and .json (our own), .xml
and .json (BioC), .pubtator, .json (PubAnnotation), .txt beside .ann (brat); .gz is
unpacked; any other file is the text of one document, and its path the id, but is
passed over in a folder. What documents are annotated with is passed over. Without an
id the hash of the text is it.

A line of JSONL is {"id":…,"title":…,"text":…} with id and title optional; what keci
writes can be read again. A document that fails gives a line
{"id":…,"error":{"detail":…}} in its place – on standard error where the form of the
output has no place for it – and the exit code 3, as does a file or a folder without
any document; the others are delivered.`

func (f *documentFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.in, "in", "", "form of the input: "+format.OneOf(format.Inputs)+" (default: by the file name, text for standard input)")
	f.output.register(cmd)
	flags.IntVar(&f.workers, "workers", runtime.NumCPU(), "documents worked on at the same time")
	flags.IntVar(&f.maxTextBytes, "max-text-bytes", 1<<20, "longest text of a document")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "tell no progress")
	completeKinds(cmd, "in", format.Inputs)
}

// completeKinds lets the shell complete the values of a flag.
func completeKinds[K ~string](cmd *cobra.Command, flag string, kinds []K) {
	values := make([]cobra.Completion, len(kinds))
	for i, kind := range kinds {
		values[i] = string(kind)
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

// checkFiles refuses several files where the form of the output shows one document. A file
// that holds several is found out only when it is read.
func (f *documentFlags) checkFiles(files []string) error {
	form, err := forms.ByName(f.output.out)
	if err == nil && form.Single && len(files) > 1 {
		return usageError("--out %s shows one document, and here are %d files: call keci once for each", form.Kind, len(files))
	}
	return err
}

// run reads the documents of paths, processes them and writes the results, in
// the order of the input. The flags must have been checked.
func (f *documentFlags) run(cmd *cobra.Command, paths []string,
	process func(context.Context, graph.Document) (graph.Document, error)) error {
	out, err := f.output.open(cmd)
	if err != nil {
		return err
	}
	progress := newDocumentProgress(cmd, f, paths)
	r := documentRun{
		files: format.Files{Kind: format.Kind(f.in), OnRead: progress.Read}, stdin: cmd.InOrStdin(), paths: paths,
		unit: graph.OffsetUnit(f.output.offsets), workers: f.workers, limit: f.maxTextBytes, process: process, onDone: progress.Document,
	}
	total, failures, err := r.deliver(cmd.Context(), out)
	progress.remove()
	err = out.close(err)
	if failures > 0 && (err == nil || errors.Is(err, format.ErrNoDocument)) {
		return &exitError{exitSomeFailed, fmt.Errorf("%d of %d documents failed; %s why", failures, total, out.whereFailures())}
	}
	return err
}

// check tells what is wrong with the flags.
func (f *documentFlags) check() error {
	if f.in != "" {
		if _, err := format.ParseKind(f.in, format.Inputs); err != nil {
			return usageError("--in: %w", err)
		}
	}
	if err := f.output.check(); err != nil {
		return err
	}
	switch {
	case f.workers < 1:
		return usageError("--workers is %d: at least 1 is needed", f.workers)
	case f.maxTextBytes < 1:
		return usageError("--max-text-bytes is %d: at least 1 is needed", f.maxTextBytes)
	}
	return nil
}
