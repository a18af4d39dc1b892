package encoder

import "unicode/utf8"

// splitter collects the normalized runes of one word and turns it into pieces when the word ends.
type splitter struct {
	tokenizer *Tokenizer
	pieces    []Piece

	text   []byte // the normalized word, UTF-8
	source []span // for each byte of text, the range of the original rune it comes from
	runes  int    // in text
	inText bool   // no white space since the last rune
	word   int    // words entered so far
}

// span is a range of bytes of the original text.
type span struct{ start, end int }

// enterText counts a new white-space separated word, unless it goes on.
func (s *splitter) enterText() {
	if !s.inText {
		s.word++
		s.inText = true
	}
}

// add appends a normalized rune that comes from the bytes [start, end) of the text.
func (s *splitter) add(r rune, start, end int, alone bool) {
	alone = alone || isPunctuation(r)
	if alone {
		s.endWord()
	}
	before := len(s.text)
	s.text = utf8.AppendRune(s.text, r)
	for range len(s.text) - before {
		s.source = append(s.source, span{start, end})
	}
	s.runes++
	if alone {
		s.endWord()
	}
}

// endWord appends the pieces of the collected word and begins a new one.
func (s *splitter) endWord() {
	if len(s.text) == 0 {
		return
	}
	first := len(s.pieces)
	if s.runes > maxWordRunes || !s.spell() {
		s.pieces = append(s.pieces[:first], s.piece(s.tokenizer.unknown, 0, len(s.text), true))
	}
	s.text, s.source, s.runes = s.text[:0], s.source[:0], 0
}

// spell appends the longest piece that begins the word, then the longest that goes on from there, and so on.
// It reports whether that reached the end of the word.
func (s *splitter) spell() bool {
	pieces := s.tokenizer.starting
	for start := 0; start < len(s.text); {
		end := min(start+s.tokenizer.longest, len(s.text))
		id, ok := pieces[string(s.text[start:end])]
		for !ok {
			if end--; end == start {
				return false
			}
			id, ok = pieces[string(s.text[start:end])]
		}
		s.pieces = append(s.pieces, s.piece(id, start, end, start == 0))
		start, pieces = end, s.tokenizer.continuing
	}
	return true
}

// piece is the piece of the bytes [start, end) of the normalized word.
func (s *splitter) piece(id int32, start, end int, starting bool) Piece {
	return Piece{
		ID:       id,
		Start:    s.source[start].start,
		End:      s.source[end-1].end,
		Starting: starting,
		Word:     s.word - 1,
	}
}
