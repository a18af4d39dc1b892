// Package abbreviation finds where a text says what its abbreviations stand
// for, after A. S. Schwartz and M. A. Hearst, "A simple algorithm for identifying
// abbreviation definitions in biomedical text" (Pacific Symposium on
// Biocomputing 2003, pages 451–462).
//
// Beyond the paper, square brackets count as round ones, a Greek letter is read
// as the first letter of its name, and a short form without a capital, digit,
// Greek letter or full stop is none: "(see)" defines nothing.
package abbreviation

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Range is a part of a text, in bytes, end-exclusive.
type Range struct {
	Start, End int
}

// Definition is a place where a text gives a short form beside its long form.
type Definition struct {
	Short, Long Range
}

// Limits of a short form (Schwartz and Hearst 2003, §2.1).
const (
	shortestForm = 2  // characters
	longestForm  = 10 // characters
	mostWords    = 2
)

// maxInside is how many bytes a pair of brackets may hold: more is no
// definition, and is not looked through.
const maxInside = 300

// Find gives the definitions in a text, in order of their brackets: both
// "long form (SF)" and "SF (long form)".
func Find(text string) []Definition {
	var found []Definition
	for at := 0; ; {
		i := strings.IndexAny(text[at:], "([")
		if i < 0 {
			return found
		}
		open := at + i
		at = open + 1
		if end, ok := closing(text, open); ok {
			if d, ok := define(text, open, end); ok {
				found = append(found, d)
			}
		}
	}
}

// closing finds the partner of the bracket at byte open.
func closing(text string, open int) (end int, ok bool) {
	depth := 0
	for i := open; i < min(len(text), open+maxInside); i++ {
		switch text[i] {
		case '(', '[':
			depth++
		case ')', ']':
			if depth--; depth == 0 {
				return i, true
			}
		}
	}
	return 0, false
}

// define reads the brackets from byte open to end.
func define(text string, open, end int) (Definition, bool) {
	inside := trimmed(text, Range{open + 1, end})
	if short := trimmed(text, Range{inside.Start, firstPart(text, inside)}); isShortForm(text[short.Start:short.End]) {
		window := before(text, open, longestLongForm(text[short.Start:short.End]))
		if long, ok := match(text, short, window); ok {
			return Definition{Short: short, Long: long}, true
		}
	}
	word := lastWord(text, open)
	if !isShortForm(text[word.Start:word.End]) {
		return Definition{}, false
	}
	for _, cut := range []int{firstPart(text, inside), inside.End} {
		long := trimmed(text, Range{inside.Start, cut})
		if start, ok := match(text, word, long); ok && start.Start == long.Start && // all of it is the long form
			len(strings.Fields(text[long.Start:long.End])) <= longestLongForm(text[word.Start:word.End]) {
			return Definition{Short: word, Long: long}, true
		}
	}
	return Definition{}, false
}

func trimmed(text string, r Range) Range {
	part := text[r.Start:r.End]
	r.Start += len(part) - len(strings.TrimLeftFunc(part, unicode.IsSpace))
	return Range{r.Start, r.Start + len(strings.TrimSpace(part))}
}

// firstPart is where the first part of a list such as "(TNF; see below)" or
// "(TNF, 10 mg)" ends.
func firstPart(text string, r Range) int {
	for i := r.Start; i < r.End; i++ {
		if text[i] == ';' || text[i] == ',' && i+1 < r.End && text[i+1] == ' ' {
			return i
		}
	}
	return r.End
}

// isShortForm tells what may be an abbreviation.
func isShortForm(form string) bool {
	n := utf8.RuneCountInString(form)
	first, _ := utf8.DecodeRuneInString(form)
	return n >= shortestForm && n <= longestForm && len(strings.Fields(form)) <= mostWords &&
		isWordRune(first) && strings.ContainsFunc(form, unicode.IsLetter) && strings.ContainsFunc(form, marksAbbreviation)
}

// marksAbbreviation tells the characters that distinguish an abbreviation from a word.
func marksAbbreviation(r rune) bool {
	return unicode.IsUpper(r) || unicode.IsNumber(r) || r == '.' || unicode.Is(unicode.Greek, r)
}

// longestLongForm is the number of words that the long form of a short one may
// have: min(|A|+5, 2·|A|), |A| being the characters of the short form.
func longestLongForm(short string) int {
	n := utf8.RuneCountInString(short)
	return min(n+5, 2*n)
}

// before gives at most words words before byte end, in the same sentence.
func before(text string, end, words int) Range {
	r := Range{end, end}
	r.End = len(strings.TrimRightFunc(text[:end], unicode.IsSpace))
	r.Start = r.End
	for range words {
		word := lastWord(text, r.Start)
		if word.Start == word.End || r.Start < r.End && endsClause(text[word.Start:word.End]) {
			break
		}
		r.Start = word.Start
	}
	return r
}

// lastWord is the last run of other than white space before byte end.
func lastWord(text string, end int) Range {
	const longest = 200 // bytes; what is longer is no word
	floor := max(0, end-longest)
	part := strings.TrimRightFunc(text[floor:end], unicode.IsSpace)
	start := strings.LastIndexFunc(part, unicode.IsSpace)
	if start < 0 {
		if floor > 0 {
			return Range{end, end}
		}
		return Range{0, len(part)}
	}
	_, size := utf8.DecodeRuneInString(part[start:])
	return Range{floor + start + size, floor + len(part)}
}

// endsClause tells the word after which another sentence, clause or item of a
// list begins. A full stop after a single letter is that of an abbreviation
// ("E. coli").
func endsClause(word string) bool {
	switch word[len(word)-1] {
	case ';', ':', '?', '!':
		return true
	case ',':
		return strings.HasSuffix(word, "),") || strings.HasSuffix(word, "],")
	case '.':
		return utf8.RuneCountInString(word) > 2
	}
	return false
}

// match finds the long form in the window, which ends with it: from right to
// left, every letter and digit of the short form must occur, and the first of
// them at the beginning of a word, not inside brackets.
func match(text string, short, window Range) (long Range, ok bool) {
	form := letters(text[short.Start:short.End])
	at := window.End
	for i := len(form) - 1; i >= 0; i-- {
		for {
			if at <= window.Start {
				return Range{}, false
			}
			r, size := utf8.DecodeLastRuneInString(text[window.Start:at])
			at -= size
			if fold(r) == form[i] && (i > 0 || beginsWord(text, window.Start, at) && balanced(text[at:window.End])) {
				break
			}
		}
	}
	long = Range{at, window.End}
	return long, plausible(text[short.Start:short.End], text[long.Start:long.End])
}

// plausible reports whether the long form is longer than the short one and does
// not hold it as a word.
func plausible(short, long string) bool {
	if utf8.RuneCountInString(long) <= utf8.RuneCountInString(short) {
		return false
	}
	return !slices.Contains(strings.FieldsFunc(long, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("()[],;", r)
	}), short)
}

// letters are the letters and digits of a short form, folded.
func letters(short string) []rune {
	var list []rune
	for _, r := range short {
		if isWordRune(r) {
			list = append(list, fold(r))
		}
	}
	return list
}

// balanced reports whether every bracket has its partner.
func balanced(part string) bool {
	depth := 0
	for i := range len(part) {
		switch part[i] {
		case '(', '[':
			depth++
		case ')', ']':
			if depth--; depth < 0 {
				return false
			}
		}
	}
	return depth == 0
}

func beginsWord(text string, from, at int) bool {
	r, size := utf8.DecodeLastRuneInString(text[from:at])
	return size == 0 || !isWordRune(r)
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// greek holds the first letter of the name of each Greek letter from α to ω.
const greek = "abgdezetiklmnxoprsstupcpo"

// fold makes letters comparable: lower case, and Latin for Greek.
func fold(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	if r = unicode.ToLower(r); r == 'µ' {
		r = 'μ'
	}
	if 'α' <= r && r <= 'ω' {
		return rune(greek[r-'α'])
	}
	return r
}
