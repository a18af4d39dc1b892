// Package negation tells which parts of a sentence are negated, after NegEx:
// W. W. Chapman and others, "A simple algorithm for identifying negated findings
// and diseases in discharge summaries" (Journal of Biomedical Informatics 34,
// 2001, pages 301–310).
//
// A phrase that negates what follows ("no evidence of") or what comes before
// ("was ruled out") does so up to the border of the sentence, to a semicolon or to a
// word that begins something else ("but"). Phrases that only look like negations ("not
// only") do nothing. The phrases are in triggers.txt.
package negation

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Scope is a negated part of a sentence, in bytes, end-exclusive.
type Scope struct {
	Start, End int
}

// Holds reports whether a range lies in the scope.
func (s Scope) Holds(start, end int) bool { return s.Start <= start && end <= s.End }

// Scopes gives the negated parts of a sentence in order of their start. At most
// two of them overlap. What negates a part is not in it, so that a finding named
// "negative pressure" is not negated by its own name.
func Scopes(sentence string) []Scope {
	var scopes []Scope
	begin := 0
	for clause := range strings.SplitAfterSeq(sentence, clauseEnd) {
		for _, s := range scopesOf(clause) {
			scopes = append(scopes, Scope{begin + s.Start, begin + s.End})
		}
		begin += len(clause)
	}
	return scopes
}

// clauseEnd has a blank, unlike the semicolon of t(9;22).
const clauseEnd = "; "

// scopesOf gives the negated parts of a clause.
func scopesOf(clause string) []Scope {
	var scopes []Scope
	var p part
	for _, phrase := range find(clause) {
		switch {
		case phrase.kind == ending:
			scopes = p.appendScopes(scopes, phrase.start)
			p = part{start: phrase.end}
		case phrase.kind == before && p.first == 0:
			p.first = phrase.end
		case phrase.kind == after:
			p.last = phrase.start
		}
	}
	return p.appendScopes(scopes, len(clause))
}

// part is a part of a clause that negations do not reach out of.
type part struct {
	start int
	first int // where the first phrase ends that negates what follows, 0 if there is none
	last  int // where the last phrase begins that negates what comes before, 0 if there is none
}

// appendScopes appends the scopes of a part that ends at byte end.
func (p part) appendScopes(scopes []Scope, end int) []Scope {
	if p.last > p.start {
		scopes = append(scopes, Scope{p.start, p.last})
	}
	if p.first > 0 && p.first < end {
		scopes = append(scopes, Scope{p.first, end})
	}
	return scopes
}

// kind is what a phrase does.
type kind uint8

const (
	none   kind = iota
	before      // negates what follows
	after       // negates what comes before
	pseudo      // does nothing
	ending      // ends a negation
)

// phrase is a trigger in a sentence, in bytes.
type phrase struct {
	start, end int
	kind       kind
}

// find gives the phrases of a sentence: from left to right, the longest at each word.
func find(sentence string) []phrase {
	var found []phrase
	w := words{text: sentence, lower: make([]byte, 0, longWord)}
	memory := make([]byte, 0, longWord)
	for w.next() {
		node := triggers.next[string(w.lower)]
		if node == nil {
			continue
		}
		p := phrase{start: w.start, end: w.end, kind: node.kind}
		for ahead := (words{text: sentence, at: w.at, lower: memory}); ahead.next(); {
			if node = node.next[string(ahead.lower)]; node == nil {
				break
			}
			if node.kind != none {
				p.end, p.kind = ahead.end, node.kind
			}
		}
		if p.kind != none {
			found = append(found, p)
			w.at = p.end
		}
	}
	return found
}

// words goes over the words of a text: runs of letters, digits and apostrophes.
type words struct {
	text       string
	at         int // where the next word is sought
	start, end int
	lower      []byte // the word in lower case
}

// longWord is how long few words are, in bytes.
const longWord = 64

// next goes to the next word and reports whether there is one.
func (w *words) next() bool {
	w.lower = w.lower[:0]
	for i := w.at; i < len(w.text); {
		r, size := rune(w.text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(w.text[i:])
		}
		switch {
		case 'a' <= r && r <= 'z':
			if len(w.lower) == 0 {
				w.start = i
			}
			w.lower = append(w.lower, byte(r))
		case r == '’' && len(w.lower) > 0:
			w.lower = append(w.lower, '\'')
		case unicode.IsLetter(r) || unicode.IsNumber(r) || r == '\'' && len(w.lower) > 0:
			if len(w.lower) == 0 {
				w.start = i
			}
			w.lower = utf8.AppendRune(w.lower, unicode.ToLower(r))
		case len(w.lower) > 0:
			w.end, w.at = i, i
			return true
		}
		i += size
	}
	w.end, w.at = len(w.text), len(w.text)
	return len(w.lower) > 0
}

// trigger is a node of the tree of all phrases, word by word.
type trigger struct {
	next map[string]*trigger
	kind kind // of the phrase that ends here
}

//go:embed triggers.txt
var triggersText string

var triggers = readTriggers(triggersText)

// headings are the kinds in triggers.txt.
var headings = map[string]kind{"[before]": before, "[after]": after, "[pseudo]": pseudo, "[end]": ending}

// readTriggers makes the tree from the lines of triggers.txt.
func readTriggers(text string) *trigger {
	root := &trigger{next: map[string]*trigger{}}
	current := none
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "#":
		case headings[fields[0]] != none:
			current = headings[fields[0]]
		default:
			root.add(fields, current)
		}
	}
	return root
}

func (t *trigger) add(phrase []string, k kind) {
	for _, word := range phrase {
		if t.next == nil {
			t.next = map[string]*trigger{}
		}
		if t.next[word] == nil {
			t.next[word] = &trigger{}
		}
		t = t.next[word]
	}
	t.kind = k
}
