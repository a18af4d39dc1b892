package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

type benchExtractOptions struct {
	model, kb, engine string
	workers, passes   int
}

// extractResult is what a pass over all documents took. Latencies are those of
// single documents, one after another; the rate is that of all workers together.
type extractResult struct {
	Documents          int     `json:"documents"`
	Words              int     `json:"words"`
	Mentions           int     `json:"mentions"`
	Relations          int     `json:"relations"`
	ColdSeconds        float64 `json:"coldSeconds"` // the first pass, in which the engine compiles
	Latency            latency `json:"latency"`     // warm
	P99Ms              float64 `json:"p99Ms"`
	MaxMs              float64 `json:"maxMs"`
	Workers            int     `json:"workers"`
	DocumentsPerSecond float64 `json:"documentsPerSecond"` // warm
}

func newBenchExtractCommand() *cobra.Command {
	var o benchExtractOptions
	cmd := &cobra.Command{
		Use:   "extract FILE…",
		Short: "Latency and throughput of extraction over documents of your own",
		Long: `Extracts all documents of the files (.jsonl: one a line; any other file: the text
of one) once cold, then one after another for the latencies, then with several
workers for the throughput.`,
		Example: "  keci bench extract abstracts.jsonl",
		Args:    minimumArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "model `DIR` (default: the one in the program)")
	f.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	engineFlag(f, &o.engine)
	f.IntVar(&o.workers, "workers", 2, "documents worked on at the same time, for the throughput")
	f.IntVar(&o.passes, "passes", 3, "passes over the documents for latencies and throughput")
	return cmd
}

func (o benchExtractOptions) run(cmd *cobra.Command, paths []string) error {
	if o.workers < 1 || o.passes < 1 {
		return usageError("--workers and --passes must be at least 1")
	}
	documents, err := readDocuments(paths)
	if err != nil {
		return err
	}
	return useExtractor(cmd.Context(), o.model, o.kb, o.engine, func(model extractor, _ *knowledgebase.KnowledgeBase) error {
		result, err := o.measure(cmd.Context(), model, documents)
		if err != nil {
			return err
		}
		return writeBenchReport(cmd.OutOrStdout(), "extract", result)
	})
}

// readDocuments reads every document of the files.
func readDocuments(paths []string) ([]graph.Document, error) {
	var documents []graph.Document
	for _, path := range paths {
		for doc, err := range format.ReadFile(path, "") {
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			documents = append(documents, doc)
		}
	}
	if len(documents) == 0 {
		return nil, errors.New("the files hold no document")
	}
	return documents, nil
}

func (o benchExtractOptions) measure(ctx context.Context, model fusion.Extractor, documents []graph.Document) (extractResult, error) {
	result := extractResult{Documents: len(documents), Workers: o.workers}
	start := time.Now()
	for _, doc := range documents {
		found, err := model.Extract(ctx, doc)
		if err != nil {
			return extractResult{}, err
		}
		result.Words += len(strings.Fields(doc.Text))
		result.Mentions += len(found.Mentions)
		result.Relations += len(found.Relations)
	}
	result.ColdSeconds = time.Since(start).Seconds()

	var times []time.Duration
	for range o.passes {
		for _, doc := range documents {
			start := time.Now()
			if _, err := model.Extract(ctx, doc); err != nil {
				return extractResult{}, err
			}
			times = append(times, time.Since(start))
		}
	}
	slices.Sort(times)
	result.Latency = summarize(times)
	result.P99Ms = milliseconds(times[len(times)*99/100])
	result.MaxMs = milliseconds(times[len(times)-1])

	start = time.Now()
	if err := o.extractAll(ctx, model, documents); err != nil {
		return extractResult{}, err
	}
	result.DocumentsPerSecond = float64(o.passes*len(documents)) / time.Since(start).Seconds()
	return result, nil
}

// extractAll extracts every document o.passes times with all workers.
func (o benchExtractOptions) extractAll(ctx context.Context, model fusion.Extractor, documents []graph.Document) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.workers)
	for range o.passes {
		for _, doc := range documents {
			group.Go(func() error {
				_, err := model.Extract(ctx, doc)
				return err
			})
		}
	}
	return group.Wait()
}
