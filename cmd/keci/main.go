// Command keci reads biomedical text and gives back a knowledge graph.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := untilInterrupted()
	root := newRootCommand()
	err := root.ExecuteContext(ctx)
	stop()
	if err != nil {
		tell(root, os.Stderr, err)
	}
	os.Exit(exitCode(err))
}

// untilInterrupted gives a context that Ctrl-C or SIGTERM ends. A second one ends the
// program at once, as it would without us: who asks twice does not want to wait.
func untilInterrupted() (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// Exit codes that scripts may rely on (0 is success).
const (
	exitFailed      = 1 // the work failed
	exitUsage       = 2 // the command was called wrongly
	exitSomeFailed  = 3 // some documents failed, the others are delivered
	exitInterrupted = 130
)

// exitError carries the exit code of a failure that is not plain exitFailed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usageError marks err as a wrong call of the command.
func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func exitCode(err error) int {
	var coded *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}
