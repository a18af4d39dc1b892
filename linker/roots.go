package linker

import (
	_ "embed"
	"strings"
)

//go:embed roots.txt
var rootsText string

// roots gives the word that stands for another in stems. Words are given as
// they are and without their derivational endings.
var roots = readRoots(rootsText)

// readRoots reads one group of words a line; lines that begin with # are comments.
func readRoots(text string) map[string]string {
	table := make(map[string]string)
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		for _, word := range words {
			table[word] = words[0]
		}
	}
	return table
}
