package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/graph/forms"
	"github.com/keci-kg/keci/internal/wholefile"
)

// outputFlags say in which form documents are written, and where.
type outputFlags struct{ out, output, offsets string }

func (f *outputFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", string(format.JSONL), "form of the output: "+format.OneOf(forms.Kinds()))
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write, or for brat a new folder (default: standard output, for brat as a ZIP archive)")
	flags.StringVar(&f.offsets, "offsets", string(graph.OffsetCodepoint), "what offsets of jsonl and json count: codepoint, byte or utf16")
	completeKinds(cmd, "out", forms.Kinds())
	completeKinds(cmd, "offsets", []graph.OffsetUnit{graph.OffsetCodepoint, graph.OffsetByte, graph.OffsetUTF16})
}

// check tells what is wrong with the flags.
func (f *outputFlags) check() error {
	form, err := forms.ByName(f.out)
	if err != nil {
		return usageError("--out: %w", err)
	}
	unit, err := graph.ParseOffsetUnit(f.offsets)
	switch {
	case err != nil:
		return usageError("--offsets: %w", err)
	case unit != graph.OffsetCodepoint && !form.Units:
		return usageError("--offsets is %s: %s counts code points", unit, f.out)
	}
	return nil
}

// documentOutput is where documents are written, and those that failed.
type documentOutput struct {
	format.Writer
	failures format.FailureWriter // the writer itself, where its form has a place for them
	aside    bool                 // failures go to standard error
	partial  string               // where it is written until all is done; empty for streams
	path     string               // where it is then
	file     *wholefile.File      // that is written, if it is one
}

// partialSuffix is on the name of a file or folder until it is complete.
const partialSuffix = ".partial"

// open opens what --output names, in the form that --out names.
func (f *outputFlags) open(cmd *cobra.Command) (*documentOutput, error) {
	form, err := forms.ByName(f.out)
	if err != nil {
		return nil, err
	}
	o := &documentOutput{path: f.output}
	switch {
	case o.path == "":
		err = o.toStream(form, cmd.OutOrStdout())
	case form.Kind == format.Brat:
		err = o.toFolder()
	default:
		err = o.toFile(form)
	}
	if err != nil {
		return nil, err
	}
	if own, ok := o.Writer.(format.FailureWriter); ok {
		o.failures = own
		return o, nil
	}
	o.aside = true
	lines, err := format.NewWriter(unlogged(cmd), format.JSONL)
	o.failures = lines.(format.FailureWriter)
	return o, err
}

func (o *documentOutput) toStream(form forms.Form, out io.Writer) (err error) {
	if form.Kind == format.Brat && isTerminal(out) {
		return usageError("--out %s gives a ZIP archive, which no terminal shows: name a folder with --output", form.Kind)
	}
	o.Writer, err = form.NewWriter(out)
	return err
}

func (o *documentOutput) toFolder() error {
	if _, err := os.Lstat(o.path); err == nil {
		return usageError("--output: %s is there already; name a new folder", o.path)
	}
	o.partial = o.path + partialSuffix
	if err := clearPartial(o.partial); err != nil {
		return fmt.Errorf("removing what a call before left: %w", err)
	}
	if err := os.Mkdir(o.partial, 0o755); err != nil {
		return fmt.Errorf("making the folder for the output: %w", err)
	}
	o.Writer = format.NewBratFolder(o.partial)
	return nil
}

// clearPartial removes a folder that a call before left unfinished: its files of
// brat, and then the folder, which must have nothing else in it.
func clearPartial(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if end := filepath.Ext(entry.Name()); end == ".txt" || end == ".ann" {
			err = errors.Join(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	if err != nil {
		return err
	}
	return os.Remove(dir)
}

func (o *documentOutput) toFile(form forms.Form) (err error) {
	o.file, err = wholefile.Create(o.path, partialSuffix)
	switch {
	case errors.Is(err, wholefile.ErrFolder):
		return usageError("--output: %w; name a file in it", err)
	case err != nil:
		return fmt.Errorf("making the output: %w", err)
	}
	o.partial = o.file.Partial()
	o.Writer, err = form.NewWriter(o.file)
	return err
}

// writeFailure tells why a document failed.
func (o *documentOutput) writeFailure(id string, failure error) error {
	return o.failures.WriteError(id, failure)
}

// whereFailures says where failures were told.
func (o *documentOutput) whereFailures() string {
	if o.aside {
		return "the lines above tell"
	}
	return "the output tells"
}

// close completes the output, or leaves what there is of it beside its place when
// the run was broken off.
func (o *documentOutput) close(broken error) error {
	err := broken
	if err == nil {
		if err = o.Writer.Close(); err != nil {
			err = fmt.Errorf("write: %w", err)
		}
	}
	switch {
	case o.file != nil && errors.Is(err, format.ErrNoDocument):
		return errors.Join(err, o.file.Discard())
	case o.file != nil && err == nil:
		err = o.file.Commit()
	case o.file != nil:
		err = errors.Join(err, o.file.Close())
	case o.partial != "" && errors.Is(err, format.ErrNoDocument):
		return errors.Join(err, os.Remove(o.partial))
	case o.partial != "" && err == nil:
		err = os.Rename(o.partial, o.path)
	}
	if err != nil && o.partial != "" {
		return fmt.Errorf("%w (what was done is in %s)", err, o.partial)
	}
	return err
}

// isTerminal tells whether people see what is written.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
