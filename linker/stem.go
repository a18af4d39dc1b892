package linker

import "bytes"

// Words are compared in three forms, each coarser than the one before and each
// with the distance that MetaMap gives the step (Aronson 2001):
//
//	spelling    British as American: oedema is edema (0)
//	inflection  without -ed and -ing; plurals are cut off before (1)
//	stem        without derivational endings, irregular and learned roots as
//	            their plain word: hepatic is liver, ischemic is ischemia (2 or 3)
//
// The rules need not be right about English. They are applied to names and
// texts alike, so that a mistake only joins words that are apart; the distance
// and the ranking tell such candidates from better ones.

// appendSpelling appends the American spelling of a word in lower case.
func appendSpelling(dst, word []byte) []byte {
	first := len(dst)
	for i := 0; i < len(word); i++ {
		c := word[i]
		next := byte(0)
		if i+1 < len(word) {
			next = word[i+1]
		}
		switch {
		case (c == 'a' || c == 'o') && next == 'e': // haem, oedema
			continue
		case c == 'p' && next == 'h' && i >= 3 && string(word[i-3:i]) == "sul": // sulphate
			c = 'f'
			i++
		case c == 'l' && next == 'l' && hasAnySuffix(word[:min(i+5, len(word))], "lling", "lled"): // signalling
			continue
		}
		dst = append(dst, c)
	}
	for _, rule := range spellings {
		if len(word) > len(rule.from)+2 && bytes.HasSuffix(dst[first:], rule.from) {
			return append(dst[:len(dst)-len(rule.from)], rule.to...)
		}
	}
	return dst
}

// ending is a rule that replaces the end of a word.
type ending struct{ from, to []byte }

func endings(pairs ...string) []ending {
	rules := make([]ending, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		rules = append(rules, ending{[]byte(pairs[i]), []byte(pairs[i+1])})
	}
	return rules
}

var spellings = endings(
	"isation", "ization", "ising", "izing", "ised", "ized", "ise", "ize",
	"ysing", "yzing", "ysed", "yzed", "yse", "yze",
	"our", "or", "tre", "ter", "bre", "ber", "logue", "log")

// cutInflection cuts -ed and -ing off.
func cutInflection(word []byte) []byte {
	for _, suffix := range [...]string{"ing", "ed"} {
		if n := len(word) - len(suffix); n >= 4 && string(word[n:]) == suffix {
			return word[:n]
		}
	}
	if n := len(word) - 1; n >= 4 && word[n] == 'e' {
		return word[:n]
	}
	return word
}

// derivations are derivational endings, longer ones before those that they end in.
var derivations = endings(
	"omatous", "om", "omata", "om", "oma", "om", "otic", "os", "osis", "os", "oses", "os", "ization", "iz",
	"ational", "", "ation", "", "ative", "", "ated", "", "ating", "", "ator", "", "ate", "", "ically", "",
	"ical", "", "icity", "", "ial", "", "ual", "", "ic", "", "eal", "", "al", "", "eous", "", "ious", "", "ous", "",
	"iary", "", "ary", "", "ar", "", "ivity", "", "ive", "", "ion", "", "ium", "", "ia", "", "itis", "it", "itic", "it",
	"is", "", "us", "", "um", "", "ity", "", "ement", "", "ment", "", "ness", "",
	"ance", "", "ence", "", "ancy", "", "ency", "", "ant", "", "ent", "", "ing", "", "ed", "", "ex", "", "ly", "")

// derivationsOf are the derivational endings by their last byte, of which there are few.
var derivationsOf = func() (table ['z' + 1][]ending) {
	for _, rule := range derivations {
		last := rule.from[len(rule.from)-1]
		table[last] = append(table[last], rule)
	}
	return table
}()

// stemRoot is how much of a word a derivational ending must leave, in bytes.
const stemRoot = 4

// appendStem appends the coarsest form of a word in lower case. buffer is memory to work in.
func appendStem(dst, word, buffer []byte) []byte {
	if len(word) < stemRoot || word[0] >= '0' && word[0] <= '9' {
		if root, ok := roots[string(word)]; ok {
			return append(dst, root...)
		}
		return append(dst, word...)
	}
	spelled := appendSpelling(buffer[:0], word)
	if root, ok := roots[string(spelled)]; ok {
		return append(dst, root...)
	}
	stem := cutDerivation(spelled)
	if root, ok := roots[string(stem)]; ok {
		return append(dst, root...)
	}
	return append(dst, stem...)
}

func cutDerivation(word []byte) []byte {
	for _, rule := range derivationsOf[min(word[len(word)-1], 'z')] {
		if n := len(word) - len(rule.from); n >= stemRoot && bytes.HasSuffix(word, rule.from) {
			word = append(word[:n], rule.to...)
			break
		}
	}
	for len(word) > stemRoot && bytes.IndexByte(vowels, word[len(word)-1]) >= 0 {
		word = word[:len(word)-1]
	}
	return word
}

var vowels = []byte("aeioy")
