package remedi

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
)

// example is a text with its labels.
type example struct {
	pieces  []encoder.Piece // cleaned
	spelled []string        // what stands for each piece in the text
	places  []place         // in order, none overlaps another
	groups  []int           // of each place, from 1 in order of the first mention of each group
}

// examples are the texts of a corpus that can be learned from: those without
// mentions that overlap, such as the drug in the effect "lithium toxicity", which
// a sequence of tags cannot tell.
func (c Config) examples(t *encoder.Tokenizer, of corpus.Corpus) []example {
	var list []example
	for _, e := range of.Examples {
		if x, ok := c.example(t, e); ok {
			list = append(list, x)
		}
	}
	return list
}

// example labels a text; ok is false where mentions overlap. A mention that begins
// or ends inside a word is left out.
func (c Config) example(t *encoder.Tokenizer, e corpus.Example) (x example, ok bool) {
	x.pieces = clean(e.Text, t.Tokenize(e.Text))
	x.spelled = spell(e.Text, x.pieces)
	placed := slices.Repeat([]int{-1}, len(e.Entities)) // the place of each entity
	order := make([]int, len(e.Entities))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(e.Entities[a].Start, e.Entities[b].Start) })
	for _, i := range order {
		p, found := c.placeOf(x.pieces, e.Entities[i])
		if !found {
			continue
		}
		last := len(x.places) - 1
		switch {
		case last >= 0 && x.places[last] == p: // mentioned twice
			placed[i] = last
			continue
		case last >= 0 && x.places[last].last >= p.first:
			return example{}, false
		}
		placed[i] = len(x.places)
		x.places = append(x.places, p)
	}
	x.groups = groupsOf(len(x.places), placed, e.Relations)
	return x, true
}

// placeOf finds the pieces of an entity: all that are inside it, if they are whole
// words.
func (c Config) placeOf(pieces []encoder.Piece, m corpus.Entity) (place, bool) {
	first := slices.IndexFunc(pieces, func(p encoder.Piece) bool { return p.End > m.Start })
	end := slices.IndexFunc(pieces, func(p encoder.Piece) bool { return p.Start >= m.End })
	if end < 0 {
		end = len(pieces)
	}
	typ := slices.Index(c.EntityTypes, m.Type)
	whole := typ >= 0 && first >= 0 && first < end && pieces[first].Starting && pieces[first].Start >= m.Start &&
		pieces[end-1].End <= m.End && (end == len(pieces) || pieces[end].Starting)
	return place{first, end - 1, typ}, whole
}

// groupsOf numbers the groups of places that relations join, directly or by way of
// others.
func groupsOf(places int, placed []int, relations []corpus.Relation) []int {
	parent := make([]int, places)
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			i = parent[i]
		}
		return i
	}
	for _, r := range relations {
		if head, tail := placed[r.Head], placed[r.Tail]; head >= 0 && tail >= 0 {
			a, b := root(head), root(tail)
			parent[max(a, b)] = min(a, b)
		}
	}
	groups, next := make([]int, places), 1
	for i := range groups {
		if first := root(i); first < i {
			groups[i] = groups[first]
			continue
		}
		groups[i] = next
		next++
	}
	return groups
}

// concatenate makes one text of several, in which the groups of each stay apart.
func concatenate(parts []example) example {
	var x example
	before := 0
	for _, part := range parts {
		most := 0
		for i, p := range part.places {
			p.first, p.last = p.first+len(x.pieces), p.last+len(x.pieces)
			x.places = append(x.places, p)
			x.groups = append(x.groups, part.groups[i]+before)
			most = max(most, part.groups[i])
		}
		before += most
		x.pieces, x.spelled = append(x.pieces, part.pieces...), append(x.spelled, part.spelled...)
	}
	return x
}

// augment adds concatenations of two, of three and of four examples that are drawn
// by chance: of each so many as the share of the examples. What would be too long
// to read at once is left out.
func augment(examples []example, share float64, rng *rand.Rand) []example {
	all := slices.Clone(examples)
	if len(examples) == 0 {
		return all
	}
	for size := 2; size <= 4; size++ {
		for range int(math.Ceil(share * float64(len(examples)))) {
			parts := make([]example, size)
			for i := range parts {
				parts[i] = examples[rng.IntN(len(examples))]
			}
			if x := concatenate(parts); len(x.pieces) <= longest {
				all = append(all, x)
			}
		}
	}
	return all
}

// pairsOf are the relations of a corpus by the types of their mentions. This
// system tells which mentions are related, not how: several labels between two
// types are an error.
func pairsOf(c corpus.Corpus) ([]Pair, error) {
	var pairs []Pair
	for _, e := range c.Examples {
		for _, r := range e.Relations {
			p := Pair{e.Entities[r.Head].Type, e.Entities[r.Tail].Type, r.Label}
			if !c.Directed && p.Tail < p.Head {
				p.Head, p.Tail = p.Tail, p.Head
			}
			at, known := slices.BinarySearchFunc(pairs, p, comparePairs)
			switch {
			case !known:
				pairs = slices.Insert(pairs, at, p)
			case pairs[at].Label != p.Label:
				return nil, fmt.Errorf("text %s: %s and %s are related as %q, elsewhere as %q: the variant %s knows one label between two types",
					e.ID, p.Head, p.Tail, p.Label, pairs[at].Label, Variant)
			}
		}
	}
	return pairs, nil
}

func comparePairs(a, b Pair) int {
	return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Tail, b.Tail))
}
