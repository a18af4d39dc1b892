package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Files of a Hugging Face folder that the tokenizer reads.
const (
	vocabFile           = "vocab.txt"
	tokenizerConfigFile = "tokenizer_config.json"
)

const (
	continuation = "##" // prefix of the pieces that go on a word
	maxWordRunes = 100  // longer words are unknown, as in BERT
)

// Piece is one word piece of a text.
type Piece struct {
	ID         int32
	Start, End int  // bytes of the original text
	Starting   bool // the piece begins a word or a punctuation mark: its text has no "##"
	Word       int  // index of the word, as white space divides the text
}

// Tokenizer splits text into the word pieces of a BERT vocabulary. It is safe for concurrent use.
//
// It differs from Hugging Face's in one thing: the names of special pieces, such as "[SEP]", are plain text
// where they occur in a text.
type Tokenizer struct {
	starting   map[string]int32 // pieces that begin a word
	continuing map[string]int32 // pieces that go on a word, without their "##"
	longest    int              // bytes of the longest piece
	size       int
	normalizer normalizer

	cls, sep, pad, unknown int32

	mask    int32
	hasMask bool
}

// LoadTokenizer reads vocab.txt, one piece a line, and tokenizer_config.json of a Hugging Face folder.
// Where no configuration says whether to lower-case, a vocabulary without upper-case letters does.
func LoadTokenizer(dir string) (*Tokenizer, error) {
	path := filepath.Join(dir, vocabFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	config, err := loadTokenizerConfig(filepath.Join(dir, tokenizerConfigFile))
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	lines := strings.ReplaceAll(string(data), "\r\n", "\n")
	t, err := newTokenizer(strings.Split(strings.TrimSuffix(lines, "\n"), "\n"), config)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", path, err)
	}
	return t, nil
}

// tokenizerConfig is the part of tokenizer_config.json that changes word pieces.
type tokenizerConfig struct {
	LowerCase    *bool       `json:"do_lower_case"`
	StripAccents *bool       `json:"strip_accents"`          // absent: as LowerCase
	SplitCJK     *bool       `json:"tokenize_chinese_chars"` // absent: true
	CLS          specialName `json:"cls_token"`
	SEP          specialName `json:"sep_token"`
	Pad          specialName `json:"pad_token"`
	Unknown      specialName `json:"unk_token"`
	Mask         specialName `json:"mask_token"`
}

// specialName is the text of a special piece; files spell it as a string or as an object with a content.
type specialName string

func (n *specialName) UnmarshalJSON(data []byte) error {
	var name string
	if json.Unmarshal(data, &name) == nil {
		*n = specialName(name)
		return nil
	}
	var object struct{ Content string }
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	*n = specialName(object.Content)
	return nil
}

// loadTokenizerConfig reads the file, which need not exist.
func loadTokenizerConfig(path string) (tokenizerConfig, error) {
	config := tokenizerConfig{CLS: "[CLS]", SEP: "[SEP]", Pad: "[PAD]", Unknown: "[UNK]", Mask: "[MASK]"}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config, nil
	}
	if err != nil {
		return config, err
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return config, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

func newTokenizer(vocabulary []string, config tokenizerConfig) (*Tokenizer, error) {
	t := &Tokenizer{
		starting:   make(map[string]int32, len(vocabulary)),
		continuing: make(map[string]int32, len(vocabulary)/4),
		size:       len(vocabulary),
	}
	hasUpper := false
	for id, piece := range vocabulary {
		pieces := t.starting
		text, goesOn := strings.CutPrefix(piece, continuation)
		if goesOn {
			pieces = t.continuing
		}
		pieces[text] = int32(id)
		t.longest = max(t.longest, len(text))
		special := strings.HasPrefix(piece, "[") && strings.HasSuffix(piece, "]")
		hasUpper = hasUpper || !special && strings.IndexFunc(piece, hasLower) >= 0
	}
	t.normalizer.lowerCase = valueOr(config.LowerCase, !hasUpper)
	t.normalizer.stripAccents = valueOr(config.StripAccents, t.normalizer.lowerCase)
	t.normalizer.splitCJK = valueOr(config.SplitCJK, true)
	return t, t.findSpecial(config)
}

// hasLower tells whether a rune is upper-case and has a lower case: ℝ, which is in
// vocabularies without case, is the one and has none.
func hasLower(r rune) bool { return unicode.IsUpper(r) && unicode.ToLower(r) != r }

func (t *Tokenizer) findSpecial(config tokenizerConfig) error {
	for _, special := range []struct {
		id   *int32
		name specialName
	}{{&t.cls, config.CLS}, {&t.sep, config.SEP}, {&t.pad, config.Pad}, {&t.unknown, config.Unknown}} {
		id, ok := t.starting[string(special.name)]
		if !ok {
			return fmt.Errorf("no piece %q among the %d of the vocabulary", special.name, t.size)
		}
		*special.id = id
	}
	t.mask, t.hasMask = t.starting[string(config.Mask)]
	return nil
}

func valueOr(value *bool, otherwise bool) bool {
	if value == nil {
		return otherwise
	}
	return *value
}

// CLS is the id of the piece that begins an input of BERT.
func (t *Tokenizer) CLS() int32 { return t.cls }

// SEP is the id of the piece that ends an input of BERT.
func (t *Tokenizer) SEP() int32 { return t.sep }

// Pad is the id of the piece that fills an input up; the mask hides it.
func (t *Tokenizer) Pad() int32 { return t.pad }

// Unknown is the id of the piece that stands for a word the vocabulary cannot spell.
func (t *Tokenizer) Unknown() int32 { return t.unknown }

// Mask is the id of the piece that stands for a hidden one in pretraining; ok is false where the vocabulary
// has none.
func (t *Tokenizer) Mask() (id int32, ok bool) { return t.mask, t.hasMask }

// WordID is the id of a piece that begins a word or is one, as the vocabulary spells it.
func (t *Tokenizer) WordID(piece string) (id int32, ok bool) {
	id, ok = t.starting[piece]
	return id, ok
}

// Words are the pieces that begin a word or are one, in no order, as [Tokenizer.WordID] takes them.
func (t *Tokenizer) Words() iter.Seq2[string, int32] { return maps.All(t.starting) }

// VocabSize is the number of pieces in the vocabulary.
func (t *Tokenizer) VocabSize() int { return t.size }

// Tokenize splits text into word pieces, in the order of the text and without [CLS] and [SEP]. A word that
// the vocabulary cannot spell is one unknown piece. Bytes that are no valid UTF-8 give no piece.
func (t *Tokenizer) Tokenize(text string) []Piece {
	s := splitter{tokenizer: t, pieces: make([]Piece, 0, len(text)/4+1)}
	var normal [8]rune
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		start := at
		at += size
		kind := t.normalizer.classify(r)
		switch kind {
		case classNone:
			continue
		case classSpace:
			s.endWord()
			s.inText = false
			continue
		}
		s.enterText()
		for _, n := range t.normalizer.appendNormalized(normal[:0], r) {
			s.add(n, start, at, kind == classAlone)
		}
	}
	s.endWord()
	return s.pieces
}
