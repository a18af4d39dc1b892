package keci

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// Constraints are the kinds of pairs of mentions that were hardly ever related in
// what a model learned from. Decoding relates no such pair.
type Constraints struct {
	// Types are pairs of entity types, those of head and tail; where relations have
	// no direction they are in alphabetical order. Sorted.
	Types   [][2]string `json:"types,omitempty"`
	Overlap bool        `json:"overlap,omitempty"` // mentions that share a part of the text
}

// forbid tells whether two mentions are of a kind that is not related.
func (c Constraints) forbid(head, tail graph.Mention, directed bool) bool {
	return c.Overlap && overlap(head.Start, head.End, tail.Start, tail.End) ||
		slices.Contains(c.Types, typePair(head.Type, tail.Type, directed))
}

func overlap(start, end, otherStart, otherEnd int) bool { return start < otherEnd && otherStart < end }

// typePair is how Constraints name two types.
func typePair(head, tail string, directed bool) [2]string {
	if !directed && tail < head {
		head, tail = tail, head
	}
	return [2]string{head, tail}
}

// validate looks for types that the model does not have.
func (c Constraints) validate(entityTypes []string) error {
	for _, pair := range c.Types {
		for _, t := range pair {
			if !slices.Contains(entityTypes, t) {
				return fmt.Errorf("%q is none of the entityTypes", t)
			}
		}
	}
	return nil
}

// tally counts pairs of mentions of one kind.
type tally struct{ pairs, related int }

func (t *tally) add(related bool) {
	t.pairs++
	if related {
		t.related++
	}
}

// rare tells whether pairs of this kind are related at most a quarter as often as
// pairs in general are, of which the share is related. Nothing is said of a kind
// of which fewer than ten related pairs would be expected: those of one sentence
// go together, so that a few say little.
func (t tally) rare(share float64) bool {
	expected := share * float64(t.pairs)
	return expected >= 10 && float64(t.related) <= expected/4
}

// learnConstraints counts which kinds of pairs are related in a corpus. Pairs of
// one name are left out, as in decoding, and each pair counts once, in however many
// windows it is.
func learnConstraints(c corpus.Corpus) Constraints {
	var all, overlapping tally
	types := map[[2]string]*tally{}
	repeated := c.Repeated()
	for i, e := range c.Examples {
		for pair, related := range mentionPairs(e, c.Directed) {
			head, tail := e.Entities[pair[0]], e.Entities[pair[1]]
			if max(head.End, tail.End) <= repeated[i] {
				continue
			}
			all.add(related)
			if overlap(head.Start, head.End, tail.Start, tail.End) {
				overlapping.add(related)
			}
			kind := typePair(head.Type, tail.Type, c.Directed)
			if types[kind] == nil {
				types[kind] = new(tally)
			}
			types[kind].add(related)
		}
	}
	share := float64(all.related) / float64(max(1, all.pairs))
	learned := Constraints{Overlap: overlapping.rare(share)}
	for kind, t := range types {
		if t.rare(share) {
			learned.Types = append(learned.Types, kind)
		}
	}
	slices.SortFunc(learned.Types, func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	return learned
}

// mentionPairs gives the pairs of mentions of different names by their indices, in
// both orders where relations have a direction, and whether they are related.
func mentionPairs(e corpus.Example, directed bool) map[[2]int]bool {
	pairs := map[[2]int]bool{}
	for i, head := range e.Entities {
		for j, tail := range e.Entities {
			if (directed || i < j) && !sameName(e.Text[head.Start:head.End], e.Text[tail.Start:tail.End]) {
				pairs[[2]int{i, j}] = false
			}
		}
	}
	for _, r := range e.Relations {
		if _, ok := pairs[[2]int{r.Head, r.Tail}]; ok {
			pairs[[2]int{r.Head, r.Tail}] = true
		}
	}
	return pairs
}
