package multitask

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

// System is multi-task tagging and classification as one of several systems. It
// implements [system.System].
type System struct{}

// Variants is the one that there is.
func (System) Variants() []string { return []string{Variant} }

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
		Method: "a shared encoder with a tagger and a classifier of marked pairs", Reach: "within a sentence",
		Decision: cfg.Decision,
	}
	if cfg.OfConcepts {
		d.Reach = ""
	}
	d.Parameters, d.Digest, err = modeldir.Measure(dir)
	return d, err
}

// Recipe is how a model is usually trained.
func (System) Recipe(string) system.Recipe { return &recipe{cfg: DefaultConfig()} }

// recipe is the configuration that a model begins with, and how it learns.
type recipe struct {
	cfg     Config
	augment bool
}

// AddFlags adds the switches.
func (r *recipe) AddFlags(f *pflag.FlagSet) {
	f.BoolVar(&r.augment, "augment", r.augment, "learn from texts with other names as well: concepts are replaced by others of their type")
	f.BoolVar(&r.cfg.Dictionary, "dictionary", r.cfg.Dictionary, "let the tagger hear of what the linker finds")
}

// Check has nothing to look at: the settings are switches.
func (r *recipe) Check() error { return nil }

// Options are for abstracts, of which a batch has some 1,200 word pieces.
func (r *recipe) Options() train.Options {
	o := train.DefaultOptions()
	o.Epochs, o.BatchSize, o.EncoderRate, o.TaskRate = 12, 4, 2e-4, 1e-3
	return o
}

// Traits say that it reads whole documents; only the tagger hears of the knowledge base.
func (r *recipe) Traits() system.Traits { return system.Traits{Knowledge: r.cfg.Dictionary} }

// Record writes the switches.
func (r *recipe) Record(t *results.Training) {
	t.Settings = map[string]any{"augment": r.augment, "dictionary": r.cfg.Dictionary}
}

// NewLearner prepares a model for training, see [NewLearner].
func (r *recipe) NewLearner(ctx context.Context, backend compute.Backend, m system.Material) (train.Learner, error) {
	return NewLearner(ctx, backend, r.cfg, m, r.augment)
}
