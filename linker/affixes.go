package linker

import (
	"strings"
	"unicode"
)

// Symbols of genes and proteins carry letters that no name has: that of the
// species before them (hFKBP12, dTCF), a p for protein after a number, as in
// yeast (Cdc6p), and the number or Greek letter of an isoform (apoE4). Where a
// word is no name, what remains without them may be. So may a word of parts that
// hyphens join without them (EGF-R, auto-immune), and a compound is a kind of its
// head (nephrotoxicity).

// speciesLetters stand before a capital: fruit fly, human, mouse, rat, Xenopus, yeast, zebrafish.
const speciesLetters = "dhmrxyz"

// heads are last parts of compounds that are written as one word.
var heads = []string{"toxicity", "suppression"}

// longestJoin is how many parts of a word are joined, shortestJoin how many bytes they have.
const (
	longestJoin  = 3
	shortestJoin = 4
)

// shortestSymbol is how many bytes of a normal form must remain without an isoform.
const shortestSymbol = 3

// addAffixed records the name that the word from token i on is without its affixes.
func (l *Linker) addAffixed(s *scratch, i int) {
	list := s.tokens.list
	j := i
	for !list[j].ends {
		j++
	}
	for _, m := range s.found[s.firstHere:] {
		if m.last == j {
			return
		}
	}
	if j == i {
		for _, head := range heads {
			if key := s.tokens.key(i); len(key) > len(head)+2 && strings.HasSuffix(string(key), head) {
				l.addWithout(s, i, j, key[len(key)-len(head):], withoutAffix)
				return
			}
		}
	}
	if s.hasSpeciesLetter(i) {
		s.key = s.tokens.appendRange(s.key[:0], i, j)
		if l.addWithout(s, i, j, s.key[1:], withoutAffix) {
			return
		}
	}
	if j == i || list[j].left == letterKind && string(s.tokens.key(j)) != "p" || list[j].left == plusKind {
		return
	}
	if s.key = s.tokens.appendRange(s.key[:0], i, j-1); len(s.key) >= shortestSymbol {
		l.addWithout(s, i, j, s.key, withoutAffix)
	}
}

// addJoined records the names that words from token i on are when the hyphens between them go.
func (l *Linker) addJoined(s *scratch, i int) {
	list := s.tokens.list
	s.key = append(s.key[:0], s.tokens.key(i)...)
	for j := i + 1; j < len(list) && j < i+longestJoin; j++ {
		gap := strings.TrimSpace(s.tokens.text[list[j-1].end:list[j].start])
		if list[j].broken || gap != "" && gap != "-" || gap == "" && list[j].starts {
			return
		}
		s.key = append(s.key, s.tokens.key(j)...)
		if list[j].ends && separated(&list[j-1], &list[j]) && len(s.key) >= shortestJoin {
			l.addWithout(s, i, j, s.key, joined)
		}
	}
}

func (s *scratch) hasSpeciesLetter(i int) bool {
	t := &s.tokens.list[i]
	word := s.tokens.text[t.start:t.end]
	if len(word) < shortestSymbol || !unicode.IsUpper(rune(word[1])) {
		return false
	}
	for k := range len(speciesLetters) {
		if word[0] == speciesLetters[k] {
			return true
		}
	}
	return false
}

// addWithout records tokens i to j as a variant of the name with a normal form, if there is one.
func (l *Linker) addWithout(s *scratch, i, j int, key []byte, kind variantKind) bool {
	if len(key) > longestKey || !l.files.filter.has(emptyPrefix.add(key).whole()) {
		return false
	}
	place, ok := l.files.name(s.names, key)
	m, whole := s.newMatch(i, j, byBag)
	if !ok || !whole {
		return false
	}
	for _, p := range l.readPostings(s, place) {
		h := l.files.hit(p)
		h.how = byBag
		h.score = exactName(j-i+1, 0)
		s.addStep(&h, &m, kind, h.matched)
		s.foundHits = append(s.foundHits, h)
	}
	s.addMatch(m)
	return true
}
