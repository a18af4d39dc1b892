package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
)

type evaluateOptions struct {
	corpus      string
	data        string
	predictions string
}

func newEvaluateCommand() *cobra.Command {
	var o evaluateOptions
	cmd := &cobra.Command{
		Use:   "evaluate",
		Short: "Score extracted documents against an annotated corpus, as its benchmark does",
		Long: `Scores documents against an annotated corpus by the rules of its benchmark and
prints the counts, precision, recall and F1 as JSON, in all and per label.

Documents find their sentence by id and must have its very text. Sentences of
the corpus without a document count as "missing": nothing in them was found.`,
		Example: "  keci evaluate --corpus biorelex --data dev.json --predictions extracted.jsonl",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.corpus, "corpus", "", `which corpus --data is: "biorelex" or "ade"`)
	flags.StringVar(&o.data, "data", "", "JSON `FILE` of the corpus")
	flags.StringVar(&o.predictions, "predictions", "", "JSONL `FILE` as keci extract writes it; - for standard input")
	return cmd
}

func (o evaluateOptions) run(cmd *cobra.Command) error {
	switch {
	case o.corpus != corpus.BioRelEx && o.corpus != corpus.ADE:
		return usageError("--corpus is %q: use %q or %q", o.corpus, corpus.BioRelEx, corpus.ADE)
	case o.data == "":
		return usageError("--data is missing: name the JSON file of the corpus")
	case o.predictions == "":
		return usageError("--predictions is missing: name the JSONL file to score")
	}
	gold, err := corpus.Read(o.corpus, o.data)
	if err != nil {
		return err
	}
	predicted, err := readPredictions(o.predictions, cmd.InOrStdin())
	if err != nil {
		return err
	}
	return evaluatePredictions(cmd.OutOrStdout(), gold, predicted)
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
