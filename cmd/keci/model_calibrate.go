package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/system"
)

type calibrateOptions struct {
	corpus, data, kb, engine string
	heldOut                  float64
	seed                     int64
}

func newModelCalibrateCommand() *cobra.Command {
	var o calibrateOptions
	cmd := &cobra.Command{
		Use:   "calibrate DIR OUT",
		Short: "Write a model again with scores that are calibrated on held-out texts",
		Long: `Writes the model in DIR as the new directory OUT with scores that say how often
findings of that score are right. They are fitted on texts that the model had no
part of: with the --held-out and the --seed of its training, those that were held
out there. What the model finds stays the same. (keci train does this by itself.)`,
		Example: "  keci model calibrate runs/old/best calibrated --corpus biorelex --data train.json --held-out 0.1 --seed 1",
		Args:    cobra.ExactArgs(2),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0], args[1]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.corpus, "corpus", "", corpusHelp)
	f.StringVar(&o.data, "data", "", "`FILE` of the corpus")
	f.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	engineFlag(f, &o.engine)
	f.Float64Var(&o.heldOut, "held-out", 1, "share of the texts that is taken")
	f.Int64Var(&o.seed, "seed", 1, "of what is held out")
	return cmd
}

func (o calibrateOptions) run(cmd *cobra.Command, from, to string) error {
	if o.corpus == "" || o.data == "" {
		return usageError("--corpus and --data are needed")
	}
	if s, err := systems.At(from); err != nil {
		return err
	} else if s != system.System(keci.System{}) {
		return usageError("%s is no KECI model: scores of other systems are calibrated by keci train", from)
	}
	all, err := readCorpus(o.corpus, o.data, false, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	_, heldOut := all.Split(o.heldOut, o.seed)
	kb, err := openKnowledgeBase(cmd.Context(), o.kb)
	if err != nil {
		return err
	}
	defer kb.Close()
	backend, err := openEngine(o.engine, engine.Sentences)
	if err != nil {
		return err
	}
	defer backend.Finalize()
	model, err := keci.Open(backend, from, modelKnowledge(kb))
	if err != nil {
		return err
	}
	cfg, err := model.Calibrate(cmd.Context(), from, to, heldOut)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s, calibrated on %d texts: entities by temperature %.2f and bias %.2f, relations by %.2f and %.2f\n",
		to, len(heldOut.Examples), cfg.EntityCalibration.Temperature, cfg.EntityCalibration.Bias, cfg.RelationCalibration.Temperature, cfg.RelationCalibration.Bias)
	return err
}
