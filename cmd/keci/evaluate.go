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
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/parallel"
	"github.com/keci-kg/keci/umls/knowledgebase"
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
	skipInvalid bool
	results     string
	reliability string // a file to draw to
	quiet       bool
}

// Flags of which only one kind of evaluation makes use.
var (
	linkerFlags    = []string{"link-model", "skip"}
	extractorFlags = []string{"model", "engine", "predictions", "results", "reliability", "skip-invalid"}
	modelFlags     = []string{"model", "kb", "engine"} // where nothing was extracted before
)

func newEvaluateCommand() *cobra.Command {
	var o evaluateOptions
	cmd := &cobra.Command{
		Use:   "evaluate",
		Short: "Score a model, or extracted documents, against an annotated corpus",
		Long: `Reads an annotated corpus with a model, or takes documents that were extracted
before (--predictions), scores them by the rules of the corpus's benchmark (or, where
it has none, by exact span and type, micro) and prints the counts, precision, recall
and F1 as JSON, in all and per label. With --results it also leaves them, with how the
model was trained, as a small file in a folder that keci report makes tables of.

"ece" is the expected calibration error of the scores: how far, on average, the score of
a finding is from the share of such findings that is right; "eceBefore" is that of the
network's own probabilities. --reliability draws both. A mention is right here when span
and type are, a relation when both spans and the label are.

"protocol", where a model has it, is what the authors of its system report, with the counts
that it follows from: see doc/training.md.

Documents of --predictions find their sentence by id and must have its very text. Sentences of
the corpus without a document count as "missing": nothing in them was found.`,
		Example: `  keci evaluate --corpus biorelex --data dev.json
  keci evaluate --corpus biorelex --data dev.json --predictions extracted.jsonl`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.corpus, "corpus", "", corpusHelp+" or, for the linker, "+medMentions)
	flags.StringVar(&o.data, "data", "", "`FILE` of the corpus, or a folder of such files")
	flags.StringVar(&o.results, "results", "", "`DIR` to add what the model reaches to")
	flags.StringVar(&o.reliability, "reliability", "", "PNG `FILE` to draw the reliability of the scores to")
	flags.BoolVar(&o.skipInvalid, "skip-invalid", false, "pass over texts of the corpus that are wrong, and count them")
	flags.StringVar(&o.predictions, "predictions", "", "JSONL `FILE` as keci extract writes it; - for standard input")
	flags.StringVar(&o.model, "model", "", "model `DIR` (default: the one in the program)")
	flags.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	flags.StringVar(&o.linkModel, "link-model", "", "model `FILE` of the linker, for medmentions (default: the one in the program)")
	flags.Float64Var(&o.skip, "skip", 0, "leave out the first `SHARE` of the documents, for medmentions: 0 or more, less than 1")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "tell no progress")
	engineFlag(flags, &o.engine)
	return cmd
}

func (o evaluateOptions) run(cmd *cobra.Command) error {
	if err := o.check(cmd.Flags()); err != nil {
		return err
	}
	if o.corpus == medMentions {
		return o.runLinker(cmd)
	}
	gold, err := readCorpus(o.corpus, o.data, o.skipInvalid, cmd.ErrOrStderr())
	switch {
	case err != nil:
		return err
	case len(gold.Examples) == 0:
		return fmt.Errorf("%s holds no text to measure on", o.data)
	}
	if o.predictions == "" {
		return o.evaluateModel(cmd, gold)
	}
	predicted, err := readPredictions(o.predictions, cmd.InOrStdin())
	if err != nil {
		return err
	}
	result, err := score.Evaluate(gold, predicted)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	o.reliability = "" // of no model; who gave it was told
	return o.write(cmd.OutOrStdout(), evaluation{Result: result}, reliability{})
}

// check tells what is wrong with the flags.
func (o evaluateOptions) check(flags *pflag.FlagSet) error {
	switch {
	case o.corpus != medMentions && !slices.Contains(corpus.Names(), o.corpus):
		return usageError("--corpus is %q: use one of %s, %s", o.corpus, strings.Join(corpus.Names(), ", "), medMentions)
	case o.data == "":
		return usageError("--data is missing: name the file of the corpus")
	case !(o.skip >= 0 && o.skip < 1):
		return usageError("--skip is %g: it is a share of the documents, at least 0 and less than 1", o.skip)
	case o.corpus == medMentions:
		return refuse(flags, extractorFlags, "--corpus "+medMentions+" measures the linker, not a model")
	case o.predictions != "" && (given(flags, "results") || given(flags, "reliability")):
		return usageError("--predictions does not say which model it is of: --results and --reliability need one")
	case o.predictions != "":
		if err := refuse(flags, modelFlags, "--predictions were extracted before"); err != nil {
			return err
		}
	}
	return refuse(flags, linkerFlags, "only the linker, --corpus "+medMentions+", is measured with it")
}

// evaluateModel reads the corpus with a model and scores what it gives.
func (o evaluateOptions) evaluateModel(cmd *cobra.Command, gold corpus.Corpus) error {
	return useExtractor(cmd.Context(), o.model, o.kb, o.engine, func(model extractor, kb *knowledgebase.KnowledgeBase) error {
		return o.evaluateExtractor(cmd, gold, model, kb)
	})
}

func (o evaluateOptions) evaluateExtractor(cmd *cobra.Command, gold corpus.Corpus, model extractor, kb *knowledgebase.KnowledgeBase) error {
	model = model.of(gold.Name)
	if err := tellUnknownLabels(cmd.ErrOrStderr(), model.Info(), gold); err != nil {
		return err
	}
	dir, err := modelDir(o.model)
	if err != nil {
		return err
	}
	if err := o.warnOfKnown(dir, cmd.ErrOrStderr()); err != nil {
		return err
	}
	run, err := o.expected(cmd.Flags(), dir, model, kb)
	if err != nil {
		return err
	}
	m, err := measure(cmd.Context(), dir, model, kb, gold, newTextProgress(cmd.ErrOrStderr(), o.quiet))
	if err != nil {
		return err
	}
	if o.results != "" {
		m.completes(&run)
		if _, err := results.Write(o.results, run); err != nil {
			return err
		}
	}
	return o.write(cmd.OutOrStdout(), m.evaluation, m.reliability)
}

// warnOfKnown tells where a model learned from the file that is to be measured.
func (o evaluateOptions) warnOfKnown(dir string, stderr io.Writer) error {
	model, data, err := historyAndFile(dir, o.data)
	if err != nil {
		return err
	}
	for at := range model.All() {
		if at.LearnedFrom(data) {
			fmt.Fprintf(stderr, "warning: %s learned from %s: what it reaches there says nothing of other texts\n", at.Name, data.Name)
		}
	}
	return nil
}

// expected is the run that goes to the results, if it is to. That it can is seen
// before the texts are read.
func (o evaluateOptions) expected(flags *pflag.FlagSet, dir string, model extractor, kb *knowledgebase.KnowledgeBase) (results.Run, error) {
	if o.results == "" {
		return results.Run{}, nil
	}
	from, err := results.Describe(o.data)
	if err != nil {
		return results.Run{}, err
	}
	run, err := runOf(flags, dir, model, kb, o.corpus, nameOfFile(o.data), from)
	if err != nil {
		return run, err
	}
	_, _, err = findRun(o.results, run)
	return run, err
}

// write gives the evaluation as JSON, and then draws the reliability if that is wanted:
// a picture that cannot be drawn must not take with it what was measured.
func (o evaluateOptions) write(out io.Writer, e evaluation, drawn reliability) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(e); err != nil || o.reliability == "" {
		return err
	}
	return calibration.Draw(o.reliability, drawn.entities, drawn.relations)
}

// nameOfFile is the name of a file without folder and ending.
func nameOfFile(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// tellUnknownLabels names the labels of a corpus that the model does not know:
// what has them cannot be found, and counts as such. A corpus of which the model
// knows no type is not one for it.
func tellUnknownLabels(stderr io.Writer, model fusion.ModelInfo, gold corpus.Corpus) error {
	types := unknownLabels(gold.EntityTypes, model.EntityTypes)
	if len(types) > 0 && len(types) == len(gold.EntityTypes) {
		return fmt.Errorf("the model %s knows none of the entity types of the corpus (such as %s): it knows %s", model.Name,
			gold.PlaceOfType(types[0]), strings.Join(model.EntityTypes, ", "))
	}
	for _, label := range types {
		fmt.Fprintf(stderr, "the model knows no entity type %s: it will not be found\n", gold.PlaceOfType(label))
	}
	for _, label := range unknownLabels(gold.RelationLabels, model.RelationLabels) {
		fmt.Fprintf(stderr, "the model knows no relation %s: it will not be found\n", gold.PlaceOfLabel(label))
	}
	return nil
}

func unknownLabels(asked, known []string) []string {
	return slices.DeleteFunc(slices.Clone(asked), func(label string) bool { return slices.Contains(known, label) })
}

// extractCorpus reads every example of a corpus with a model.
func extractCorpus(ctx context.Context, model fusion.Extractor, gold corpus.Corpus, p *progress) ([]graph.Document, error) {
	read, end := p.texts(len(gold.Examples))
	defer end()
	return parallel.Map(ctx, gold.Examples, func(ctx context.Context, e corpus.Example) (graph.Document, error) {
		defer read()
		return model.Extract(ctx, graph.Document{ID: e.ID, Text: e.Text})
	})
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
