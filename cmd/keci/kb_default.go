package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// kbDefaultOptions say what goes into the default knowledge base.
type kbDefaultOptions struct {
	rrf           string
	text          string
	name          string
	concepts      int
	sources       []string
	alwaysSources []string
	alwaysTypes   []string
}

// newKBDefaultCommand makes the knowledge base that is part of the program; it
// is for those who work on keci.
func newKBDefaultCommand() *cobra.Command {
	var o kbDefaultOptions
	cmd := &cobra.Command{
		Use:    "default OUT",
		Hidden: true,
		Short:  "Make the files of the default knowledge base",
		Long: `Makes the files of the knowledge base that is part of the program, in the folder
OUT: the facts and their attribution. What goes in are the concepts that the texts
mention most, where every candidate of every mention counts, and beside them the
concepts that have one of --always-types and are in one of --always-sources.
Only --sources are read, so name those whose licences allow it.`,
		Example: "  keci kb default umls/knowledgebase/default --rrf open-kb --text abstracts.txt.gz",
		Args:    exactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), cmd.ErrOrStderr(), args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.rrf, "rrf", "", "release `DIR` with the tables")
	flags.StringVar(&o.text, "text", "", "`FILE` with a text a line, plain or .gz")
	flags.StringVar(&o.name, "name", "keci-default", "name of the knowledge base")
	flags.IntVar(&o.concepts, "concepts", 30_000, "number of most mentioned concepts")
	flags.StringSliceVar(&o.sources, "sources", []string{
		"CHEBI", "CL", "CVCL", "DOID", "DRUGBANK", "FPLX", "GO", "INTERPRO", "MONDO", "MSH2015",
		"NCBIGENE", "NCBITAXON", "NCIT", "PFAM", "SYMP", "UBERON",
	}, "sources in the public domain or under CC0 or CC BY")
	flags.StringSliceVar(&o.alwaysSources, "always-sources", []string{"NCBIGENE", "FPLX"}, "sources of concepts that are kept in any case")
	flags.StringSliceVar(&o.alwaysTypes, "always-types", []string{"T116", "T126", "T192"}, "types of concepts that are kept in any case")
	return cmd
}

func (o *kbDefaultOptions) run(ctx context.Context, log io.Writer, out string) error {
	if o.rrf == "" || o.text == "" {
		return usageError("--rrf and --text are needed")
	}
	release, err := umls.Open(o.rrf, umls.Options{Sources: o.sources})
	if err != nil {
		return err
	}
	fmt.Fprintln(log, "counting the mentions in", o.text)
	most, err := o.mostMentioned(ctx, release)
	if err != nil {
		return err
	}
	fmt.Fprintln(log, "selecting")
	facts, err := knowledgebase.SelectFacts(ctx, o.name, release, func(c graph.Concept) bool {
		return most[c.CUI] || o.always(c)
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(out, knowledgebase.DefaultFactsFile), facts.Write); err != nil {
		return err
	}
	return writeFile(filepath.Join(out, "ATTRIBUTION.md"), facts.WriteAttribution)
}

// always reports whether a concept is kept in any case.
func (o *kbDefaultOptions) always(c graph.Concept) bool {
	return slices.ContainsFunc(c.Sources, func(s string) bool { return slices.Contains(o.alwaysSources, s) }) &&
		slices.ContainsFunc(c.SemanticTypes, func(t graph.TUI) bool { return slices.Contains(o.alwaysTypes, string(t)) })
}

// mostMentioned links the texts with a knowledge base of the release and counts.
func (o *kbDefaultOptions) mostMentioned(ctx context.Context, release *umls.Release) (map[graph.CUI]bool, error) {
	texts, err := openPacked(o.text)
	if err != nil {
		return nil, err
	}
	defer texts.Close()
	temp, err := os.MkdirTemp("", "keci-kb-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	if _, err := knowledgebase.Build(ctx, temp, release, knowledgebase.Options{Name: o.name}); err != nil {
		return nil, err
	}
	kb, err := knowledgebase.Open(ctx, temp)
	if err != nil {
		return nil, err
	}
	defer kb.Close()
	counts, err := knowledgebase.CountMentions(ctx, kb.Linker, texts)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", o.text, err)
	}
	return knowledgebase.MostMentioned(counts, o.concepts), nil
}

// openPacked opens a file that may be gzipped.
func openPacked(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return file, err
	}
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("unpacking %s: %w", path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{unpacked, file}, nil
}

// writeFile writes a file and says which one when that fails.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := write(file); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return file.Close()
}
