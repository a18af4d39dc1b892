package remedi

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/tagging"
	"github.com/keci-kg/keci/linker"
)

// place is a mention in a list of word pieces: first to last, both included.
type place struct {
	first, last int
	typ         int // index into Config.EntityTypes
}

// statistics are values such as "p < 0.05" and "n=12", which say nothing of drugs.
var statistics = regexp.MustCompile(`\b[a-zA-Z] ?[=<>≤≥] ?[0-9]*\.?[0-9]+`)

// clean leaves the word pieces that are read: those of words and numbers. What is
// dropped are punctuation, quotes and statistical values.
func clean(text string, pieces []encoder.Piece) []encoder.Piece {
	values := statistics.FindAllStringIndex(text, -1)
	var kept []encoder.Piece
	for _, p := range pieces {
		for len(values) > 0 && values[0][1] <= p.Start {
			values = values[1:]
		}
		isValue := len(values) > 0 && p.Start >= values[0][0]
		if !isValue && strings.ContainsFunc(text[p.Start:p.End], isWordRune) {
			kept = append(kept, p)
		}
	}
	return kept
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// longest is how many word pieces are read at once. What is longer, most often a
// list or a table without full stops, is read in parts.
const longest = 256

// sentences cuts a text into what is read at once: the cleaned pieces of each
// sentence, with offsets in the text.
func sentences(text string, t *encoder.Tokenizer) [][]encoder.Piece {
	var parts [][]encoder.Piece
	for _, s := range linker.Sentences(text) {
		pieces := clean(text[s.Start:s.End], t.Tokenize(text[s.Start:s.End]))
		for i := range pieces {
			pieces[i].Start, pieces[i].End = pieces[i].Start+s.Start, pieces[i].End+s.Start
		}
		for len(pieces) > longest {
			n := longest
			for n > 1 && !pieces[n].Starting {
				n--
			}
			parts, pieces = append(parts, pieces[:n]), pieces[n:]
		}
		if len(pieces) > 0 {
			parts = append(parts, pieces)
		}
	}
	return parts
}

// starts are the pieces that begin words.
func starts(pieces []encoder.Piece) []int {
	var words []int
	for i, p := range pieces {
		if p.Starting || i == 0 {
			words = append(words, i)
		}
	}
	return words
}

// tagsOf are the tags of pieces with mentions, none of which overlaps another.
// All pieces of a word have its tag.
func tagsOf(pieces []encoder.Piece, places []place) []int32 {
	tags := make([]int32, len(pieces))
	for _, m := range places {
		tag := tagging.Begin(m.typ)
		for p := m.first; p <= m.last; p++ {
			if p > m.first && pieces[p].Starting {
				tag = tagging.Inside(m.typ)
			}
			tags[p] = int32(tag)
		}
	}
	return tags
}

// masked is a text in which a piece stands for each mention.
type masked struct {
	pieces []encoder.Piece
	kinds  []int32 // of each piece: 0, or 1 + the type that it masks
	masks  []int   // for each mention, where its mask is
}

// mask puts one piece, the last word of the type's name, in the place of each
// mention ("Adverse-Effect": effect). Places are in order and do not overlap.
func (c Config) mask(t *encoder.Tokenizer, pieces []encoder.Piece, places []place) masked {
	var m masked
	at := 0
	for _, p := range places {
		m.pieces = append(m.pieces, pieces[at:p.first]...)
		m.masks = append(m.masks, len(m.pieces))
		m.pieces = append(m.pieces, maskOf(t, c.EntityTypes[p.typ]))
		at = p.last + 1
	}
	m.pieces = append(m.pieces, pieces[at:]...)
	m.kinds = make([]int32, len(m.pieces))
	for i, p := range places {
		m.kinds[m.masks[i]] = int32(1 + p.typ)
	}
	return m
}

// maskOf is the piece that masks mentions of a type.
func maskOf(t *encoder.Tokenizer, typ string) encoder.Piece {
	name := strings.ToLower(typ)
	pieces := clean(name, t.Tokenize(name))
	slices.Reverse(pieces)
	if i := slices.IndexFunc(pieces, func(p encoder.Piece) bool { return p.Starting }); i >= 0 {
		return encoder.Piece{ID: pieces[i].ID, Starting: true}
	}
	return encoder.Piece{ID: t.Unknown(), Starting: true}
}
