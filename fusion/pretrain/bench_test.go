package pretrain

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/train"
)

// processorTime is what this process has used, which other programs change less
// than the time that has passed.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkStep is one step of 8 rows of 128 pieces with MiniLM, found under
// encoders/ or $KECI_ENCODER.
func BenchmarkStep(b *testing.B) {
	dir := os.Getenv("KECI_ENCODER")
	if dir == "" {
		dir = filepath.Join("..", "..", "encoders", "minilm-l6")
	}
	if _, err := encoder.LoadConfig(dir); err != nil {
		b.Skip(err)
	}
	goEngine, err := engine.Parse(engine.Go)
	if err != nil {
		b.Fatal(err)
	}
	backend, err := goEngine.Open(engine.Batches)
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Finalize()
	o := DefaultOptions()
	var texts []string
	random := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		var words []string
		for range 200 {
			words = append(words, []string{"protein", "binds", "kinase", "phosphorylation", "of", "the", "in", "cells", "heparin", "."}[random.IntN(10)])
		}
		texts = append(texts, strings.Join(words, " "))
	}
	l, err := NewLearner(b.Context(), backend, dir, texts, "bench", o)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Finalize()
	const warm = 2
	o.MaxSteps = warm + b.N
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	var used time.Duration
	_, err = train.Run(ctx, backend, l, o.Training(), b.TempDir(), silent{onStep: func(done int) {
		switch done {
		case warm: // the graph is compiled
			used = processorTime(b)
			b.ResetTimer()
		case warm + b.N:
			b.StopTimer()
			b.ReportMetric((processorTime(b)-used).Seconds()/float64(b.N), "cpu-s/op")
			stop() // nothing is measured or saved
		}
	}})
	if err == nil || ctx.Err() == nil {
		b.Fatal(err)
	}
}
