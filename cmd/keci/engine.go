package main

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the engine that needs no library

	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// defaultEngine is GoMLX's own engine, in pure Go.
const defaultEngine = "go"

// goEngineConfig is the fastest setting measured for the Go engine.
const goEngineConfig = "go:num_executors=1"

// openEngine opens what computes: "go", or "go:" with settings of GoMLX.
func openEngine(name string) (compute.Backend, error) {
	if name == defaultEngine {
		name = goEngineConfig
	}
	if !strings.HasPrefix(name, defaultEngine+":") {
		return nil, usageError("--engine %q is unknown: this program has %q", name, defaultEngine)
	}
	if !builtWithSIMD {
		warnSlow.Do(func() {
			slog.Warn("this build computes some 30 times slower than it could (measured with AVX-512): build with GOEXPERIMENT=simd, as make build does")
		})
	}
	backend, err := compute.NewWithConfig(name)
	if err != nil {
		return nil, fmt.Errorf("open engine %s: %w", name, err)
	}
	return backend, nil
}

var warnSlow sync.Once

// modelKnowledge is what a model needs of a knowledge base.
func modelKnowledge(kb *knowledgebase.KnowledgeBase) keci.KnowledgeBase {
	return keci.KnowledgeBase{Linker: kb.Linker, Knowledge: kb.Knowledge, Provenance: *kb.Provenance()}
}
