package linker

import (
	"slices"
	"strings"
)

// function are words that the bags leave out.
var function = setOf("of the in and with to by for on from at an or due")

const longestFunction = 4

// furthest is how many tokens a bag may span in the text.
const furthest = 12

// shortestVariant is the shortest single word, in bytes, that is looked up by its stem.
const shortestVariant = 5

// findStems hashes each token and its stem, that of a misspelled one corrected.
func (l *Linker) findStems(s *scratch) {
	s.stems = s.tokens.appendStems(s.stems[:0], &s.stem)
	s.words, s.misspelled = s.words[:0], s.misspelled[:0]
	for i, stem := range s.stems {
		s.words = append(s.words, hashBytes(s.tokens.key(i)))
		wrong := false
		if stem != 0 && s.tokens.mayBeMisspelled(i) && !l.files.filter.hasWord(stem) {
			if corrected := s.correct(l.files.filter, i); corrected != 0 {
				s.stems[i], wrong = corrected, true
			}
		}
		s.misspelled = append(s.misspelled, wrong)
	}
}

// hashOfStem is what bags are made of; it is not 0.
func hashOfStem(stem []byte) uint64 { return mix(hashBytes(stem)) }

// appendStems appends the hash of the stem of each token, 0 for function words.
func (t *tokens) appendStems(stems []uint64, stem *[]byte) []uint64 {
	var buffer [64]byte
	for i := range t.list {
		key := t.key(i)
		if len(key) <= longestFunction && function[string(key)] {
			stems = append(stems, 0)
			continue
		}
		*stem = appendStem((*stem)[:0], key, buffer[:])
		stems = append(stems, hashOfStem(*stem))
	}
	return stems
}

// addBags records the names whose bag of words is that of some tokens from i on.
func (l *Linker) addBags(s *scratch, i int) {
	tokens := s.tokens.list
	if s.stems[i] == 0 {
		return
	}
	var bag bagOf
	before := uint64(0) // the word of the bag before
	for j := i; j < len(tokens) && j < i+furthest && bag.words < longestBag; j++ {
		if j > i && (tokens[j].broken || s.listed(j)) {
			return
		}
		if s.stems[j] == 0 {
			continue
		}
		if before != 0 && !l.files.filter.has(pairOf(before, s.stems[j])) {
			return // no bag has both
		}
		before = s.stems[j]
		bag.add(before)
		if !tokens[j].ends || bag.words == 1 && (tokens[j].stop || tokens[j].keyEnd-tokens[j].keyStart < shortestVariant) {
			continue
		}
		if place := l.files.bags.place(bag.hash()); place != 0 {
			l.addBag(s, i, j, place)
		}
	}
}

// listed reports whether a comma or the like parts token j from the one before.
func (s *scratch) listed(j int) bool {
	return strings.ContainsAny(s.tokens.text[s.tokens.list[j-1].end:s.tokens.list[j].start], ",;:/")
}

// addBag decodes the postings of a bag that tokens i to j make.
func (l *Linker) addBag(s *scratch, i, j int, place uint64) {
	how := byBag
	if slices.Contains(s.misspelled[i:j+1], true) {
		how = byEdit
	}
	m, ok := s.newMatch(i, j, how)
	if !ok {
		return
	}
	surface := s.tokens.text[m.start:m.end]
	for _, p := range l.readPostings(s, place) {
		if s.hasHit(j, p.concept) {
			continue
		}
		h := l.files.hit(p)
		if i == j && writtenAsSymbol(view(h.matched)) && !writtenAsSymbol(surface) {
			continue // nobody inflects a symbol: "states" are no STAT
		}
		h.steps.first = len(s.steps)
		if h.score, ok = s.compare(view(h.matched), i, j); !ok {
			s.steps = s.steps[:h.steps.first]
			continue
		}
		h.steps.last = len(s.steps)
		h.how = how
		h.points = h.score.points()
		s.foundHits = append(s.foundHits, h)
	}
	s.addMatch(m)
}

// hasHit reports whether a match of the present token and token j has the concept already.
func (s *scratch) hasHit(j int, concept uint64) bool {
	for _, m := range s.found[s.firstHere:] {
		if m.last != j {
			continue
		}
		for k := m.firstHit; k < m.lastHit; k++ {
			if s.foundHits[k].place == concept {
				return true
			}
		}
	}
	return false
}

// compare aligns the words of a name with the tokens i to j and gives the
// components of the match, with its steps at the end of s.steps. It is false when
// a word of the text has no partner, as when two bags have the same hash.
func (s *scratch) compare(name string, i, j int) (c components, ok bool) {
	s.name.reset()
	s.name.scan(name)
	s.nameStems = s.name.appendStems(s.nameStems[:0], &s.stem)
	var a alignment
	a.next = -2
	var used uint64
	textAt := -1
	for k := i; k <= j; k++ {
		if s.stems[k] == 0 {
			continue
		}
		textAt++
		at, nameAt := s.partner(s.stems[k], a.next, used)
		if at < 0 {
			return c, false
		}
		used |= 1 << at
		text, word := &s.tokens.list[k], &s.name.list[at]
		kind, distance := wordVariant(s.tokens.key(k), s.name.key(at), text.plural, word.plural)
		if s.misspelled[k] {
			kind, distance = misspelled, distanceOfEdit(s.tokens.key(k))
		}
		if kind != sameWord {
			s.steps = append(s.steps, step{text.start, text.end, word.start, word.end, kind, distance})
		}
		a.add(nameAt, distance)
	}
	a.nameWords = 0
	for _, stem := range s.nameStems {
		if stem != 0 {
			a.nameWords++
		}
	}
	return a.components(textAt + 1), true
}

// partner finds the unused word of the name with a stem, that at position next
// (in words that count) before others. It gives its token and its position.
func (s *scratch) partner(stem uint64, next int, used uint64) (token, position int) {
	token, at := -1, -1
	for k := 0; k < len(s.nameStems) && k < 64; k++ {
		if s.nameStems[k] == 0 {
			continue
		}
		at++
		if s.nameStems[k] != stem || used>>k&1 == 1 {
			continue
		}
		if at == next {
			return k, at
		}
		if token < 0 {
			token, position = k, at
		}
	}
	return token, position
}

// alignment collects what the components of a match are made of. Its words of
// the text follow one another without a gap.
type alignment struct {
	variation float64
	words     int
	nameWords int
	next      int // position in the name that goes on with the present piece
	lowest    int
	highest   int
	piece     int
	squares   int // of the lengths of finished pieces
}

func (a *alignment) add(position int, distance float64) {
	a.variation += nearness(distance)
	if a.words == 0 {
		a.lowest, a.highest = position, position
	}
	a.lowest, a.highest = min(a.lowest, position), max(a.highest, position)
	a.words++
	if position != a.next {
		a.squares += a.piece * a.piece
		a.piece = 0
	}
	a.piece++
	a.next = position + 1
}

// components are those of a match in a phrase of some words, all of which it covers.
func (a *alignment) components(phraseWords int) components {
	squares := a.squares + a.piece*a.piece
	return components{
		centrality:   1,
		variation:    a.variation / float64(a.words),
		coverage:     coverage(phraseWords, phraseWords, a.highest-a.lowest+1, a.nameWords),
		cohesiveness: cohesiveness(squares, phraseWords, a.nameWords),
	}
}
