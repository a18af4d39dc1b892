package main

import (
	"github.com/spf13/cobra"
)

// newRootCommand is the whole command line; each subcommand has a file of its own.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "keci",
		Short:         "Biomedical text in, knowledge graph out",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError("%w", err) })
	root.AddCommand(
		newServeCommand(),
		newEvaluateCommand(),
		newTrainCommand(),
		newLinkCommand(),
		newBenchCommand(),
		newKBCommand(),
		newModelCommand(),
		newVersionCommand(),
	)
	return root
}
