package linker

// cutPlural gives the singular of a word in lower case and whether it was a
// plural. It is careful: what it cuts is a plural in most texts, and names are
// cut alike, so that a mistake ("species", "pancreas") joins nothing wrong.
// upper is how many letters of the word were capitals. The singular is made in
// the memory of the word.
func cutPlural(word []byte, upper int) (singular []byte, cut bool) {
	const longestSymbol = 5
	n := len(word)
	switch {
	case n < 3 || word[n-1] != 's':
		return word, false
	case upper == n-1: // "PKCs"
		return word[:n-1], true
	case n == 3 || upper == n && n <= longestSymbol: // "gas", "AIDS"
		return word, false
	}
	switch word[n-2] {
	case 's', 'u', 'i': // "mass", "virus", "analysis"
		return word, false
	case 'e':
		return cutES(word), true
	}
	return word[:n-1], true
}

// cutES gives the singular of a plural in -es.
func cutES(word []byte) []byte {
	n := len(word)
	switch {
	case n > 4 && hasAnySuffix(word, "ies"): // "bodies"
		word[n-3] = 'y'
		return word[:n-2]
	case hasAnySuffix(word, "sses", "xes", "ches", "shes"): // "abscesses"
		return word[:n-2]
	case hasAnySuffix(word, "lyses", "stases", "gnoses", "theses", "mboses", "croses", "broses", "ptoses"):
		word[n-2] = 'i' // "metastases" is of "metastasis"
		return word
	}
	return word[:n-1]
}

func hasAnySuffix(word []byte, suffixes ...string) bool {
	for _, s := range suffixes {
		if len(word) >= len(s) && string(word[len(word)-len(s):]) == s {
			return true
		}
	}
	return false
}
