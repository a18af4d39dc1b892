package multitask

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// reading is a text made ready for the network.
type reading struct {
	text      string
	pieces    []encoder.Piece
	words     []int              // the pieces that begin a word or are a punctuation mark: mentions begin there
	sentence  []int              // of each piece, from 0
	hints     [hintKinds][]int32 // of each piece, rows of the tables of hints
	linked    []graph.Mention    // as the linker found them
	sentences []linker.Range     // byte ranges
}

// The hints of a piece: by the linker's best mapping of the text, and by the
// longest of all that it found.
const (
	hintFinal = iota
	hintLongest
	hintKinds
)

// Rows of a table of hints: nothing, then begin and inside of a concept of each
// type, the first for types that training has not seen.
const (
	noHint    = 0
	firstHint = 1
)

// hintRows is how many rows a table has.
func (c Config) hintRows() int { return firstHint + 2*(len(c.SemanticTypes)+1) }

// reader makes texts ready.
type reader struct {
	tokenizer  *encoder.Tokenizer
	linker     system.Linker
	dictionary bool
	types      map[graph.TUI]int32 // their number, from 1
}

func newReader(cfg Config, tokenizer *encoder.Tokenizer, l system.Linker) *reader {
	r := &reader{tokenizer: tokenizer, linker: l, dictionary: cfg.Dictionary, types: map[graph.TUI]int32{}}
	for i, tui := range cfg.SemanticTypes {
		r.types[tui] = int32(i + 1)
	}
	return r
}

// read links a text and cuts it into word pieces.
func (r *reader) read(ctx context.Context, text string) (*reading, error) {
	t := &reading{text: text, pieces: r.tokenizer.Tokenize(text), sentences: linker.Sentences(text)}
	linked, err := r.linker.Link(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("link the text: %w", err)
	}
	t.linked = linked
	for i, p := range t.pieces {
		if p.Starting {
			t.words = append(t.words, i)
		}
	}
	t.sentence = make([]int, len(t.pieces))
	at := 0
	for i, p := range t.pieces {
		for at+1 < len(t.sentences) && p.Start >= t.sentences[at].End {
			at++
		}
		t.sentence[i] = at
	}
	for kind := range t.hints {
		t.hints[kind] = make([]int32, len(t.pieces))
	}
	if r.dictionary {
		r.hint(t)
	}
	return t, nil
}

// hint tells each piece of the concepts that the linker found.
func (r *reader) hint(t *reading) {
	longest := slices.Clone(t.linked)
	slices.SortStableFunc(longest, func(a, b graph.Mention) int { return cmp.Compare(b.End-b.Start, a.End-a.Start) })
	for _, m := range longest {
		if len(m.Concepts) == 0 || len(m.Concepts[0].SemanticTypes) == 0 {
			continue
		}
		row := firstHint + 2*r.types[m.Concepts[0].SemanticTypes[0]]
		first, last := t.piecesOf(m.Start, m.End)
		t.hintAt(hintLongest, first, last, row)
		if m.Final {
			t.hintAt(hintFinal, first, last, row)
		}
	}
}

// hintAt sets the hint of a run of pieces, unless some of them have one.
func (t *reading) hintAt(kind, first, last int, row int32) {
	if last < first || slices.ContainsFunc(t.hints[kind][first:last+1], func(h int32) bool { return h != noHint }) {
		return
	}
	for p := first; p <= last; p++ {
		t.hints[kind][p] = row + 1
	}
	t.hints[kind][first] = row
}

// piecesOf are the pieces that begin within a byte range.
func (t *reading) piecesOf(start, end int) (first, last int) {
	at := func(offset int) int {
		i, _ := slices.BinarySearchFunc(t.pieces, offset, func(p encoder.Piece, offset int) int { return cmp.Compare(p.Start, offset) })
		return i
	}
	return at(start), at(end) - 1
}

// semanticTypes are those of the best concepts of linked texts, sorted.
func semanticTypes(texts []*reading) []graph.TUI {
	seen := map[graph.TUI]bool{}
	for _, t := range texts {
		for _, m := range t.linked {
			if len(m.Concepts) > 0 && len(m.Concepts[0].SemanticTypes) > 0 {
				seen[m.Concepts[0].SemanticTypes[0]] = true
			}
		}
	}
	var types []graph.TUI
	for tui := range seen {
		types = append(types, tui)
	}
	slices.Sort(types)
	return types
}

// place is a mention as the network has it: pieces first to last, both included.
type place struct {
	first, last int
	typ         int // index into Config.EntityTypes
}

// entity is what relations hold between: all places at which a document mentions it.
type entity struct {
	typ    int
	places []int // indices of the places of its mentions, in order
}

// pair are two entities that may be related, by index, in the order of their types.
type pair struct {
	head, tail int
	types      int // index into Config.Pairs
}

// pairs lists what may be related: entities of the types of a TypePair, and where
// each mention is an entity, of one sentence.
func (c Config) pairs(t *reading, places []place, entities []entity) []pair {
	var list []pair
	for a := range entities {
		for b := range entities {
			if a == b || !c.OfConcepts && t.sentence[places[entities[a].places[0]].first] != t.sentence[places[entities[b].places[0]].first] {
				continue
			}
			types := slices.Index(c.Pairs, corpus.TypePair{Head: c.EntityTypes[entities[a].typ], Tail: c.EntityTypes[entities[b].typ]})
			if types < 0 || !c.Directed && entities[a].typ == entities[b].typ && a > b {
				continue
			}
			list = append(list, pair{a, b, types})
		}
	}
	return list
}

// surface are what of a pair can be seen without reading: see surfaceSize.
func (c Config) surface(t *reading, places []place, entities []entity, p pair) []float32 {
	features := make([]float32, 0, c.surfaceSize())
	distance := len(t.sentences)
	title := [2]float32{}
	for side, e := range []entity{entities[p.head], entities[p.tail]} {
		for _, i := range e.places {
			if t.sentence[places[i].first] == 0 {
				title[side] = 1
			}
		}
	}
	for _, i := range entities[p.head].places {
		for _, k := range entities[p.tail].places {
			distance = min(distance, abs(t.sentence[places[i].first]-t.sentence[places[k].first]))
		}
	}
	for d := range nearSentences {
		features = append(features, oneIf(distance == d))
	}
	features = append(features, title[0], title[1])
	for _, e := range []entity{entities[p.head], entities[p.tail]} {
		for n := range manyMentions {
			features = append(features, oneIf(len(e.places) > n+1))
		}
	}
	for i := range c.Pairs {
		features = append(features, oneIf(p.types == i))
	}
	return features
}

// How finely distances (in sentences) and numbers of mentions are told apart.
const (
	nearSentences = 3
	manyMentions  = 4
)

// surfaceSize is the number of features that surface gives: the distance, whether
// head and tail are in the first sentence (the title), how often each is
// mentioned, and the types.
func (c Config) surfaceSize() int { return nearSentences + 2 + 2*manyMentions + len(c.Pairs) }

func oneIf(condition bool) float32 {
	if condition {
		return 1
	}
	return 0
}

func abs(n int) int { return max(n, -n) }
