package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/pretrain"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/train"
)

type pretrainOptions struct {
	encoder, text, out, engine string
	quiet                      bool
	learn                      pretrain.Options
}

func newPretrainCommand() *cobra.Command {
	o := pretrainOptions{learn: pretrain.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "pretrain",
		Short: "Pretrain an encoder further, on texts of a domain",
		Long: `Goes on with the pretraining of an encoder on plain texts of a domain, by
masked-language modelling: it learns to tell hidden word pieces from what stands
around them. keci train then takes OUT as its --encoder.

The table of word pieces stays as it was, so that knowledge-graph embeddings made
with the encoder (keci kb embed) go on to fit. The head that tells the pieces
begins anew and is not kept.

Some texts are held out. How well their hidden pieces are told is measured before
the first step and after every --every steps, and the encoder that did best is
taken. Until the run ends it lies in OUT.run, from where --resume goes on; then OUT
appears: a Hugging Face folder with a card (README.md).`,
		Example: `  keci pretrain --encoder encoders/minilm-l6 --text abstracts.txt.gz --out encoders/minilm-l6-bio
  keci train --corpus biorelex --data train.json --encoder encoders/minilm-l6-bio --out runs/bio`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&o.encoder, "encoder", "", "Hugging Face `DIR` of the encoder to begin with")
	f.StringVar(&o.text, "text", "", "`FILE` of plain text, one text a line; .gz is unpacked")
	f.StringVar(&o.out, "out", "", "`DIR` for the new encoder")
	engineFlag(f, &o.engine)
	f.IntVar(&o.learn.Steps, "steps", o.learn.Steps, "of the optimizer")
	f.IntVar(&o.learn.Every, "every", o.learn.Every, "measure and save after so many steps, of which --steps is a multiple")
	f.IntVar(&o.learn.MaxSteps, "max-steps", 0, "stop after so many of the steps, as if they were all (0: no limit)")
	f.IntVar(&o.learn.Rows, "batch", o.learn.Rows, "rows in a step")
	f.IntVar(&o.learn.Length, "length", o.learn.Length, "word pieces in a row")
	f.Float64Var(&o.learn.Hidden, "mask", o.learn.Hidden, "share of the word pieces that are to be told")
	f.Float64Var(&o.learn.HeldOut, "held-out", o.learn.HeldOut, "share of the texts that is only measured on")
	f.Float64Var(&o.learn.EncoderRate, "encoder-rate", o.learn.EncoderRate, "highest learning rate of the encoder")
	f.Float64Var(&o.learn.HeadRate, "head-rate", o.learn.HeadRate, "highest learning rate of the head")
	f.Float64Var(&o.learn.WarmUp, "warm-up", o.learn.WarmUp, "share of the steps in which the rates rise")
	f.Int64Var(&o.learn.Seed, "seed", o.learn.Seed, "of the head, what is held out, the order of the texts and what is hidden")
	f.BoolVar(&o.learn.Resume, "resume", false, "go on from the checkpoint in OUT.run")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "tell no progress")
	return cmd
}

func (o pretrainOptions) run(cmd *cobra.Command) error {
	if err := checkNeeded("keci pretrain", needed{"encoder", o.encoder}, needed{"text", o.text}, needed{"out", o.out}); err != nil {
		return err
	}
	if err := o.learn.Validate(); err != nil {
		return usageError("%w", err)
	}
	if err := o.place().Check(o.learn.Resume); err != nil {
		return err
	}
	card, err := o.pretrain(cmd)
	if err != nil {
		return err
	}
	if err := o.place().Publish(card); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "step %d: held-out perplexity %.1f before, %.2f after; accuracy %.1f %% before, %.1f %% after; encoder in %s\n",
		card.Steps, card.Before.Perplexity(), card.After.Perplexity(), 100*card.Before.Accuracy, 100*card.After.Accuracy, o.out)
	return err
}

func (o pretrainOptions) place() pretrain.Place { return pretrain.Place(filepath.Clean(o.out)) }

// pretrain runs, or goes on, and leaves the best encoder in the folder of the run.
func (o pretrainOptions) pretrain(cmd *cobra.Command) (pretrain.Card, error) {
	ctx := cmd.Context()
	file, err := results.Describe(o.text)
	if err != nil {
		return pretrain.Card{}, err
	}
	texts, err := pretrain.ReadTexts(o.text)
	if err != nil {
		return pretrain.Card{}, err
	}
	limitTrainingMemory()
	backend, err := openEngine(o.engine, engine.Batches)
	if err != nil {
		return pretrain.Card{}, err
	}
	defer backend.Finalize()
	learner, err := pretrain.NewLearner(ctx, backend, o.encoder, texts, file.SHA256, o.learn)
	if err != nil {
		return pretrain.Card{}, err
	}
	defer learner.Finalize()
	progress := pretrainProgress{newTrainProgress(cmd.ErrOrStderr(), o.quiet)}
	learned, heldOut := learner.Rows()
	progress.line("%d texts: %d rows of %d word pieces to learn from, %d held out", len(texts), learned, o.learn.Length, heldOut)
	history, err := train.Run(ctx, backend, learner, o.learn.Training(), o.place().Run(), progress)
	if err != nil {
		return pretrain.Card{}, err
	}
	before, after := learner.Measurements()
	return pretrain.Card{
		Name: filepath.Base(filepath.Clean(o.out)), Encoder: filepath.Base(filepath.Clean(o.encoder)), License: pretrain.LicenseOf(o.encoder),
		Texts: file, Count: len(texts), Learned: learned, HeldOut: heldOut, Options: o.learn,
		Steps: history.Epochs[history.Best].Steps, Before: before, After: after[history.Best],
		Program: thisProgram(), Command: thisCommand(cmd.Flags()), Finished: today(),
	}, nil
}

// pretrainProgress tells of measurements instead of epochs.
type pretrainProgress struct{ trainProgress }

// Epoch tells how well hidden pieces are told now.
func (p pretrainProgress) Epoch(e train.Epoch, _ bool) {
	p.line("after %d steps and %s: loss %.4f, held-out perplexity %.2f", e.Steps, e.Elapsed.Round(time.Second), e.Loss, 1/e.Score.Likelihood)
}
