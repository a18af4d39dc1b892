package remedi

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

// System is the pipeline as one of several systems. It implements [system.System].
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
		Method: "a tagger and a classifier of masked mentions, after REmediNER", Reach: "within a sentence",
		Decision: cfg.Decision,
	}
	d.Parameters, d.Digest, err = modeldir.Measure(dir)
	return d, err
}

// Recipe is how a model is usually trained.
func (System) Recipe(string) system.Recipe {
	return &recipe{cfg: DefaultConfig(), settings: DefaultSettings()}
}

// recipe is the configuration that a model begins with, and how it learns.
type recipe struct {
	cfg      Config
	settings Settings
}

// AddFlags adds the settings.
func (r *recipe) AddFlags(f *pflag.FlagSet) {
	f.Float64Var(&r.settings.Concatenations, "concatenations", r.settings.Concatenations, "learn from concatenations of two, of three and of four sentences as well, each so many for a sentence (0: none)")
	f.Float64Var(&r.settings.Weighting, "class-weighting", r.settings.Weighting, "how much rare tags count more in the loss: 0 not, 1 so that all count the same together")
	f.BoolVar(&r.settings.PartOfSpeech, "part-of-speech", r.settings.PartOfSpeech, "let the classifier of masked mentions hear of the part of speech of each word")
}

// Check looks at what does not depend on a corpus.
func (r *recipe) Check() error { return r.settings.Validate() }

// Options are the original's: batches of eight, accumulated over four, six epochs,
// and one learning rate for all.
func (r *recipe) Options() train.Options {
	o := train.DefaultOptions()
	o.Epochs, o.BatchSize, o.EncoderRate, o.TaskRate = 6, 4*shardSize, 2e-4, 2e-4
	return o
}

// Traits say that it reads sentences; the knowledge base has no part in what is learned.
func (r *recipe) Traits() system.Traits { return system.Traits{Sentences: 1} }

// Record writes the settings. Runs without parts of speech are those of before
// there was that switch.
func (r *recipe) Record(t *results.Training) {
	t.Settings = map[string]any{"concatenations": r.settings.Concatenations, "classWeighting": r.settings.Weighting}
	if r.settings.PartOfSpeech {
		t.Settings["partOfSpeech"] = true
	}
}

// NewLearner prepares a model for training, see [NewLearner].
func (r *recipe) NewLearner(_ context.Context, backend compute.Backend, m system.Material) (train.Learner, error) {
	return NewLearner(backend, r.cfg, r.settings, m)
}
