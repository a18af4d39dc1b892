package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/api/client"
)

// newHealthCommand asks a server how it is, for what starts it anew when it is not
// well and cannot ask by itself, such as a container without a shell.
func newHealthCommand() *cobra.Command {
	var url string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask whether a server that runs can take work",
		Long: `Asks a server whether it and its store can take work. The exit code is 0 when they
can and 1 when they cannot or do not answer. No token is needed.`,
		Example: "  keci health --url http://127.0.0.1:8080",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := client.New(url, client.WithHTTPClient(&http.Client{Timeout: timeout}))
			if err != nil {
				return err
			}
			if _, err := c.ReadyWithResponse(cmd.Context()); err != nil {
				return fmt.Errorf("asking whether %s can take work: %w", url, err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "ready")
			return err
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:8080", "address of the server")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long to wait for the answer")
	return cmd
}
