package linker

import "iter"

// A word whose stem is in no name may be misspelled. Then the stem that is one
// edit away – two letters exchanged, one too many, another, or one too few –
// takes its place, and the names that hold it are found like any other variant.
// No threshold cuts off: the longer the word, the less an edit counts, and the
// ranking has learned what such candidates are worth. The filter of the dictionary
// tells which stems there are, so that trying some hundreds takes microseconds;
// what was found is remembered, since texts repeat the words that no name has.

const (
	shortestMisspelled = 7 // letters of a word that is corrected
	shortestEdited     = 6 // bytes of its stem
	longestEdited      = 31
	editWeight         = 24 // distance of an edit times the letters of its word
	rememberedEdits    = 1 << 12
)

// distanceOfEdit is that of a word with one wrong letter: 3 for one of 8 letters,
// as far as a derivation, 2 for one of 12.
func distanceOfEdit(word []byte) float64 {
	return editWeight / float64(max(len(word), shortestMisspelled))
}

// remembered is the stem that takes the place of another, 0 for none.
type remembered struct{ stem, corrected uint64 }

// mayBeMisspelled tells long words of the letters a to z.
func (t *tokens) mayBeMisspelled(i int) bool {
	x := &t.list[i]
	if !x.starts || !x.ends || x.stop || x.left != letterKind || x.keyEnd-x.keyStart < shortestMisspelled {
		return false
	}
	for _, c := range t.key(i) {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// correct gives the stem that the stem of token i is meant to be, 0 for none.
func (s *scratch) correct(filter bloom, i int) uint64 {
	if s.edits == nil {
		s.edits = make([]remembered, rememberedEdits)
	}
	slot := &s.edits[s.stems[i]%rememberedEdits]
	if slot.stem != s.stems[i] {
		var buffer [64]byte
		s.stem = appendStem(s.stem[:0], s.tokens.key(i), buffer[:])
		*slot = remembered{s.stems[i], nearestStem(filter, s.stem)}
	}
	return slot.corrected
}

// nearestStem gives the first stem of the dictionary that is one edit away, 0 for
// none. The first letter is taken to be right.
func nearestStem(filter bloom, stem []byte) uint64 {
	if len(stem) < shortestEdited || len(stem) > longestEdited {
		return 0
	}
	for word := range edits(stem) {
		if hash := hashOfStem(word); filter.hasWord(hash) {
			return hash
		}
	}
	return 0
}

// edits gives the words that are one edit away, but for the first letter, the
// likelier edits first. Each is valid until the next.
func edits(word []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		_ = exchanged(word, yield) && shortened(word, yield) && replaced(word, yield) && lengthened(word, yield)
	}
}

func exchanged(word []byte, yield func([]byte) bool) bool {
	edited := append(make([]byte, 0, longestEdited), word...)
	for i := 1; i+1 < len(edited); i++ {
		edited[i], edited[i+1] = edited[i+1], edited[i]
		if !yield(edited) {
			return false
		}
		edited[i], edited[i+1] = edited[i+1], edited[i]
	}
	return true
}

func shortened(word []byte, yield func([]byte) bool) bool {
	edited := append(make([]byte, 0, longestEdited), word[:1]...)
	edited = append(edited, word[2:]...)
	for i := 1; i < len(word); i++ {
		if !yield(edited) {
			return false
		}
		if i < len(edited) {
			edited[i] = word[i]
		}
	}
	return true
}

func replaced(word []byte, yield func([]byte) bool) bool {
	edited := append(make([]byte, 0, longestEdited), word...)
	for i := 1; i < len(edited); i++ {
		for edited[i] = 'a'; edited[i] <= 'z'; edited[i]++ {
			if edited[i] != word[i] && !yield(edited) {
				return false
			}
		}
		edited[i] = word[i]
	}
	return true
}

func lengthened(word []byte, yield func([]byte) bool) bool {
	edited := append(make([]byte, 0, longestEdited+1), word[0], 0)
	edited = append(edited, word[1:]...)
	for i := 1; i < len(edited); i++ {
		for edited[i] = 'a'; edited[i] <= 'z'; edited[i]++ {
			if !yield(edited) {
				return false
			}
		}
		if i < len(word) {
			edited[i] = word[i]
		}
	}
	return true
}
