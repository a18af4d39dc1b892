package pretrain

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/train"
)

// Place is the folder of the new encoder, which appears whole when a run ends. The
// run lies beside it.
type Place string

// Run is the folder of the run: checkpoint, history, and the best encoder so far.
func (p Place) Run() string { return string(p) + ".run" }

// Check reports what would be overwritten; a run that goes on may replace what it
// gave before.
func (p Place) Check(resume bool) error {
	_, err := os.Lstat(string(p))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !resume:
		return fmt.Errorf("%s exists already: choose another directory, or go on with --resume", p)
	}
	if _, err := os.Stat(p.Run()); err != nil {
		return fmt.Errorf("%s exists, and no run of it that could go on: %w", p, err)
	}
	return nil
}

// Publish puts the best encoder of the run, with its card, history and curve, in
// its place, whole or not at all. The run stays.
func (p Place) Publish(c Card) error {
	next, old := string(p)+".next", string(p)+".old"
	defer os.RemoveAll(next)
	if err := errors.Join(os.RemoveAll(next), os.RemoveAll(old), p.fill(next, c)); err != nil {
		return fmt.Errorf("write the encoder: %w", err)
	}
	if err := os.Rename(string(p), old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write the encoder: %w", err)
	}
	if err := os.Rename(next, string(p)); err != nil {
		return fmt.Errorf("write the encoder: %w", err)
	}
	return os.RemoveAll(old)
}

func (p Place) fill(dir string, c Card) error {
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(p.Run(), train.BestDir))); err != nil {
		return err
	}
	for _, name := range []string{train.HistoryFile, train.CurveFile} {
		data, err := os.ReadFile(filepath.Join(p.Run(), name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return c.write(filepath.Join(dir, results.CardFile))
}

// Card is what the card of an encoder tells.
type Card struct {
	Name          string
	Encoder       string // the name of the one that it was made from
	License       string // of that encoder, as far as its own card says
	Texts         results.File
	Count         int // texts
	Learned       int // rows
	HeldOut       int // rows
	Options       Options
	Steps         int // until the encoder was taken
	Before, After Measurement
	Program       results.Program
	Command       string
	Finished      string
}

// LicenseOf is the licence that the card of an encoder names in its front matter,
// as Hugging Face has it; "" where it names none.
func LicenseOf(encoderDir string) string {
	data, err := os.ReadFile(filepath.Join(encoderDir, results.CardFile))
	if err != nil {
		return ""
	}
	text, ok := strings.CutPrefix(string(data), "---\n")
	front, _, closed := strings.Cut(text, "\n---")
	if !ok || !closed {
		return ""
	}
	for line := range strings.Lines(front) {
		if license, found := strings.CutPrefix(line, "license:"); found {
			return strings.TrimSpace(license)
		}
	}
	return ""
}

//go:embed card.md.tmpl
var cardText string

var cardTemplate = template.Must(template.New(results.CardFile).Funcs(template.FuncMap{
	"percent": func(x float64) string { return fmt.Sprintf("%.1f", 100*x) },
}).Parse(cardText))

func (c Card) write(path string) error {
	var text bytes.Buffer
	if err := cardTemplate.Execute(&text, c); err != nil {
		return fmt.Errorf("write the card: %w", err)
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
