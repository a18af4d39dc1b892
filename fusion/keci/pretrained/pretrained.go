// Package pretrained holds the model that is part of the program: see the model
// card, model/README.md, for what it was trained on and what it reaches.
package pretrained

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed model
var files embed.FS

// Dir is the directory of the model, under cache. The first call writes it
// there; processes that do so at once each write it whole, and one is kept.
func Dir(cache string) (string, error) {
	model, err := fs.Sub(files, "model")
	if err != nil {
		return "", err
	}
	name, err := digest(model)
	if err != nil {
		return "", fmt.Errorf("read the model in the program: %w", err)
	}
	dir := filepath.Join(cache, "model", name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := unpack(model, dir); err != nil {
		return "", fmt.Errorf("unpack the model in the program: %w", err)
	}
	return dir, nil
}

// unpack writes the model beside dir and gives it its name when it is complete.
func unpack(model fs.FS, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	next, err := os.MkdirTemp(filepath.Dir(dir), ".unpacking-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(next)
	if err := os.CopyFS(next, model); err != nil {
		return err
	}
	err = os.Rename(next, dir)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was first
	}
	return err
}

// digest names the content of a model: 16 hexadecimal digits.
func digest(model fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(model, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := model.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		stat, err := file.Stat()
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", path, stat.Size())
		_, err = io.Copy(sum, file) // piece by piece: a copy of all weights takes longer
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}
