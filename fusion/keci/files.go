package keci

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion"
)

// encoderFiles are the files of a model directory that come from the encoder
// unchanged; those that are optional may be absent.
var encoderFiles = []struct {
	name     string
	optional bool
}{{"config.json", false}, {"vocab.txt", false}, {"tokenizer_config.json", true}}

// digestFiles are the files of a model directory that decide its answers.
var digestFiles = []string{configFile, "config.json", "vocab.txt", "tokenizer_config.json", weightsFile}

// Describe reads what a model directory holds, without an engine.
func Describe(dir string) (fusion.ModelInfo, Config, error) {
	cfg, _, store, err := readModel(dir)
	if err != nil {
		return fusion.ModelInfo{}, Config{}, err
	}
	sum, err := digest(dir)
	if err != nil {
		return fusion.ModelInfo{}, Config{}, err
	}
	info := describe(cfg)
	info.Digest, info.Parameters = sum, parameters(store)
	return info, cfg, nil
}

// Quantize writes the model directory from again, as the new directory to, with
// its matrices as 8-bit integers: a quarter of the size. They are computed with
// as float32.
func Quantize(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("quantize: %s exists already: choose another directory", to)
	}
	cfg, encoderConfig, store, err := readModel(from)
	if err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	next := to + ".next"
	defer os.RemoveAll(next)
	if err := errors.Join(os.RemoveAll(next), save(next, from, cfg, encoderConfig, store, true)); err != nil {
		return fmt.Errorf("quantize: %w", err)
	}
	return os.Rename(next, to)
}

// readModel reads the configuration and the weights of a model directory.
func readModel(dir string) (Config, encoder.Config, *model.Store, error) {
	cfg, err := readConfig(dir)
	if err != nil {
		return Config{}, encoder.Config{}, nil, err
	}
	encoderConfig, err := encoder.LoadConfig(dir)
	if err != nil {
		return Config{}, encoder.Config{}, nil, err
	}
	store := model.NewStore()
	return cfg, encoderConfig, store, loadWeights(store, encoderConfig, dir)
}

// save writes a model directory, with the encoder's files taken from encoderDir.
func save(dir, encoderDir string, cfg Config, encoderConfig encoder.Config, store *model.Store, quantized bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save model: %w", err)
	}
	for _, file := range encoderFiles {
		err := copyFile(filepath.Join(dir, file.name), filepath.Join(encoderDir, file.name))
		if err != nil && !(file.optional && errors.Is(err, os.ErrNotExist)) {
			return fmt.Errorf("save model: %w", err)
		}
	}
	if err := writeConfig(dir, cfg); err != nil {
		return err
	}
	return saveWeights(store, encoderConfig, filepath.Join(dir, weightsFile), quantized)
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// describe is what a configuration tells of a model.
func describe(cfg Config) fusion.ModelInfo {
	return fusion.ModelInfo{
		Name: cfg.Name, Variant: string(cfg.Variant),
		EntityTypes: cfg.EntityTypes[1:], RelationLabels: cfg.RelationLabels[1:],
	}
}

func parameters(store *model.Store) int {
	total := 0
	for v := range store.IterVariables() {
		if isWeight(v) {
			total += v.Shape().Size()
		}
	}
	return total
}

// digest is the SHA-256 over the files of a model directory that decide its
// answers, each with its name and length.
func digest(dir string) (string, error) {
	sum := sha256.New()
	for _, name := range digestFiles {
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
