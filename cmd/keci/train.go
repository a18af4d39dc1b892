package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/train"
)

type trainOptions struct {
	corpus, data, encoder, kb, out, engine, variant, name string
	heldOut                                               float64
	quiet                                                 bool
	keptRatio, entityThreshold, relationThreshold         float64
	maxSpan                                               int
	train                                                 train.Options
}

func newTrainCommand() *cobra.Command {
	o := trainOptions{train: train.DefaultOptions()}
	recipe := keci.DefaultConfig()
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a model on an annotated corpus",
		Long: `Trains a KECI model on an annotated corpus with a knowledge base. Epochs are
compared on sentences held out of the training data, whole papers at a time; the
best one is left in OUT/best as a model directory, the history of all epochs in
OUT/history.json and OUT/curve.png. Ctrl-C stops at once and leaves nothing half-written;
--resume goes on after the last complete epoch.`,
		Example: `  keci train --corpus biorelex --data train.json --encoder encoders/minilm-l6 \
    --kb data/kb-open --seed 1 --out runs/biorelex`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&o.corpus, "corpus", "", `which corpus --data is: "biorelex" or "ade"`)
	f.StringVar(&o.data, "data", "", "`FILE` of the corpus to learn from")
	f.StringVar(&o.encoder, "encoder", "", "Hugging Face `DIR` of the pretrained encoder")
	f.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	f.StringVar(&o.out, "out", "", "`DIR` for the model, the history and the checkpoints")
	f.StringVar(&o.engine, "engine", defaultEngine, "what computes")
	f.StringVar(&o.variant, "variant", string(recipe.Variant), fmt.Sprintf("which model: one of %v", keci.Variants()))
	f.StringVar(&o.name, "name", "", "name of the model (default: variant and corpus)")
	f.Float64Var(&o.heldOut, "held-out", 0.1, "share of the sentences that is held out to compare epochs (0: the last epoch is taken)")
	f.Float64Var(&o.entityThreshold, "entity-threshold", recipe.EntityThreshold, "lowest score of an entity, where nothing is held out to choose it")
	f.Float64Var(&o.relationThreshold, "relation-threshold", recipe.RelationThreshold, "lowest score of a relation, likewise")
	f.Float64Var(&o.keptRatio, "kept-ratio", recipe.KeptRatio, "λ: spans kept for each word piece")
	f.IntVar(&o.maxSpan, "max-span", recipe.Span.MaxWidth, "longest span in word pieces")
	f.IntVar(&o.train.Epochs, "epochs", o.train.Epochs, "passes over the data")
	f.IntVar(&o.train.MaxSteps, "max-steps", 0, "stop after so many steps (0: no limit)")
	f.IntVar(&o.train.BatchSize, "batch", o.train.BatchSize, "sentences in a step")
	f.Float64Var(&o.train.EncoderRate, "encoder-rate", o.train.EncoderRate, "highest learning rate of the encoder")
	f.Float64Var(&o.train.TaskRate, "task-rate", o.train.TaskRate, "highest learning rate of the rest")
	f.Float64Var(&o.train.WarmUp, "warm-up", o.train.WarmUp, "share of the steps in which the rates rise")
	f.Int64Var(&o.train.Seed, "seed", o.train.Seed, "of the initial weights, the order of the data and dropout")
	f.BoolVar(&o.train.Resume, "resume", false, "go on from the checkpoint in --out")
	f.BoolVar(&o.quiet, "quiet", false, "no progress")
	cmd.AddCommand(newTrainLinkerCommand())
	return cmd
}

func (o trainOptions) run(cmd *cobra.Command) error {
	for flag, value := range map[string]string{"corpus": o.corpus, "data": o.data, "encoder": o.encoder, "out": o.out} {
		if value == "" {
			return usageError("--%s is missing; see keci train --help", flag)
		}
	}
	if !slices.Contains(keci.Variants(), keci.Variant(o.variant)) {
		return usageError("--variant %q is unknown: use one of %v", o.variant, keci.Variants())
	}
	all, err := corpus.Read(o.corpus, o.data)
	if err != nil {
		return err
	}
	rest, heldOut := all.Split(o.heldOut, o.train.Seed)
	if len(rest.Examples) == 0 || (len(heldOut.Examples) == 0) != (o.heldOut == 0) {
		return usageError("--held-out %g of %d sentences leaves none to learn from or to compare on", o.heldOut, len(all.Examples))
	}
	kb, err := openKnowledgeBase(cmd.Context(), o.kb)
	if err != nil {
		return err
	}
	defer kb.Close()
	limitMemory(trainingMemory)
	backend, err := openEngine(o.engine, goBatches)
	if err != nil {
		return err
	}
	learner, err := keci.NewLearner(cmd.Context(), backend, o.encoder, o.config(),
		keci.TrainingSet{Train: rest, HeldOut: heldOut}, modelKnowledge(kb), o.train.BatchSize, o.train.Seed)
	if err != nil {
		return err
	}
	history, err := train.Run(cmd.Context(), backend, learner, o.train, o.out, newTrainProgress(cmd.ErrOrStderr(), o.quiet))
	if err != nil {
		return err
	}
	return reportBest(cmd.OutOrStdout(), history, o.out)
}

// config is the recipe with what the flags change.
func (o trainOptions) config() keci.Config {
	cfg := keci.DefaultConfig()
	cfg.Variant = keci.Variant(o.variant)
	cfg.KeptRatio, cfg.Span.MaxWidth = o.keptRatio, o.maxSpan
	cfg.EntityThreshold, cfg.RelationThreshold = o.entityThreshold, o.relationThreshold
	cfg.Name = o.name
	if cfg.Name == "" {
		cfg.Name = o.variant + "-" + o.corpus
	}
	return cfg
}

func reportBest(out io.Writer, history train.History, dir string) error {
	if history.Best < 0 {
		return errors.New("no epoch was completed")
	}
	e := history.Epochs[history.Best]
	if e.Score == (train.Score{}) {
		_, err := fmt.Fprintf(out, "%d epochs; model in %s/%s\n", e.Epoch, dir, train.BestDir)
		return err
	}
	_, err := fmt.Fprintf(out, "best epoch %d of %d: entity F1 %.2f, relation F1 %.2f on held-out sentences; model in %s/%s\n",
		e.Epoch, len(history.Epochs), 100*e.Score.Entity, 100*e.Score.Relation, dir, train.BestDir)
	return err
}
