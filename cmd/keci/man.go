package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a folder",
		Long: `Writes a manual page for each command into the folder DIR, which is made if need be.
The same program writes the same pages.`,
		Example: "  keci man ~/.local/share/man/man1 && man keci-extract",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("making the folder for manual pages: %w", err)
			}
			date := builtAt()
			header := &doc.GenManHeader{Section: "1", Source: "keci " + version, Manual: "keci", Date: &date}
			cmd.Root().DisableAutoGenTag = true
			nameGroups(cmd.Root())
			return doc.GenManTree(cmd.Root(), header, args[0])
		},
	}
}

// builtAt is the time of the commit that the program was built from, or the
// beginning of time where that is not known.
func builtAt() time.Time {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, s := range build.Settings {
			if at, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
				return at
			}
		}
	}
	return time.Unix(0, 0).UTC()
}
