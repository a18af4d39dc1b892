package keci

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// The benchmarks run the tiny model: they show what the program adds to the
// arithmetic. `keci bench` measures models of real size.

func BenchmarkExtract(b *testing.B) {
	m := newRandomModel(b, tinyConfig(), newFakeKnowledge().base(), 3)
	doc := graph.Document{ID: "d", Text: "Not rapamycin but fk506 and the p53 protein of the tumor cell inhibit insulin receptor kinase."}
	extract(b, m, doc.Text) // compiles
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Extract(b.Context(), doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTrainingStep(b *testing.B) {
	o := learnOptions()
	o.Epochs, o.BatchSize = 1, 5
	l := repeated{newLearner(b, learnable(withDropout), o), b.N + 1}
	watch := silent{onStep: func(step int) {
		switch step {
		case 1: // which compiles
			b.ResetTimer()
		case b.N + 1:
			b.StopTimer()
		}
	}}
	b.ReportAllocs()
	if _, err := train.Run(b.Context(), enginetest.Go(), l, o, b.TempDir(), watch); err != nil {
		b.Fatal(err)
	}
}

// repeated takes the first batch again and again, and measures nothing.
type repeated struct {
	*Learner
	steps int
}

func (r repeated) Batches(ctx context.Context, epoch int, rng *rand.Rand) ([]train.Batch, error) {
	batches, err := r.Learner.Batches(ctx, epoch, rng)
	if err != nil {
		return nil, err
	}
	return slices.Repeat(batches[:1], r.steps), nil
}

func (repeated) Evaluate(context.Context) (train.Score, error) { return train.Score{}, nil }
