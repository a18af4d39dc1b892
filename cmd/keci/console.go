package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
)

// registerLog adds --log, which holds for all that is told on standard error.
func registerLog(root *cobra.Command) {
	root.PersistentFlags().String("log", "text", "form of what is told on standard error: text or json")
	completeKinds(root, "log", []string{"text", "json"})
}

// applyLog makes standard error what --log says. (keci serve writes a log there, whose
// lines tell more.)
func applyLog(root *cobra.Command) error {
	switch form := logForm(root); form {
	case "text":
		return nil
	case "json":
		out := root.ErrOrStderr()
		log := jsonLog(out)
		root.SetErr(&lineLogger{out: out, log: log})
		slog.SetDefault(log)
		return nil
	default:
		return usageError("--log is %q: use text or json", form)
	}
}

func jsonLog(out io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(out, nil)) }

func logForm(root *cobra.Command) string { return root.PersistentFlags().Lookup("log").Value.String() }

// lineLogger logs every line that is written to it.
type lineLogger struct {
	out  io.Writer
	log  *slog.Logger
	rest []byte
}

// Write implements io.Writer.
func (l *lineLogger) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.log.Info(string(line))
		l.rest = rest
	}
}

// unlogged is standard error for what is JSON already.
func unlogged(cmd *cobra.Command) io.Writer {
	if l, ok := cmd.ErrOrStderr().(*lineLogger); ok {
		return l.out
	}
	return cmd.ErrOrStderr()
}

// tell reports why the program ends, as --log says.
func tell(root *cobra.Command, out io.Writer, err error) {
	if logForm(root) == "json" {
		jsonLog(out).Error(err.Error())
		return
	}
	name := "keci:"
	if coloured(out) {
		name = "\x1b[1;31m" + name + "\x1b[0m"
	}
	_, _ = io.WriteString(out, name+" "+err.Error()+"\n") // there is nobody else to tell
}

// coloured tells whether colours may be written: to a terminal that has them, and
// not where NO_COLOR forbids it (no-color.org).
func coloured(out io.Writer) bool {
	return isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
