package main

import (
	"github.com/gomlx/compute"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion/engine"
)

// engineFlag adds the flag that chooses what computes.
func engineFlag(f *pflag.FlagSet, name *string) {
	*name = engine.Go
	f.Var((*engineValue)(name), "engine", engine.Help)
}

// engineValue is the name of an engine. One that there is not is told when the flag is
// read, and not after models and corpora have been.
type engineValue string

// Set implements [pflag.Value].
func (v *engineValue) Set(name string) error {
	_, err := engine.Parse(name)
	if err == nil {
		*v = engineValue(name)
	}
	return err
}

// String implements [pflag.Value].
func (v *engineValue) String() string { return string(*v) }

// Type implements [pflag.Value].
func (*engineValue) Type() string { return "string" }

// openEngine opens what --engine names.
func openEngine(name string, work engine.Work) (compute.Backend, error) {
	e, err := engine.Parse(name)
	if err != nil {
		return nil, usageError("--engine: %w", err)
	}
	return e.Open(work)
}
