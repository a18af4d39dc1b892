// Package negation tells which parts of a sentence are negated, after NegEx:
// W. W. Chapman and others, "A simple algorithm for identifying negated findings
// and diseases in discharge summaries" (Journal of Biomedical Informatics 34,
// 2001, pages 301–310).
//
// A phrase that negates what follows ("no evidence of") or what comes before
// ("was ruled out") reaches five words far, as in the paper; five more after each "or",
// and on to the end of a list ("no fever, cough, chest pain or nausea"). It reaches over
// no semicolon, no bracket that closes around it, and no word that begins something
// else ("but"). Phrases that only look like negations ("not only") do nothing. The
// phrases are in triggers.txt.
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

// Scopes gives the negated parts of a sentence, in order; none overlaps another. A
// phrase that negates is not in its own scope, so that a finding named "negative
// pressure" is not negated by its name.
func Scopes(sentence string) []Scope {
	var scopes []Scope
	begin := 0
	for part := range strings.SplitAfterSeq(sentence, semicolon) {
		for clause := range strings.SplitAfterSeq(part, dash) {
			for _, s := range scopesOf(clause) {
				scopes = append(scopes, Scope{begin + s.Start, begin + s.End})
			}
			begin += len(clause)
		}
	}
	return scopes
}

const (
	semicolon = "; "  // with a blank, unlike that of t(9;22)
	dash      = " - " // before the lines of a list
)

// scopesOf gives the negated parts of a clause. Each reaches at most to the next phrase.
func scopesOf(clause string) []Scope {
	var scopes []Scope
	phrases := find(clause)
	for i, phrase := range phrases {
		var s Scope
		switch phrase.kind {
		case before:
			end := len(clause)
			if i+1 < len(phrases) {
				end = phrases[i+1].start
			}
			s = Scope{phrase.end, phrase.end + reachAfter(clause[phrase.end:end])}
		case after:
			start := 0
			if i > 0 {
				start = phrases[i-1].end
			}
			s = Scope{start + reachBefore(clause[start:phrase.start]), phrase.start}
		}
		scopes = join(scopes, s)
	}
	return scopes
}

// join appends a scope, which is made one with the last where they overlap.
func join(scopes []Scope, s Scope) []Scope {
	last := len(scopes) - 1
	switch {
	case s.Start >= s.End:
		return scopes
	case last >= 0 && s.Start < scopes[last].End:
		scopes[last].End = max(scopes[last].End, s.End)
		return scopes
	}
	return append(scopes, s)
}

const (
	window   = 5 // words that a negation reaches over (Chapman and others)
	bareItem = 2 // most words of each item of a list without "and" or "or"
)

// reachAfter is how many bytes of what follows it a phrase negates.
func reachAfter(text string) (end int) {
	w := words{text: closed(text), lower: make([]byte, 0, longWord)}
	more := w.next()
	for left := window; more; more = w.next() {
		switch {
		case w.comma && end > 0:
			return max(end, listEnd(&w))
		case string(w.lower) == "or":
			left = window + 1
		case left == 0:
			return end
		}
		left, end = left-1, w.end
	}
	return end
}

// listEnd is where the list ends of which an item begins with the word that w is at,
// 0 when this is none: when an item has more words than a negation reaches over, or
// nothing joins the items and they are too long to be told from clauses.
func listEnd(w *words) (end int) {
	length, longest, joined := 0, 0, false
	for more := true; more; more = w.next() {
		if w.comma {
			if joined {
				return end
			}
			length = 0
		}
		switch string(w.lower) {
		case "and", "or":
			joined = true
		default:
			length++
		}
		longest, end = max(longest, length), w.end
		if length > window {
			return 0
		}
	}
	if !joined && longest > bareItem {
		return 0
	}
	return end
}

// closed is text up to the bracket that closes more than it opens.
func closed(text string) string {
	open := 0
	for i := range len(text) {
		switch text[i] {
		case '(', '[':
			open++
		case ')', ']':
			if open--; open < 0 {
				return text[:i]
			}
		}
	}
	return text
}

// reachBefore is how many bytes of what comes before it a phrase does not negate.
func reachBefore(text string) (start int) {
	w := words{text: text, lower: make([]byte, 0, longWord)}
	var last [window]int // where the last words begin
	n := 0
	for ; w.next(); n++ {
		last[n%window] = w.start
	}
	if n < window {
		return 0
	}
	return last[n%window]
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
	comma      bool   // there is one before the word
	lower      []byte // the word in lower case
}

// longWord is how long few words are, in bytes.
const longWord = 64

// next goes to the next word and reports whether there is one.
func (w *words) next() bool {
	w.lower, w.comma = w.lower[:0], false
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
		case r == ',' && strings.HasPrefix(w.text[i+1:], " "): // unlike that of 1,000
			w.comma = true
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
