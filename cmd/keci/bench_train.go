package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
)

type benchTrainOptions struct {
	encoder, random, kb, engine, variant, corpus, data string
	batch, steps                                       int
}

// trainResult is what the steps of one batch took, again and again.
type trainResult struct {
	Engine         string   `json:"engine"`
	Variant        string   `json:"variant"`
	Parameters     int      `json:"parameters"`   // with those that stay as they are
	Texts          int      `json:"texts"`        // in a step
	Shards         int      `json:"shards"`       // of a step, side by side
	Inputs         []string `json:"inputs"`       // tensors of a shard
	FirstSeconds   float64  `json:"firstSeconds"` // the first step, in which the engine compiles
	Step           latency  `json:"step"`
	ProcessorMs    float64  `json:"processorMs,omitempty"` // of all processors in a step, where the system tells it: what other programs do does not count
	StepsPerSecond float64  `json:"stepsPerSecond"`        // by the median
}

func newBenchTrainCommand() *cobra.Command {
	var o benchTrainOptions
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Time of a training step",
		Long: `Trains on one batch again and again and tells what a step took: laying the batch
out, forward, backward, clipping and optimizer. The texts are made up, of 62 word
pieces each (64 with [CLS] and [SEP]) with the usual vocabulary, or the first of a
corpus. Nothing is kept. So few texts tell of no word that it never begins or ends a
mention: a step learns from all spans of its texts, in a real run from a third of them.

--random takes an encoder of some size with random weights, where there is no
other: a step takes the same time with any weights.`,
		Example: "  keci bench train --encoder encoders/minilm-l6\n" +
			"  keci bench train --random 12x768   # the size of BERT base\n" +
			"  python3 scripts/bench_torch_train.py --encoder encoders/minilm-l6   # the same in PyTorch",
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&o.encoder, "encoder", "", "Hugging Face `DIR` of the pretrained encoder")
	f.StringVar(&o.random, "random", "", "in its place, an encoder of `LAYERSxWIDTH` with random weights")
	f.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	engineFlag(f, &o.engine)
	f.StringVar(&o.variant, "variant", string(keci.VariantNoKGE), "which model")
	f.StringVar(&o.corpus, "corpus", "", corpusHelp)
	f.StringVar(&o.data, "data", "", "`FILE` of the corpus (default: texts that are made up)")
	f.IntVar(&o.batch, "batch", 8, "texts in a step")
	f.IntVar(&o.steps, "steps", 20, "steps that are measured")
	return cmd
}

func (o benchTrainOptions) run(cmd *cobra.Command) error {
	switch {
	case (o.encoder == "") == (o.random == ""):
		return usageError("one of --encoder and --random is needed")
	case (o.corpus == "") != (o.data == ""):
		return usageError("--corpus and --data go together")
	case o.batch < 1 || o.steps < 1:
		return usageError("--batch and --steps must be at least 1")
	}
	s, known := systems.Of(o.variant)
	if !known {
		return usageError("--variant %q is unknown: use one of %v", o.variant, systems.Variants())
	}
	dir, err := os.MkdirTemp("", "keci-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.random != "" {
		if o.encoder, err = writeRandomEncoder(filepath.Join(dir, "encoder"), o.random); err != nil {
			return err
		}
	}
	texts, err := o.texts(cmd)
	if err != nil {
		return err
	}
	result, err := o.measure(cmd.Context(), s.Recipe(o.variant), texts, filepath.Join(dir, "run"))
	if err != nil {
		return err
	}
	return writeBenchReport(cmd.OutOrStdout(), "train", result)
}

// texts are the corpus, or made up where there is none.
func (o benchTrainOptions) texts(cmd *cobra.Command) (corpus.Corpus, error) {
	if o.corpus == "" {
		return madeUpTexts(o.batch), nil
	}
	c, err := readCorpus(o.corpus, o.data, false, cmd.ErrOrStderr())
	if err != nil {
		return c, err
	}
	c, _ = c.InSentences()
	if len(c.Examples) < o.batch {
		return c, usageError("--batch is %d, and %s has %d texts", o.batch, o.data, len(c.Examples))
	}
	c.Examples = c.Examples[:o.batch]
	return c, nil
}

// measure trains on one batch for a few steps and then takes the time.
func (o benchTrainOptions) measure(ctx context.Context, recipe system.Recipe, texts corpus.Corpus, out string) (trainResult, error) {
	kb, err := openKnowledgeBase(ctx, o.kb)
	if err != nil {
		return trainResult{}, err
	}
	defer kb.Close()
	knowledge := modelKnowledge(kb)
	if recipe.Traits().Embeddings {
		if knowledge.Embeddings, err = openEmbeddings(o.kb); err != nil {
			return trainResult{}, err
		}
		if knowledge.Embeddings == nil {
			return trainResult{}, usageError("--variant %s reads knowledge-graph embeddings, and the knowledge base has none", o.variant)
		}
	}
	limitTrainingMemory()
	backend, err := openEngine(o.engine, engine.Batches)
	if err != nil {
		return trainResult{}, err
	}
	defer backend.Finalize()
	options := recipe.Options()
	options.BatchSize, options.Epochs = o.batch, 1
	learner, err := recipe.NewLearner(ctx, backend, system.Material{
		Name: "bench", Encoder: o.encoder, Set: system.Set{Train: texts}, KnowledgeBase: knowledge, BatchSize: o.batch, Seed: options.Seed,
	})
	if err != nil {
		return trainResult{}, err
	}
	defer learner.Store().Finalize()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	watch := &stepTimes{begun: time.Now(), last: benchWarmUps + o.steps, stop: stop}
	repeated := &oneBatch{Learner: learner, times: watch.last + 1}
	if _, err := train.Run(ctx, backend, repeated, options, out, watch); len(watch.at) < watch.last {
		return trainResult{}, err // before it was stopped
	}
	result := trainResult{
		Engine: backend.Description(), Variant: o.variant, Texts: o.batch, Shards: repeated.shards, Inputs: repeated.inputs,
		FirstSeconds: watch.first().Seconds(), Step: summarize(watch.durations()),
		ProcessorMs: milliseconds(watch.busy / time.Duration(o.steps)),
	}
	for v := range learner.Store().IterVariables() {
		if !strings.HasPrefix(v.Path(), "/optimizer/") {
			result.Parameters += v.Shape().Size()
		}
	}
	result.StepsPerSecond = 1000 / result.Step.MedianMs
	return result, nil
}

// oneBatch is a learner that sees the same batch again and again.
type oneBatch struct {
	train.Learner
	times  int
	shards int
	inputs []string // of a shard
}

// Batches implements [train.Learner]. It is a batch of the second epoch, since in
// the first some models do not learn everything.
func (l *oneBatch) Batches(ctx context.Context, _ int, rng *rand.Rand) ([]train.Batch, error) {
	batches, err := l.Learner.Batches(ctx, 1, rng)
	if err != nil {
		return nil, err
	}
	for i, shard := range batches[0]() {
		l.shards = i + 1
		l.inputs = nil
		for _, t := range shard {
			l.inputs = append(l.inputs, t.Shape().String())
			t.MustFinalizeAll()
		}
	}
	return slices.Repeat(batches[:1], l.times), nil
}

// stepTimes notes when steps ended, and stops the run after the last that counts.
// It implements [train.Progress].
type stepTimes struct {
	begun time.Time
	at    []time.Time
	busy  time.Duration // of all processors, in the steps that count
	last  int
	stop  context.CancelFunc
}

// Step implements [train.Progress].
func (s *stepTimes) Step(done, _ int, _ float64) {
	s.at = append(s.at, time.Now())
	switch done {
	case benchWarmUps:
		s.busy = -processorTime()
	case s.last:
		s.busy += processorTime()
		s.stop()
	}
}

// Epoch implements [train.Progress].
func (*stepTimes) Epoch(train.Epoch, bool) {}

// first is what came before the second step began.
func (s *stepTimes) first() time.Duration { return s.at[0].Sub(s.begun) }

// durations are the times of the steps after the warm-up.
func (s *stepTimes) durations() []time.Duration {
	var list []time.Duration
	for i := benchWarmUps; i < s.last; i++ {
		list = append(list, s.at[i].Sub(s.at[i-1]))
	}
	return list
}

// writeRandomEncoder writes a BERT of a size such as "12x768" with random weights
// and the vocabulary of the model in the program.
func writeRandomEncoder(dir, size string) (string, error) {
	var layers, width int
	if n, err := fmt.Sscanf(size, "%dx%d", &layers, &width); n != 2 || err != nil || layers < 1 || width < 1 || width%64 != 0 {
		return "", usageError("--random is %q: it is LAYERSxWIDTH, such as 12x768, with a width that is a multiple of 64", size)
	}
	vocabulary, err := modelDir("")
	if err != nil {
		return "", err
	}
	cfg, err := encoder.LoadConfig(vocabulary)
	if err != nil {
		return "", err
	}
	cfg.NumHiddenLayers, cfg.HiddenSize, cfg.IntermediateSize, cfg.NumAttentionHeads = layers, width, 4*width, width/64
	return dir, encoder.WriteRandom(dir, cfg, vocabulary, 1)
}

// madeUpText has 62 word pieces in the usual vocabulary.
const madeUpText = "FKBP12 binds rapamycin and FK506; its complex with FK506 inhibits calcineurin, that with rapamycin " +
	"the kinase mTOR, which in the absence of both drugs phosphorylates p70 and other proteins of the cell, " +
	"as several groups showed."

// madeUpTexts are as many texts, all alike, with entities and relations.
func madeUpTexts(count int) corpus.Corpus {
	example := corpus.Example{Text: madeUpText, Relations: []corpus.Relation{
		{Head: 0, Tail: 1, Label: "binds"}, {Head: 0, Tail: 2, Label: "binds"},
		{Head: 1, Tail: 4, Label: "inhibits"}, {Head: 2, Tail: 3, Label: "inhibits"},
	}}
	for i, e := range []struct{ name, kind string }{{"FKBP12", "protein"}, {"rapamycin", "drug"}, {"FK506", "drug"}, {"calcineurin", "protein"}, {"mTOR", "protein"}} {
		start := strings.Index(madeUpText, e.name)
		example.Entities = append(example.Entities, corpus.Entity{Start: start, End: start + len(e.name), Type: e.kind, Cluster: i})
	}
	c := corpus.Corpus{Name: corpus.ADE, EntityTypes: []string{"drug", "protein"}, RelationLabels: []string{"binds", "inhibits"}, Directed: true, Sentences: true}
	for i := range count {
		example.ID = fmt.Sprint(i + 1)
		c.Examples = append(c.Examples, example)
	}
	return c
}
