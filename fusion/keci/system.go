package keci

import (
	"context"
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
)

// System is KECI as one of several systems. It implements [system.System].
type System struct{}

// Variants lists those of the paper's tables.
func (System) Variants() []string {
	var names []string
	for _, v := range Variants() {
		names = append(names, string(v))
	}
	return names
}

// Open reads a model directory, see [Open].
func (System) Open(backend compute.Backend, dir string, kb system.KnowledgeBase) (fusion.Extractor, error) {
	return Open(backend, dir, kb)
}

// Describe reads what a model directory holds, without an engine.
func (System) Describe(dir string) (system.Description, error) {
	info, cfg, err := Describe(dir)
	return system.Description{
		ModelInfo: info, Config: cfg,
		Method: "the KECI model (Lai et al., ACL 2021)", Reach: cfg.reach(),
		Decision: cfg.decision(), Of: cfg.decisions(),
	}, err
}

// reach is how far apart the ends of a relation may be.
func (c Config) reach() string {
	if c.Window <= 1 {
		return "within a sentence"
	}
	return fmt.Sprintf("within %d consecutive sentences, of at most %d word pieces together", c.Window, maxWindow)
}

func (h Head) decision() calibration.Decision {
	return calibration.Decision{
		EntityThreshold: h.EntityThreshold, RelationThreshold: h.RelationThreshold,
		EntityCalibration: h.EntityCalibration, RelationCalibration: h.RelationCalibration,
	}
}

// decisions are those of each corpus; nil where there is one.
func (c Config) decisions() map[string]calibration.Decision {
	if len(c.More) == 0 {
		return nil
	}
	of := map[string]calibration.Decision{}
	for _, h := range c.heads() {
		of[h.Corpus] = h.decision()
	}
	return of
}

// Recipe is the default configuration of a variant.
func (System) Recipe(variant string) system.Recipe {
	r := recipe{cfg: DefaultConfig(), window: 1}
	r.cfg.Variant = Variant(variant)
	return &r
}

// recipe is how a model is trained: the configuration that it begins with.
type recipe struct {
	cfg        Config
	window     int // sentences that are read together
	epochTexts EpochTexts
}

// AddFlags adds the settings of the paper's hyperparameters.
func (r *recipe) AddFlags(f *pflag.FlagSet) {
	f.Float64Var(&r.cfg.EntityThreshold, "entity-threshold", r.cfg.EntityThreshold, "lowest score of an entity, where nothing is held out to choose it")
	f.Float64Var(&r.cfg.RelationThreshold, "relation-threshold", r.cfg.RelationThreshold, "lowest score of a relation, likewise")
	f.Float64Var(&r.cfg.KeptRatio, "kept-ratio", r.cfg.KeptRatio, "λ, spans kept for each word piece")
	f.IntVar(&r.window, "window", r.window, "consecutive sentences that are read together, so that relations between them are found")
	f.Var(&r.epochTexts, "epoch-texts", "most texts of each corpus in an epoch, or of single ones as in 1265,bc5cdr=500; those of a larger one take turns (0: all in each)")
	f.IntVar(&r.cfg.Span.MaxWidth, "max-span", r.cfg.Span.MaxWidth, "longest span in word pieces")
	f.Float64Var(&r.cfg.Dropout, "dropout", r.cfg.Dropout, "dropout rate in the scorers and the vectors of spans (the paper has 0.3 without knowledge)")
	f.Float64Var(&r.cfg.LabelSmoothing, "label-smoothing", r.cfg.LabelSmoothing, "share of each label that is spread over all labels while training")
}

// Check looks at what does not depend on a corpus.
func (r *recipe) Check() error {
	err := errors.Join(calibration.CheckThreshold("entity threshold", r.cfg.EntityThreshold),
		calibration.CheckThreshold("relation threshold", r.cfg.RelationThreshold), r.epochTexts.validate())
	if err != nil {
		return err
	}
	if r.window == 0 {
		return errors.New("window is 0, a model reads at least one sentence: 1")
	}
	return r.config().validateSettings()
}

// Options are the usual ones of training.
func (r *recipe) Options() train.Options { return train.DefaultOptions() }

// Traits follow from the parts of the variant.
func (r *recipe) Traits() system.Traits {
	return system.Traits{
		Sentences: max(1, r.window), Pieces: maxWindow, ManyCorpora: true, GoesOn: true, TypesFirst: true,
		Knowledge: r.cfg.Variant.parts().knowledge, Embeddings: r.cfg.Variant.ReadsEmbeddings(),
	}
}

// Record writes what of the settings tells runs apart.
func (r *recipe) Record(t *results.Training) {
	t.MaxSpan, t.KeptRatio, t.LabelSmoothing = r.cfg.Span.MaxWidth, r.cfg.KeptRatio, r.cfg.LabelSmoothing
	if r.cfg.Dropout != DefaultConfig().Dropout {
		t.Dropout = r.cfg.Dropout
	}
	t.Window, t.EpochTexts, t.EpochTextsOf, t.Borders = r.config().Window, r.epochTexts.Each, r.epochTexts.Of, true
	t.MessageNorm, t.Between = r.cfg.MessageNorm, r.cfg.Between
}

// config has a window only where it is of several sentences, and one dropout rate.
func (r *recipe) config() Config {
	cfg := r.cfg
	cfg.Span.Dropout = cfg.Dropout
	if r.window != 1 {
		cfg.Window = r.window
	}
	return cfg
}

// NewLearner prepares a model for training, see [NewLearner].
func (r *recipe) NewLearner(ctx context.Context, backend compute.Backend, m system.Material) (train.Learner, error) {
	if err := r.epochTexts.validateFor(m.Sets()); err != nil {
		return nil, err
	}
	cfg := r.config()
	cfg.Name, cfg.Kinds = m.Name, m.Kinds
	l, err := NewLearner(ctx, backend, cfg, m)
	if err != nil {
		return nil, err
	}
	l.EpochTexts = r.epochTexts
	return l, nil
}
