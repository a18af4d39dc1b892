package linker

import (
	"bytes"

	"github.com/keci-kg/keci/internal/greek"
)

// greekWords are the names as a set.
var greekWords = func() map[string]bool {
	set := make(map[string]bool)
	for _, name := range greek.Names {
		set[name] = true
	}
	return set
}()

const longestGreek = len("epsilon")

// greekAffixes are the names that are long enough to be told at the border of
// a word, as in "kappaB" and "TNFalpha".
var greekAffixes = [][]byte{
	[]byte("alpha"), []byte("beta"), []byte("gamma"), []byte("delta"), []byte("epsilon"), []byte("kappa"),
	[]byte("lambda"), []byte("sigma"), []byte("omega"), []byte("theta"), []byte("zeta"),
}

// edges tells what a run of letters, in lower case, joins with on its two
// sides: where it begins or ends with the name of a Greek letter, anything.
func edges(word []byte) (left, right kind) {
	if len(word) <= longestGreek && greekWords[string(word)] {
		return greekKind, greekKind
	}
	for _, name := range greekAffixes {
		if len(word) < len(name) {
			continue
		}
		if word[0] == name[0] && bytes.HasPrefix(word, name) {
			left = greekKind
		}
		if word[len(word)-1] == name[len(name)-1] && bytes.HasSuffix(word, name) {
			right = greekKind
		}
	}
	return left, right
}
