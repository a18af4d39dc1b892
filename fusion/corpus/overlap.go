package corpus

import (
	"strings"
	"unicode"

	"github.com/keci-kg/keci/linker"
)

// Without leaves out the examples that share a sentence with an example of others:
// corpora are often chosen from the same papers, and what one is measured on another may
// have annotated. Ids are not looked at, since each corpus has its own. It also tells
// how many were left out.
func (c Corpus) Without(others ...Corpus) (rest Corpus, left int) {
	seen := map[string]bool{}
	for _, other := range others {
		for _, e := range other.Examples {
			for _, s := range sentencesOf(e.Text) {
				seen[s] = true
			}
		}
	}
	rest = c
	rest.Examples = nil
	for _, e := range c.Examples {
		if sharesSentence(e.Text, seen) {
			left++
		} else {
			rest.Examples = append(rest.Examples, e)
		}
	}
	return rest, left
}

func sharesSentence(text string, seen map[string]bool) bool {
	for _, s := range sentencesOf(text) {
		if seen[s] {
			return true
		}
	}
	return false
}

// tellingLength is how many letters and digits a sentence has at least that occurs by
// chance in no two papers; "The patient recovered fully." does.
const tellingLength = 40

// sentencesOf gives the letters and digits of each sentence that is long enough, in
// lower case: corpora differ in spaces and marks.
func sentencesOf(text string) []string {
	var sentences []string
	for _, r := range linker.Sentences(text) {
		letters := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, text[r.Start:r.End])
		if len(letters) >= tellingLength {
			sentences = append(sentences, letters)
		}
	}
	return sentences
}
