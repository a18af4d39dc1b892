package graph_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
)

func TestKnownIDs(t *testing.T) {
	broken := errors.New("broken")
	known := func(cui graph.CUI) error {
		switch {
		case cui == "broken", cui == "DOWN":
			return broken
		case cui == "C1", cui == "x", strings.HasPrefix(string(cui), "K"):
			return nil
		}
		return fmt.Errorf("concept %q: %w", cui, graph.ErrNotFound)
	}
	got, err := graph.KnownIDs([]graph.CUI{"C1", "c1", "x", "k7"}, known)
	if want := []graph.CUI{"C1", "C1", "x", "K7"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v (error %v), want %v", got, err, want)
	}
	_, err = graph.KnownIDs([]graph.CUI{"C1", "X", "c2"}, known)
	if want := `concept "X": not found; concept "c2": not found`; !errors.Is(err, graph.ErrNotFound) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err = graph.KnownIDs(slices.Repeat([]graph.CUI{"y"}, 100), known); strings.Count(err.Error(), "not found") != 10 {
		t.Errorf("error %v", err)
	}
	for _, id := range []graph.CUI{"broken", "down"} { // the latter in capitals only
		if _, err = graph.KnownIDs([]graph.CUI{"y", id}, known); !errors.Is(err, broken) {
			t.Errorf("%s: error %v", id, err)
		}
	}
}

func TestFirstInvalid(t *testing.T) {
	for text, want := range map[string]int{"": -1, "β\uFFFD": -1, "a\xff": 1, "β\xce": 2, "\xc3\x28": 0} {
		if got := graph.FirstInvalid([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
