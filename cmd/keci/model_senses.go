package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/system"
)

func newModelSensesCommand() *cobra.Command {
	var o heldOutOptions
	cmd := &cobra.Command{
		Use:   "senses DIR OUT",
		Short: "Write a model again that knows which concepts its types stand for",
		Long: `Writes the model in DIR as the new directory OUT, which chooses among the candidates
of a mention by their semantic types as well: how often those of right and of wrong
candidates are each, for mentions of a type, is counted in a corpus that names the
concepts of its mentions (bc5cdr, chemdisgene, BioRED). Counted is what the model
learned from: with the --held-out, --seed and --unseen of its training, what is left;
a text that training left out for what another corpus held out counts as well.
(keci train does this by itself.) Nothing else of the model changes; one of several
corpora is written once for each.`,
		Example: "  keci model senses runs/old/best told --corpus bc5cdr --data CDR_TrainingSet.PubTator.txt --held-out 0.1 --seed 1 --kb data/kb-open",
		Args:    exactArgs(2),
		RunE:    func(cmd *cobra.Command, args []string) error { return learnSenses(cmd, o, args[0], args[1]) },
	}
	o.addFlags(cmd.Flags(), 0.1)
	return cmd
}

func learnSenses(cmd *cobra.Command, o heldOutOptions, from, to string) error {
	return o.with(cmd, from, func(m *keci.Model, set system.Set) error {
		senses, err := m.LearnSenses(cmd.Context(), from, to, set.Train)
		if err != nil {
			return err
		}
		if err := recordChange(cmd, from, to, "told senses", nil); err != nil {
			return err
		}
		types := slices.Sorted(maps.Keys(senses))
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s, with the senses of %s, from %d texts\n", to, strings.Join(types, ", "), len(set.Train.Examples))
		return err
	})
}
