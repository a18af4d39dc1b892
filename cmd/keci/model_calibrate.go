package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/system"
)

func newModelCalibrateCommand() *cobra.Command {
	var o heldOutOptions
	cmd := &cobra.Command{
		Use:   "calibrate DIR OUT",
		Short: "Write a model again with scores that are calibrated on held-out texts",
		Long: `Writes the model in DIR as the new directory OUT with scores that say how often
findings of that score are right. They are fitted on texts that the model had no
part of: with the --held-out and the --seed of its training, those that were held
out there. What the model finds stays the same. (keci train does this by itself.)`,
		Example: "  keci model calibrate runs/old/best calibrated --corpus biorelex --data train.json --held-out 0.1 --seed 1",
		Args:    exactArgs(2),
		RunE:    func(cmd *cobra.Command, args []string) error { return calibrateModel(cmd, o, args[0], args[1]) },
	}
	o.addFlags(cmd.Flags(), 1)
	return cmd
}

func calibrateModel(cmd *cobra.Command, o heldOutOptions, from, to string) error {
	return o.with(cmd, from, func(m *keci.Model, set system.Set) error {
		cfg, err := m.Calibrate(cmd.Context(), from, to, set.HeldOut)
		if err != nil {
			return err
		}
		if err := recordChange(cmd, from, to, "calibrated", nil); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s, calibrated on %d texts: entities by temperature %.2f and bias %.2f, relations by %.2f and %.2f\n",
			to, len(set.HeldOut.Examples), cfg.EntityCalibration.Temperature, cfg.EntityCalibration.Bias, cfg.RelationCalibration.Temperature, cfg.RelationCalibration.Bias)
		return err
	})
}
