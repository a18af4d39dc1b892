package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/internal/tensorfile"
)

// Files of Hugging Face folders that Import reads beside those of this package.
const (
	pyTorchFile   = "pytorch_model.bin"
	tokenizerFile = "tokenizer.json"
)

// Import makes of a Hugging Face folder with a BERT the new folder to, which
// holds what this package reads and nothing else. Weights come from
// model.safetensors or, where there is none, from pytorch_model.bin, of which
// nothing is executed; the vocabulary comes from vocab.txt or tokenizer.json.
// What cannot be read as an encoder is an error, and nothing is left of it.
func Import(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("import: %s exists already: choose another directory", to)
	}
	to = filepath.Clean(to)
	next := to + ".next"
	defer os.RemoveAll(next)
	if err := errors.Join(os.RemoveAll(next), importInto(from, next)); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return os.Rename(next, to)
}

func importInto(from, to string) error {
	cfg, err := LoadConfig(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return copyFile(from, to, configFile) },
		func() error { return importVocabulary(from, to) },
		func() error { return importWeights(from, to, cfg) },
		func() error { return check(to, cfg) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to, name string) error {
	data, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, name), data, 0o644)
}

// check reads what was imported as it will be read.
func check(dir string, cfg Config) error {
	tokenizer, err := LoadTokenizer(dir)
	if err != nil {
		return err
	}
	if tokenizer.VocabSize() != cfg.VocabSize {
		return fmt.Errorf("the vocabulary has %d pieces, vocab_size of %s is %d", tokenizer.VocabSize(), configFile, cfg.VocabSize)
	}
	return LoadWeights(model.NewStore(), "", dir, cfg)
}

// importVocabulary copies the tokenizer's files, or makes them of tokenizer.json.
func importVocabulary(from, to string) error {
	if err := copyFile(from, to, tokenizerConfigFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := copyFile(from, to, vocabFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	path := filepath.Join(from, tokenizerFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has neither %s nor %s", from, vocabFile, tokenizerFile)
	}
	if err != nil {
		return err
	}
	pieces, err := wordPieces(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(filepath.Join(to, vocabFile), pieces, 0o644)
}

// wordPieces gives vocab.txt of a tokenizer.json.
func wordPieces(data []byte) ([]byte, error) {
	var tokenizer struct {
		Model struct {
			Type       string         `json:"type"`
			Vocabulary map[string]int `json:"vocab"`
		} `json:"model"`
	}
	if err := json.Unmarshal(data, &tokenizer); err != nil {
		return nil, err
	}
	if kind := tokenizer.Model.Type; kind != "WordPiece" {
		return nil, fmt.Errorf("the tokenizer is of type %q: only WordPiece can be read", kind)
	}
	pieces := make([]string, len(tokenizer.Model.Vocabulary))
	for piece, id := range tokenizer.Model.Vocabulary {
		if id < 0 || id >= len(pieces) {
			return nil, fmt.Errorf("the piece %q has the number %d, of %d pieces", piece, id, len(pieces))
		}
		pieces[id] = piece
	}
	var text []byte
	for _, piece := range pieces {
		text = append(append(text, piece...), '\n')
	}
	return text, nil
}

// importWeights copies the weights, or converts those of PyTorch.
func importWeights(from, to string, cfg Config) error {
	err := copyFile(from, to, weightsFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	path := filepath.Join(from, pyTorchFile)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%s has neither %s nor %s (weights in several files cannot be read)", from, weightsFile, pyTorchFile)
	}
	tensors, err := readPyTorch(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return tensorfile.Create(filepath.Join(to, weightsFile), tensors)
}
