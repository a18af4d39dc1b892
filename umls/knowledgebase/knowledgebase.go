// Package knowledgebase makes and opens knowledge base folders. Such a folder
// is written once and then only read:
//
//	kb.json   what it holds, with size and checksum of the files
//	store/    concepts, relations and the Semantic Network (package embedded)
//	names.*   the dictionary of the names (package linker)
//
// It also holds the default knowledge base, which is part of the program.
package knowledgebase

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/embedded"
	"github.com/keci-kg/keci/linker"
)

const (
	manifestFile = "kb.json"
	storeFolder  = "store"
	namesFile    = "names.json" // checks the other names.* itself
)

// ErrDamaged is returned, wrapped, by Open when a file of the folder is missing
// or not as it was written.
var ErrDamaged = errors.New("the knowledge base is damaged")

// KnowledgeBase is an open knowledge base folder. It is safe for concurrent use.
type KnowledgeBase struct {
	Info      graph.KnowledgeBaseInfo
	Knowledge graph.Knowledge
	Linker    *linker.Linker

	close func() error
}

// Open opens a folder that Build made, after checking that its files are whole.
func Open(ctx context.Context, dir string, options ...linker.Option) (*KnowledgeBase, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if err := m.check(ctx, dir); err != nil {
		return nil, err
	}
	knowledge, err := embedded.OpenKnowledge(filepath.Join(dir, storeFolder))
	if err != nil {
		return nil, err
	}
	names, err := linker.Open(dir, options...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the knowledge base %s: %w", dir, err), knowledge.Close())
	}
	closeBoth := func() error { return errors.Join(names.Close(), knowledge.Close()) }
	return &KnowledgeBase{m.KnowledgeBaseInfo, knowledge, names, closeBoth}, nil
}

// Close closes the files.
func (kb *KnowledgeBase) Close() error { return kb.close() }

// ErrNotWhole is returned by Release for several knowledge bases that are read as one.
var ErrNotWhole = errors.New("several knowledge bases cannot be gone through as one: name a single folder")

// Release goes through all that the knowledge base holds.
func (kb *KnowledgeBase) Release() (graph.Release, error) {
	release, ok := kb.Knowledge.(graph.Release)
	if !ok {
		return nil, ErrNotWhole
	}
	return release, nil
}

// Provenance names the knowledge base in a document.
func (kb *KnowledgeBase) Provenance() *graph.Provenance {
	return &graph.Provenance{Name: kb.Info.Name, Digest: kb.Info.Digest}
}

// ReadInfo says what a folder holds, without opening its files.
func ReadInfo(dir string) (graph.KnowledgeBaseInfo, error) {
	m, err := readManifest(dir)
	return m.KnowledgeBaseInfo, err
}

// manifest is the content of kb.json.
type manifest struct {
	graph.KnowledgeBaseInfo
	Files []fileCheck `json:"files"`
}

// fileCheck tells a damaged file from a whole one.
type fileCheck struct {
	Path   string `json:"path"` // in the folder, with slashes
	Bytes  int64  `json:"bytes"`
	CRC32C string `json:"crc32c"` // hexadecimal
}

func readManifest(dir string) (m manifest, err error) {
	path := filepath.Join(dir, manifestFile)
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return m, fmt.Errorf("%s is not a knowledge base folder: it has no %s (make one with keci kb build): %w", dir, manifestFile, err)
	}
	if err != nil {
		return m, fmt.Errorf("opening the knowledge base %s: %w", dir, err)
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return m, damaged(path, err)
	}
	if m.FormatVersion != embedded.KnowledgeFormat {
		return m, fmt.Errorf("%s: the knowledge base has format version %d and this program reads %d: build it again with keci kb build",
			path, m.FormatVersion, embedded.KnowledgeFormat)
	}
	if len(m.Files) == 0 {
		return m, damaged(path, errors.New("it names no files"))
	}
	return m, nil
}

func damaged(path string, why error) error {
	return fmt.Errorf("%w: %s: %w (build it again with keci kb build)", ErrDamaged, path, why)
}
