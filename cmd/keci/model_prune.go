package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/system"
)

func newModelPruneCommand() *cobra.Command {
	var o heldOutOptions
	var tolerance float64
	cmd := &cobra.Command{
		Use:   "prune DIR OUT",
		Short: "Write a model again so that it looks at fewer spans, and is faster",
		Long: `Writes the KECI model in DIR as the new directory OUT, which no longer looks at spans
that begin or end with words that never began or ended a mention in the texts that
it learned from, such as "the", "of" and "binds", and keeps as few spans for each word
piece as the held-out texts allow. Give the corpus, the --held-out and the --seed of
its training; of a model of several corpora, each in turn, and take of the shares the
largest. (keci train leaves out these spans by itself, and keeps what --kept-ratio says.)`,
		Example: "  keci model prune runs/biorelex/best faster --corpus biorelex --data train.json --held-out 0.1 --seed 1",
		Args:    exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return pruneModel(cmd, o, args[0], args[1], tolerance)
		},
	}
	o.addFlags(cmd.Flags(), 0.1)
	cmd.Flags().Float64Var(&tolerance, "tolerance", 0.002, "what the mean of entity and relation F1 may lose on the held-out texts, as a fraction")
	return cmd
}

func pruneModel(cmd *cobra.Command, o heldOutOptions, from, to string, tolerance float64) error {
	if o.heldOut == 1 {
		return usageError("--held-out is 1: the rest of the texts tells which words begin and end mentions, so give the share that was held out in training")
	}
	return o.with(cmd, from, func(m *keci.Model, set system.Set) error {
		pruned, err := m.Prune(cmd.Context(), from, to, set, tolerance)
		if err != nil {
			return err
		}
		keptRatio := func(t *results.Training) { t.KeptRatio = pruned.Config.KeptRatio }
		if err := recordChange(cmd, from, to, "pruned", keptRatio); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), `wrote %s
spans kept for each word piece: %g, before %g
words that begin no mention: %d, that end none: %d
F1 on %d held-out texts: entities %.2f, before %.2f; relations %.2f, before %.2f
`,
			to, pruned.Config.KeptRatio, m.Config().KeptRatio, len(pruned.Config.Borders.NeverFirst), len(pruned.Config.Borders.NeverLast), len(set.HeldOut.Examples),
			100*pruned.After.Entity, 100*pruned.Before.Entity, 100*pruned.After.Relation, 100*pruned.Before.Relation)
		return err
	})
}
