package graph_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/keci-kg/keci/graph"
)

// layers is what documents say of concepts in layers of which each is joined with the
// next: as many paths as the width to the power of the layers.
type layers struct {
	graph.Extracted
	facts []graph.Fact
}

func newLayers(width, count int) layers {
	name := func(layer, at int) graph.ConceptName {
		return graph.ConceptName{CUI: graph.CUI(fmt.Sprintf("C%d%03d", layer, at))}
	}
	var all layers
	join := func(head, tail graph.ConceptName, score float64) {
		all.facts = append(all.facts, graph.Fact{Head: head, Label: "bind", Tail: tail, NoisyOr: score})
	}
	for at := range width {
		score := math.Exp2(float64(max(at-width, -3))) // the last of a layer is the best
		join(name(0, 0), name(1, at), score)
		join(name(count, at), name(count+1, 0), score)
		for layer := 1; layer < count; layer++ {
			for next := range width {
				join(name(layer, at), name(layer+1, next), score)
			}
		}
	}
	return all
}

func (l layers) Present(context.Context, ...graph.CUI) (graph.Presence, error) { return nil, nil }

func (l layers) Facts(_ context.Context, query graph.FactQuery) (list []graph.Fact, err error) {
	for _, f := range l.facts {
		if slices.Contains(query.Concepts, f.Head.CUI) || slices.Contains(query.Concepts, f.Tail.CUI) {
			list = append(list, f)
		}
	}
	return list, nil
}

// TestBestOfManyPaths: of thirteen million paths the best are found, though their
// concepts are the last in order.
func TestBestOfManyPaths(t *testing.T) {
	paths, err := graph.Paths(t.Context(), newLayers(60, 4), graph.PathQuery{From: "C0000", To: "C5000", MaxSteps: 6, Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range paths {
		words := fmt.Sprintf("%.5f", p.Score)
		for _, c := range p.Concepts {
			words += " " + string(c.CUI)
		}
		got = append(got, words)
		if len(p.Steps) != 5 || p.Steps[0].Facts[0].Tail.CUI != p.Concepts[1].CUI {
			t.Errorf("%s: %d steps, the first %+v", words, len(p.Steps), p.Steps[0])
		}
	}
	want := []string{
		"0.03125 C0000 C1059 C2059 C3059 C4059 C5000",
		"0.01562 C0000 C1059 C2058 C3059 C4059 C5000",
		"0.01562 C0000 C1059 C2059 C3058 C4059 C5000",
	}
	if !slices.Equal(got, want) {
		t.Errorf("paths %q, want %q", got, want)
	}
}
