package hnm

import (
	"slices"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
)

// text is a text in word pieces, with the concepts that it mentions.
type text struct {
	pieces   []encoder.Piece
	concepts []concept
}

// concept is what relations hold between.
type concept struct {
	id       string
	typ      int    // index into Config.EntityTypes
	mentions []span // in order of the text
}

// span is a mention in word pieces: first to last, both included.
type span struct {
	first, last int
	index       int // of the mention in what the text was made from
}

// spanOf are the pieces that a byte range touches; false where there are none.
func spanOf(pieces []encoder.Piece, start, end, index int) (span, bool) {
	first := slices.IndexFunc(pieces, func(p encoder.Piece) bool { return p.End > start })
	if first < 0 || pieces[first].Start >= end {
		return span{}, false
	}
	last := first
	for last+1 < len(pieces) && pieces[last+1].Start < end {
		last++
	}
	return span{first, last, index}, true
}

// add gives a concept, found by its id, one more mention. Its type is that of the
// first.
func (t *text) add(id string, typ int, mention span) {
	at := slices.IndexFunc(t.concepts, func(c concept) bool { return c.id == id })
	if at < 0 {
		at = len(t.concepts)
		t.concepts = append(t.concepts, concept{id: id, typ: typ})
	}
	t.concepts[at].mentions = append(t.concepts[at].mentions, mention)
}

// pair are two concepts, by index, that may be related, in the order of their
// types.
type pair struct {
	head, tail int
	types      int // index into Config.Pairs
}

// pairs lists the concepts of a text that may be related by their types.
func (c Config) pairs(t text) []pair {
	var list []pair
	for a, head := range t.concepts {
		for b, tail := range t.concepts {
			if a == b || !c.Directed && head.typ == tail.typ && a > b {
				continue
			}
			types := slices.Index(c.Pairs, corpus.TypePair{Head: c.EntityTypes[head.typ], Tail: c.EntityTypes[tail.typ]})
			if types >= 0 {
				list = append(list, pair{a, b, types})
			}
		}
	}
	return list
}

// nearest are the mentions of a pair, by index into those of head and of tail, that
// begin nearest to one another.
func (t text) nearest(p pair) (head, tail span) {
	least := len(t.pieces) + 1
	for _, a := range t.concepts[p.head].mentions {
		for _, b := range t.concepts[p.tail].mentions {
			if d := distance(a.first, b.first); d < least {
				least, head, tail = d, a, b
			}
		}
	}
	return head, tail
}

func distance(a, b int) int { return max(a-b, b-a) }

// row is what is read of a text for a pair.
type row struct {
	pieces       []encoder.Piece
	heads, tails []int // where the marks before the mentions of head and tail are
	types        int   // of the pair
}

// marks are the pieces around mentions of the head and of the tail.
type marks struct{ head, tail encoder.Piece }

// newMarks takes "@" and "#", which few texts have beside a name.
func newMarks(t *encoder.Tokenizer) marks {
	of := func(mark string) encoder.Piece {
		if pieces := t.Tokenize(mark); len(pieces) > 0 {
			return encoder.Piece{ID: pieces[0].ID, Starting: true}
		}
		return encoder.Piece{ID: t.Unknown(), Starting: true}
	}
	return marks{of("@"), of("#")}
}

// row marks all mentions of a pair in a text, and cuts out what is read.
func (c Config) row(t text, p pair, m marks) row {
	r := row{types: p.types}
	head, tail := t.concepts[p.head].mentions, t.concepts[p.tail].mentions
	begins := func(at int) func(span) bool { return func(s span) bool { return s.first == at } }
	ends := func(at int) func(span) bool { return func(s span) bool { return s.last == at } }
	for i, piece := range t.pieces {
		if slices.ContainsFunc(head, begins(i)) {
			r.heads = append(r.heads, len(r.pieces))
			r.pieces = append(r.pieces, m.head)
		}
		if slices.ContainsFunc(tail, begins(i)) {
			r.tails = append(r.tails, len(r.pieces))
			r.pieces = append(r.pieces, m.tail)
		}
		r.pieces = append(r.pieces, piece)
		if slices.ContainsFunc(tail, ends(i)) {
			r.pieces = append(r.pieces, m.tail)
		}
		if slices.ContainsFunc(head, ends(i)) {
			r.pieces = append(r.pieces, m.head)
		}
	}
	return r.cut(c.Row - 2) // [CLS] and [SEP]
}

// cut leaves at most size pieces: those around the marks of head and tail that are
// nearest to one another, or half as many around each of the two where they are
// further apart. Marks of other mentions stay where they are among them.
func (r row) cut(size int) row {
	if len(r.pieces) <= size {
		return r
	}
	low, high, least := 0, 0, len(r.pieces)+1
	for _, h := range r.heads {
		for _, t := range r.tails {
			if d := distance(h, t); d < least {
				low, high, least = min(h, t), max(h, t), d
			}
		}
	}
	around := func(middle, size int) (from, to int) {
		from = max(0, min(middle-size/2, len(r.pieces)-size))
		return from, from + size
	}
	half := size / 2
	kept := row{types: r.types}
	if high-low < half { // one window has room for both, and for words behind them
		from, to := around((low+high)/2, size)
		kept.take(r, from, to)
		return kept
	}
	from, to := around(low, half)
	next, end := around(high, half)
	if next < to { // they touch: one window
		next, end = to, min(len(r.pieces), to+half)
	}
	kept.take(r, from, to)
	kept.take(r, next, end)
	return kept
}

// take appends a window of another row.
func (r *row) take(from row, start, end int) {
	shift := len(r.pieces) - start
	r.pieces = append(r.pieces, from.pieces[start:end]...)
	for _, h := range from.heads {
		if h >= start && h < end {
			r.heads = append(r.heads, h+shift)
		}
	}
	for _, t := range from.tails {
		if t >= start && t < end {
			r.tails = append(r.tails, t+shift)
		}
	}
}
