package multitask

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/fusion/compiled"
)

// manyPairs is a text of count drugs and as many diseases, each an entity of its own.
func manyPairs(t *testing.T, m *Model, count int) pairsOf {
	t.Helper()
	text, err := m.reader.read(t.Context(), strings.Repeat("Ibalin causes rash in men. ", count))
	if err != nil {
		t.Fatal(err)
	}
	of := pairsOf{text: text}
	for from := range text.sentences {
		for typ, name := range []string{"Ibalin", "rash"} {
			of.entities = append(of.entities, entity{typ: typ, places: []int{len(of.places)}})
			of.places = append(of.places, text.placeOf(t, name, text.sentences[from].Start, typ))
		}
	}
	of.pairs = m.cfg.pairs(text, of.places, of.entities)
	return of
}

// TestManyPairs classifies more pairs than at once: each as if all were.
func TestManyPairs(t *testing.T) {
	m := newTestLearner(t, newEncoder(t), abstracts(), false).model
	of := manyPairs(t, m, 25)
	if len(of.pairs) != 25*25 || len(of.pairs) <= 2*pairsAtOnce {
		t.Fatalf("%d pairs", len(of.pairs))
	}
	_, x, err := m.tag(t.Context(), of.text)
	if err != nil {
		t.Fatal(err)
	}
	defer compiled.Free([]*tensors.Tensor{x})
	want, err := m.classifyPart(t.Context(), of, x)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.classify(t.Context(), of, x)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) || len(got) != len(of.pairs)*len(m.cfg.RelationLabels) || slices.Max(want)-slices.Min(want) < 0.01 {
		t.Fatalf("%d log-odds, want %d, from %g to %g", len(got), len(want), slices.Min(want), slices.Max(want))
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-5 {
			t.Fatalf("log-odds %d: %g, in one go %g", i, got[i], want[i])
		}
	}
	if _, err := m.classify(&briefContext{t.Context(), 2}, of, x); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context: 625 pairs take three parts", err)
	}
}

// briefContext is done when it has been asked so many times.
type briefContext struct {
	context.Context
	left int
}

func (c *briefContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestPart: what is classified at once is bounded, and has all that its pairs need.
func TestPart(t *testing.T) {
	m := newTestLearner(t, newEncoder(t), abstracts(), false).model
	of := manyPairs(t, m, 40)
	at := 0
	for pairs := range slices.Chunk(of.pairs, pairsAtOnce) {
		part := of.part(pairs)
		shape, inputs := m.cfg.pairBatch([]pairsOf{part}, 1, len(of.text.pieces))
		compiled.Free(inputs)
		if shape.P > pairsAtOnce || len(part.entities) >= len(of.entities) {
			t.Errorf("room for %d pairs, %d entities of %d", shape.P, len(part.entities), len(of.entities))
		}
		for _, p := range part.pairs {
			whole := of.pairs[at]
			at++
			if p.types != whole.types || !slices.Equal(part.entities[p.head].places, of.entities[whole.head].places) ||
				!slices.Equal(part.entities[p.tail].places, of.entities[whole.tail].places) {
				t.Fatalf("pair %d joins %v", at-1, p)
			}
		}
	}
	if at != len(of.pairs) {
		t.Errorf("%d of %d pairs", at, len(of.pairs))
	}
}
