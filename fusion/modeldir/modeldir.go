// Package modeldir is the directory of a trained model, in the layout of Hugging
// Face: the encoder's config.json and vocabulary, all weights in
// model.safetensors, and keci.json with the labels and switches of the model,
// which names the variant and so the system that reads the rest of it.
package modeldir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
)

// ConfigFile is the configuration of a model in its directory: JSON with at least
// a "variant".
const ConfigFile = "keci.json"

// bestDir is where the folder of a training run has its model.
const bestDir = "best"

// encoderFiles are the files of a model directory that come from the encoder
// unchanged; those that are optional may be absent.
var encoderFiles = []struct {
	name     string
	optional bool
}{{"config.json", false}, {"vocab.txt", false}, {"tokenizer_config.json", true}}

// digestFiles are the files of a model directory that decide its answers.
var digestFiles = []string{ConfigFile, "config.json", "vocab.txt", "tokenizer_config.json", WeightsFile}

// Variant reads which variant the model in a directory is of.
func Variant(dir string) (string, error) {
	var c struct {
		Variant string `json:"variant"`
	}
	err := readConfig(dir, &c)
	return c.Variant, err
}

// ReadConfig reads keci.json of a model directory as the configuration of a system.
// One that no model can have is an error that names the file.
func ReadConfig[C interface{ Validate() error }](dir string) (C, error) {
	var cfg, none C
	if err := readConfig(dir, &cfg); err != nil {
		return none, err
	}
	if err := cfg.Validate(); err != nil {
		return none, fmt.Errorf("model configuration %s: %w", filepath.Join(dir, ConfigFile), err)
	}
	return cfg, nil
}

func readConfig(dir string, into any) error {
	path := filepath.Join(dir, ConfigFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return noModel(dir, err)
	}
	if err != nil {
		return fmt.Errorf("read model configuration: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read model configuration %s: %w", path, err)
	}
	return nil
}

// noModel is the error for a folder without keci.json, which tells where the model is if
// the folder is that of a training run.
func noModel(dir string, err error) error {
	if _, in := os.Stat(filepath.Join(dir, bestDir, ConfigFile)); in == nil {
		return fmt.Errorf("%s is the folder of a training run: its model is in %s", dir, filepath.Join(dir, bestDir))
	}
	return fmt.Errorf("%s is no model: it has no %s: %w", dir, ConfigFile, err)
}

// WriteConfig writes keci.json into a model directory.
func WriteConfig(dir string, cfg any) error {
	data, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return fmt.Errorf("write model configuration: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, ConfigFile), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write model configuration: %w", err)
	}
	return nil
}

// ReadEncoder reads the shape of the encoder and its word pieces from a model
// directory, or from the folder of an encoder.
func ReadEncoder(dir string) (encoder.Config, *encoder.Tokenizer, error) {
	cfg, err := encoder.LoadConfig(dir)
	if err != nil {
		return cfg, nil, err
	}
	tokenizer, err := encoder.LoadTokenizer(dir)
	if err != nil {
		return cfg, nil, err
	}
	if tokenizer.VocabSize() > cfg.VocabSize {
		return cfg, nil, fmt.Errorf("vocabulary %s has %d pieces, vocab_size of config.json is %d",
			filepath.Join(dir, "vocab.txt"), tokenizer.VocabSize(), cfg.VocabSize)
	}
	return cfg, tokenizer, nil
}

// Save writes a model directory, with the encoder's files taken from encoderDir.
// The matrices are 8-bit integers when quantized, and float32 otherwise.
func Save(dir, encoderDir string, cfg any, encoderConfig encoder.Config, store *model.Store, quantized bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	for _, file := range encoderFiles {
		err := copyFile(filepath.Join(dir, file.name), filepath.Join(encoderDir, file.name))
		if err != nil && !(file.optional && errors.Is(err, os.ErrNotExist)) {
			return fmt.Errorf("save model: %w", err)
		}
	}
	if err := WriteConfig(dir, cfg); err != nil {
		return err
	}
	return SaveWeights(store, encoderConfig, filepath.Join(dir, WeightsFile), quantized)
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// CheckNew is an error where a directory that is to be written is there already.
func CheckNew(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return fmt.Errorf("%s exists already: choose another directory", dir)
	}
	return nil
}

// Reconfigure writes the model of the directory from again as the new directory to,
// with the configuration cfg. It is written as a whole or not at all; a directory that
// is there already is an error.
func Reconfigure(from, to string, cfg any) error {
	if err := CheckNew(to); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	to = filepath.Clean(to)
	next := to + ".next"
	defer os.RemoveAll(next)
	if err := errors.Join(os.RemoveAll(next), copyFiles(next, from), WriteConfig(next, cfg)); err != nil {
		return fmt.Errorf("write model %s: %w", to, err)
	}
	return os.Rename(next, to)
}

// copyFiles makes a directory with copies of the files of another one, or of what links
// there lead to.
func copyFiles(to, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(from, e.Name())
		if info, err := os.Stat(path); err != nil {
			return err
		} else if info.IsDir() {
			continue
		}
		if err := copyFile(filepath.Join(to, e.Name()), path); err != nil {
			return err
		}
	}
	return nil
}

// Quantize writes the model directory from again, as the new directory to, with
// its matrices as 8-bit integers: a quarter of the size. They are computed with
// as float32.
func Quantize(from, to string) error {
	if err := CheckNew(to); err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	var cfg json.RawMessage
	if err := readConfig(from, &cfg); err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	encoderConfig, store, err := readWeights(from)
	if err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	to = filepath.Clean(to)
	next := to + ".next"
	defer os.RemoveAll(next)
	if err := errors.Join(os.RemoveAll(next), Save(next, from, cfg, encoderConfig, store, true)); err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	return os.Rename(next, to)
}

// readWeights reads the weights of a model directory into a store of their own.
func readWeights(dir string) (encoder.Config, *model.Store, error) {
	cfg, err := encoder.LoadConfig(dir)
	if err != nil {
		return cfg, nil, err
	}
	store := model.NewStore()
	return cfg, store, LoadWeights(nil, store, cfg, dir)
}

// Measure counts the weights of a model directory and gives its digest.
func Measure(dir string) (parameters int, digest string, err error) {
	_, store, err := readWeights(dir)
	if err != nil {
		return 0, "", err
	}
	digest, err = Digest(dir)
	return Parameters(store), digest, err
}

// Parameters counts the weights in a store.
func Parameters(store *model.Store) int {
	total := 0
	for v := range store.IterVariables() {
		if IsWeight(v) {
			total += v.Shape().Size()
		}
	}
	return total
}

// Digest is the SHA-256 over the files of a model directory that decide its
// answers, each with its name and length: "sha256:…".
func Digest(dir string) (string, error) { return digest(dir, digestFiles) }

// WeightsDigest is the same without keci.json: what the encoder computes depends on
// nothing else, and a model that is given other thresholds keeps it.
func WeightsDigest(dir string) (string, error) {
	return digest(dir, slices.DeleteFunc(slices.Clone(digestFiles), func(name string) bool { return name == ConfigFile }))
}

func digest(dir string, files []string) (string, error) {
	sum := sha256.New()
	for _, name := range files {
		err := addFile(sum, dir, name)
		if err != nil && !(name == "tokenizer_config.json" && errors.Is(err, os.ErrNotExist)) {
			return "", fmt.Errorf("digest of the model: %w", err)
		}
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

func addFile(sum io.Writer, dir, name string) error {
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintf(sum, "%s %d\n", name, stat.Size())
	_, err = io.Copy(sum, file)
	return err
}
