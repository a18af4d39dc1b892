package names

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/keci-kg/keci/internal/greek"
)

// Fold is a text in lower case, without marks on its letters and with the names of
// Greek ones, as the linker compares names: "tnf-alpha" of "TNF-α".
func Fold(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(text) {
		switch name := greek.Name(r); {
		case name != "":
			b.WriteString(name)
		case !unicode.Is(unicode.Mn, r): // no mark on the letter before
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// Spellings are the ways in which an index of names may have a part of a query, each
// once: as it is written, composed (NFC), and folded. So what was indexed without
// any folding is found, too.
func Spellings(text string) []string {
	lower := strings.ToLower(text)
	spellings := []string{lower}
	for _, other := range []string{norm.NFC.String(lower), Fold(text)} {
		if !slices.Contains(spellings, other) {
			spellings = append(spellings, other)
		}
	}
	return spellings
}
