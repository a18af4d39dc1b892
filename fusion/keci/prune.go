package keci

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// Pruned says what [Model.Prune] did: the configuration that it wrote, and what the
// model reaches on the held-out texts before and after.
type Pruned struct {
	Config        Config
	Before, After train.Score
}

// prunedRatios are the shares λ of kept spans that are tried, the smallest first.
var prunedRatios = []float64{0.1, 0.15, 0.2, 0.25}

// Prune writes the model of the directory from, which m was opened from, again as the
// new directory to, so that it looks at fewer spans: where it has no [Borders], not at
// those that begin or end with words that never did so in what it learned from, and it
// keeps as few spans for each word piece as the held-out texts allow, which are of one
// corpus. On them the mean of entity and relation F1, a fraction, may fall by tolerance
// and no further. Where even all the spans that it kept before lose more, that is an
// error, and nothing is written.
func (m *Model) Prune(ctx context.Context, from, to string, set system.Set, tolerance float64) (Pruned, error) {
	if err := modeldir.CheckNew(to); err != nil {
		return Pruned{}, fmt.Errorf("prune: %w", err)
	}
	hasBorders := len(m.cfg.Borders.NeverFirst)+len(m.cfg.Borders.NeverLast) > 0
	if len(m.cfg.More) > 0 && !hasBorders {
		return Pruned{}, errors.New("prune: the model learned from several corpora, what never begins or ends a mention of any of them only training can tell")
	}
	result := Pruned{Config: m.cfg}
	var err error
	if result.Before, err = m.reach(ctx, set.HeldOut); err != nil {
		return result, fmt.Errorf("prune: %w", err)
	}
	if !hasBorders { // as in models that learned from every span
		result.Config.Borders = learnBorders(m.tokenizer, set.Train)
	}
	for _, ratio := range slices.Concat(prunedRatios, []float64{m.cfg.KeptRatio}) {
		if ratio > m.cfg.KeptRatio {
			continue
		}
		result.Config.KeptRatio = ratio
		other, err := m.withSpansOf(result.Config)
		if err != nil {
			return result, fmt.Errorf("prune: %w", err)
		}
		if result.After, err = other.reach(ctx, set.HeldOut); err != nil {
			return result, fmt.Errorf("prune: %w", err)
		}
		if result.After.Selection() >= result.Before.Selection()-tolerance {
			return result, modeldir.Reconfigure(from, to, result.Config)
		}
	}
	return result, fmt.Errorf("prune: without spans that begin or end with words that never did so in the texts to learn from, entity and relation F1 fall from %.4f and %.4f to %.4f and %.4f: are these the texts that %s learned from?",
		result.Before.Entity, result.Before.Relation, result.After.Entity, result.After.Relation, from)
}

// withSpansOf is the model with the same weights that looks at the spans that cfg
// says, which differs from its own configuration in nothing else.
func (m *Model) withSpansOf(cfg Config) (*Model, error) {
	other, reader, batcher := *m, *m.reader, *m.batcher
	var err error
	if reader.borders, err = cfg.Borders.in(m.tokenizer); err != nil {
		return nil, err
	}
	if other.predictor, err = newPredictor(m.backend, m.store, network{cfg: cfg, encoder: m.encoderConfig}); err != nil {
		return nil, err
	}
	other.cfg, reader.cfg, batcher.cfg = cfg, cfg, cfg
	other.reader, other.batcher = &reader, &batcher
	return &other, nil
}

// reach extracts held-out texts and scores what is found.
func (m *Model) reach(ctx context.Context, heldOut corpus.Corpus) (train.Score, error) {
	var extractor fusion.Extractor = m
	if len(m.cfg.More) > 0 {
		var ok bool
		if extractor, ok = m.For(heldOut.Name); !ok {
			return train.Score{}, fmt.Errorf("the model has no labels of the corpus %s", heldOut.Name)
		}
	}
	documents, err := corpus.Map(ctx, heldOut, func(ctx context.Context, e corpus.Example) (graph.Document, error) {
		return extractor.Extract(ctx, graph.Document{ID: e.ID, Text: e.Text})
	})
	if err != nil {
		return train.Score{}, err
	}
	result, err := score.Evaluate(heldOut, documents)
	return train.Score{Entity: result.EntityF1, Relation: result.RelationF1}, err
}
