package corpus

import (
	"index/suffixarray"
	"strings"
	"unicode/utf8"

	"github.com/keci-kg/keci/internal/names"
	"github.com/keci-kg/keci/linker"
)

// Without leaves out the examples of which a sentence is in an example of others:
// corpora are often chosen from the same papers, and what one is measured on another may
// have annotated. Letters and digits are compared, since corpora differ in spaces, marks
// and case; what one spells out ("beta") and the other does not is not found. A short
// sentence counts where it is the whole text. Ids are not looked at, since each corpus
// has its own. It also tells how many were left out.
func (c Corpus) Without(others ...Corpus) (rest Corpus, left int) {
	var all strings.Builder
	sentences := map[string]bool{}
	for _, other := range others {
		for _, e := range other.Examples {
			all.WriteString(lettersOf(e.Text))
			all.WriteByte('\n')
			sentences[lettersOf(e.Text)] = true
			for _, r := range linker.Sentences(e.Text) {
				sentences[lettersOf(e.Text[r.Start:r.End])] = true
			}
		}
	}
	if all.Len() == 0 {
		return c, 0
	}
	texts := suffixarray.New([]byte(all.String()))
	rest = c
	rest.Examples = nil
	for _, e := range c.Examples {
		if hasSentenceIn(texts, e.Text) || sentences[lettersOf(e.Text)] {
			left++
		} else {
			rest.Examples = append(rest.Examples, e)
		}
	}
	return rest, left
}

// tellingLength is how many letters and digits a sentence has at least that occurs by
// chance in no two papers; "The patient recovered fully." does.
const tellingLength = 40

// hasSentenceIn tells whether a telling sentence of a text is in one of the texts.
func hasSentenceIn(texts *suffixarray.Index, text string) bool {
	for _, r := range linker.Sentences(text) {
		sentence := lettersOf(text[r.Start:r.End])
		if utf8.RuneCountInString(sentence) >= tellingLength && len(texts.Lookup([]byte(sentence), 1)) > 0 {
			return true
		}
	}
	return false
}

// lettersOf gives the letters and digits of a text in lower case.
func lettersOf(text string) string { return strings.Join(names.Words(text), "") }
