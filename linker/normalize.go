package linker

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/keci-kg/keci/internal/greek"
)

// The normal form of a name, the same for the dictionary and for the text:
//
//   - a token is a run of letters, a run of digits, one Greek letter, or a plus
//     sign right after a letter or digit ("Ca2+"); all else parts tokens
//   - letters are in lower case, compatibility forms are resolved (ﬁ, ², ½) and
//     diacritics dropped
//   - Greek letters are spelled out: α is alpha
//   - a possessive 's is left out, a plural s is cut off (plural.go)
//   - tokens are joined without a mark where the kind changes, else by a space.
//     So "IL-2", "IL 2" and "IL2" are the same, while "long term" is not "longterm".
//     A Greek name joins with anything: "TNF-α", "TNFalpha" and "TNF alpha" are the same.

// kind is what a token joins with at one of its edges.
type kind uint8

const (
	letterKind kind = iota
	digitKind
	greekKind
	plusKind
)

// token is a piece of a word, with its place in the text from the first moment.
type token struct {
	start, end       int // bytes of the text
	keyStart, keyEnd int // its normal form, in tokens.keys
	left, right      kind
	starts, ends     bool // a word of the text begins or ends here
	broken           bool // no name goes on from the token before to this one
	stop             bool // a whole word that is a stop word
	plural           bool // a plural ending was cut off
}

// tokens holds the tokens of a text, with memory that is used again.
type tokens struct {
	text      string
	list      []token
	keys      []byte
	stopWords map[string]bool // nil for the built-in ones
}

func (t *tokens) reset() { t.list, t.keys = t.list[:0], t.keys[:0] }

// key is the normal form of token i.
func (t *tokens) key(i int) []byte { return t.keys[t.list[i].keyStart:t.list[i].keyEnd] }

// separated reports whether a space stands between two tokens in the normal form.
func separated(a, b *token) bool {
	return a.right == b.left && (a.right == letterKind || a.right == digitKind)
}

// appendKey appends the normal form of all tokens to key.
func (t *tokens) appendKey(key []byte) []byte { return t.appendRange(key, 0, len(t.list)-1) }

// appendRange appends the normal form of the tokens first to last.
func (t *tokens) appendRange(key []byte, first, last int) []byte {
	for i := first; i <= last; i++ {
		if i > first && separated(&t.list[i-1], &t.list[i]) {
			key = append(key, ' ')
		}
		key = append(key, t.key(i)...)
	}
	return key
}

// plurals has a bit for each of the tokens i to j (the first 64) that lost a plural ending.
func (t *tokens) plurals(i, j int) uint64 {
	var set uint64
	for k := i; k <= j && k < i+64; k++ {
		if t.list[k].plural {
			set |= 1 << (k - i)
		}
	}
	return set
}

func (t *tokens) onlyStopWords(i, j int) bool {
	for k := i; k <= j; k++ {
		if !t.list[k].stop {
			return false
		}
	}
	return true
}

// bracket gives the tokens of the last part in round brackets, or start = end.
func (t *tokens) bracket() (start, end int) {
	closing := strings.LastIndexByte(t.text, ')')
	opening := strings.LastIndexByte(t.text[:max(closing, 0)], '(')
	if opening <= 0 {
		return 0, 0
	}
	for i := range t.list {
		if t.list[i].end <= opening {
			start = i + 1
		}
		if t.list[i].start < closing {
			end = i + 1
		}
	}
	return start, max(start, end)
}

// hasLetter reports whether there is anything but digits and plus signs.
func (t *tokens) hasLetter() bool {
	for i := range t.list {
		if k := t.list[i].left; k == letterKind || k == greekKind {
			return true
		}
	}
	return false
}

// scan splits text into tokens. It never fails: what is no letter or digit,
// invalid UTF-8 included, parts words.
func (t *tokens) scan(text string) {
	t.text = text
	s := scanner{tokens: t, text: text}
	for s.at < len(text) {
		s.step()
	}
	s.endWord()
}

// scanner is the state of scan.
type scanner struct {
	*tokens
	text   string
	at     int
	inWord bool // the last token can be continued or joined within the word
	word   int  // index of the first token of the word
	upper  int  // capitals in the last token
}

// step reads one rune.
func (s *scanner) step() {
	r, size := rune(s.text[s.at]), 1
	if r >= utf8.RuneSelf {
		r, size = utf8.DecodeRuneInString(s.text[s.at:])
	}
	start := s.at
	s.at += size
	switch {
	case 'a' <= r && r <= 'z':
		s.extend(letterKind, start)
		s.keys = append(s.keys, byte(r))
	case 'A' <= r && r <= 'Z':
		s.extend(letterKind, start)
		s.upper++
		s.keys = append(s.keys, byte(r)+'a'-'A')
	case '0' <= r && r <= '9':
		s.extend(digitKind, start)
		s.keys = append(s.keys, byte(r))
	case r < utf8.RuneSelf:
		s.punctuation(r, start)
	case unicode.Is(unicode.Mn, r): // belongs to the letter before
	case isIgnorable(r):
		return
	case unicode.IsLetter(r):
		s.letter(r, start)
	case unicode.IsNumber(r):
		s.extend(digitKind, start)
		s.appendFolded(r)
	default:
		s.punctuation(r, start)
	}
	if s.inWord {
		last := &s.list[len(s.list)-1]
		last.end, last.keyEnd = s.at, len(s.keys)
	}
}

// isIgnorable tells soft hyphens, joiners and the like, which do not part words.
func isIgnorable(r rune) bool {
	return r == '\u00AD' || r == '\u200B' || r == '\u200C' || r == '\u200D' || r == '\u2060' || r == '\uFEFF'
}

// letter reads a letter beyond ASCII.
func (s *scanner) letter(r rune, start int) {
	if name := greek.Name(r); name != "" {
		s.begin(greekKind, start)
		s.keys = append(s.keys, name...)
		return
	}
	s.extend(letterKind, start)
	if unicode.IsUpper(r) {
		s.upper++
	}
	s.appendFolded(r)
}

// appendFolded appends the letters and digits that r is made of, in lower case.
func (s *scanner) appendFolded(r rune) {
	if latin, ok := latinFolds[r]; ok {
		s.keys = append(s.keys, latin...)
		return
	}
	var encoded [utf8.UTFMax]byte
	n := utf8.EncodeRune(encoded[:], r)
	parts := norm.NFKD.Properties(encoded[:n]).Decomposition()
	if len(parts) == 0 {
		parts = encoded[:n]
	}
	for len(parts) > 0 {
		part, size := utf8.DecodeRune(parts)
		parts = parts[size:]
		if unicode.IsLetter(part) || unicode.IsNumber(part) {
			s.keys = utf8.AppendRune(s.keys, unicode.ToLower(part))
		}
	}
}

// latinFolds are letters that Unicode does not decompose, lower and upper case.
var latinFolds = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'ø': "o", 'Ø': "o",
	'ł': "l", 'Ł': "l", 'đ': "d", 'Đ': "d", 'ı': "i", 'þ': "th", 'Þ': "th", 'ð': "d", 'Ð': "d",
}

// extend makes the coming rune part of the last token, or of a new one.
func (s *scanner) extend(k kind, start int) {
	if !s.inWord || s.list[len(s.list)-1].right != k {
		s.begin(k, start)
	}
}

// begin starts a token.
func (s *scanner) begin(k kind, start int) {
	t := token{start: start, keyStart: len(s.keys), left: k, right: k}
	if s.inWord {
		s.finishToken()
		t.keyStart = len(s.keys)
	} else {
		t.starts = true
		t.broken = len(s.list) > 0 && s.breaks(s.list[len(s.list)-1].end, start)
		s.word = len(s.list)
		s.inWord = true
	}
	s.upper = 0
	s.list = append(s.list, t)
}

// punctuation reads what is no letter or digit.
func (s *scanner) punctuation(r rune, start int) {
	wordBefore := s.inWord
	s.endWord()
	switch {
	case isPlus(r) && (wordBefore || s.inBracket(start)):
		s.list = append(s.list, token{start: start, end: s.at, keyStart: len(s.keys), keyEnd: len(s.keys) + 1,
			left: plusKind, right: plusKind, ends: true})
		s.keys = append(s.keys, '+')
	case isApostrophe(r) && len(s.list) > 0:
		s.skipPossessive(start)
	}
}

// isPlus takes a raised or a wide plus sign for a plain one, as Unicode's
// compatibility forms do: Na⁺ is Na+.
func isPlus(r rune) bool { return r == '+' || r == '⁺' || r == '＋' }

// inBracket reports whether the plus sign at byte i is that of "Ca(2+)" or "H(+)".
func (s *scanner) inBracket(i int) bool {
	return i > 1 && s.text[i-1] == '(' && len(s.list) > 0 && s.list[len(s.list)-1].end == i-1
}

func isApostrophe(r rune) bool { return r == '\'' || r == '\u2019' || r == '\u02BC' }

// skipPossessive passes over the s of a possessive whose apostrophe is at a byte,
// "Crohn's" or, in tokenised text, "Crohn 's" and "Crohn ' s". A capital S after a
// blank is none: in "the 'S protein'" a quotation begins.
func (s *scanner) skipPossessive(at int) {
	rest := s.text[s.at:]
	i := 0
	if len(rest) > 0 && rest[0] == ' ' {
		i = 1
	}
	quotes := isSpace(s.text[at-1])
	if len(rest) <= i || rest[i] != 's' && (quotes || rest[i] != 'S') {
		return
	}
	after, _ := utf8.DecodeRuneInString(rest[i+1:])
	if after == '\'' || after == '-' || (len(rest) > i+1 && (unicode.IsLetter(after) || unicode.IsNumber(after))) {
		return
	}
	s.at += i + 1
}

// endWord completes the word, if one is being read.
func (s *scanner) endWord() {
	if !s.inWord {
		return
	}
	s.finishToken()
	s.inWord = false
	s.list[len(s.list)-1].ends = true
	if s.word < len(s.list)-1 {
		s.list[s.word].stop = false
	}
}

// finishToken completes the last token of the word being read.
func (s *scanner) finishToken() {
	i := len(s.list) - 1
	last := &s.list[i]
	if last.left != letterKind {
		return
	}
	last.stop = i == s.word && s.isStopWord(s.key(i))
	if singular, cut := cutPlural(s.key(i), s.upper); cut {
		last.plural = true
		last.keyEnd = last.keyStart + len(singular)
		s.keys = s.keys[:last.keyEnd]
	}
	last.left, last.right = edges(s.key(i))
}

// breaks reports whether the text between two words, from byte i to j, ends any
// name: a clause, sentence or paragraph ends there, or much is written there. A line
// may end and the next be indented within a name.
func (s *scanner) breaks(i, j int) bool {
	const mostMarks = 4 // bytes that are no blanks; a dash has three
	gap := s.text[i:j]
	marks, lines := 0, 0
	for k := range len(gap) {
		switch {
		case !isSpace(gap[k]):
			marks++
		case gap[k] == '\n':
			lines++
		}
	}
	if marks > mostMarks || lines > 1 {
		return true
	}
	for k := 0; k+1 < len(gap); k++ {
		if !isSpace(gap[k+1]) {
			continue
		}
		switch gap[k] {
		case ';', ':', '!', '?':
			return true
		case '.':
			return s.list[len(s.list)-1].end-s.list[len(s.list)-1].start > longestAbbreviation
		}
	}
	return false
}

// longestAbbreviation is the length of what may have a full stop inside a name, as in "E. coli".
const longestAbbreviation = 2

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
