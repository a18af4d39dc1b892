package main

import (
	"context"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/umls"
	"github.com/keci-kg/keci/umls/knowledgebase"
	"github.com/keci-kg/keci/umls/synthetic"
)

type benchUMLSOptions struct {
	concepts int
	seed     uint64
	packed   bool
	build    bool
}

// umlsResult is what making, and building, a synthetic release took.
type umlsResult struct {
	synthetic.Counts
	WriteSeconds   float64 `json:"writeSeconds"`
	BuildSeconds   float64 `json:"buildSeconds,omitempty"`
	NamesPerSecond float64 `json:"namesPerSecond,omitempty"`
	Digest         string  `json:"digest,omitempty"`
}

func newBenchUMLSCommand() *cobra.Command {
	var o benchUMLSOptions
	cmd := &cobra.Command{
		Use:   "umls DIR",
		Short: "Make a synthetic UMLS release of any size, and build a knowledge base of it",
		Long: `Makes a synthetic release in UMLS's layout in DIR/META, with the proportions of a
full one (--concepts 4500000). With --build, it then builds a knowledge base in
DIR/kb and measures that.`,
		Example: "  keci bench umls --concepts 200000 --build synthetic",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := o.run(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return writeBenchReport(cmd.OutOrStdout(), "umls", result)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.concepts, "concepts", 100_000, "`NUMBER` of concepts")
	flags.Uint64Var(&o.seed, "seed", 1, "`NUMBER` that the release hangs on")
	flags.BoolVar(&o.packed, "gzip", false, "gzip the tables")
	flags.BoolVar(&o.build, "build", false, "build a knowledge base of it as well")
	return cmd
}

func (o *benchUMLSOptions) run(ctx context.Context, dir string) (result umlsResult, err error) {
	if o.concepts < 1 || o.concepts > synthetic.MaxConcepts {
		return result, usageError("--concepts is %d: use 1 to %d", o.concepts, synthetic.MaxConcepts)
	}
	facts, err := knowledgebase.DefaultFacts()
	if err != nil {
		return result, err
	}
	start := time.Now()
	result.Counts, err = synthetic.Write(ctx, dir, synthetic.Options{Concepts: o.concepts, Seed: o.seed, Types: facts.Types, Packed: o.packed})
	result.WriteSeconds = time.Since(start).Seconds()
	if err != nil || !o.build {
		return result, err
	}
	release, err := umls.Open(dir, umls.Options{})
	if err != nil {
		return result, err
	}
	source, err := knowledgebase.WithDefaultNetwork(release)
	if err != nil {
		return result, err
	}
	debug.SetGCPercent(buildGCPercent) // as kb build does
	start = time.Now()
	info, err := knowledgebase.Build(ctx, filepath.Join(dir, "kb"), source, knowledgebase.Options{Name: "synthetic"})
	result.BuildSeconds, result.Digest = time.Since(start).Seconds(), info.Digest
	result.NamesPerSecond = float64(info.Names) / result.BuildSeconds
	return result, err
}
