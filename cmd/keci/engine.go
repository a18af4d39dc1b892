package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the engine that needs no library
)

// defaultEngine is GoMLX's own engine, in pure Go.
const defaultEngine = "go"

// Settings of the Go engine, the fastest measured. A batch of training, or of the
// encoder alone, is computed on all processors, and so are its shards side by
// side; sentences that are served are computed each on one, as many at once as
// there are.
const (
	goBatches   = "go:num_executors=2"
	goSentences = "go:parallelism=1,num_executors=1"
)

// openEngine opens what computes: "go", with the given settings, or "go:" with
// settings of GoMLX.
func openEngine(name, settings string) (compute.Backend, error) {
	if name == defaultEngine {
		name = settings
	}
	if !strings.HasPrefix(name, defaultEngine+":") {
		return nil, usageError("--engine %q is unknown: this program has %q", name, defaultEngine)
	}
	if !builtWithSIMD {
		warnSlow.Do(func() {
			slog.Warn("this build computes some 30 times slower than it could (measured with AVX-512): build with GOEXPERIMENT=simd, as make build does")
		})
	}
	backend, err := newBackend(name)
	if err != nil {
		return nil, fmt.Errorf("open engine %s: %w", name, err)
	}
	return backend, nil
}

// newBackend keeps standard output for documents: GoMLX tells of some settings there.
func newBackend(config string) (compute.Backend, error) {
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer nowhere.Close()
	stdout := os.Stdout
	os.Stdout = nowhere
	defer func() { os.Stdout = stdout }()
	return compute.NewWithConfig(config)
}

var warnSlow sync.Once
