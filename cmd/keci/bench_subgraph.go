package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

type benchSubgraphOptions struct {
	kb       string
	store    storeFlags
	concepts int
	sets     int
	passes   int
}

// subgraphResult is what reading candidate subgraphs, one after another, took.
type subgraphResult struct {
	Store         string  `json:"store"`
	Sets          int     `json:"sets"`
	Concepts      int     `json:"conceptsPerSet"`
	SemanticTypes float64 `json:"semanticTypesPerSet"`
	Relations     float64 `json:"relationsPerSet"`
	TypeRelations float64 `json:"typeRelationsPerSet"`
	latency
	P99Ms float64 `json:"p99Ms"`
}

func newBenchSubgraphCommand() *cobra.Command {
	o := benchSubgraphOptions{concepts: 150, sets: 50, passes: 5}
	cmd := &cobra.Command{
		Use:   "subgraph FILE…",
		Short: "Time to read the background graph of candidate concepts",
		Long: `Links the lines of the files, plain or gzipped (.gz), takes the distinct candidates
in sets of the same size, and reads the background graph of each set, several times
over. The first pass is a warm-up and does not count.`,
		Example: `  keci bench subgraph --kb data/kb-open abstracts.txt.gz
  keci bench subgraph --kb data/kb-open --store bolt://localhost:7687 abstracts.txt.gz`,
		Args: minimumArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error { return o.run(cmd, paths) },
	}
	f := cmd.Flags()
	addKBFlag(cmd, &o.kb)
	f.StringVar(&o.store.address, "store", "", storeHelp+" (default: the folder of the knowledge base)")
	o.store.registerPassword(f)
	f.IntVar(&o.concepts, "concepts", o.concepts, "concepts of a set")
	f.IntVar(&o.sets, "sets", o.sets, "sets at most")
	f.IntVar(&o.passes, "passes", o.passes, "how often each set is measured")
	return cmd
}

func (o benchSubgraphOptions) run(cmd *cobra.Command, paths []string) error {
	if min(o.concepts, o.sets, o.passes) < 1 {
		return usageError("--concepts, --sets and --passes must be 1 or more")
	}
	ctx := cmd.Context()
	kb, err := openKnowledgeBase(ctx, o.kb)
	if err != nil {
		return err
	}
	defer kb.Close()
	sets, err := o.candidates(ctx, kb, paths)
	if err != nil {
		return err
	}
	result := subgraphResult{Store: "folder", Sets: len(sets), Concepts: o.concepts}
	knowledge := kb.Knowledge
	if o.store.address != "" {
		store, err := o.store.open(ctx, "", &selectionFlags{}, kb)
		if err != nil {
			return err
		}
		defer store.Close()
		result.Store, knowledge = "Neo4j", store
	}
	if err := result.measure(ctx, knowledge, sets, o.passes); err != nil {
		return err
	}
	return writeBenchReport(cmd.OutOrStdout(), "subgraph", result)
}

// candidates are whole sets of the concepts that the linker finds in the texts, each
// concept once in its set.
func (o benchSubgraphOptions) candidates(ctx context.Context, kb *knowledgebase.KnowledgeBase, paths []string) (sets [][]graph.CUI, err error) {
	set := make([]graph.CUI, 0, o.concepts)
	for _, path := range paths {
		texts, err := readLines(path)
		if err != nil {
			return nil, err
		}
		for _, text := range texts {
			mentions, err := kb.Linker.Link(ctx, text)
			if err != nil {
				return nil, err
			}
			for _, mention := range mentions {
				for _, candidate := range mention.Concepts {
					if slices.Contains(set, candidate.CUI) {
						continue
					}
					if set = append(set, candidate.CUI); len(set) == o.concepts {
						sets, set = append(sets, set), make([]graph.CUI, 0, o.concepts)
					}
					if len(sets) == o.sets {
						return sets, nil
					}
				}
			}
		}
	}
	if len(sets) == 0 {
		return nil, usageError("the files name fewer than %d concepts", o.concepts)
	}
	return sets, nil
}

// measure reads the subgraph of each set, the whole round passes times.
func (r *subgraphResult) measure(ctx context.Context, knowledge graph.Knowledge, sets [][]graph.CUI, passes int) error {
	var times []time.Duration
	for pass := range passes + 1 {
		for _, set := range sets {
			start := time.Now()
			sub, err := knowledge.Subgraph(ctx, set)
			if err != nil {
				return err
			}
			if pass == 0 {
				r.add(sub)
				continue
			}
			times = append(times, time.Since(start))
		}
	}
	r.latency = summarize(times)
	r.P99Ms = milliseconds(slices.Sorted(slices.Values(times))[len(times)*99/100])
	return nil
}

// add counts what a set holds, as its part of the mean.
func (r *subgraphResult) add(sub graph.Subgraph) {
	r.SemanticTypes += float64(len(sub.SemanticTypes)) / float64(r.Sets)
	r.Relations += float64(len(sub.Relations)) / float64(r.Sets)
	r.TypeRelations += float64(len(sub.TypeRelations)) / float64(r.Sets)
}
