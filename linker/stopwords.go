package linker

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"unicode"
)

//go:embed stopwords.txt
var stopWordsText string

// stopWords are English words, in lower case, that seldom are the names they look like.
var stopWords = func() map[string]bool {
	words, err := ReadStopWords(strings.NewReader(stopWordsText))
	if err != nil {
		panic(err) // the file is part of the program
	}
	return setOf(strings.Join(words, " "))
}()

// DefaultStopWords is the text of the built-in list, for ReadStopWords.
func DefaultStopWords() string { return stopWordsText }

// StopWords replaces the built-in stop words. A mention of nothing but stop
// words is left out, unless it is written as a symbol (CAN, not can or Can) and
// a name has exactly that spelling.
func StopWords(words []string) Option {
	return func(l *Linker) { l.stopWords = setOf(strings.ToLower(strings.Join(words, " "))) }
}

// isStopWord tells the stop words of a linker's texts, the built-in ones elsewhere.
func (t *tokens) isStopWord(word []byte) bool {
	if t.stopWords != nil {
		return t.stopWords[string(word)]
	}
	return stopWords[string(word)]
}

// ReadStopWords reads one word of letters a line, in the form that StopWords
// takes; empty lines and those that begin with # are passed over. The error
// names the line.
func ReadStopWords(from io.Reader) ([]string, error) {
	var words []string
	lines := bufio.NewScanner(from)
	for number := 1; lines.Scan(); number++ {
		word := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\uFEFF")) // the byte order mark of some editors
		if word == "" || word[0] == '#' {
			continue
		}
		if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
			return nil, fmt.Errorf("line %d: %q is not one word of letters", number, word)
		}
		words = append(words, foldWord(word))
	}
	return words, lines.Err()
}

// foldWord is the normal form of a word of letters, a plural left as it is.
func foldWord(word string) string {
	s := scanner{tokens: new(tokens)}
	for _, r := range word {
		s.appendFolded(r)
	}
	return string(s.keys)
}
