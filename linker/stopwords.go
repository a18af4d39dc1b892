package linker

import (
	_ "embed"
	"strings"
)

//go:embed stopwords.txt
var stopWordsText string

// stopWords are English words, in lower case, that seldom are the names they look like.
var stopWords = readStopWords(stopWordsText)

// readStopWords reads one word a line; lines that begin with # are comments.
func readStopWords(text string) map[string]bool {
	words := make(map[string]bool)
	for line := range strings.Lines(text) {
		if word := strings.TrimSpace(line); word != "" && word[0] != '#' {
			words[word] = true
		}
	}
	return words
}
