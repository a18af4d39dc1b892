package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls"
	"github.com/keci-kg/keci/umls/knowledgebase"
	"github.com/keci-kg/keci/umls/ontology"
)

type kbBuildOptions struct {
	rrf       string
	obo       []string
	mapping   string
	scopes    []string
	name      string
	languages []string
	sources   []string
	types     []string
	after     string
	strict    bool
	force     bool
	quiet     bool
}

func newKBBuildCommand() *cobra.Command {
	var o kbBuildOptions
	cmd := &cobra.Command{
		Use:   "build OUT [--rrf DIR] [--obo FILE…]",
		Short: "Build a knowledge base folder from a UMLS release, open ontologies, or both",
		Long: `Builds the knowledge base folder OUT from the tables of a UMLS release, or of
anything in its layout (RRF), and from open ontologies (OBO, OBO Graph JSON).

The release DIR holds the folders META and NET, or the tables themselves, plain,
gzipped or split into gzipped pieces. Suppressible names are left out. Without
NET, the Semantic Network in the program is taken.

Terms of ontologies that the release knows by their identifiers, or that refer to
a concept of UMLS, become that concept, other terms a concept of their own. Their semantic types come from the mapping file of
--mapping; keci kb types prints the one in the program, to be edited.

With --after, what the knowledge base DIR had and the new one has not is kept as
retired: its identifier leads to what took its place, where that is known, and so
does everything that was extracted with it. DIR may be OUT, with --force.

What is wrong with the input is listed at the end, with file, line and column, and
left out; with --strict the first such thing stops the build. The folder gets its
name when it is whole: a build that is broken off leaves nothing.`,
		Example: `  keci kb build kb-2026AA --rrf 2026AA --sources MSH,GO,NCBI --languages ENG
  keci kb build kb-2026AB --rrf 2026AB --after kb-2026AA
  keci kb build kb-open --obo ontologies/*.obo chebi.json`,
		Args: minimumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.rrf, "rrf", "", "release `DIR` with the tables")
	flags.StringSliceVar(&o.obo, "obo", nil, "ontology `FILE`s, .obo or .json, plain or .gz")
	flags.StringVar(&o.mapping, "mapping", "", "`FILE` with the semantic types of ontologies' terms (default: the one in the program)")
	flags.StringSliceVar(&o.scopes, "scopes", []string{"exact", "related"}, "scopes of the synonyms in ontologies that are names: exact, related, broad, narrow")
	flags.StringVar(&o.name, "name", "", "name of the knowledge base (default: that of OUT)")
	flags.StringSliceVar(&o.languages, "languages", []string{"ENG"}, "languages (LAT) of the release's names; the first gives the preferred ones")
	flags.StringSliceVar(&o.sources, "sources", nil, "sources (SAB) of the release to read (default: all)")
	flags.StringSliceVar(&o.types, "types", nil, "semantic types (TUI) that the release's concepts must have one of (default: all)")
	flags.StringVar(&o.after, "after", "", "knowledge base `DIR` that this one takes the place of")
	flags.BoolVar(&o.strict, "strict", false, "stop at the first thing that is wrong with the input")
	flags.BoolVar(&o.force, "force", false, "replace the knowledge base OUT")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "tell no progress")
	return cmd
}

const buildGCPercent = 40

func (o *kbBuildOptions) run(cmd *cobra.Command, out string, more []string) error {
	if len(more) > 0 && len(o.obo) == 0 {
		return usageError("%q is too much: only after --obo there may be several files", more[0])
	}
	o.obo = append(o.obo, more...)
	if o.rrf == "" && len(o.obo) == 0 {
		return usageError("--rrf or --obo is missing: name the folder with the tables of a release, or files of ontologies")
	}
	if err := o.checkUse(cmd.Flags()); err != nil {
		return err
	}
	if o.name == "" {
		o.name = filepath.Base(filepath.Clean(out))
	}
	// Most of the memory is what is gathered for the dictionary, and lives long:
	// this halves it and costs a tenth more time.
	debug.SetGCPercent(buildGCPercent)
	progress := newReadProgress(cmd.ErrOrStderr(), o.quiet)
	problems := &umls.Problems{Strict: o.strict}
	source, err := o.source(cmd.Context(), problems, progress)
	if err != nil {
		return err
	}
	if o.after != "" {
		following, err := knowledgebase.Follow(cmd.Context(), source, o.after)
		if err != nil {
			return err
		}
		defer following.Close()
		source = following
	}
	info, err := knowledgebase.Build(cmd.Context(), out, source, knowledgebase.Options{
		Name: o.name, Force: o.force, Step: progress.Step,
	})
	if err != nil {
		return errors.Join(err, tellProblems(cmd.ErrOrStderr(), problems)) // which may be why
	}
	progress.finish("built %s: %d concepts, %d names, %d relations", out, info.Concepts, info.Names, info.Relations)
	return tellProblems(cmd.ErrOrStderr(), problems)
}

// Flags of which only one kind of input makes use.
var (
	releaseFlags  = []string{"languages", "sources", "types"}
	ontologyFlags = []string{"mapping", "scopes"}
)

// checkUse refuses what says something of an input that there is not: who restricts
// --sources must not get all of an ontology.
func (o *kbBuildOptions) checkUse(flags *pflag.FlagSet) error {
	if o.rrf == "" {
		return refuse(flags, releaseFlags, "it is for the tables of a release, and there is no --rrf")
	}
	if len(o.obo) == 0 {
		return refuse(flags, ontologyFlags, "it is for ontologies, and there is no --obo")
	}
	return nil
}

// tellProblems lists what was wrong and left out.
func tellProblems(to io.Writer, problems *umls.Problems) error {
	if problems.Total() == 0 {
		return nil
	}
	fmt.Fprintf(to, "%d problems with the input (--strict stops at the first):\n", problems.Total())
	return problems.Write(to)
}

// semanticTypes are the types of --types, which may be written in small letters.
func (o *kbBuildOptions) semanticTypes() []graph.TUI {
	types := make([]graph.TUI, len(o.types))
	for i, t := range o.types {
		types[i] = graph.TUI(strings.ToUpper(t))
	}
	return types
}

// source opens what is to be read.
func (o *kbBuildOptions) source(ctx context.Context, problems *umls.Problems, progress *readProgress) (source knowledgebase.Source, err error) {
	var total int64
	hasNetwork := false
	options := ontology.Options{OnRead: progress.Read, Report: problems.Report}
	if o.rrf != "" {
		release, err := umls.Open(o.rrf, umls.Options{
			Languages: o.languages, Sources: o.sources, Types: o.semanticTypes(),
			OnRead: progress.Read, Report: problems.Report,
		})
		if err != nil {
			return nil, err
		}
		source, hasNetwork, total = release, release.HasNetwork(), release.Bytes()
		options.Release = release
	}
	if len(o.obo) > 0 {
		ontologies, err := o.openOntologies(ctx, options)
		if err != nil {
			return nil, err
		}
		total += ontologies.Bytes()
		if source == nil {
			source = ontologies
		} else {
			source = knowledgebase.Merge(source, ontologies)
		}
	}
	progress.total = total
	if hasNetwork {
		return source, nil
	}
	return knowledgebase.WithDefaultNetwork(source)
}

func (o *kbBuildOptions) openOntologies(ctx context.Context, options ontology.Options) (*ontology.Ontologies, error) {
	for _, name := range o.scopes {
		switch scope := ontology.Scope(strings.ToUpper(name)); scope {
		case ontology.Exact, ontology.Related, ontology.Broad, ontology.Narrow:
			options.Scopes = append(options.Scopes, scope)
		default:
			return nil, usageError("--scopes names %q, which is not one of exact, related, broad, narrow", name)
		}
	}
	if o.mapping != "" {
		file, err := os.Open(o.mapping)
		if err != nil {
			return nil, fmt.Errorf("opening the mapping of semantic types: %w", err)
		}
		defer file.Close()
		if options.Types, err = ontology.ReadTypes(o.mapping, file); err != nil {
			return nil, err
		}
	}
	return ontology.Open(ctx, o.obo, options)
}

// newKBTypesCommand prints the mapping file for a user to edit.
func newKBTypesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "types",
		Short:   "Print the semantic types that ontologies' terms get, to be edited for kb build --mapping",
		Example: "  keci kb types > types.tsv",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), ontology.DefaultTypesText())
			return err
		},
	}
}
