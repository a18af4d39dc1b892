// Package linker finds the names of a knowledge base in a text and gives, for
// each of them, the concepts that it may denote.
//
// A dictionary is written once per knowledge base with a [Builder] and read
// memory-mapped by a [Linker]:
//
//	l, err := linker.Open("my-kb")
//	if err != nil { … }
//	defer l.Close()
//	mentions, err := l.Link(ctx, "FKBP12 binds FK506 and rapamycin.")
//
// Every range of whole words that is a name is a mention, nested and
// overlapping ones included, and every concept of that name is a candidate:
// what does not fit is for the reader of the candidates to leave out. Names are
// compared in a normal form (see normalize.go) that folds case, diacritics,
// hyphens and other punctuation, Greek letters, possessives and plurals, while
// offsets stay those of the text as it was given.
package linker

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/vellum"

	"github.com/keci-kg/keci/graph"
)

// Linker finds names in texts. It is safe for concurrent use.
type Linker struct {
	files         *dictionary
	names         *vellum.FST
	maxCandidates int
	stopWords     map[string]bool
	beside        []*Linker
	scratch       sync.Pool // of *scratch
}

// Option changes how a Linker works.
type Option func(*Linker)

// MaxCandidates keeps only the n best candidates of each mention; 0, the
// default, keeps all.
func MaxCandidates(n int) Option { return func(l *Linker) { l.maxCandidates = n } }

// Open opens the dictionary of the knowledge base in dir. The error wraps
// [ErrNoDictionary], [ErrVersion] or [ErrDamaged], names the file and says what to do.
func Open(dir string, options ...Option) (*Linker, error) {
	files, err := openDictionary(dir)
	if err != nil {
		return nil, err
	}
	names, err := vellum.Load(files.names)
	if err != nil {
		files.Close()
		return nil, damaged(dir, namesFile, err)
	}
	l := &Linker{files: files, names: names}
	for _, option := range options {
		option(l)
	}
	l.scratch.New = func() any { return &scratch{tokens: tokens{stopWords: l.stopWords}} }
	return l, nil
}

// Close unmaps the dictionary. What Link returned stays valid, but no Link may
// be running or follow.
func (l *Linker) Close() error { return l.files.Close() }

// find returns the mentions of the names of the dictionary in text, in the order
// of Link, with their candidates, best first: by score, then names spelled as in
// the text, then those that differ in case only, then preferred names, then CUI.
func (l *Linker) find(ctx context.Context, text string) ([]graph.Mention, error) {
	s := l.scratch.Get().(*scratch)
	defer l.scratch.Put(s)
	s.reset()
	s.tokens.scan(text)
	for i := range s.tokens.list {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if s.tokens.list[i].starts {
			l.matchFrom(s, text, i)
		}
	}
	return s.mentions(text), nil
}

// matchFrom records every name that begins with token i.
func (l *Linker) matchFrom(s *scratch, text string, i int) {
	state, value := l.names.Start(), uint64(0)
	accept := func(b byte) bool {
		next, output := l.names.AcceptWithVal(state, b)
		state, value = next, value+output
		return l.names.CanMatch(next)
	}
	first := len(s.matches)
	tokens := s.tokens.list
	for j := i; j < len(tokens); j++ {
		if j > i {
			if tokens[j].broken {
				break
			}
			if separated(&tokens[j-1], &tokens[j]) && !accept(' ') {
				break
			}
		}
		if !acceptAll(s.tokens.key(j), accept) {
			break
		}
		if !tokens[j].ends {
			continue
		}
		if final, output := l.names.IsMatchWithVal(state); final {
			l.addMatch(s, text, i, j, value+output)
		}
	}
	slices.Reverse(s.matches[first:]) // longer ones first
}

func acceptAll(key []byte, accept func(byte) bool) bool {
	for _, b := range key {
		if !accept(b) {
			return false
		}
	}
	return true
}

// scratch is the memory of one call of Link, kept for the next.
type scratch struct {
	tokens  tokens
	matches []match
	hits    []hit
	strings []byte
}

// match is a range of the text that is a name, with its candidates in scratch.hits.
type match struct {
	start, end        int
	firstHit, lastHit int
}

// hit is a candidate whose strings still lie in the dictionary.
type hit struct {
	cui, name, matched []byte
	types              []graph.TUI
	score              components
	points             int
	likeness           int
	preferred          bool
}

func (s *scratch) reset() {
	s.tokens.reset()
	s.matches = s.matches[:0]
	s.hits = s.hits[:0]
	s.strings = s.strings[:0]
}

// addMatch decodes the postings of the name that tokens i to j spell.
func (l *Linker) addMatch(s *scratch, text string, i, j int, posting uint64) {
	start, end, ok := bracketed(text, s.tokens.list[i].start, s.tokens.list[j].end)
	surface := text[start:end]
	stop := s.tokens.onlyStopWords(i, j)
	if !ok || stop && !writtenAsSymbol(surface) {
		return
	}
	first := len(s.hits)
	plurals := s.tokens.plurals(i, j)
	for p := range l.files.postings(posting) {
		h := l.files.hit(p)
		h.likeness = likeness(h.matched, surface)
		if stop && h.likeness != sameSpelling {
			continue
		}
		h.score = exactName(j-i+1, plurals^p.plurals)
		h.points = h.score.points()
		s.addHit(first, h)
	}
	if len(s.hits) == first {
		return
	}
	slices.SortFunc(s.hits[first:], compareHits)
	if l.maxCandidates > 0 && len(s.hits)-first > l.maxCandidates {
		s.hits = s.hits[:first+l.maxCandidates]
	}
	s.matches = append(s.matches, match{start, end, first, len(s.hits)})
}

// addHit adds a candidate, or replaces that of the same concept by a better
// one. The names of a concept follow one another in a posting.
func (s *scratch) addHit(first int, h hit) {
	last := len(s.hits) - 1
	if last < first || !bytes.Equal(s.hits[last].cui, h.cui) {
		s.hits = append(s.hits, h)
	} else if compareHits(h, s.hits[last]) < 0 {
		s.hits[last] = h
	}
}

// compareHits orders candidates, best first.
func compareHits(a, b hit) int {
	return cmp.Or(
		cmp.Compare(b.points, a.points),
		cmp.Compare(b.likeness, a.likeness),
		compareTrueFirst(a.preferred, b.preferred),
		bytes.Compare(a.cui, b.cui),
	)
}

func compareTrueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// How much a name looks like the text that it matched.
const (
	sameFolded   = iota // the same after normalisation only
	sameLetters         // the same but for case
	sameSpelling        // the same
)

func likeness(name []byte, surface string) int {
	switch {
	case string(name) == surface:
		return sameSpelling
	case strings.EqualFold(string(name), surface):
		return sameLetters
	}
	return sameFolded
}

// bracketed widens a range by the bracket that it lacks at its border, as in
// "(S)-warfarin" and "iron(III)", whose brackets are no part of a token. It is
// false when a bracket is left without its partner: that is no name.
func bracketed(text string, start, end int) (newStart, newEnd int, ok bool) {
	opened, closed := unpaired(text[start:end])
	if closed == 1 {
		before := strings.TrimSuffix(text[:start], " ")
		if strings.HasSuffix(before, "(") || strings.HasSuffix(before, "[") {
			start, closed = len(before)-1, 0
		}
	}
	if opened == 1 {
		after := strings.TrimPrefix(text[end:], " ")
		if strings.HasPrefix(after, ")") || strings.HasPrefix(after, "]") {
			end, opened = len(text)-len(after)+1, 0
		}
	}
	return start, end, opened == 0 && closed == 0
}

// unpaired counts the opening and closing brackets that have no partner.
func unpaired(text string) (opened, closed int) {
	for i := range len(text) {
		switch text[i] {
		case '(', '[':
			opened++
		case ')', ']':
			if opened > 0 {
				opened--
			} else {
				closed++
			}
		}
	}
	return opened, closed
}

// writtenAsSymbol reports whether a stop word is written as nobody writes the
// word itself: with a capital after the first letter, as in the gene CAN.
func writtenAsSymbol(surface string) bool {
	_, first := utf8.DecodeRuneInString(surface)
	return strings.ContainsFunc(surface[first:], unicode.IsUpper)
}

// mentions makes the result from the matches. All strings lie in one piece of
// memory and so do all candidates, since there are many small ones.
func (s *scratch) mentions(text string) []graph.Mention {
	mentions := make([]graph.Mention, len(s.matches))
	total := 0
	for i, m := range s.matches {
		total += m.lastHit - m.firstHit
		s.strings = strconv.AppendInt(append(s.strings, 'T'), int64(i+1), 10)
		for _, h := range s.hits[m.firstHit:m.lastHit] {
			s.strings = append(s.strings, h.cui...)
			s.strings = append(s.strings, h.name...)
			if !h.preferred {
				s.strings = append(s.strings, h.matched...)
			}
		}
	}
	rest := string(s.strings)
	cut := func(n int) (head string) { head, rest = rest[:n], rest[n:]; return head }
	candidates := make([]graph.Candidate, 0, total)
	for i, m := range s.matches {
		first := len(candidates)
		id := cut(1 + digits(i+1))
		for _, h := range s.hits[m.firstHit:m.lastHit] {
			c := graph.Candidate{
				CUI: graph.CUI(cut(len(h.cui))), Name: cut(len(h.name)), SemanticTypes: h.types,
				Score: h.points, Centrality: h.score.centrality, Variation: h.score.variation,
				Coverage: h.score.coverage, Cohesiveness: h.score.cohesiveness,
			}
			if c.Matched = c.Name; !h.preferred {
				c.Matched = cut(len(h.matched))
			}
			candidates = append(candidates, c)
		}
		mentions[i] = graph.Mention{
			ID: id, Start: m.start, End: m.end, Text: text[m.start:m.end],
			Concepts: candidates[first:len(candidates):len(candidates)],
		}
	}
	return mentions
}

// digits is the number of decimal digits of n > 0.
func digits(n int) int {
	count := 1
	for ; n >= 10; n /= 10 {
		count++
	}
	return count
}
