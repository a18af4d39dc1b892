package keci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/graph"
)

// Pruned says what [Prune] did, and what it cost on the held-out texts.
type Pruned struct {
	Borders       Borders
	KeptRatio     float64 // before: Before.KeptRatio
	Before, After PrunedScore
}

// PrunedScore is what a model that keeps some spans reaches on held-out texts.
type PrunedScore struct {
	KeptRatio        float64
	Entity, Relation float64 // F1
}

func (s PrunedScore) mean() float64 { return (s.Entity + s.Relation) / 2 }

// prunedRatios are the shares λ of kept spans that are tried, the smallest first.
var prunedRatios = []float64{0.1, 0.15, 0.2, 0.25}

// Prune writes the model of the directory from, which learned from one corpus, again
// as the new directory to, so that it looks at fewer spans: not at those that begin
// or end with words that never did so in what it learned from (see [Borders]), and
// it keeps as few spans for each word piece as the held-out texts allow, on which the
// mean of entity and relation F1 may fall by tolerance and no further.
//
// open opens a model directory with the knowledge base that it is to be tried with.
func Prune(ctx context.Context, open func(dir string) (*Model, error), from, to string, set system.Set, tolerance float64) (Pruned, error) {
	if _, err := os.Stat(to); err == nil {
		return Pruned{}, fmt.Errorf("prune: %s exists already: choose another directory", to)
	}
	before, err := open(from)
	if err != nil {
		return Pruned{}, fmt.Errorf("prune: %w", err)
	}
	cfg := before.cfg
	if len(cfg.More) > 0 {
		return Pruned{}, errors.New("prune: the model learned from several corpora, what never begins or ends a mention of any of them only training can tell")
	}
	var result Pruned
	if result.Before, err = before.reach(ctx, set.HeldOut); err != nil {
		return result, fmt.Errorf("prune: %w", err)
	}
	cfg.Borders = learnBorders(before.tokenizer, set.Train)
	result.Borders = cfg.Borders
	next := to + ".next"
	defer os.RemoveAll(next)
	if err := errors.Join(os.RemoveAll(next), os.CopyFS(next, os.DirFS(from))); err != nil {
		return result, fmt.Errorf("prune: %w", err)
	}
	for _, ratio := range append(prunedRatios, cfg.KeptRatio) {
		if ratio > cfg.KeptRatio {
			continue
		}
		result.KeptRatio = ratio
		if result.After, err = tried(ctx, open, next, cfg, ratio, set.HeldOut); err != nil {
			return result, fmt.Errorf("prune: %w", err)
		}
		if result.After.mean() >= result.Before.mean()-tolerance {
			return result, os.Rename(next, filepath.Clean(to))
		}
	}
	return result, fmt.Errorf("prune: without spans that begin or end with words that never did so in the texts to learn from, entity and relation F1 fall from %.4f and %.4f to %.4f and %.4f: are these the texts that %s learned from?",
		result.Before.Entity, result.Before.Relation, result.After.Entity, result.After.Relation, from)
}

// tried writes the configuration with a share of kept spans into a model directory,
// and measures that.
func tried(ctx context.Context, open func(dir string) (*Model, error), dir string, cfg Config, ratio float64, heldOut corpus.Corpus) (PrunedScore, error) {
	cfg.KeptRatio = ratio
	if err := modeldir.WriteConfig(dir, cfg); err != nil {
		return PrunedScore{}, err
	}
	m, err := open(dir)
	if err != nil {
		return PrunedScore{}, err
	}
	return m.reach(ctx, heldOut)
}

// reach extracts held-out texts and scores what is found.
func (m *Model) reach(ctx context.Context, heldOut corpus.Corpus) (PrunedScore, error) {
	documents := make([]graph.Document, len(heldOut.Examples))
	for i, e := range heldOut.Examples {
		var err error
		if documents[i], err = m.Extract(ctx, graph.Document{ID: e.ID, Text: e.Text}); err != nil {
			return PrunedScore{}, fmt.Errorf("example %s: %w", e.ID, err)
		}
	}
	result, err := score.Evaluate(heldOut, documents)
	return PrunedScore{KeptRatio: m.cfg.KeptRatio, Entity: result.EntityF1, Relation: result.RelationF1}, err
}
