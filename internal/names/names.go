// Package names orders concepts by how well their names answer a search, so that
// every store gives the same answer.
package names

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/keci-kg/keci/graph"
)

// Words are the lower-cased words of a name or query: runs of letters, marks and digits.
func Words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// Rank sorts concepts by their best name: names equal to the query come first,
// then those that begin with it, then the others; among equals preferred names,
// then short ones, then by CUI. Names are compared folded (Fold).
func Rank(concepts []graph.Concept, query string) {
	folded := fold(query)
	matches := make(map[graph.CUI]match, len(concepts))
	for _, c := range concepts {
		matches[c.CUI] = bestMatch(c, folded)
	}
	slices.SortFunc(concepts, func(a, b graph.Concept) int {
		return cmp.Or(matches[a.CUI].compare(matches[b.CUI]), cmp.Compare(a.CUI, b.CUI))
	})
}

func fold(text string) string { return strings.Join(Words(Fold(text)), " ") }

// match is how well a name answers a query; less is better.
type match struct {
	kind    int // 0 equal, 1 begins with it, 2 holds its words
	synonym int // 1 when it is not the preferred name
	length  int
}

func (m match) compare(o match) int {
	return cmp.Or(cmp.Compare(m.kind, o.kind), cmp.Compare(m.synonym, o.synonym), cmp.Compare(m.length, o.length))
}

func bestMatch(c graph.Concept, folded string) match {
	best := matchName(c.Name, folded, 0)
	for _, name := range c.Synonyms {
		if m := matchName(name, folded, 1); m.compare(best) < 0 {
			best = m
		}
	}
	return best
}

func matchName(name, query string, synonym int) match {
	folded := fold(name)
	m := match{2, synonym, len(folded)}
	switch {
	case folded == query:
		m.kind = 0
	case strings.HasPrefix(folded, query):
		m.kind = 1
	}
	return m
}
