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
	learned       *Model
	training      bool
	model         *openModel // learned, with the concepts of this dictionary
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
// [ErrNoDictionary], [ErrVersion] or [ErrDamaged], names the file and says what to do;
// where names.json cannot be read at all, it is that of the file system.
// Damage inside of a file is found by Verify, or by Link when it comes to it.
func Open(dir string, options ...Option) (*Linker, error) {
	files, err := openDictionary(dir)
	if err != nil {
		return nil, err
	}
	l := &Linker{files: files}
	for _, option := range options {
		option(l)
	}
	if l.learned == nil {
		l.learned = DefaultModel()
	}
	l.model = openLearned(l.learned)
	l.scratch.New = func() any { return l.newScratch() }
	return l, nil
}

func (l *Linker) newScratch() *scratch {
	names, _ := l.files.names.Reader() // fails never
	return &scratch{names: names, tokens: tokens{stopWords: l.stopWords}, features: features{weights: l.model.weights}}
}

// Close unmaps the dictionary. What Link returned stays valid, but no Link may
// be running or follow.
func (l *Linker) Close() error { return l.files.Close() }

// find gives the mentions of the names of the dictionary in text, in the order
// of Link, with their candidates ranked: tokens, then the names that they spell
// exactly, by a learned alias or by a bag of words, then phrases around them,
// then ranking and final mapping.
func (l *Linker) find(ctx context.Context, text string) ([]graph.Mention, error) {
	s := l.scratch.Get().(*scratch)
	defer l.scratch.Put(s)
	if err := l.match(ctx, s, text); err != nil {
		return nil, err
	}
	l.rank(s)
	s.dropPhrases()
	l.chooseFinal(s)
	return s.mentions(text), nil
}

// match fills s with the matches of a text in order, each with its candidates,
// which are not ranked yet.
func (l *Linker) match(ctx context.Context, s *scratch, text string) error {
	s.reset()
	s.tokens.scan(text)
	l.findStems(s)
	for i := range s.tokens.list {
		if i%256 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !s.tokens.list[i].starts {
			continue
		}
		s.firstHere = len(s.found)
		l.walk(s, i)
		l.addBags(s, i)
		l.addAffixed(s, i)
		l.addJoined(s, i)
	}
	if err := l.files.damage(); err != nil {
		return err
	}
	s.group()
	if l.ranks() || l.training {
		s.addPhrases()
	}
	return nil
}

// walk records the names and aliases that begin with token i.
func (l *Linker) walk(s *scratch, i int) {
	prefixes := l.files.filter
	hash := emptyPrefix
	s.key = s.key[:0]
	names, aliases := true, len(l.model.known) > 0
	list := s.tokens.list
	for j := i; j < len(list) && (names || aliases); j++ {
		if j > i && list[j].broken {
			return
		}
		if j > i && separated(&list[j-1], &list[j]) {
			names = names && prefixes.has(hash.begin())
			aliases = aliases && l.model.begins(hash)
			s.key = append(s.key, ' ')
			hash = hash.add(space)
		}
		key := s.tokens.key(j)
		if len(s.key)+len(key) > longestKey {
			return
		}
		s.key, hash = append(s.key, key...), hash.add(key)
		if !list[j].ends {
			continue
		}
		if names && prefixes.has(hash.whole()) {
			if place, ok := l.files.name(s.names, s.key); ok {
				l.addExact(s, i, j, place)
			}
		}
		if first, ok := l.model.aliases.get(hash.whole()); aliases && ok {
			l.addAliases(s, i, j, int(first))
		}
	}
}

var space = []byte{' '}

// scratch is the memory of one call, kept for the next.
type scratch struct {
	names      *vellum.Reader
	key        []byte
	tokens     tokens
	words      []uint64     // hash of each token
	misspelled []bool       // of each token: its stem was corrected
	edits      []remembered // by hash
	steps      []step
	stems      []uint64 // hash of the stem of each token
	stem       []byte
	postings   []posting
	name       tokens // of a name that is being compared
	nameStems  []uint64

	found     []match // in the order in which they were found
	foundHits []hit
	firstHere int // in found, of those that begin with the present token

	matches          []match // by range, each range once
	hits             []hit
	strings          []byte
	aliasNames       []byte // as the text has them
	features         features
	tui              [8]byte
	learnedFrom      map[alias]int // in training: what the document itself taught
	best             []float64
	endsAt, startsAt []int
}

// match is a range of the text that is a name, with its candidates.
type match struct {
	start, end        int // bytes
	first, last       int // tokens, the last included
	firstHit, lastHit int
	how               how     // the best way in which a candidate was found
	elsewhere         int     // how often people meant by this name what the dictionary lacks
	left, right       int     // words of a phrase before and after the name in it
	span              float64 // logit of the probability that people would mark this range
	final             bool    // it belongs to the final mapping
}

// hit is a candidate whose strings still lie in the dictionary.
type hit struct {
	place              uint64 // of the concept in the dictionary
	cui, name, matched []byte
	types              []graph.TUI
	names              int // of the concept
	score              components
	points             int
	likeness           int
	preferred          bool
	how                how
	steps              stepRange // how the words of the text became those of the name
	seen               int       // how often people linked this concept under this name
	value              float64   // what it is ranked by, the logit of its confidence
}

// how a candidate was found, the best way first.
type how uint8

const (
	byName how = iota
	byAlias
	byBag
	byEdit
	byPhrase
)

// howNames are for the output; a plain name needs no word.
var howNames = [...]string{byName: "", byAlias: "learned", byBag: "variant", byEdit: "misspelled", byPhrase: graph.PartVariant}

func (s *scratch) reset() {
	s.tokens.reset()
	s.found, s.foundHits = s.found[:0], s.foundHits[:0]
	s.matches, s.hits = s.matches[:0], s.hits[:0]
	s.steps = s.steps[:0]
	s.strings, s.aliasNames = s.strings[:0], s.aliasNames[:0]
}

// addExact decodes the postings of the name that tokens i to j spell.
func (l *Linker) addExact(s *scratch, i, j int, place uint64) {
	m, ok := s.newMatch(i, j, byName)
	if !ok {
		return
	}
	surface := s.tokens.text[m.start:m.end]
	stop := s.tokens.onlyStopWords(i, j)
	if stop && !writtenAsSymbol(surface) {
		return
	}
	plurals := s.tokens.plurals(i, j)
	for _, p := range l.readPostings(s, place) {
		h := l.files.hit(p)
		h.likeness = likeness(h.matched, surface)
		if stop && h.likeness != sameSpelling {
			continue
		}
		h.score = exactName(j-i+1, plurals^p.plurals)
		if plurals != p.plurals {
			s.addInflections(&h, i, j, plurals^p.plurals)
		}
		h.points = h.score.points()
		s.foundHits = append(s.foundHits, h)
	}
	s.addMatch(m)
}

// readPostings gives the postings at a place, until the next call.
func (l *Linker) readPostings(s *scratch, place uint64) []posting {
	s.postings = l.files.appendPostingsAt(s.postings[:0], place)
	return s.postings
}

// newMatch makes the match of the tokens i to j; it is false when brackets part it.
func (s *scratch) newMatch(i, j int, how how) (m match, ok bool) {
	m = match{first: i, last: j, firstHit: len(s.foundHits), how: how}
	m.start, m.end, ok = bracketed(s.tokens.text, s.tokens.list[i].start, s.tokens.list[j].end)
	return m, ok
}

// addMatch keeps a match if it has candidates.
func (s *scratch) addMatch(m match) {
	if m.lastHit = len(s.foundHits); m.lastHit > m.firstHit {
		s.found = append(s.found, m)
	}
}

// group puts the candidates of each range together, each concept once by its best way.
func (s *scratch) group() {
	slices.SortStableFunc(s.found, compareMatches)
	for rest := s.found; len(rest) > 0; {
		m := rest[0]
		m.firstHit = len(s.hits)
		for len(rest) > 0 && rest[0].start == m.start && rest[0].end == m.end {
			m.how, m.elsewhere = min(m.how, rest[0].how), max(m.elsewhere, rest[0].elsewhere)
			for _, h := range s.foundHits[rest[0].firstHit:rest[0].lastHit] {
				s.addHit(m.firstHit, h)
			}
			rest = rest[1:]
		}
		m.lastHit = len(s.hits)
		s.matches = append(s.matches, m)
	}
}

// compareMatches is the order of Link.
func compareMatches(a, b match) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
}

// addHit adds a candidate, or replaces that of the same concept by a better one.
func (s *scratch) addHit(first int, h hit) {
	for i := first; i < len(s.hits); i++ {
		if old := &s.hits[i]; old.place == h.place {
			seen := max(old.seen, h.seen)
			if compareHits(h, *old) < 0 {
				*old = h
			}
			old.seen = seen
			return
		}
	}
	s.hits = append(s.hits, h)
}

// compareHits orders candidates, best first.
func compareHits(a, b hit) int {
	return cmp.Or(
		cmp.Compare(b.value, a.value),
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
	total, steps := 0, 0
	for i, m := range s.matches {
		total += m.lastHit - m.firstHit
		s.strings = strconv.AppendInt(append(s.strings, 'T'), int64(i+1), 10)
		for _, h := range s.hits[m.firstHit:m.lastHit] {
			steps += h.steps.last - h.steps.first
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
	paths := make([]graph.VariantStep, steps)
	for i, m := range s.matches {
		first := len(candidates)
		id := cut(1 + digits(i+1))
		for _, h := range s.hits[m.firstHit:m.lastHit] {
			c := graph.Candidate{
				CUI: graph.CUI(cut(len(h.cui))), Name: cut(len(h.name)), SemanticTypes: h.types,
				Score: h.points, Centrality: h.score.centrality, Variation: h.score.variation,
				Coverage: h.score.coverage, Cohesiveness: h.score.cohesiveness,
			}
			c.Variant, c.Confidence = howNames[h.how], confidence(h.value)
			if c.Matched = c.Name; !h.preferred {
				c.Matched = cut(len(h.matched))
			}
			c.Path, paths = s.path(&h, &c, paths)
			candidates = append(candidates, c)
		}
		mentions[i] = graph.Mention{
			ID: id, Start: m.start, End: m.end, Text: text[m.start:m.end], Final: m.final,
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
