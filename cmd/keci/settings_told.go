package main

import (
	"bytes"
	"encoding/csv"
	"strings"

	"github.com/spf13/pflag"
)

// settledAnnotation marks a flag that has its value from the environment or from a
// file; it holds the arguments that give it the same value.
const settledAnnotation = "keci_settled"

// settledArgs are the arguments for what the environment and the configuration file
// gave a command that has these flags, in order of their names. No flag holds a secret:
// passwords and tokens are in files, of which flags tell the names.
func settledArgs(flags *pflag.FlagSet) (args []string) {
	flags.VisitAll(func(flag *pflag.Flag) { args = append(args, flag.Annotations[settledAnnotation]...) })
	return args
}

// given tells whether a flag is on the command line. What the environment or a file
// says may be meant for other commands.
func given(flags *pflag.FlagSet, name string) bool {
	flag := flags.Lookup(name)
	_, settled := flag.Annotations[settledAnnotation]
	return flag.Changed && !settled
}

// arguments give a flag the value as a command line does: a list flag is given
// several times, or once where it divides what it gets at the commas.
func (s setting) arguments(flag *pflag.Flag) []string {
	values := s.values
	if s.list && flag.Value.Type() == "stringSlice" {
		values = []string{withCommas(s.values)}
	}
	args := make([]string, len(values))
	for i, value := range values {
		args[i] = "--" + flag.Name + "=" + value
	}
	return args
}

// withCommas joins items so that those with commas or quotes come apart again.
func withCommas(items []string) string {
	var line bytes.Buffer
	w := csv.NewWriter(&line)
	_ = w.Write(items) // a buffer takes everything
	w.Flush()
	return strings.TrimSuffix(line.String(), "\n")
}
