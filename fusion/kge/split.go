package kge

import (
	"math/rand/v2"
	"slices"
)

// split divides the edges of a knowledge base.
type split struct {
	learned []triple
	heldOut []triple // between concepts that have learned edges
	unseen  []triple // from learned to concepts that have none, and back
}

// divide holds out the edges, in both directions, of a share of the pairs of
// related concepts, so that no inverse tells what is asked for (Toutanova and
// Chen 2015); both keep another relation. And it holds out all edges of a share
// of the concepts.
func (f *Facts) divide(share float64, random *rand.Rand) split {
	hidden := make([]bool, len(f.entities))
	for _, i := range random.Perm(f.concepts)[:int(share*float64(f.concepts))] {
		hidden[i] = true
	}
	pairs := f.pairs(hidden)
	left := make([]int, f.concepts) // pairs of each concept
	for _, p := range pairs {
		left[p[0]]++
		left[p[1]]++
	}
	random.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	out := map[[2]int32]bool{}
	for _, p := range pairs {
		if len(out) < int(share*float64(len(pairs))) && left[p[0]] > 1 && left[p[1]] > 1 {
			out[p] = true
			left[p[0]]--
			left[p[1]]--
		}
	}
	var s split
	for _, t := range f.triples {
		switch p, ok := f.pair(t); {
		case ok && hidden[t.head] != hidden[t.tail] && left[t.head]+left[t.tail] > 0:
			s.unseen = append(s.unseen, t)
		case hidden[t.head] || hidden[t.tail]:
		case ok && out[p]:
			s.heldOut = append(s.heldOut, t)
		default:
			s.learned = append(s.learned, t)
		}
	}
	return s
}

// pair is the two ends of an edge between concepts, in order.
func (f *Facts) pair(t triple) ([2]int32, bool) {
	return [2]int32{min(t.head, t.tail), max(t.head, t.tail)}, int(t.head) < f.concepts && int(t.tail) < f.concepts
}

// pairs are the related concepts that are not hidden, in order.
func (f *Facts) pairs(hidden []bool) [][2]int32 {
	var pairs [][2]int32
	for _, t := range f.triples {
		if p, ok := f.pair(t); ok && !hidden[t.head] && !hidden[t.tail] {
			pairs = append(pairs, p)
		}
	}
	slices.SortFunc(pairs, func(a, b [2]int32) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(pairs)
}
