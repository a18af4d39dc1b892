package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/kge"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// recipe is what the commands that train are told of how to.
type recipe struct {
	corpus, encoder, kb, engine, variant, name string
	heldOut                                    float64
	sweep                                      []float64
	sweepEpochs                                int
	skipInvalid, quiet                         bool
	train                                      train.Options

	flags      *pflag.FlagSet
	origin     origin          // that training goes on from, if any
	settings   system.Recipe   // of the variant, once it is settled
	embeddings *kge.Embeddings // of the knowledge base, once it is open; nil: none

	encoderDigest, embeddingsDigest string // once the knowledge base is open
}

// addFlags adds the flags of a recipe. Which data, which seed and where to is
// for the commands.
func (r *recipe) addFlags(f *pflag.FlagSet) {
	r.flags = f
	r.train = train.DefaultOptions()
	f.StringVar(&r.corpus, "corpus", "", corpusHelp)
	f.StringVar(&r.encoder, "encoder", "", "Hugging Face `DIR` of the pretrained encoder")
	f.StringVar(&r.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	engineFlag(f, &r.engine)
	f.StringVar(&r.variant, "variant", "", fmt.Sprintf("which model: one of %v (default: %s, or %s where the knowledge base has no embeddings)", systems.Variants(), keci.VariantKECI, keci.VariantNoKGE))
	f.StringVar(&r.name, "name", "", "name of the model (default: variant and corpora)")
	f.BoolVar(&r.skipInvalid, "skip-invalid", false, "pass over texts that are wrong, or too long for the encoder, and count them")
	f.Float64Var(&r.heldOut, "held-out", 0.1, "share of the texts that is held out to compare epochs (0: the last epoch is taken)")
	addOptions(f, &r.train)
	f.IntVar(&r.train.MaxSteps, "max-steps", 0, "stop after so many steps and measure there (0: no limit)")
	f.DurationVar(&r.train.SaveEvery, "save-every", r.train.SaveEvery, "save a long epoch inside as well, so often (0: only when it ends or is stopped)")
	f.IntVar(&r.train.Patience, "patience", 0, "stop after so many epochs without a better score (0: never)")
	f.Float64Var(&r.train.EMA, "ema", 0, "measure and save a running mean of the weights, which keeps so much of itself in each step, such as 0.999 (0: the weights of the last step)")
	f.Float64Var(&r.train.LayerDecay, "layer-decay", 0, "learning rate of each layer of the encoder as a share of that of the layer after it, such as 0.9 (0: all learn alike)")
	f.Float64SliceVar(&r.sweep, "sweep", nil, "first try these factors of both learning rates in short runs and take the one that does best on what is held out")
	f.Lookup("sweep").NoOptDefVal = "0.5,1,2"
	f.IntVar(&r.sweepEpochs, "sweep-epochs", 2, "passes over the data in each run of a sweep")
	f.BoolVarP(&r.quiet, "quiet", "q", false, "tell no progress")
	for _, s := range systems {
		settings := settingsOf(s.Recipe(s.Variants()[0]))
		groupFlags(settings, s.Variants())
		f.AddFlagSet(settings)
	}
}

// addOptions adds the flags of what a variant has usual values of its own for.
func addOptions(f *pflag.FlagSet, o *train.Options) {
	f.IntVar(&o.Epochs, "epochs", o.Epochs, "passes over the data"+byVariant)
	f.IntVar(&o.BatchSize, "batch", o.BatchSize, "texts in a step"+byVariant)
	f.Float64Var(&o.EncoderRate, "encoder-rate", o.EncoderRate, "highest learning rate of the encoder"+byVariant)
	f.Float64Var(&o.TaskRate, "task-rate", o.TaskRate, "highest learning rate of the rest"+byVariant)
	f.Float64Var(&o.WarmUp, "warm-up", o.WarmUp, "share of the steps in which the rates rise"+byVariant)
}

const byVariant = "; other systems than KECI have another default"

// settingsOf are the flags of a system's own settings.
func settingsOf(r system.Recipe) *pflag.FlagSet {
	f := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	r.AddFlags(f)
	return f
}

// settle takes the usual options and settings of a variant, and what the flags
// change of them. A setting that the variant does not have is an error.
func (r *recipe) settle(variant string) error {
	s, ok := systems.Of(variant)
	if !ok {
		return usageError("--variant %q is unknown: use one of %v", variant, systems.Variants())
	}
	r.settings = s.Recipe(variant)
	options, given := r.settings.Options(), r.train
	own := settingsOf(r.settings)
	addOptions(own, &options)
	var failure error
	r.flags.VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed || failure != nil {
			return
		}
		if known := own.Lookup(flag.Name); known != nil {
			failure = known.Value.Set(flag.Value.String())
		} else if isSetting(flag.Name) {
			failure = usageError("--%s is no setting of the variant %s", flag.Name, variant)
		}
	})
	options.MaxSteps, options.Patience, options.Seed, options.Resume = given.MaxSteps, given.Patience, given.Seed, given.Resume
	options.EMA, options.LayerDecay, options.SaveEvery = given.EMA, given.LayerDecay, given.SaveEvery
	r.train = options
	return failure
}

// isSetting tells whether a flag is one of a system's own settings.
func isSetting(name string) bool {
	return slices.ContainsFunc(systems, func(s system.System) bool {
		return settingsOf(s.Recipe(s.Variants()[0])).Lookup(name) != nil
	})
}

// check reports what is wrong or contradicts itself, and settles the recipe. That the
// needed flags are there was checked.
func (r *recipe) check() error {
	if err := r.readOrigin(); err != nil {
		return err
	}
	if err := checkCorpus("corpus", r.corpus); err != nil {
		return err
	}
	if err := r.settle(cmp.Or(r.variant, string(keci.VariantKECI))); err != nil {
		return err
	}
	if r.origin.dir != "" && !r.settings.Traits().GoesOn {
		return usageError("--from: a model of the variant %s cannot be gone on from", r.variant)
	}
	if err := errors.Join(r.train.Validate(), r.settings.Check()); err != nil {
		return usageError("%w", err)
	}
	if !(r.heldOut >= 0 && r.heldOut < 1) {
		return usageError("--held-out is %g: it is a share of the texts, at least 0 and less than 1", r.heldOut)
	}
	if len(r.sweep) > 0 && r.heldOut == 0 {
		return usageError("--sweep compares on texts that are held out: --held-out must not be 0")
	}
	for _, factor := range r.sweep {
		if !(factor > 0) {
			return usageError("--sweep has the factor %g: factors are positive", factor)
		}
	}
	return nil
}

// checkCorpus reports a form of corpus that there is not.
func checkCorpus(flag, name string) error {
	if !slices.Contains(corpus.Names(), name) {
		return usageError("--%s: there is no form of corpus %q: use one of %s", flag, name, strings.Join(corpus.Names(), ", "))
	}
	return nil
}

// source is a corpus with where it comes from.
type source struct {
	all   corpus.Corpus
	data  results.File      // that all was read from
	names map[string]string // see system.Set
}

// material is what one model is made from.
type material struct {
	source
	also []source // other corpora to learn from
	kb   *knowledgebase.KnowledgeBase
	out  string // directory of the run

	kinds map[string][]string // see system.Material

	unseen []source // whose texts are in no part of what is learned from; in the order of their digests
}

// corporaOf and filesOf are what sources hold, and what they were read from.
func corporaOf(sources []source) (all []corpus.Corpus) {
	for _, s := range sources {
		all = append(all, s.all)
	}
	return all
}

func filesOf(sources []source) (all []results.File) {
	for _, s := range sources {
		all = append(all, s.data)
	}
	return all
}

// of is the source of the given corpus, nil where there is none.
func (m *material) of(name string) *source {
	if m.all.Name == name {
		return &m.source
	}
	i := slices.IndexFunc(m.also, func(s source) bool { return s.all.Name == name })
	if i < 0 {
		return nil
	}
	return &m.also[i]
}

// sources are all corpora to learn from.
func (m material) sources() []source { return append([]source{m.source}, m.also...) }

// corpora names all that is learned from: "biorelex+ade".
func (m material) corpora() string {
	names := []string{m.all.Name}
	for _, s := range m.also {
		names = append(names, s.all.Name)
	}
	return strings.Join(names, "+")
}

// openKnowledge opens the knowledge base with its embeddings, and settles which
// variant can be trained with it where none was asked for. The error of a variant
// that needs embeddings says how to make them.
func (r *recipe) openKnowledge(ctx context.Context, stderr io.Writer) (*knowledgebase.KnowledgeBase, error) {
	kb, err := openKnowledgeBase(ctx, r.kb)
	if err != nil {
		return nil, err
	}
	if err := r.settleEmbeddings(stderr); err != nil {
		return nil, errors.Join(err, kb.Close())
	}
	return kb, nil
}

// settleEmbeddings opens the embeddings of the knowledge base, if it has some, and
// settles the variant.
func (r *recipe) settleEmbeddings(stderr io.Writer) error {
	var err error
	if r.embeddings, err = openEmbeddings(r.kb); err != nil {
		return err
	}
	if err := r.digest(); err != nil {
		return err
	}
	switch {
	case r.variant == "" && r.embeddings != nil:
		r.variant = string(keci.VariantKECI)
	case r.variant == "":
		r.variant = string(keci.VariantNoKGE)
		if !r.quiet {
			fmt.Fprintf(stderr, "the knowledge base has no embeddings (keci kb embed makes them): training the variant %s\n", r.variant)
		}
	case r.origin.dir != "": // it has embeddings of its own
	case r.embeddings == nil && r.settings.Traits().Embeddings:
		return usageError("--variant %s reads knowledge-graph embeddings, and the knowledge base has none: make them with keci kb embed %s --encoder %s",
			r.variant, cmp.Or(r.kb, "DIR"), r.encoder)
	}
	return r.settle(r.variant)
}

// digest names the contents of the encoder's folder and of the embeddings.
func (r *recipe) digest() error {
	encoder, err := results.Describe(r.encoder)
	if err != nil {
		return fmt.Errorf("--encoder: %w", err)
	}
	r.encoderDigest = encoder.SHA256
	if r.embeddings == nil {
		return nil
	}
	embeddings, err := results.Describe(filepath.Join(r.kb, kge.FileName))
	r.embeddingsDigest = embeddings.SHA256
	return err
}

// begin keeps what a run is told in its directory, or compares it with what the run
// that is to go on was told. A run may be begun without a checkpoint: by a sweep, whose
// trials are taken over.
func (r recipe) begin(m material) error {
	begun, err := train.Begun(m.out)
	switch {
	case err != nil:
		return err
	case begun && !r.train.Resume:
		return usageError("%s holds a training run already: choose another directory, or --resume it", m.out)
	case r.train.Resume:
		err = results.CheckRecipe(m.out, r.identity(m))
	}
	switch {
	case errors.Is(err, results.ErrOtherRun):
		return usageError("%w", err)
	case err != nil || begun:
		return err
	}
	return results.WriteRecipe(m.out, r.identity(m))
}

// learn trains one model and leaves it, with its card, in out/best.
func (r recipe) learn(ctx context.Context, m material, stderr io.Writer) (results.Training, error) {
	if err := r.begin(m); err != nil {
		return results.Training{}, err
	}
	for _, doubt := range r.doubts(m) {
		fmt.Fprintln(stderr, "warning:", doubt)
	}
	if warning := r.tooShort(); warning != "" {
		fmt.Fprintln(stderr, "warning:", warning)
	}
	set, more, err := r.trainingSets(m, stderr)
	if err != nil {
		return results.Training{}, err
	}
	limitTrainingMemory()
	backend, err := openEngine(r.engine, engine.Batches)
	if err != nil {
		return results.Training{}, err
	}
	defer backend.Finalize()
	kb := modelKnowledge(m.kb)
	kb.Embeddings = r.embeddings
	fresh := func() (train.Learner, error) {
		return r.settings.NewLearner(ctx, backend, system.Material{
			Name: cmp.Or(r.name, r.variant+"-"+m.corpora()), Encoder: r.encoder, From: r.origin.dir, Set: set, More: more,
			Kinds: m.kinds, KnowledgeBase: kb, BatchSize: r.train.BatchSize, Seed: r.train.Seed,
		})
	}
	trials, err := r.findRates(ctx, backend, fresh, m.out, stderr)
	if err != nil {
		return results.Training{}, err
	}
	learner, err := fresh()
	if err != nil {
		return results.Training{}, err
	}
	defer learner.Store().Finalize()
	progress := newTrainProgress(stderr, r.quiet)
	progress.measured = r.heldOut > 0
	history, err := train.Run(ctx, backend, learner, r.train, m.out, progress)
	if err != nil {
		return results.Training{}, err
	}
	best := filepath.Join(m.out, train.BestDir)
	if t, err := results.ReadTraining(best); err == nil && len(t.Curve) == len(history.Epochs) {
		return t, nil // it was complete before
	}
	t := r.training(m, append([]system.Set{set}, more...), history)
	t.Sweep = trials
	return t, writeCard(best, t)
}

// tooShort tells when a run, or those of its sweep, end before relations are learned.
func (r recipe) tooShort() string {
	const only = "the first epoch of %s learns entity types alone: with %s 1 no relation is learned, give 2 or more"
	switch {
	case !r.settings.Traits().TypesFirst || r.origin.dir != "":
	case r.train.Epochs < 2:
		return fmt.Sprintf(only, r.variant, "--epochs")
	case len(r.sweep) > 0 && r.sweepEpochs < 2:
		return fmt.Sprintf(only, r.variant, "--sweep-epochs")
	}
	return ""
}

// findRates sets the learning rates to those that a sweep finds, if one is wanted.
func (r *recipe) findRates(ctx context.Context, backend compute.Backend, fresh func() (train.Learner, error), out string, stderr io.Writer) ([]train.Trial, error) {
	if len(r.sweep) == 0 {
		return nil, nil
	}
	tell := func(t train.Trial) {
		if !r.quiet {
			fmt.Fprintln(stderr, describeTrial(t))
		}
	}
	options, trials, err := train.Sweep(ctx, backend, fresh, r.train, r.sweep, r.sweepEpochs, out, newTrainProgress(stderr, r.quiet), tell)
	r.train = options
	return trials, err
}

func describeTrial(t train.Trial) string {
	if t.Diverged {
		return fmt.Sprintf("sweep: learning rates × %g: diverged", t.Factor)
	}
	return fmt.Sprintf("sweep: learning rates × %g: %s, loss %.4f", t.Factor, t.Score, t.Loss)
}

// identity is what is known of a run before it begins.
func (r recipe) identity(m material) results.Training {
	t := results.Training{
		Source: m.record(), Encoder: filepath.Base(filepath.Clean(r.encoder)), Variant: r.variant,
		Seed: r.train.Seed, Options: r.train, HeldOutShare: r.heldOut, EncoderDigest: r.encoderDigest,
		Unseen: filesOf(m.unseen), Kinds: m.kinds,
	}
	if r.settings.Traits().Embeddings {
		t.Embeddings = r.embeddingsDigest
	}
	r.origin.tell(&t)
	for _, factor := range r.sweep {
		t.Sweep = append(t.Sweep, train.Trial{Factor: factor})
	}
	for _, s := range m.also {
		t.Also = append(t.Also, s.record())
	}
	slices.SortFunc(t.Also, func(a, b results.Source) int { return cmp.Compare(a.Corpus, b.Corpus) })
	r.settings.Record(&t)
	if r.settings.Traits().Knowledge {
		t.KB = m.kb.Provenance()
	}
	return t
}

// training is the record of a run that has ended.
func (r recipe) training(m material, sets []system.Set, h train.History) results.Training {
	t := r.identity(m)
	t.EntityTypes, t.RelationLabels = map[string]int{}, map[string]int{}
	for _, set := range sets {
		t.Learned, t.HeldOut = t.Learned+len(set.Train.Examples), t.HeldOut+len(set.HeldOut.Examples)
		addCounts(t.EntityTypes, set.Train.CountTypes())
		addCounts(t.RelationLabels, set.Train.CountLabels())
	}
	t.Best, t.Curve, t.Doubts = h.Epochs[h.Best], h.Epochs, r.doubts(m)
	t.Program, t.Command, t.Finished = thisProgram(), thisCommand(r.flags), today()
	return t
}

func addCounts(total, part map[string]int) {
	for label, n := range part {
		total[label] += n
	}
}

func (s source) record() results.Source {
	return results.Source{Corpus: s.all.Name, Data: s.data, Names: s.names}
}

// writeCard tells the model directory how its model came about, for programs
// and for people.
func writeCard(dir string, t results.Training) error {
	d, err := systems.Describe(dir)
	if err != nil {
		return err
	}
	if err := results.WriteTraining(dir, t); err != nil {
		return err
	}
	s, ok := systems.Of(t.Variant)
	if !ok {
		return fmt.Errorf("write the card of %s: the variant %q is unknown", dir, t.Variant)
	}
	traits := s.Recipe(t.Variant).Traits()
	traits.Sentences = max(traits.Sentences, t.Window)
	return results.WriteCard(dir, results.Card{Training: t, Name: d.Name, Unit: unitOf(traits), Parameters: d.Parameters, Method: d.Method, Reach: d.Reach,
		EntityThreshold: d.EntityThreshold, RelationThreshold: d.RelationThreshold})
}

func thisProgram() results.Program {
	info := readBuildInfo()
	return results.Program{Version: info.Version, Revision: info.Revision, Modified: info.Modified, Go: info.Go}
}

// today is the day on which something is finished; it is told, and nothing
// depends on it.
func today() string { return time.Now().UTC().Format(time.DateOnly) }

// thisCommand is the command line as a shell takes it, with what its flags have from
// the environment and the configuration file.
func thisCommand(flags *pflag.FlagSet) string {
	return shellLine(slices.Concat([]string{"keci"}, os.Args[1:], settledArgs(flags)))
}
