package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/umls/knowledgebase"
)

func newKBVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify DIR",
		Short: "Compare the checksum of every file with what was written",
		Long: `Reads the knowledge base from front to back and compares the checksum of every
file with the one that its build noted. The dictionary of names is too large to
be read whenever it is opened, so only its sizes are compared then.`,
		Example: "  keci kb verify kb-2026AA",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := knowledgebase.Verify(cmd.Context(), args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.ErrOrStderr(), "%s is as it was written\n", args[0])
			return err
		},
	}
}
