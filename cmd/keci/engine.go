package main

import (
	"github.com/gomlx/compute"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion/engine"
)

// engineFlag adds the flag that chooses what computes.
func engineFlag(f *pflag.FlagSet, name *string) {
	f.StringVar(name, "engine", engine.Go, engine.Help)
}

// openEngine opens what --engine names.
func openEngine(name string, work engine.Work) (compute.Backend, error) {
	e, err := engine.Parse(name)
	if err != nil {
		return nil, usageError("--engine: %w", err)
	}
	return e.Open(work)
}
