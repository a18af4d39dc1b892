package linker

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/keci-kg/keci/internal/greek"
)

// Range is a part of a text, in bytes, end-exclusive.
type Range struct {
	Start, End int
}

// Sentences gives the sentences of a text in order, without the white space
// around them; everything else of the text is in exactly one of them. A
// sentence ends at an empty line, or at ".", "?", "!" or "…" (with the quotes and
// brackets that close after it) before white space, when what follows can begin
// a sentence and what comes before is no abbreviation. It does not end inside
// "i.v.", "e.g.", "Fig. 2", "et al.", "E. coli", "J. Smith" or "p < 0.05".
func Sentences(text string) []Range {
	var sentences []Range
	start := 0
	add := func(end int) {
		r := trimmed(text, start, end)
		if r.Start < r.End {
			sentences = append(sentences, r)
		}
		start = end
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '\n' && emptyLineFollows(text[i+1:]):
			add(i)
		case isTerminator(r):
			size = closersEnd(text, i+size) - i
			if endsSentence(text, start, i, i+size) {
				add(i + size)
			}
		}
		i += size
	}
	add(len(text))
	return sentences
}

// Windows gives the runs of up to n consecutive sentences that are read together:
// one from each sentence on, as far as fits allows, except those within the run before.
// So any two neighbours that fit are in one window, wherever it begins. A sentence
// is a window even where it does not fit.
func Windows(sentences []Range, n int, fits func(Range) bool) []Range {
	var windows []Range
	end := 0
	for i, first := range sentences {
		before := end
		end = max(end, i+1)
		for end < min(i+n, len(sentences)) && fits(Range{first.Start, sentences[end].End}) {
			end++
		}
		if end > before {
			windows = append(windows, Range{first.Start, sentences[end-1].End})
		}
	}
	return windows
}

// SentencesAround gives the part of a text from the beginning of the sentence in
// which a range begins to the end of the one in which it ends.
func SentencesAround(text string, r Range) Range {
	around := r
	for _, sentence := range Sentences(text) {
		if sentence.Start <= r.Start && r.Start < sentence.End {
			around.Start = sentence.Start
		}
		if sentence.Start < r.End && r.End <= sentence.End {
			around.End = sentence.End
		}
	}
	return around
}

func trimmed(text string, start, end int) Range {
	part := text[start:end]
	start += len(part) - len(strings.TrimLeftFunc(part, unicode.IsSpace))
	return Range{start, start + len(strings.TrimSpace(part))}
}

// emptyLineFollows reports whether rest begins with a line of white space only.
func emptyLineFollows(rest string) bool {
	line, _, found := strings.Cut(rest, "\n")
	return found && strings.TrimSpace(line) == ""
}

func isTerminator(r rune) bool {
	return r == '.' || r == '?' || r == '!' || r == '…' || r == '。' || r == '？' || r == '！'
}

// closersEnd passes over more terminators, quotes and closing brackets from byte i.
func closersEnd(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !isTerminator(r) && !strings.ContainsRune(`"')]}’”»`, r) {
			break
		}
		i += size
	}
	return i
}

// endsSentence decides about the terminator at byte i of a sentence that began
// at start; end is the first byte after its closing quotes and brackets.
func endsSentence(text string, start, i, end int) bool {
	rest := strings.TrimLeftFunc(text[end:], unicode.IsSpace)
	terminator, size := utf8.DecodeRuneInString(text[i:])
	if rest == "" || size > 1 && terminator != '…' { // the full-width ones need no space
		return true
	}
	if len(rest) == len(text)-end || !beginsSentence(rest) {
		return false
	}
	return terminator != '.' || end > i+1 || !isAbbreviation(text[start:i], rest)
}

// beginsSentence reports whether rest looks like the beginning of a sentence: a
// capital, a digit, an opening bracket or quote before one, or a name such as
// "p53" or "mTOR".
func beginsSentence(rest string) bool {
	rest = strings.TrimLeft(rest, `"'([{“‘«`)
	word := firstWord(rest)
	first, size := utf8.DecodeRuneInString(word)
	if !unicode.IsLower(first) {
		return word == "" || unicode.IsLetter(first) || unicode.IsNumber(first)
	}
	return strings.ContainsFunc(word[size:], func(r rune) bool { return unicode.IsUpper(r) || unicode.IsNumber(r) }) ||
		greek.Name(first) != ""
}

// firstWord is the text up to the first character that is no letter, digit or hyphen.
func firstWord(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '-' })
	if end < 0 {
		return text
	}
	return text[:end]
}

// neverLast are abbreviations that another word always follows, before their full stop.
var neverLast = setOf("e.g i.e cf vs viz dr prof mr mrs ms st fig figs eq eqs ref refs tab resp ca approx " +
	"ssp subsp var cv nov gen al al's str suppl vol ed eds pp dept univ incl esp")

// beforeNumbers are abbreviations only when a number follows.
var beforeNumbers = setOf("no nos p sect sec ch chap ver v n art ser")

func setOf(words string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}

// isAbbreviation reports whether the full stop between before and rest belongs to an abbreviation.
func isAbbreviation(before, rest string) bool {
	lead, word := cutLastWord(before)
	word = strings.TrimLeft(word, `"'([{“‘«`)
	lower := strings.ToLower(word)
	next, _ := utf8.DecodeRuneInString(rest)
	starter := unicode.IsUpper(next) && stopWords[strings.ToLower(firstWord(rest))]
	switch {
	case neverLast[lower]:
		return true
	case beforeNumbers[lower] && unicode.IsNumber(next):
		return true
	case strings.TrimSpace(lead) == "" && isListNumber(word):
		return true // "1. Introduction"
	case isInitials(word):
		return !starter && isNameBefore(lead)
	case isDotted(word):
		return !starter && !unicode.IsUpper(next) || unicode.IsUpper(firstRune(word)) && !starter
	}
	return false
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// cutLastWord splits at the last white space.
func cutLastWord(text string) (lead, word string) {
	i := strings.LastIndexFunc(text, unicode.IsSpace) + 1
	return text[:i], text[i:]
}

func isListNumber(word string) bool {
	return word != "" && strings.Trim(word, "0123456789") == ""
}

// isInitials tells "J", "J.R" and "E", but not "5" or "p".
func isInitials(word string) bool {
	for part := range strings.SplitSeq(word, ".") {
		r, size := utf8.DecodeRuneInString(part)
		if size != len(part) || !unicode.IsUpper(r) {
			return false
		}
	}
	return true
}

// isNameBefore reports whether an initial after lead can be that of a name or a
// genus ("by J. Smith", "in E. coli"), and is not the last word of a term
// ("hepatitis B.", "group A.").
func isNameBefore(lead string) bool {
	_, word := cutLastWord(strings.TrimSpace(lead))
	word = strings.TrimLeft(word, `"'([{“‘«`)
	return word == "" || stopWords[strings.ToLower(word)] || unicode.IsUpper(firstRune(word)) || !unicode.IsLetter(firstRune(word))
}

// isDotted tells "i.v", "U.S.A" and "p.o".
func isDotted(word string) bool {
	if !strings.Contains(word, ".") {
		return false
	}
	for part := range strings.SplitSeq(word, ".") {
		if r, size := utf8.DecodeRuneInString(part); size != len(part) || !unicode.IsLetter(r) {
			return false
		}
	}
	return true
}
