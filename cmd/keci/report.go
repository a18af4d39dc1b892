package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/results"
)

func newReportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Tables and pictures of what models reach, and of what they attend to",
		Example: `  keci report runs doc/results
  keci report systems doc/results
  keci report ablations doc/results
  keci report attention --corpus biorelex --data dev.json`,
	}
	cmd.AddCommand(
		newReportTable("runs", "Mean and deviation of the runs in a results folder, by corpus and variant", results.WriteRuns),
		newReportSystemsCommand(),
		newReportTable("types", "Precision, recall and F1 of every type and label in a results folder", results.WriteTypes),
		newReportTable("ablations", "What each variant reaches beside the full model and the paper", results.WriteAblations),
		newReportCurvesCommand(),
		newReportAttentionCommand(),
		newReportChangesCommand(),
		newReportClustersCommand(),
	)
	return cmd
}

// newReportTable is a command that writes a Markdown table of a results folder.
func newReportTable(name, short string, write func(io.Writer, []results.Group) error) *cobra.Command {
	return &cobra.Command{
		Use:   name + " RESULTS",
		Short: short,
		Long: short + `,
as a Markdown table. The folder is what keci crossval and keci evaluate --results
write; every figure is computed from the counts in it.`,
		Example: "  keci report " + name + " doc/results",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			runs, err := results.ReadAll(args[0])
			if err != nil {
				return err
			}
			groups, err := results.GroupRuns(runs)
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), groups)
		},
	}
}

func newReportSystemsCommand() *cobra.Command {
	cmd := newReportTable("systems", "Every system on every corpus: figures, speed, size and commands", results.WriteSystems)
	cmd.Long += `

Sentences a second are by the clock, in the reading that was measured; "–" is what
older runs did not record. A second table has what systems reach by the rules of
their own authors. The commands of each row follow.`
	return cmd
}

func newReportCurvesCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "curves RESULTS",
		Short:   "Learning curves of all runs in a results folder, as a PNG",
		Example: "  keci report curves doc/results --out doc/results/curves.png",
		Args:    exactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			runs, err := results.ReadAll(args[0])
			if err != nil {
				return err
			}
			groups, err := results.GroupRuns(runs)
			if err != nil {
				return err
			}
			return results.DrawCurves(out, groups)
		},
	}
	cmd.Flags().StringVar(&out, "out", "curves.png", "`FILE` to draw to")
	return cmd
}
