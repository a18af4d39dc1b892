package hnm

import (
	"context"

	"github.com/gomlx/compute"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
)

// System is the classifier as one of several systems. It implements
// [system.System].
type System struct{}

// Variants are that with hard negatives and its baseline.
func (System) Variants() []string { return variants() }

// Open reads a model directory, see [Open].
func (System) Open(backend compute.Backend, dir string, kb system.KnowledgeBase) (fusion.Extractor, error) {
	return Open(backend, dir, kb)
}

// Describe reads what a model directory holds, without an engine.
func (System) Describe(dir string) (system.Description, error) {
	cfg, err := modeldir.ReadConfig[Config](dir)
	if err != nil {
		return system.Description{}, err
	}
	d := system.Description{
		ModelInfo: cfg.describe(), Config: cfg,
		Method: "a classifier of marked pairs of concepts that the linker finds", Reach: "anywhere in a document",
		Decision: cfg.Decision,
	}
	d.Parameters, d.Digest, err = modeldir.Measure(dir)
	return d, err
}

// Recipe is how a model is usually trained.
func (System) Recipe(variant string) system.Recipe {
	return &recipe{cfg: DefaultConfig(variant), settings: DefaultSettings(variant)}
}

// recipe is the configuration that a model begins with, and how it learns.
type recipe struct {
	cfg      Config
	settings Settings
}

// AddFlags adds the settings.
func (r *recipe) AddFlags(f *pflag.FlagSet) {
	f.IntVar(&r.cfg.Row, "row", r.cfg.Row, "word pieces that are read of a text around two concepts")
	f.Float64Var(&r.settings.Negatives, "negatives", r.settings.Negatives, "pairs without a relation to learn from, for each with one")
	if r.cfg.Variant == Baseline {
		return
	}
	f.BoolVar(&r.settings.Mining, "mining", r.settings.Mining, "mine hard negatives before each epoch but the first")
	f.Float64Var(&r.settings.Contrastive, "contrastive", r.settings.Contrastive, "weight of the contrastive loss (0: none)")
	f.Float64Var(&r.settings.Temperature, "temperature", r.settings.Temperature, "temperature of the contrastive loss")
}

// Check looks at what does not depend on a corpus.
func (r *recipe) Check() error {
	if err := r.cfg.validateRow(); err != nil {
		return err
	}
	return r.settings.Validate()
}

// Options are steps of 32 pairs, not texts.
func (r *recipe) Options() train.Options {
	o := train.DefaultOptions()
	o.Epochs, o.BatchSize = 6, 32
	return o
}

// Traits say that it learns which semantic types of the knowledge base to tell apart.
func (r *recipe) Traits() system.Traits { return system.Traits{Knowledge: true} }

// Record writes the settings.
func (r *recipe) Record(t *results.Training) {
	t.Settings = map[string]any{
		"row": r.cfg.Row, "negatives": r.settings.Negatives, "mining": r.settings.Mining,
		"contrastive": r.settings.Contrastive, "temperature": r.settings.Temperature,
	}
}

// NewLearner prepares a model for training, see [NewLearner].
func (r *recipe) NewLearner(ctx context.Context, backend compute.Backend, m system.Material) (train.Learner, error) {
	return NewLearner(ctx, backend, r.cfg, r.settings, m)
}
