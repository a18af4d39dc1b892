package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
)

var _ graph.Succession = (*Knowledge)(nil)

// succession is what a build was told of retired concepts. Most releases tell of
// each directly what took its place; a history that was kept over several
// releases tells of steps.
type succession struct{ list []graph.Retired }

// each gives the retired concepts, in order, with the end of their way: a concept
// that is known, or none.
func (s *succession) each(known func(graph.CUI) bool) iter.Seq[graph.Retired] {
	return func(yield func(graph.Retired) bool) {
		slices.SortStableFunc(s.list, func(a, b graph.Retired) int { return cmp.Compare(a.CUI, b.CUI) })
		s.list = slices.CompactFunc(s.list, func(a, b graph.Retired) bool { return a.CUI == b.CUI })
		for _, r := range s.list {
			r.Into = s.end(r.Into, known)
			if !yield(r) {
				return
			}
		}
	}
}

// longestWay bounds the steps that are followed, for a way may be a circle.
const longestWay = 100

func (s *succession) end(cui graph.CUI, known func(graph.CUI) bool) graph.CUI {
	for range longestWay {
		if cui == "" || known(cui) {
			return cui
		}
		at, found := slices.BinarySearchFunc(s.list, cui, func(r graph.Retired, cui graph.CUI) int { return cmp.Compare(r.CUI, cui) })
		if !found {
			return ""
		}
		cui = s.list[at].Into
	}
	return ""
}

// Successor implements graph.Succession.
func (k *Knowledge) Successor(ctx context.Context, cui graph.CUI) (r graph.Retired, err error) {
	err = k.view(ctx, func(txn *badger.Txn) error {
		r, err = readRetired(txn, cui)
		return err
	})
	return r, err
}

// Predecessors implements graph.Succession.
func (k *Knowledge) Predecessors(ctx context.Context, cui graph.CUI) (predecessors []graph.CUI, err error) {
	prefix := predecessorKey(cui, "")
	err = k.view(ctx, func(txn *badger.Txn) error {
		it := newKeyIterator(txn, prefix)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			predecessors = append(predecessors, graph.CUI(it.Item().Key()[len(prefix):]))
		}
		return nil
	})
	return predecessors, err
}

func readRetired(txn *badger.Txn, cui graph.CUI) (graph.Retired, error) {
	value, err := get(txn, retiredKey(cui))
	if err != nil {
		return graph.Retired{}, fmt.Errorf("retired concept %s: %w", cui, err)
	}
	return decodeRetired(cui, value)
}

// readPresent reads a concept or, when it was retired, the one that took its place.
func (k *Knowledge) readPresent(txn *badger.Txn, cui graph.CUI) (graph.Concept, error) {
	c, err := k.readConcept(txn, cui)
	if !errors.Is(err, graph.ErrNotFound) {
		return c, err
	}
	r, retired := readRetired(txn, cui)
	switch {
	case errors.Is(retired, graph.ErrNotFound):
		return c, err
	case retired != nil:
		return c, retired
	case r.Into == "":
		return c, fmt.Errorf("%w: %w", err, graph.ErrRetired)
	}
	return k.readConcept(txn, r.Into)
}
