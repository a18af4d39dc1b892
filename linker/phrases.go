package linker

import (
	"math"
	"slices"
	"strings"
)

// A mention need not be a name to denote a concept: "solitary osteoma" is one
// because of its head. Phrases are found without a tagger. A tagger for general
// English errs most where it matters here, at gene symbols and new terms, and
// costs more than all the rest. Instead a phrase is a run of words with nothing
// but blanks and hyphens between them and no stop word among them, which hold
// nearly all determiners, prepositions, conjunctions and auxiliaries; its head
// is its last word, as in nearly all English terms. That takes verbs for modifiers ("FKBP12
// binds"), so a phrase is kept only if what was learned of ranges gives it a chance;
// without a model there are none.

const (
	furthestModifier = 3 // words that are added to a name on one side
	furthestHead     = 2 // words after a name that are no names themselves
	mostParts        = 6 // candidates that a phrase takes from a name in it

	leastPhrase = 0.1 // probability that people would mark it, of a phrase that is kept
)

// addPhrases records names with the words before them, and the word after them
// where that ends no name, as mentions with the candidates of the name.
func (s *scratch) addPhrases() {
	names := s.matches
	s.longestNames(names)
	for at, m := range names {
		if s.endsAt[m.last] == at {
			s.widenLeft(m)
		}
		if s.startsAt[m.first] == at {
			s.widenRight(m)
		}
	}
	if len(s.matches) > len(names) {
		slices.SortStableFunc(s.matches, compareMatches)
	}
}

// dropPhrases removes the phrases that hardly anybody would mark.
func (s *scratch) dropPhrases() {
	s.matches = slices.DeleteFunc(s.matches, func(m match) bool { return m.unlikely() })
}

// leastSpan is the logit of leastPhrase.
var leastSpan = math.Log(leastPhrase / (1 - leastPhrase))

// unlikely tells a phrase that hardly anybody would mark.
func (m *match) unlikely() bool { return m.how == byPhrase && m.span < leastSpan }

// longestNames notes for each token the longest name that ends and starts there, -1 for none.
func (s *scratch) longestNames(names []match) {
	s.endsAt, s.startsAt = s.endsAt[:0], s.startsAt[:0]
	for range s.tokens.list {
		s.endsAt, s.startsAt = append(s.endsAt, -1), append(s.startsAt, -1)
	}
	for at, m := range names {
		if old := s.endsAt[m.last]; old < 0 || names[old].first > m.first {
			s.endsAt[m.last] = at
		}
		if old := s.startsAt[m.first]; old < 0 || names[old].last < m.last {
			s.startsAt[m.first] = at
		}
	}
}

func (s *scratch) widenLeft(m match) {
	first, words := m.first, 0
	for words < furthestModifier && first > 0 && s.joins(first) {
		first--
		for first > 0 && !s.tokens.list[first].starts {
			first--
		}
		if s.tokens.list[first].stop {
			return
		}
		words++
		s.addPhrase(m, first, m.last, words, 0)
	}
}

func (s *scratch) widenRight(m match) {
	last := m.last
	for words := range furthestHead {
		last++
		if last >= len(s.tokens.list) || !s.joins(last) || s.tokens.list[last].stop {
			return
		}
		for !s.tokens.list[last].ends {
			last++
		}
		if s.endsAt[last] < 0 {
			s.addPhrase(m, m.first, last, 0, words+1)
		}
	}
}

// joins reports whether token k goes on with the phrase of the token before.
func (s *scratch) joins(k int) bool {
	a, b := &s.tokens.list[k-1], &s.tokens.list[k]
	return !b.broken && !a.stop && strings.Trim(s.tokens.text[a.end:b.start], " -\u2010\u2011") == ""
}

// addPhrase records the tokens first to last, which hold the name m, unless they are a name themselves.
func (s *scratch) addPhrase(m match, first, last, left, right int) {
	start, end := s.tokens.list[first].start, s.tokens.list[last].end
	start, end = min(start, m.start), max(end, m.end)
	for k := s.startsAt[first]; k >= 0 && k < len(s.matches) && s.matches[k].first == first; k++ {
		if s.matches[k].last == last {
			return
		}
	}
	phrase, part := last-first+1, m.last-m.first+1
	n := match{start: start, end: end, first: first, last: last, how: byPhrase, left: left, right: right, firstHit: len(s.hits)}
	centrality := 1.0
	if right > 0 {
		centrality = 0
	}
	for k := m.firstHit; k < m.lastHit && k < m.firstHit+mostParts; k++ {
		h := s.hits[k]
		h.how, h.likeness, h.seen = byPhrase, sameFolded, 0
		h.score = h.score.within(part, phrase, centrality)
		h.points = h.score.points()
		s.hits = append(s.hits, h)
	}
	n.lastHit = len(s.hits)
	s.matches = append(s.matches, n)
}

// within gives the components of a match of a whole phrase of some words for a
// longer phrase around it. Where the words of the phrase were not in order, the
// cohesiveness is a little too low.
func (c components) within(part, phrase int, centrality float64) components {
	c.centrality = centrality
	c.coverage -= (1 - ratio(part, phrase)) / 3
	c.cohesiveness = max(0, c.cohesiveness-(1-ratio(part*part, phrase*phrase))/3)
	return c
}
