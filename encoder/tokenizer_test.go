package encoder

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

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
