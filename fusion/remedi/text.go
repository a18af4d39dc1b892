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
	pieces  []encoder.Piece
	spelled []string // what stands for each piece in the text, or the name of the mask
	kinds   []int32  // of each piece: 0, or 1 + the type that it masks
	speech  []int32  // of each piece, see speech.of; nil for models that do not hear of it
	masks   []int    // for each mention, where its mask is
}

// spell gives what stands in a text for each of its pieces.
func spell(text string, pieces []encoder.Piece) []string {
	spelled := make([]string, len(pieces))
	for i, p := range pieces {
		spelled[i] = text[p.Start:p.End]
	}
	return spelled
}

// mask puts one piece, the last word of the type's name, in the place of each
// mention ("Adverse-Effect": effect). Places are in order and do not overlap.
func (m *Model) mask(pieces []encoder.Piece, spelled []string, places []place) masked {
	var text masked
	at := 0
	for _, p := range places {
		mask, name := maskOf(m.tokenizer, m.cfg.EntityTypes[p.typ])
		text.pieces, text.spelled = append(text.pieces, pieces[at:p.first]...), append(text.spelled, spelled[at:p.first]...)
		text.masks = append(text.masks, len(text.pieces))
		text.pieces, text.spelled = append(text.pieces, mask), append(text.spelled, name)
		at = p.last + 1
	}
	text.pieces, text.spelled = append(text.pieces, pieces[at:]...), append(text.spelled, spelled[at:]...)
	text.kinds = make([]int32, len(text.pieces))
	for i, p := range places {
		text.kinds[text.masks[i]] = int32(1 + p.typ)
	}
	text.speech = m.speech.of(text)
	return text
}

// maskOf is the piece that masks mentions of a type, and the word that it begins.
func maskOf(t *encoder.Tokenizer, typ string) (mask encoder.Piece, word string) {
	name := strings.ToLower(typ)
	pieces := clean(name, t.Tokenize(name))
	for i, p := range slices.Backward(pieces) {
		if p.Starting {
			return encoder.Piece{ID: p.ID, Starting: true}, strings.Join(spell(name, pieces[i:]), "")
		}
	}
	return encoder.Piece{ID: t.Unknown(), Starting: true}, name
}
