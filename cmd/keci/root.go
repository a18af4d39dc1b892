package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"
)

// newRootCommand is the whole command line; each subcommand has a file of its own.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "keci",
		Short: "Biomedical text in, knowledge graph out",
		Long: `Reads biomedical text and gives back a knowledge graph: entities, the concepts that
they denote and the relations among them, each with its evidence.

Exit codes: 0 done, 1 failed, 2 wrong call, 3 some documents failed and the others
are delivered, 130 interrupted.`,
		Example:       "  echo 'FKBP12 binds rapamycin.' | keci extract",
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := applySettings(cmd); err != nil {
				return err
			}
			return applyLog(cmd.Root())
		},
	}
	root.PersistentFlags().String(configFlag, "", "YAML `FILE` with flags; see keci help config")
	registerLog(root)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError("%w", err) })
	root.AddCommand(
		newServeCommand(),
		newHealthCommand(),
		newExtractCommand(),
		newEvaluateCommand(),
		newTrainCommand(),
		newPretrainCommand(),
		newCrossvalCommand(),
		newReportCommand(),
		newLinkCommand(),
		newBenchCommand(),
		newKBCommand(),
		newLoadCommand(),
		newGraphCommand(),
		newModelCommand(),
		newManCommand(),
		newVersionCommand(),
	)
	tellWrongCalls(root)
	root.AddCommand(newSettingsTopic())
	checkHelp(root)
	root.SetUsageTemplate(root.UsageTemplate() + settingsFootnote)
	tellGroups(root)
	return root
}

// settingsFootnote stands below the help of every command.
const settingsFootnote = `
Flags can also be set by variables such as KECI_KB and a configuration file; see "keci help config".
`

// tellWrongCalls makes wrong arguments usage errors that say where help is, for a
// command and those below it. One that only has others below it refuses the names
// that they do not have.
func tellWrongCalls(cmd *cobra.Command) {
	if !cmd.Runnable() {
		cmd.Args = noSuchCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError("%w; see %s --help", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		tellWrongCalls(sub)
	}
}

// checkHelp makes keci help refuse what is no command, and read no configuration: it
// tells how one is written.
func checkHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "help" {
			continue
		}
		cmd.PersistentPreRunE = func(*cobra.Command, []string) error { return nil }
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if _, rest, err := cmd.Root().Find(args); err != nil || len(rest) > 0 {
				return usageError("there is no command %q; see keci --help", strings.Join(args, " "))
			}
			return nil
		}
	}
}

func noSuchCommand(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("there is no command %q", args[0])
}

// exactArgs, minimumArgs and maximumArgs say how many arguments a command takes.
func exactArgs(n int) cobra.PositionalArgs   { return countedArgs(n, n, "exactly") }
func minimumArgs(n int) cobra.PositionalArgs { return countedArgs(n, math.MaxInt, "at least") }
func maximumArgs(n int) cobra.PositionalArgs { return countedArgs(0, n, "at most") }

func countedArgs(least, most int, bound string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) >= least && len(args) <= most:
			return nil
		case most == 0:
			return fmt.Errorf("%s takes no arguments, and got %q", cmd.CommandPath(), args)
		}
		n := least
		if len(args) > most {
			n = most
		}
		return fmt.Errorf("%s takes %s %s, and got %d: %s", cmd.CommandPath(), bound, english.Plural(n, "argument", ""), len(args), cmd.UseLine())
	}
}
