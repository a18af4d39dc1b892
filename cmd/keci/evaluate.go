package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
)

type evaluateOptions struct {
	corpus      string
	data        string
	predictions string // a file; without it a model reads the corpus
	model       string
	kb          string
	engine      string
	linkModel   string
	skip        float64 // share of the documents, MedMentions only
}

func newEvaluateCommand() *cobra.Command {
	var o evaluateOptions
	cmd := &cobra.Command{
		Use:   "evaluate",
		Short: "Score a model, or extracted documents, against an annotated corpus",
		Long: `Reads an annotated corpus with a model, or takes documents that were extracted
before (--predictions), scores them by the rules of the corpus's benchmark and
prints the counts, precision, recall and F1 as JSON, in all and per label.

Documents of --predictions find their sentence by id and must have its very text. Sentences of
the corpus without a document count as "missing": nothing in them was found.`,
		Example: `  keci evaluate --corpus biorelex --data dev.json
  keci evaluate --corpus biorelex --data dev.json --predictions extracted.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.corpus, "corpus", "", `which corpus --data is: "biorelex", "ade" or, for the linker, "medmentions"`)
	flags.StringVar(&o.data, "data", "", "JSON `FILE` of the corpus")
	flags.StringVar(&o.predictions, "predictions", "", "JSONL `FILE` as keci extract writes it; - for standard input")
	flags.StringVar(&o.model, "model", "", "model `DIR` (default: the one in the program)")
	flags.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	flags.StringVar(&o.linkModel, "link-model", "", "model `FILE` of the linker, for medmentions (default: the one in the program)")
	flags.Float64Var(&o.skip, "skip", 0, "leave out the first `SHARE` of the documents, for medmentions, 0 to 1")
	flags.StringVar(&o.engine, "engine", defaultEngine, "what computes")
	return cmd
}

func (o evaluateOptions) run(cmd *cobra.Command) error {
	switch {
	case o.corpus == medMentions && o.data != "":
		return o.runLinker(cmd)
	case o.corpus != medMentions && o.corpus != corpus.BioRelEx && o.corpus != corpus.ADE:
		return usageError("--corpus is %q: use %q, %q or %q", o.corpus, corpus.BioRelEx, corpus.ADE, medMentions)
	case o.data == "":
		return usageError("--data is missing: name the JSON file of the corpus")
	case o.predictions != "" && (o.model != "" || o.kb != ""):
		return usageError("--predictions needs no --model and no --kb")
	}
	gold, err := corpus.Read(o.corpus, o.data)
	if err != nil {
		return err
	}
	predicted, err := o.predicted(cmd, gold)
	if err != nil {
		return err
	}
	return evaluatePredictions(cmd.OutOrStdout(), gold, predicted)
}

// predicted gives the documents to score: those of a file, or a model's.
func (o evaluateOptions) predicted(cmd *cobra.Command, gold corpus.Corpus) ([]graph.Document, error) {
	if o.predictions != "" {
		return readPredictions(o.predictions, cmd.InOrStdin())
	}
	kb, err := openKnowledgeBase(cmd.Context(), o.kb)
	if err != nil {
		return nil, err
	}
	defer kb.Close()
	model, err := openExtractor(o.model, kb, o.engine)
	if err != nil {
		return nil, err
	}
	defer model.Close()
	return extractCorpus(cmd.Context(), model, gold)
}

// extractCorpus reads every example of a corpus with a model.
func extractCorpus(ctx context.Context, model fusion.Extractor, gold corpus.Corpus) ([]graph.Document, error) {
	documents := make([]graph.Document, len(gold.Examples))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, e := range gold.Examples {
		group.Go(func() (err error) {
			documents[i], err = model.Extract(ctx, graph.Document{ID: e.ID, Text: e.Text})
			return err
		})
	}
	return documents, group.Wait()
}

// evaluatePredictions scores the documents, wherever they come from, and writes
// the result as JSON.
func evaluatePredictions(out io.Writer, gold corpus.Corpus, predicted []graph.Document) error {
	result, err := score.Evaluate(gold, predicted)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}

// readPredictions reads a JSONL file of documents, or standard input for "-".
func readPredictions(path string, stdin io.Reader) ([]graph.Document, error) {
	if path == "-" {
		return decodePredictions("standard input", stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read predictions: %w", err)
	}
	defer f.Close()
	return decodePredictions(path, f)
}

// decodePredictions reads one document a line. Lines that tell of a document
// that failed are passed over: the document is missing then.
func decodePredictions(name string, in io.Reader) ([]graph.Document, error) {
	var documents []graph.Document
	lines := bufio.NewReader(in)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read predictions: %s: %w", name, err)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var entry struct {
				graph.Document
				Error json.RawMessage `json:"error"`
			}
			if err := json.Unmarshal(line, &entry); err != nil {
				return nil, fmt.Errorf("read predictions: %s:%d is no JSON document: %w", name, number, err)
			}
			if entry.Error == nil {
				documents = append(documents, entry.Document)
			}
		}
		if err != nil {
			return documents, nil
		}
	}
}
