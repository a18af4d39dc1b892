package encoder

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// tokenizerCase is a text with the ids and byte offsets that Hugging Face's tokenizers gave it;
// scripts/encoder_reference.py makes them.
type tokenizerCase struct {
	LowerCase bool
	Text      string
	Pieces    [][3]int // id, start, end
}

// check reports the first difference; pieces of t are those of the case, in ids and offsets.
func (c tokenizerCase) check(t *Tokenizer) string {
	got := [][3]int{}
	for _, p := range t.Tokenize(c.Text) {
		got = append(got, [3]int{int(p.ID), p.Start, p.End})
	}
	return cmp.Diff(c.Pieces, got)
}

func newTestTokenizer(t testing.TB, lowerCase bool, vocabulary ...string) *Tokenizer {
	t.Helper()
	config, err := loadTokenizerConfig(filepath.Join(t.TempDir(), "none"))
	if err != nil {
		t.Fatal(err)
	}
	config.LowerCase = &lowerCase
	tokenizer, err := newTokenizer(append([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]"}, vocabulary...), config)
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

// loadTokenizer has the vocabulary of a folder.
func loadTokenizer(t testing.TB, dir string, lowerCase bool) *Tokenizer {
	t.Helper()
	tokenizer, err := LoadTokenizer(dir)
	if err != nil {
		t.Fatal(err)
	}
	tokenizer.normalizer.lowerCase, tokenizer.normalizer.stripAccents = lowerCase, lowerCase
	return tokenizer
}

func TestTokenizeAsHuggingFace(t *testing.T) {
	data, err := os.ReadFile("testdata/pieces.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []tokenizerCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	tokenizers := map[bool]*Tokenizer{true: loadTokenizer(t, "testdata", true), false: loadTokenizer(t, "testdata", false)}
	for _, c := range cases {
		if diff := c.check(tokenizers[c.LowerCase]); diff != "" {
			t.Errorf("lower-casing %t, %q: pieces (-want +got):\n%s", c.LowerCase, c.Text, diff)
		}
	}
}

// TestTokenizeReference compares with a file of scripts/encoder_reference.py --lines, over the whole vocabulary.
func TestTokenizeReference(t *testing.T) {
	path := os.Getenv("KECI_TOKENIZER_REFERENCE")
	if path == "" {
		t.Skip("KECI_TOKENIZER_REFERENCE names no file")
	}
	dir := encoderDir(t)
	tokenizers := map[bool]*Tokenizer{true: loadTokenizer(t, dir, true), false: loadTokenizer(t, dir, false)}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	texts, pieces, different := 0, 0, 0
	for lines.Scan() {
		var c tokenizerCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		texts, pieces = texts+1, pieces+len(c.Pieces)
		if diff := c.check(tokenizers[c.LowerCase]); diff != "" {
			if different++; different <= 5 {
				t.Errorf("%q: pieces (-want +got):\n%s", c.Text, diff)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d texts of %d pieces, %d differ", texts, pieces, different)
}

// spelled is a piece as a reader sees it: its range of the text and what the text has there.
type spelled struct {
	Text  string
	Piece Piece
}

func spell(text string, pieces []Piece) []spelled {
	var list []spelled
	for _, p := range pieces {
		list = append(list, spelled{text[p.Start:p.End], p})
	}
	return list
}

func TestTokenize(t *testing.T) {
	vocabulary := []string{"cafe", "bind", "##s", "-", "il", "##2", "κινα", "##ση", "蛋", "p", "##5", "##3", "re", "##ceptor", "Cafe", "Café"}
	const first = 4 // id of "cafe"
	for name, test := range map[string]struct {
		cased bool
		text  string
		want  []spelled
	}{
		"empty":       {false, "", nil},
		"only spaces": {false, " \t\u00a0\n ", nil},
		"words and marks": {false, "binds IL-2", []spelled{
			{"bind", Piece{first + 1, 0, 4, true, 0}}, {"s", Piece{first + 2, 4, 5, false, 0}},
			{"IL", Piece{first + 4, 6, 8, true, 1}}, {"-", Piece{first + 3, 8, 9, true, 1}}, {"2", Piece{1, 9, 10, true, 1}},
		}},
		"accent in the letter":  {false, "Café", []spelled{{"Café", Piece{first, 0, 5, true, 0}}}},
		"accent after it":       {false, "Cafe\u0301", []spelled{{"Cafe", Piece{first, 0, 4, true, 0}}}},
		"accent kept":           {true, "Café", []spelled{{"Café", Piece{first + 15, 0, 5, true, 0}}}},
		"case kept":             {true, "Cafe cafe CAFE", []spelled{{"Cafe", Piece{first + 14, 0, 4, true, 0}}, {"cafe", Piece{first, 5, 9, true, 1}}, {"CAFE", Piece{1, 10, 14, true, 2}}}},
		"Greek":                 {false, "Κινάση", []spelled{{"Κινά", Piece{first + 6, 0, 8, true, 0}}, {"ση", Piece{first + 7, 8, 12, false, 0}}}},
		"Chinese":               {false, "p53蛋p", []spelled{{"p", Piece{first + 9, 0, 1, true, 0}}, {"5", Piece{first + 10, 1, 2, false, 0}}, {"3", Piece{first + 11, 2, 3, false, 0}}, {"蛋", Piece{first + 8, 3, 6, true, 0}}, {"p", Piece{first + 9, 6, 7, true, 0}}}},
		"soft hyphen inside":    {false, "re\u00adceptor", []spelled{{"re", Piece{first + 12, 0, 2, true, 0}}, {"ceptor", Piece{first + 13, 4, 10, false, 0}}}},
		"soft hyphen in a part": {false, "ca\u00adfe", []spelled{{"ca\u00adfe", Piece{first, 0, 6, true, 0}}}},
		"no-break space":        {false, "p\u00a0p", []spelled{{"p", Piece{first + 9, 0, 1, true, 0}}, {"p", Piece{first + 9, 3, 4, true, 1}}}},
		"emoji":                 {false, "🧬 p", []spelled{{"🧬", Piece{1, 0, 4, true, 0}}, {"p", Piece{first + 9, 5, 6, true, 1}}}},
		"unknown as a whole":    {false, "binding p", []spelled{{"binding", Piece{1, 0, 7, true, 0}}, {"p", Piece{first + 9, 8, 9, true, 1}}}},
		"broken UTF-8":          {false, "p\xff5\xc3 p", []spelled{{"p", Piece{first + 9, 0, 1, true, 0}}, {"5", Piece{first + 10, 2, 3, false, 0}}, {"p", Piece{first + 9, 5, 6, true, 1}}}},
		"special names":         {false, "[SEP]", []spelled{{"[", Piece{1, 0, 1, true, 0}}, {"SEP", Piece{1, 1, 4, true, 0}}, {"]", Piece{1, 4, 5, true, 0}}}},
	} {
		t.Run(name, func(t *testing.T) {
			tokenizer := newTestTokenizer(t, !test.cased, vocabulary...)
			if diff := cmp.Diff(test.want, spell(test.text, tokenizer.Tokenize(test.text))); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.text, diff)
			}
		})
	}
}

func TestTokenizeLongWords(t *testing.T) {
	tokenizer := newTestTokenizer(t, true, "e", "##e")
	for _, test := range []struct{ runes, pieces int }{{1, 1}, {100, 100}, {101, 1}, {100_000, 1}} {
		text := strings.Repeat("é", test.runes)
		pieces := tokenizer.Tokenize(text)
		if len(pieces) != test.pieces || pieces[0].Start != 0 || pieces[len(pieces)-1].End != len(text) {
			t.Errorf("%d letters: %d pieces, want %d over the whole word", test.runes, len(pieces), test.pieces)
		}
	}
}

func FuzzTokenize(f *testing.F) {
	for _, text := range []string{"", "Cafe\u0301 Café", "re\u00adceptor", "蛋白质p53 단백질", "\xff\xc3(", "İ ẞ ﬁ", "🧬👨\u200d👩", "a\x00b\ufffd", "Κινάσης", strings.Repeat("x", 120)} {
		f.Add(text)
	}
	tokenizers := []*Tokenizer{loadTokenizer(f, "testdata", true), loadTokenizer(f, "testdata", false)}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tokenizer := range tokenizers {
			checkOffsets(t, text, tokenizer.Tokenize(text))
		}
	})
}

// checkOffsets holds for all pieces of all texts: they follow one another, begin and end between runes, and
// words are numbered in order.
func checkOffsets(t *testing.T, text string, pieces []Piece) {
	t.Helper()
	border := map[int]bool{len(text): true}
	for at := range text {
		border[at] = true
	}
	last := Piece{}
	for i, p := range pieces {
		switch {
		case !border[p.Start] || !border[p.End]:
			t.Errorf("%q: piece %d, %+v, cuts a rune", text, i, p)
		case p.Start >= p.End || p.Start < last.Start || p.End < last.End:
			t.Errorf("%q: piece %d, %+v, is out of order after %+v", text, i, p, last)
		case p.Word < last.Word || i == 0 && (p.Word < 0 || !p.Starting):
			t.Errorf("%q: piece %d, %+v, is in the wrong word after %+v", text, i, p, last)
		case utf8.ValidString(text) && !utf8.ValidString(text[p.Start:p.End]):
			t.Errorf("%q: piece %d, %+v, is no text", text, i, p)
		}
		last = p
	}
}

func TestLoadTokenizer(t *testing.T) {
	const uncased, cased = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n\n##b\nℝ\n", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nA\n"
	for name, test := range map[string]struct {
		vocabulary, config string
		want               normalizer
	}{
		"uncased vocabulary":  {uncased, "", normalizer{lowerCase: true, stripAccents: true, splitCJK: true}},
		"Windows line ends":   {strings.ReplaceAll(uncased, "\n", "\r\n"), "", normalizer{lowerCase: true, stripAccents: true, splitCJK: true}},
		"cased vocabulary":    {cased, "", normalizer{splitCJK: true}},
		"uncased by settings": {cased, `{"do_lower_case": true, "strip_accents": null}`, normalizer{lowerCase: true, stripAccents: true, splitCJK: true}},
		"accents kept":        {uncased, `{"strip_accents": false, "tokenize_chinese_chars": false}`, normalizer{lowerCase: true}},
		"names as objects":    {uncased, `{"cls_token": {"content": "a", "lstrip": false}}`, normalizer{lowerCase: true, stripAccents: true, splitCJK: true}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, dir, vocabFile, test.vocabulary)
			if test.config != "" {
				writeFile(t, dir, tokenizerConfigFile, test.config)
			}
			got, err := LoadTokenizer(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got.normalizer != test.want {
				t.Errorf("normalizer %+v, want %+v", got.normalizer, test.want)
			}
			if size := strings.Count(test.vocabulary, "\n"); got.VocabSize() != size {
				t.Errorf("%d pieces, want %d: an empty line is a piece too", got.VocabSize(), size)
			}
			wantCLS := int32(2)
			if strings.Contains(test.config, "cls_token") {
				wantCLS = 4
			}
			if got.CLS() != wantCLS || got.SEP() != 3 || got.Pad() != 0 || got.Unknown() != 1 {
				t.Errorf("special pieces %d %d %d %d", got.CLS(), got.SEP(), got.Pad(), got.Unknown())
			}
		})
	}
}

func TestLoadTokenizerNamesWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct{ vocabulary, config, want string }{
		"no [SEP]":      {"[PAD]\n[UNK]\n[CLS]\n", "{}", `"[SEP]"`},
		"empty":         {"", "{}", `"[CLS]"`},
		"broken config": {"[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "{", tokenizerConfigFile},
		"odd name":      {"[PAD]\n[UNK]\n[CLS]\n[SEP]\n", `{"unk_token": 3}`, tokenizerConfigFile},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, dir, vocabFile, test.vocabulary)
			writeFile(t, dir, tokenizerConfigFile, test.config)
			if _, err := LoadTokenizer(dir); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v does not tell %s in %s", err, test.want, dir)
			}
		})
	}
	if _, err := LoadTokenizer(t.TempDir()); err == nil || !strings.Contains(err.Error(), vocabFile) {
		t.Errorf("error %v does not tell the missing %s", err, vocabFile)
	}
}
