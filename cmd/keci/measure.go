package main

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// evaluation is what keci evaluate prints: the scores of a model and how far
// its scores can be believed.
type evaluation struct {
	score.Result
	EntityReliability   *calibration.Reliability `json:"entityReliability,omitempty"`
	RelationReliability *calibration.Reliability `json:"relationReliability,omitempty"`
	Protocol            *results.Protocol        `json:"protocol,omitempty"` // of a system.Benchmark
}

// measurement is what a model reaches on a corpus.
type measurement struct {
	evaluation
	reliability reliability
	reading     results.Reading
}

// measure reads a corpus with the model in the directory dir, and scores what it gives
// by the rules of the corpus and, where it has some, by those of its system.
func measure(ctx context.Context, dir string, model extractor, kb *knowledgebase.KnowledgeBase, gold corpus.Corpus, p *progress) (measurement, error) {
	predicted, reading, err := readInTime(ctx, model, gold, p)
	if err != nil {
		return measurement{}, err
	}
	if gold.OfConcepts { // the scores look at codes
		if err := tellCodes(ctx, kb, predicted); err != nil {
			return measurement{}, err
		}
	}
	m := measurement{reading: reading}
	if m.evaluation, m.reliability, err = evaluated(dir, gold, predicted); err != nil {
		return m, err
	}
	if own, ok := model.Extractor.(system.Benchmark); ok {
		protocol, err := own.Measure(ctx, gold)
		if err != nil {
			return m, err
		}
		m.Protocol = &protocol
	}
	return m, nil
}

// readInTime reads every example of a corpus with a model, and tells how long it took.
func readInTime(ctx context.Context, model fusion.Extractor, gold corpus.Corpus, p *progress) ([]graph.Document, results.Reading, error) {
	reading := results.Reading{Processors: runtime.GOMAXPROCS(0), Engine: model.Info().Engine}
	for _, e := range gold.Examples {
		reading.Sentences += len(linker.Sentences(e.Text))
	}
	start := time.Now()
	documents, err := extractCorpus(ctx, model, gold, p)
	reading.Seconds = time.Since(start).Seconds()
	return documents, reading, err
}

// tellCodes gives the concepts of mentions their codes.
func tellCodes(ctx context.Context, kb *knowledgebase.KnowledgeBase, documents []graph.Document) error {
	for _, doc := range documents {
		if err := graph.Describe(ctx, kb.Knowledge, doc.Mentions, graph.Details{Codes: true}); err != nil {
			return err
		}
	}
	return nil
}

// runOf is the record of the model in the directory dir as far as it is known before
// it is measured, by a command that has these flags.
func runOf(flags *pflag.FlagSet, dir string, model extractor, kb *knowledgebase.KnowledgeBase, corpus, split string, test results.File) (results.Run, error) {
	training, err := results.ReadTraining(dir)
	if err != nil {
		return results.Run{}, err
	}
	info := model.Info()
	run := results.Run{Training: training.Of(corpus), Split: split, Test: test, Model: info.Digest, Parameters: info.Parameters,
		Testing: results.Testing{Program: thisProgram(), Command: thisCommand(flags), Finished: today()}}
	if training.KB != nil {
		run.Testing.KB = kb.Provenance()
	}
	return run, nil
}

// completes writes what was measured into the record of a run.
func (m measurement) completes(run *results.Run) {
	run.Scores, run.Protocol, run.Reading = m.Result, m.Protocol, &m.reading
	run.EntityReliability, run.RelationReliability = *m.EntityReliability, *m.RelationReliability
}

// findRun looks for a run in a folder of results. One that was made otherwise is a
// wrong call.
func findRun(dir string, like results.Run) (results.Run, bool, error) {
	run, found, err := results.Find(dir, like)
	if errors.Is(err, results.ErrOtherRun) {
		err = usageError("%w", err)
	}
	return run, found, err
}
