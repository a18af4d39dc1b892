package embedded

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
)

// maxEntry is the size in bytes that no value may reach: Badger would put it
// into a value log, and a knowledge base has none.
const maxEntry = 1 << 20

// KnowledgeBuilder writes a knowledge base that Knowledge reads. Semantic types
// and concepts come before the relations between them; otherwise the order is
// free, but the digest depends on it. It is not safe for concurrent use.
type KnowledgeBuilder struct {
	dir     string
	db      *badger.DB
	batch   *badger.WriteBatch
	known   graph.CUISet
	retired succession
	words   wordIndex
	content hash.Hash
	info    graph.KnowledgeBaseInfo

	types         []graph.SemanticType
	typeRelations []graph.TypeRelation
}

// NewKnowledgeBuilder starts a knowledge base in dir, which must be empty or not exist.
func NewKnowledgeBuilder(dir string) (*KnowledgeBuilder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("building a knowledge base: %w", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		return nil, fmt.Errorf("building a knowledge base in %s: the folder is not empty (%w)", dir, cmp.Or(err, os.ErrExist))
	}
	db, err := badger.Open(knowledgeOptions(dir).
		WithMemTableSize(32 << 20).
		WithNumMemtables(2).
		WithBaseTableSize(16 << 20).
		WithValueThreshold(maxEntry).
		WithValueLogFileSize(1 << 20).
		WithNumCompactors(2).
		WithCompactL0OnClose(true))
	if err != nil {
		return nil, fmt.Errorf("building a knowledge base in %s: %w", dir, err)
	}
	b := &KnowledgeBuilder{
		dir: dir, db: db, batch: db.NewWriteBatch(),
		content: sha256.New(),
	}
	b.words.write = b.put
	return b, nil
}

// knowledgeOptions are common to writing and reading: no compression and no
// caches, because the files are mapped into memory.
func knowledgeOptions(dir string) badger.Options {
	return badger.DefaultOptions(dir).
		WithLogger(nil).
		WithCompression(0).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithMetricsEnabled(false).
		WithDetectConflicts(false)
}

// AddSemanticType adds a semantic type.
func (b *KnowledgeBuilder) AddSemanticType(t graph.SemanticType) { b.types = append(b.types, t) }

// AddTypeRelation adds a relation of the Semantic Network.
func (b *KnowledgeBuilder) AddTypeRelation(r graph.TypeRelation) {
	b.typeRelations = append(b.typeRelations, r)
}

// AddConcept adds a concept. One that was added before, or with a CUI that is
// empty or holds a control character, is an error.
func (b *KnowledgeBuilder) AddConcept(c graph.Concept) error {
	if c.CUI == "" || strings.ContainsFunc(string(c.CUI), isControl) {
		return fmt.Errorf("adding concept %q: not an identifier", c.CUI)
	}
	if !b.known.Add(c.CUI) {
		return fmt.Errorf("adding concept %s: it was added before", c.CUI)
	}
	b.info.Concepts++
	b.info.Names += 1 + len(c.Synonyms)
	if c.Definition != "" {
		b.info.Definitions++
	}
	if err := b.words.add(c); err != nil {
		return fmt.Errorf("adding concept %s: %w", c.CUI, err)
	}
	if err := b.putContent(conceptKey(c.CUI), encodeConcept(c)); err != nil {
		return fmt.Errorf("adding concept %s: %w", c.CUI, err)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' }

// AddRelation adds a relation, each no more than once. One whose ends were not
// both added as concepts is passed over: a knowledge base knows both ends.
func (b *KnowledgeBuilder) AddRelation(r graph.Relation) error {
	if !b.known.Has(r.Head) || !b.known.Has(r.Tail) {
		return nil
	}
	b.info.Relations++
	value := encodeRelation(r)
	err := b.putContent(relationKey(outTag, r.Head, r.Tail, r.Label), value)
	if err == nil {
		err = b.put(relationKey(inTag, r.Tail, r.Head, r.Label), value)
	}
	if err != nil {
		return fmt.Errorf("adding relation %s –%s→ %s: %w", r.Head, r.Label, r.Tail, err)
	}
	return nil
}

// AddRetired adds what became of a concept that is not in the knowledge base any
// more. Of a concept that is there, or was told of before, it is passed over. What
// took its place may be retired as well: the end of the way is kept.
func (b *KnowledgeBuilder) AddRetired(r graph.Retired) error {
	if r.CUI == "" || strings.ContainsFunc(string(r.CUI), isControl) {
		return fmt.Errorf("adding the retired concept %q: not an identifier", r.CUI)
	}
	b.retired.list = append(b.retired.list, r)
	return nil
}

// putRetired writes the retired concepts, to be found also from what took their place.
func (b *KnowledgeBuilder) putRetired() error {
	for r := range b.retired.each(b.known.Has) {
		if b.known.Has(r.CUI) {
			continue
		}
		err := b.putContent(retiredKey(r.CUI), encodeRetired(r))
		if err == nil && r.Into != "" {
			err = b.put(predecessorKey(r.Into, r.CUI), nil)
		}
		if err != nil {
			return fmt.Errorf("adding the retired concept %s: %w", r.CUI, err)
		}
	}
	return nil
}

// putContent writes an entry and counts it into the digest.
func (b *KnowledgeBuilder) putContent(key, value []byte) error {
	for _, part := range [][]byte{key, value} {
		b.content.Write(binary.AppendUvarint(nil, uint64(len(part))))
		b.content.Write(part)
	}
	return b.put(key, value)
}

func (b *KnowledgeBuilder) put(key, value []byte) error {
	if len(value) >= maxEntry {
		return fmt.Errorf("it takes %d bytes, more than the %d that fit", len(value), maxEntry)
	}
	return b.batch.Set(key, value)
}

// Finish writes what is left, closes the files and says what the knowledge
// base holds: info with the digest, the counts and the format version filled in.
func (b *KnowledgeBuilder) Finish(ctx context.Context, name string, sources []graph.SourceInfo) (graph.KnowledgeBaseInfo, error) {
	info, err := b.finish(ctx, name, sources)
	if err != nil {
		b.Close()
		return info, fmt.Errorf("building the knowledge base in %s: %w", b.dir, err)
	}
	return info, nil
}

func (b *KnowledgeBuilder) finish(ctx context.Context, name string, sources []graph.SourceInfo) (graph.KnowledgeBaseInfo, error) {
	slices.SortFunc(b.types, func(x, y graph.SemanticType) int { return cmp.Compare(x.TUI, y.TUI) })
	slices.SortFunc(b.typeRelations, compareTypeRelations)
	if err := b.putContent([]byte(networkKey), encodeNetwork(b.types, b.typeRelations)); err != nil {
		return b.info, err
	}
	if err := b.putRetired(); err != nil {
		return b.info, err
	}
	if err := b.words.flush(); err != nil {
		return b.info, err
	}
	if err := ctx.Err(); err != nil {
		return b.info, err
	}
	b.info.Name, b.info.Sources = name, sources
	b.info.FormatVersion = KnowledgeFormat
	b.info.SemanticTypes, b.info.TypeRelations = len(b.types), len(b.typeRelations)
	b.info.Digest = "sha256:" + hex.EncodeToString(b.content.Sum(nil))
	value, err := json.Marshal(b.info)
	if err != nil {
		return b.info, err
	}
	if err := b.put([]byte(infoKey), value); err != nil {
		return b.info, err
	}
	if err := b.batch.Flush(); err != nil {
		return b.info, err
	}
	if err := b.db.Close(); err != nil {
		return b.info, err
	}
	return b.info, b.removeLogs()
}

// removeLogs removes the files that Badger needs for writing only.
func (b *KnowledgeBuilder) removeLogs() error {
	for _, pattern := range []string{"*.vlog", "*.mem", "DISCARD", "LOCK"} {
		paths, err := filepath.Glob(filepath.Join(b.dir, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close gives the build up, unless Finish ended it. What was written stays in
// the folder, which is of no use.
func (b *KnowledgeBuilder) Close() error {
	if b.db.IsClosed() {
		return nil
	}
	b.batch.Cancel()
	return b.db.Close()
}

func compareTypeRelations(a, b graph.TypeRelation) int {
	return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Tail, b.Tail))
}
