package linker

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The ranking is a log-linear model: the value of a candidate of a mention is
// the sum of the weights of its features (Model), learned from texts in which
// people linked concepts. Features of the mention are its words, those beside
// it, its form, and how it lies in other mentions; features of the candidate
// are its concept, its semantic types, its MetaMap score, how its name was found
// and how often people linked this concept under this name. The value is the
// logit of the probability that people would link just this range to just this concept.

// feature kinds, one letter each, before the ":" in the file of a model.
const (
	ofBias       = 'b'
	ofName       = 'w' // the normal form of the mention
	ofFirst      = 'f' // its first word
	ofLast       = 'l' // its last word
	ofBefore     = 'p' // the word before
	ofAfter      = 'n' // the word after
	ofForm       = 'a' // capitals and digits
	ofLength     = 'k' // number of words, how it was found
	ofNesting    = 'i' // inside of a longer one, around others
	ofGlue       = 'g' // what stands right before and after it
	ofConcept    = 'c' // CUI
	ofType       = 't' // semantic type
	ofTypeLast   = 'T' // semantic type and last word
	ofTypeBefore = 'P' // semantic type and the word before
	ofMatch      = 's' // how the name was found and looks
	ofScore      = 'm' // MetaMap's score in steps of 50
	ofSeen       = 'x' // how often people linked the concept under this name
	ofShare      = 'y' // which share that is of all concepts of the name
	ofSource     = 'u' // first letter of the identifier
	ofRank       = 'r' // place among the candidates without context
	ofNumber     = 'z' // number of candidates
	ofSpan       = 'q' // how likely the range is to be marked at all, in steps of a half
	ofStart      = 'S' // ending of its first word
	ofEnd        = 'E' // ending of its last word
	ofWidening   = 'v' // of a phrase: words added before and after the name in it
)

// lexical kinds have as many values as there are words or concepts.
func lexical(kind byte) bool {
	switch kind {
	case ofName, ofFirst, ofLast, ofBefore, ofAfter, ofConcept, ofTypeLast, ofTypeBefore:
		return true
	}
	return false
}

// paired kinds have two values, with "|" between them in the file of a model.
func paired(kind byte) bool { return kind == ofTypeLast || kind == ofTypeBefore }

// logBucket is 0 for 0, 1 for 1, 2 for 2 and 3, 3 for 4 to 7 and so on.
func logBucket(n int) int { return bits.Len(uint(max(n, 0))) }

// rank orders the candidates of each match, best first.
func (l *Linker) rank(s *scratch) {
	l.eachMatch(s, func(k, longest int) {
		if l.ranks() {
			l.weigh(s, k, longest)
			m := &s.matches[k]
			hits := s.hits[m.firstHit:m.lastHit]
			slices.SortFunc(hits, compareHits)
			settleSpecies(hits)
			settleNamesakes(hits)
		}
	})
}

// settleSpecies puts first the best known of the species that an abbreviated name may
// mean, the one with the most names: E. coli is Escherichia coli, and not Entamoeba
// coli. Of the two nothing is learned where the texts write one of them out.
func settleSpecies(hits []hit) {
	if len(hits) == 0 || !abbreviatesSpecies(hits[0].matched) {
		return
	}
	best, known := hits[0], 0
	for i, h := range hits {
		if h.ties(best) && bytes.EqualFold(h.matched, best.matched) && h.names > hits[known].names {
			known = i
		}
	}
	promote(hits, known)
}

// abbreviatesSpecies reports whether a name begins like "E. coli".
func abbreviatesSpecies(name []byte) bool {
	lower := func(b byte) bool { return 'a' <= b && b <= 'z' }
	return len(name) > 4 && 'A' <= name[0] && name[0] <= 'Z' && name[1] == '.' && name[2] == ' ' && lower(name[3]) && lower(name[4])
}

// settleNamesakes puts first the plainest of the concepts that have the name of the
// best candidate and were found as it was: of what several sources say of one thing,
// the concept with the fewest semantic types. What was learned of types tells
// different things apart, and nothing of these.
func settleNamesakes(hits []hit) {
	if len(hits) == 0 {
		return
	}
	best, plainest := hits[0], 0
	for i, h := range hits {
		if h.ties(best) && bytes.EqualFold(h.name, best.name) && len(h.types) < len(hits[plainest].types) {
			plainest = i
		}
	}
	promote(hits, plainest)
}

// ties reports whether both were found the same way, with the same score.
func (h hit) ties(with hit) bool { return h.how == with.how && h.points == with.points }

// promote has a candidate change places, and values, with the first.
func promote(hits []hit, i int) {
	hits[0], hits[i] = hits[i], hits[0]
	hits[0].value, hits[i].value = hits[i].value, hits[0].value
}

// eachMatch gives do each match, its candidates ordered without context, and
// the last token of the names before it.
func (l *Linker) eachMatch(s *scratch, do func(k, longest int)) {
	longest := -1
	for k := range s.matches {
		m := &s.matches[k]
		slices.SortFunc(s.hits[m.firstHit:m.lastHit], compareHits)
		do(k, longest)
		if m.how != byPhrase {
			longest = max(longest, m.last)
		}
	}
}

// weigh sets the values of a match and, unless it is to be dropped, of its candidates.
func (l *Linker) weigh(s *scratch, k, longest int) {
	f := &s.features
	f.rank, f.span = 0, 0
	s.mentionFeatures(f, k, longest)
	base := f.rank
	m := &s.matches[k]
	m.span = f.span
	if m.unlikely() {
		return
	}
	total := s.totalSeen(m)
	for rank := range m.lastHit - m.firstHit {
		f.rank = 0
		s.candidateFeatures(f, m, rank, total)
		s.hits[m.firstHit+rank].value = base + f.rank
	}
}

func (s *scratch) totalSeen(m *match) (total int) {
	for _, h := range s.hits[m.firstHit:m.lastHit] {
		total += h.seen
	}
	return total
}

var (
	textStart = valueOf([]byte("^"))
	textEnd   = valueOf([]byte("$"))
)

// mentionFeatures adds what all candidates of match k have in common.
func (s *scratch) mentionFeatures(f *features, k, longest int) {
	m := &s.matches[k]
	list := s.tokens.list
	f.add(ofBias, value{})
	s.strings = s.tokens.appendRange(s.strings[:0], m.first, m.last)
	f.add(ofName, valueOf(s.strings))
	s.strings = s.strings[:0]
	f.add(ofLast, s.word(m.last))
	if m.first < m.last {
		f.add(ofFirst, s.word(m.first))
	}
	f.add(ofBefore, s.before(m))
	after := textEnd
	if m.last+1 < len(list) {
		after = s.word(m.last + 1)
	}
	f.add(ofAfter, after)
	f.addSmall(ofForm, form(s.tokens.text[m.start:m.end]), min(m.end-m.start, 6))
	f.addSmall(ofLength, m.last-m.first+1, int(m.how))
	f.addSmall(ofNesting, s.nesting(k, longest), int(m.how))
	f.add(ofStart, wordEnding(s.tokens.key(m.first)))
	f.add(ofEnd, wordEnding(s.tokens.key(m.last)))
	if m.how == byPhrase {
		f.addSmall(ofWidening, m.left, m.right)
	}
	f.addSmall(ofGlue, s.glue(m.start-1), s.glue(m.end))
}

// word is token i as a value of a feature.
func (s *scratch) word(i int) value { return value{s.tokens.key(i), s.words[i]} }

// nesting tells how match k lies among the names: 1 in one that began before, 2 in
// a longer one from the same word on, and 3 more when it holds another.
func (s *scratch) nesting(k, longest int) int {
	m := &s.matches[k]
	class := 0
	if longest >= m.last {
		class = 1
	}
	for n := k - 1; n >= 0 && s.matches[n].start == m.start; n-- {
		if s.matches[n].how != byPhrase {
			class = 2
		}
	}
	for n := k + 1; n < len(s.matches) && s.matches[n].start < m.end; n++ {
		if s.matches[n].how != byPhrase {
			return class + 3
		}
	}
	return class
}

// wordEnding is the last bytes of a word, which tell much of its part of speech.
func wordEnding(word []byte) value { return valueOf(word[max(0, len(word)-3):]) }

func (s *scratch) before(m *match) value {
	if m.first == 0 {
		return textStart
	}
	return s.word(m.first - 1)
}

// glue classes the character at byte i. In tokenised text it is what stands beyond
// the blank.
func (s *scratch) glue(i int) int {
	text := s.tokens.text
	if i < 0 || i >= len(text) {
		return 0
	}
	at := i
	if text[i] == ' ' {
		switch {
		case i > 0 && i+1 < len(text) && strings.IndexByte("-/).,;:'", text[i+1]) >= 0:
			at = i + 1
		case i > 1 && strings.IndexByte("-/(", text[i-1]) >= 0:
			at = i - 1
		}
	}
	switch text[at] {
	case ' ':
		return 1
	case '-':
		return 2
	case '/':
		return 3
	case '(', ')':
		return 4
	case ',', '.', ';', ':':
		return 5
	}
	return 6
}

// form classes the spelling of a mention.
func form(text string) int {
	first, _ := utf8.DecodeRuneInString(text)
	upper, lower, digit := 0, 0, 0
	for _, r := range text {
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			lower++
		case unicode.IsDigit(r):
			digit = 1
		}
	}
	class := 0
	switch {
	case lower == 0:
		class = 3
	case upper > 1 || upper == 1 && !unicode.IsUpper(first):
		class = 2
	case upper == 1:
		class = 1
	}
	return 2*class + digit
}

// candidateFeatures adds those of one candidate; rank is its place without context.
func (s *scratch) candidateFeatures(f *features, m *match, rank, totalSeen int) {
	h := &s.hits[m.firstHit+rank]
	f.add(ofConcept, valueOf(h.cui))
	last, before := s.word(m.last), s.before(m)
	for _, t := range h.types {
		tui := valueOf(append(s.tui[:0], t...))
		f.add(ofType, tui)
		f.addPair(ofTypeLast, tui, last)
		f.addPair(ofTypeBefore, tui, before)
	}
	preferred := 0
	if h.preferred {
		preferred = 1
	}
	f.addSmall(ofMatch, int(h.how), h.likeness, preferred)
	f.addSmall(ofScore, h.points/50, int(h.how))
	if h.how == byAlias { // a name that the dictionary has is right by itself
		totalSeen += m.elsewhere
	}
	f.addSmall(ofSeen, logBucket(h.seen), logBucket(totalSeen))
	f.addSmall(ofShare, 4*h.seen/max(totalSeen, 1), min(totalSeen, 1))
	f.add(ofSource, valueOf(h.cui[:min(1, len(h.cui))]))
	f.addSmall(ofRank, min(rank, 4), min(m.lastHit-m.firstHit, 3))
	f.addSmall(ofNumber, logBucket(m.lastHit-m.firstHit))
	f.addSmall(ofSpan, spanBucket(m.span), int(h.how))
}

// spanBucket rounds a logit to steps of a half.
func spanBucket(logit float64) int { return int(math.Round(2*min(max(logit, -6), 6))) + 12 }

// confidence is the probability of which value is the logit, to four decimals; 0
// when nothing was learned.
func confidence(value float64) float64 {
	if value == 0 {
		return 0
	}
	return math.Round(1e4/(1+math.Exp(-value))) / 1e4
}

// chooseFinal marks the final mapping: of all sets of matches that do not
// overlap, the one with the greatest gain. With a model, a match gains its
// confidence above the least one; without, MetaMap's score times the square of
// its words, which prefers the longest as the cohesiveness does.
func (l *Linker) chooseFinal(s *scratch) {
	n := len(s.matches)
	s.best = slices.Grow(s.best[:0], n+1)[:n+1]
	s.best[n] = 0
	for k := n - 1; k >= 0; k-- {
		s.best[k] = max(s.best[k+1], l.gain(s, k)+s.best[s.following(k)])
	}
	for k := 0; k < n; {
		if s.best[k] > s.best[k+1] {
			s.matches[k].final = true
			k = s.following(k)
		} else {
			k++
		}
	}
}

// gain is what match k adds to a mapping.
func (l *Linker) gain(s *scratch, k int) float64 {
	m := &s.matches[k]
	best := &s.hits[m.firstHit]
	if !l.ranks() {
		words := float64(m.last - m.first + 1)
		return float64(best.points) * words * words
	}
	// A single word of another part of speech, or worse, is a candidate and no more: "studies" are no students.
	if m.first == m.last && best.how == byBag && best.score.variation <= nearness(distanceDerivation) {
		return 0
	}
	return 1/(1+math.Exp(-best.value)) - l.model.threshold
}

// ranks reports whether a model was learned.
func (l *Linker) ranks() bool { return l.model.ranks }

// following is the first match that begins where match k ends or later.
func (s *scratch) following(k int) int {
	end := s.matches[k].end
	rest := s.matches[k+1:]
	return k + 1 + sort.Search(len(rest), func(i int) bool { return rest[i].start >= end })
}
