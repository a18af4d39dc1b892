package keci

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/keci-kg/keci/internal/vectors"
)

// Bounds of what is kept on disk: the vectors of a model, some 80,000 definitions of
// 384 numbers, and the models whose vectors are kept, those used last.
const (
	keptBytes  = 128 << 20
	keptModels = 4
)

// keptFolder and keptSuffix are where files of vectors lie in a cache folder.
const (
	keptFolder = "definitions"
	keptSuffix = ".vectors"
)

// keptProbe is a definition whose vector tells engines and processors apart.
const keptProbe = "Any member of a group of proteins that bind one of several small molecules, and inhibit an enzyme (E.C. 3.1.3.16)."

// openKept opens the file in the cache folder that keeps the vectors of definitions
// of a model with these weights. Its name is a digest of all that the bits of a vector
// depend on: the weights, how much of a definition is read, and, by way of a probe,
// the engine and the processor. Without the file definitions are encoded whenever
// they are met first, so that it is not there is no error.
func (d *definitions) openKept(cache, weights string) error {
	if !d.cfg.has().definitions || cache == "" {
		return nil
	}
	probe, err := d.encode([]string{keptProbe})
	if err != nil {
		return fmt.Errorf("encode definitions: %w", err)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, "1", weights, d.cfg.Knowledge.DefinitionPieces)
	row := probe[0].row()
	for _, x := range row {
		fmt.Fprintf(sum, "%08x", math.Float32bits(x))
	}
	path := filepath.Join(cache, keptFolder, hex.EncodeToString(sum.Sum(nil)[:8])+keptSuffix)
	kept, err := vectors.Open(path, len(row), keptBytes)
	if err != nil {
		slog.Info("the vectors of definitions are not kept for the next start", "error", err)
		return nil
	}
	d.kept = kept
	forgetKept(path)
	return nil
}

// close closes the file of vectors, if there is one.
func (d *definitions) close() error {
	if d.kept == nil {
		return nil
	}
	return d.kept.Close()
}

// forgetKept marks a file of vectors as used now, and removes all but those used last.
func forgetKept(used string) {
	now := time.Now()
	if err := os.Chtimes(used, now, now); err != nil {
		return // the folder can be read only: nothing can be removed either
	}
	paths, _ := filepath.Glob(filepath.Join(filepath.Dir(used), "*"+keptSuffix))
	slices.SortFunc(paths, func(a, b string) int { return modified(b).Compare(modified(a)) })
	for _, path := range paths[min(keptModels, len(paths)):] {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			slog.Info("an old file of vectors cannot be removed", "error", err)
		}
	}
}

// modified is when a file was last written, or long ago.
func modified(path string) time.Time {
	stat, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return stat.ModTime()
}

// row is a definition as one vector.
func (d *definition) row() []float32 { return slices.Concat(d.Vector, d.Bag) }

// readKept gives those of the texts that are kept on disk, and lists the others.
func (d *definitions) readKept(texts []string) (found map[string]*definition, missing []string) {
	found = map[string]*definition{}
	if d.kept == nil {
		return found, texts
	}
	for _, text := range texts {
		row := d.kept.Get(text)
		if row == nil {
			missing = append(missing, text)
			continue
		}
		defined := &definition{Vector: row}
		if d.cfg.has().kge {
			half := len(row) / 2
			defined.Vector, defined.Bag = row[:half:half], row[half:]
		}
		found[text] = defined
	}
	return found, missing
}

// keep writes definitions that were encoded to disk. What cannot be written is
// encoded again by the next process.
func (d *definitions) keep(texts []string, encoded map[string]*definition) {
	if d.kept == nil || len(texts) == 0 {
		return
	}
	rows := make([][]float32, len(texts))
	for i, text := range texts {
		rows[i] = encoded[text].row()
	}
	if err := d.kept.Add(texts, rows); err != nil {
		d.unkept.Do(func() { slog.Info("the vectors of definitions are not kept for the next start", "error", err) })
	}
}
