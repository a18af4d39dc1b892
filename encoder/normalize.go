package encoder

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalizer says how a text is cleaned before it is looked up, as in the BertNormalizer of Hugging Face.
type normalizer struct {
	lowerCase    bool
	stripAccents bool
	splitCJK     bool // each Chinese character is a word of its own
}

// class is what a rune of the text means for the splitting into words.
type class uint8

const (
	classLetter class = iota // part of a word, together with its neighbours
	classAlone               // a word of its own: punctuation, Chinese characters
	classSpace               // ends a word
	classNone                // dropped, as if it were not there
)

// asciiClass holds the class of each ASCII rune, the common case.
var asciiClass = func() (table [utf8.RuneSelf]class) {
	for r := range table {
		table[r] = classifyRune(rune(r))
	}
	return table
}()

// classify returns the class of r before it is normalized.
func (n normalizer) classify(r rune) class {
	if r < utf8.RuneSelf {
		return asciiClass[r]
	}
	if n.splitCJK && isChinese(r) {
		return classAlone
	}
	return classifyRune(r)
}

func classifyRune(r rune) class {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return classSpace
	case r == utf8.RuneError || isControl(r):
		return classNone
	case unicode.IsSpace(r):
		return classSpace
	case isPunctuation(r):
		return classAlone
	}
	return classLetter
}

// appendNormalized appends the normal form of r: decomposed, without accents and in lower case, as far as n
// asks for it.
func (n normalizer) appendNormalized(dst []rune, r rune) []rune {
	if r < utf8.RuneSelf {
		if n.lowerCase && 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(dst, r)
	}
	if !n.stripAccents {
		return n.appendCased(dst, r)
	}
	var encoded [utf8.UTFMax]byte
	var buffer [32]byte // no rune decomposes into more
	decomposed := norm.NFD.Append(buffer[:0], encoded[:utf8.EncodeRune(encoded[:], r)]...)
	for len(decomposed) > 0 {
		part, size := utf8.DecodeRune(decomposed)
		dst = n.appendUnaccented(dst, part)
		decomposed = decomposed[size:]
	}
	return dst
}

func (n normalizer) appendUnaccented(dst []rune, r rune) []rune {
	if unicode.Is(unicode.Mn, r) {
		return dst
	}
	return n.appendCased(dst, r)
}

func (n normalizer) appendCased(dst []rune, r rune) []rune {
	if !n.lowerCase {
		return append(dst, r)
	}
	if r == 'İ' { // the one rune whose lower case is two
		return append(dst, 'i', '\u0307')
	}
	return append(dst, unicode.ToLower(r))
}

// isControl reports whether r is a control, a format sign or for private use; vertical tab and form feed are,
// so that they separate no words.
func isControl(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) }

// isPunctuation reports whether r is punctuation to BERT: that of Unicode, and every ASCII sign that is
// neither letter nor digit ('$', '+', '~' among them).
func isPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return '!' <= r && r <= '/' || ':' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
	}
	return unicode.IsPunct(r)
}

// chinese holds the blocks that BERT takes for Chinese characters; kana and hangul are not among them.
var chinese = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x3400, Hi: 0x4dbf, Stride: 1},
		{Lo: 0x4e00, Hi: 0x9fff, Stride: 1},
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x20000, Hi: 0x2a6df, Stride: 1},
		{Lo: 0x2a700, Hi: 0x2b73f, Stride: 1},
		{Lo: 0x2b740, Hi: 0x2b81f, Stride: 1},
		{Lo: 0x2b920, Hi: 0x2ceaf, Stride: 1},
		{Lo: 0x2f800, Hi: 0x2fa1f, Stride: 1},
	},
}

func isChinese(r rune) bool { return unicode.Is(chinese, r) }
