package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

func newKBCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "kb",
		Short:   "Build and read knowledge bases",
		Example: "  keci kb search rapamycin",
	}
	cmd.AddCommand(
		newKBBuildCommand(),
		newKBInfoCommand(),
		newKBSearchCommand(),
		newKBShowCommand(),
		newKBSubgraphCommand(),
		newKBDefaultCommand(),
	)
	return cmd
}

type kbBuildOptions struct {
	rrf       string
	name      string
	languages []string
	sources   []string
	types     []string
	force     bool
	quiet     bool
}

func newKBBuildCommand() *cobra.Command {
	var o kbBuildOptions
	cmd := &cobra.Command{
		Use:   "build OUT",
		Short: "Build a knowledge base folder from a UMLS release",
		Long: `Builds the knowledge base folder OUT from the tables of a UMLS release, or of
anything in its layout (RRF). DIR holds the folders META and NET, or the tables
themselves, plain or gzipped. Suppressible names are left out. Without NET, the
Semantic Network in the program is taken. The folder gets its name when it is
whole: a build that is broken off leaves nothing.`,
		Example: "  keci kb build kb-2026AA --rrf 2026AA --sources MSH,GO,NCBI --languages ENG",
		Args:    exactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.rrf, "rrf", "", "release `DIR` with the tables (needed)")
	flags.StringVar(&o.name, "name", "", "name of the knowledge base (default: that of OUT)")
	flags.StringSliceVar(&o.languages, "languages", []string{"ENG"}, "languages (LAT) of the names; the first gives the preferred ones")
	flags.StringSliceVar(&o.sources, "sources", nil, "sources (SAB) to read (default: all)")
	flags.StringSliceVar(&o.types, "types", nil, "semantic types (TUI) that concepts must have one of (default: all)")
	flags.BoolVar(&o.force, "force", false, "replace the knowledge base OUT")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "tell no progress")
	return cmd
}

const buildGCPercent = 40

func (o *kbBuildOptions) run(cmd *cobra.Command, out string) error {
	if o.rrf == "" {
		return usageError("--rrf is missing: name the folder with the tables of the release")
	}
	if o.name == "" {
		o.name = filepath.Base(filepath.Clean(out))
	}
	// Most of the memory is what is gathered for the dictionary, and lives long:
	// this halves it and costs a tenth more time.
	debug.SetGCPercent(buildGCPercent)
	progress := newReadProgress(cmd.ErrOrStderr(), o.quiet)
	release, err := umls.Open(o.rrf, umls.Options{
		Languages: o.languages,
		Sources:   o.sources,
		Types:     identifiers[graph.TUI](o.types),
		OnRead:    progress.Read,
	})
	if err != nil {
		return err
	}
	source, err := withNetwork(release)
	if err != nil {
		return err
	}
	progress.Total(release.Bytes())
	info, err := knowledgebase.Build(cmd.Context(), out, source, knowledgebase.Options{
		Name: o.name, Force: o.force, Step: progress.Step,
	})
	if err != nil {
		return err
	}
	progress.Done("built %s: %d concepts, %d names, %d relations", out, info.Concepts, info.Names, info.Relations)
	return nil
}

// withNetwork adds the Semantic Network in the program to a release without it.
func withNetwork(release *umls.Release) (knowledgebase.Source, error) {
	if release.HasNetwork() {
		return release, nil
	}
	return knowledgebase.WithDefaultNetwork(release)
}

// identifiers turns arguments into identifiers.
func identifiers[ID ~string](arguments []string) []ID {
	ids := make([]ID, len(arguments))
	for i, a := range arguments {
		ids[i] = ID(strings.ToUpper(a))
	}
	return ids
}

func newKBInfoCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "info [DIR]",
		Short:   "What a knowledge base holds, as JSON (default: the one in the program)",
		Example: "  keci kb info kb-2026AA",
		Args:    maximumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := ""
			if len(args) > 0 {
				dir = args[0]
			}
			return readKB(cmd, dir, func(kb *knowledgebase.KnowledgeBase) (any, error) { return kb.Info, nil })
		},
	}
}

func newKBSearchCommand() *cobra.Command {
	var dir string
	var limit int
	cmd := &cobra.Command{
		Use:     "search QUERY",
		Short:   "Concepts with a name that begins with or holds the words, best first",
		Example: "  keci kb search --limit 3 mTOR complex",
		Args:    minimumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return usageError("--limit is %d: use 1 or more", limit)
			}
			return readKB(cmd, dir, func(kb *knowledgebase.KnowledgeBase) (any, error) {
				return kb.Knowledge.Search(cmd.Context(), strings.Join(args, " "), limit)
			})
		},
	}
	addKBFlag(cmd, &dir)
	cmd.Flags().IntVar(&limit, "limit", 10, "at most so many concepts")
	return cmd
}

// shownConcept is a concept with what surrounds it.
type shownConcept struct {
	graph.Concept
	Neighbors []graph.Relation `json:"neighbors"`
}

func newKBShowCommand() *cobra.Command {
	var dir string
	var limit int
	cmd := &cobra.Command{
		Use:     "show CUI",
		Short:   "A concept and its relations, as JSON",
		Example: "  keci kb show C0003873",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return readKB(cmd, dir, func(kb *knowledgebase.KnowledgeBase) (any, error) {
				cui := identifiers[graph.CUI](args)[0]
				concept, err := kb.Knowledge.Concept(cmd.Context(), cui)
				if err != nil {
					return nil, err
				}
				neighbors, err := kb.Knowledge.Neighbors(cmd.Context(), cui, limit)
				return shownConcept{concept, neighbors}, err
			})
		},
	}
	addKBFlag(cmd, &dir)
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many relations")
	return cmd
}

func newKBSubgraphCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "subgraph CUI…",
		Short:   "Concepts with their types and all relations among them, as JSON",
		Example: "  keci kb subgraph C0003873 C0004364",
		Args:    minimumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return readKB(cmd, dir, func(kb *knowledgebase.KnowledgeBase) (any, error) {
				return kb.Knowledge.Subgraph(cmd.Context(), identifiers[graph.CUI](args))
			})
		},
	}
	addKBFlag(cmd, &dir)
	return cmd
}

func addKBFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "kb", "", "knowledge base `DIR` (default: the one in the program)")
}

// readKB opens a knowledge base, reads something from it and prints that as JSON.
func readKB(cmd *cobra.Command, dir string, read func(*knowledgebase.KnowledgeBase) (any, error)) error {
	kb, err := openKnowledgeBase(cmd.Context(), dir)
	if err != nil {
		return err
	}
	defer kb.Close()
	answer, err := read(kb)
	if err != nil {
		return err
	}
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(answer)
}

// exactArgs, minimumArgs and maximumArgs make a wrong number of arguments a wrong call.
func exactArgs(n int) cobra.PositionalArgs   { return usageArgs(cobra.ExactArgs(n)) }
func minimumArgs(n int) cobra.PositionalArgs { return usageArgs(cobra.MinimumNArgs(n)) }
func maximumArgs(n int) cobra.PositionalArgs { return usageArgs(cobra.MaximumNArgs(n)) }

func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError("%w: see %s --help", fmt.Errorf("%s: %w", cmd.CommandPath(), err), cmd.CommandPath())
		}
		return nil
	}
}
