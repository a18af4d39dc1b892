package knowledgebase

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/keci-kg/keci/graph/embedded"
	"github.com/keci-kg/keci/internal/cachedir"
	"github.com/keci-kg/keci/linker"
)

// DefaultFactsFile is the name of the file in the folder default that holds the
// default knowledge base. keci kb default makes it, with the ATTRIBUTION.md
// beside it.
const DefaultFactsFile = "facts.jsonl.zst"

//go:embed default/facts.jsonl.zst
var defaultFacts []byte

// DefaultFacts reads the default knowledge base, which is part of the program.
func DefaultFacts() (*Facts, error) { return ReadFacts(bytes.NewReader(defaultFacts)) }

// CacheVariable names the environment variable for the folder where keci keeps
// what it can make again; without it, that is keci in the user's cache folder.
const CacheVariable = cachedir.Variable

// openAttempts is how often a folder is tried that other processes may be making
// at the same time. After the first attempt it should be there.
const openAttempts = 4

// OpenDefault opens the default knowledge base. The first call on a machine
// makes its folder in the cache, in a second or two. Processes that do so at
// once each make it whole, and the first one's is kept.
func OpenDefault(ctx context.Context, options ...linker.Option) (*KnowledgeBase, error) {
	kb, err := openCached(ctx, defaultFacts, options...)
	if err != nil {
		return nil, fmt.Errorf("opening the default knowledge base: %w", err)
	}
	return kb, nil
}

// openCached opens the folder of a file of facts, or makes it when it is not
// there or not whole. One that cannot be opened for want of a place for scratch files, of
// open files or of rights stays.
func openCached(ctx context.Context, facts []byte, options ...linker.Option) (*KnowledgeBase, error) {
	dir, err := cacheFolder(facts)
	if err != nil {
		return nil, err
	}
	for range openAttempts {
		var kb *KnowledgeBase
		if kb, err = Open(ctx, dir, options...); err == nil {
			return kb, nil
		}
		if ctx.Err() != nil || refused(err) {
			return nil, err
		}
		if Verify(ctx, dir) == nil {
			continue // perhaps another process has made it meanwhile
		}
		if err := buildCached(ctx, dir, facts); err != nil && !errors.Is(err, ErrExists) {
			return nil, fmt.Errorf("%w (set %s if it should lie in another folder)", err, CacheVariable)
		}
	}
	return nil, err
}

// refused tells whether the system did not let a file be read, whatever is in it.
func refused(err error) bool {
	return errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// CacheDir is where keci keeps what it can make again.
func CacheDir() (string, error) { return cachedir.Dir() }

// cacheFolder is where the knowledge base of a file of facts lies. Other facts
// and other formats have other folders.
func cacheFolder(facts []byte) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(facts)
	name := fmt.Sprintf("%s-%d", hex.EncodeToString(digest[:8]), embedded.KnowledgeFormat)
	return filepath.Join(cache, "kb", name), nil
}

// buildCached makes the folder, after moving away one that is not whole.
func buildCached(ctx context.Context, dir string, packed []byte) error {
	facts, err := ReadFacts(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	if err := discard(dir); err != nil {
		return err
	}
	_, err = Build(ctx, dir, facts, Options{Name: facts.Name})
	debug.FreeOSMemory() // the program is starting, and this was all it needs of that kind
	return err
}

// discard removes a folder, if it is there. It first gives it another name,
// so that nobody sees half of it.
func discard(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	trash, err := os.MkdirTemp(filepath.Dir(dir), ".discarded-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(trash)
	if err := os.Rename(dir, filepath.Join(trash, "kb")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
