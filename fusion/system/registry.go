package system

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/modeldir"
)

// Registry are the systems that a program has, in the order in which it lists them.
type Registry []System

// Variants are those of all systems.
func (r Registry) Variants() []string {
	var names []string
	for _, s := range r {
		names = append(names, s.Variants()...)
	}
	return names
}

// Of finds the system of a variant.
func (r Registry) Of(variant string) (System, bool) {
	i := slices.IndexFunc(r, func(s System) bool { return slices.Contains(s.Variants(), variant) })
	if i < 0 {
		return nil, false
	}
	return r[i], true
}

// At finds the system of a model directory. The error for a variant that no system
// has names the file.
func (r Registry) At(dir string) (System, error) {
	variant, err := modeldir.Variant(dir)
	if err != nil {
		return nil, err
	}
	s, ok := r.Of(variant)
	if !ok {
		return nil, fmt.Errorf("model configuration %s: variant %q is unknown, there are %v", filepath.Join(dir, modeldir.ConfigFile), variant, r.Variants())
	}
	return s, nil
}

// Open reads a model directory, to be used with a knowledge base.
func (r Registry) Open(backend compute.Backend, dir string, kb KnowledgeBase) (fusion.Extractor, error) {
	s, err := r.At(dir)
	if err != nil {
		return nil, err
	}
	return s.Open(backend, dir, kb)
}

// Describe reads what a model directory holds, without an engine.
func (r Registry) Describe(dir string) (Description, error) {
	s, err := r.At(dir)
	if err != nil {
		return Description{}, err
	}
	return s.Describe(dir)
}

// Quantize writes the model directory from again, as the new directory to, with
// its matrices as 8-bit integers.
func (r Registry) Quantize(from, to string) error {
	if _, err := r.Describe(from); err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	return modeldir.Quantize(from, to)
}
