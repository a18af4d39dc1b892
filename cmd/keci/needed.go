package main

import (
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/pflag"
)

// needed is a flag that a command cannot do without, with the value that it has.
type needed struct{ flag, value string }

// checkNeeded names all of the flags that have no value, in their order, so that who
// left out several is told once.
func checkNeeded(command string, flags ...needed) error {
	var missing []string
	for _, f := range flags {
		if f.value == "" {
			missing = append(missing, "--"+f.flag)
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return usageError("%s is missing; see %s --help", missing[0], command)
	}
	return usageError("%s are missing; see %s --help", english.WordSeries(missing, "and"), command)
}

// refuse makes each of the flags that is on the command line a wrong call.
func refuse(flags *pflag.FlagSet, names []string, why string) error {
	for _, name := range names {
		if given(flags, name) {
			return usageError("--%s is of no use here: %s", name, why)
		}
	}
	return nil
}
