package embedded

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
)

// KnowledgeBuilder writes a knowledge base that Knowledge reads. Concepts come in
// ascending order of CUI and before the relations between them. The order of all
// else is free, but the digest depends on that of the relations. In memory are 40
// bytes for each concept, and what is known of retired ones; relations and words
// are sorted on disk. It is not safe for concurrent use.
type KnowledgeBuilder struct {
	dir     string
	scratch string // removed at the end
	db      *badger.DB
	tables  *tableWriter
	closed  bool

	concepts ordinals
	strings  numbering
	kinds    numbering // of relationKind
	out, in  linkSorter
	words    *wordIndex
	retired  succession

	hash    hash.Hash
	content *bufio.Writer // into hash
	record  []byte
	info    graph.KnowledgeBaseInfo

	types         []graph.SemanticType
	typeRelations []graph.TypeRelation
}

// NewKnowledgeBuilder starts a knowledge base in dir, which must be empty or not
// exist. The builder must be closed.
func NewKnowledgeBuilder(dir string) (*KnowledgeBuilder, error) {
	b := &KnowledgeBuilder{dir: dir, hash: sha256.New()}
	if err := b.open(); err != nil {
		return nil, fmt.Errorf("building a knowledge base in %s: %w", dir, err)
	}
	return b, nil
}

func (b *KnowledgeBuilder) open() error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	if entries, err := os.ReadDir(b.dir); err != nil || len(entries) > 0 {
		return fmt.Errorf("the folder is not empty (%w)", cmp.Or(err, os.ErrExist))
	}
	db, err := badger.Open(knowledgeOptions(b.dir).
		WithMemTableSize(8 << 20).
		WithNumMemtables(1).
		WithBaseTableSize(1 << 20). // a stream's tables have thirty times that
		WithValueThreshold(maxEntry).
		WithValueLogFileSize(1 << 20))
	if err != nil {
		return err
	}
	tables, err := newTableWriter(db)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	b.scratch = filepath.Join(b.dir, "sorting")
	if err := os.Mkdir(b.scratch, 0o755); err != nil {
		return errors.Join(err, tables.close(false), db.Close())
	}
	b.db, b.tables = db, tables
	b.content = bufio.NewWriterSize(b.hash, 1<<16)
	b.out, b.in = linkSorter{dir: b.scratch, name: outTag}, linkSorter{dir: b.scratch, name: inTag}
	b.words = newWordIndex(b.scratch, b.concepts.cui)
	return nil
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

// AddConcept adds a concept, whose CUI comes after those of all others. One that
// is empty or holds a control character is an error.
func (b *KnowledgeBuilder) AddConcept(c graph.Concept) error {
	if err := b.addConcept(c); err != nil {
		return fmt.Errorf("adding concept %q: %w", c.CUI, err)
	}
	return nil
}

func (b *KnowledgeBuilder) addConcept(c graph.Concept) error {
	if !isIdentifier(c.CUI) {
		return errNoIdentifier
	}
	if n := len(b.concepts.cuis); n > 0 && b.concepts.cuis[n-1] >= c.CUI {
		return fmt.Errorf("it comes after %q, but each may come once, in ascending order", b.concepts.cuis[n-1])
	}
	b.concepts.add(c.CUI)
	b.info.Concepts++
	b.info.Names += 1 + len(c.Synonyms)
	if c.Definition != "" {
		b.info.Definitions++
	}
	b.record = appendConcept(appendString(b.record[:0], c.CUI), c, appendString[string])
	if err := b.hashed(conceptTag, b.record); err != nil {
		return err
	}
	if err := b.words.add(c, uint32(len(b.concepts.cuis)-1)); err != nil {
		return err
	}
	b.record = appendConcept(b.record[:0], c, b.shareString)
	return b.tables.put(conceptKey(c.CUI), b.record)
}

// shareString appends the number of a string that concepts share.
func (b *KnowledgeBuilder) shareString(to []byte, s string) []byte {
	return binary.AppendUvarint(to, uint64(b.strings.of([]byte(s))))
}

var errNoIdentifier = errors.New("not an identifier")

func isIdentifier(cui graph.CUI) bool {
	return cui != "" && !strings.ContainsFunc(string(cui), func(r rune) bool { return r < ' ' })
}

// AddRelation adds a relation, each no more than once. One whose ends were not
// both added as concepts is passed over: a knowledge base knows both ends.
func (b *KnowledgeBuilder) AddRelation(r graph.Relation) error {
	head, known := b.concepts.of(r.Head)
	tail, alsoKnown := b.concepts.of(r.Tail)
	if !known || !alsoKnown {
		return nil
	}
	b.info.Relations++
	b.record = appendKind(b.record[:0], r)
	kind := b.kinds.of(b.record)
	b.record = appendString(appendString(b.record, r.Head), r.Tail)
	err := b.hashed(outTag, b.record)
	if err == nil {
		err = cmp.Or(b.out.add(link{head, tail, kind}), b.in.add(link{tail, head, kind}))
	}
	if err != nil {
		return fmt.Errorf("adding relation %s –%s→ %s: %w", r.Head, r.Label, r.Tail, err)
	}
	return nil
}

// AddRetired adds, after all concepts, what became of one that is not in the
// knowledge base any more. Of a concept that is there, or was told of before, it
// is passed over. What took its place may be retired as well: the end of the way
// is kept.
func (b *KnowledgeBuilder) AddRetired(r graph.Retired) error {
	if !isIdentifier(r.CUI) {
		return fmt.Errorf("adding the retired concept %q: %w", r.CUI, errNoIdentifier)
	}
	if !b.concepts.has(r.CUI) {
		b.retired.list = append(b.retired.list, r)
	}
	return nil
}

// hashed counts something into the digest.
func (b *KnowledgeBuilder) hashed(tag string, content []byte) error {
	var head [binary.MaxVarintLen64 + 1]byte
	_, err := b.content.Write(binary.AppendUvarint(append(head[:0], tag...), uint64(len(content))))
	if err == nil {
		_, err = b.content.Write(content)
	}
	return err
}

// Finish writes what is left, closes the files and says what the knowledge
// base holds: info with the digest, the counts and the format version filled in.
func (b *KnowledgeBuilder) Finish(ctx context.Context, name string, sources []graph.SourceInfo) (graph.KnowledgeBaseInfo, error) {
	b.info.Name, b.info.Sources = name, sources
	err := b.finish(ctx)
	if closeErr := b.close(err == nil); err == nil {
		err = closeErr
	}
	if err == nil {
		err = b.removeLogs()
	}
	if err != nil {
		return b.info, fmt.Errorf("building the knowledge base in %s: %w", b.dir, err)
	}
	return b.info, nil
}

func (b *KnowledgeBuilder) finish(ctx context.Context) error {
	if err := b.tables.done(conceptTag); err != nil {
		return err
	}
	if err := b.words.writeTo(ctx, b.tables.put); err != nil {
		return err
	}
	if err := b.tables.done(wordTag); err != nil {
		return err
	}
	for _, links := range []*linkSorter{&b.out, &b.in} {
		if err := b.putLinks(ctx, links); err != nil {
			return err
		}
	}
	if err := cmp.Or(b.strings.write(stringTag, b.tables.put), b.kinds.write(kindTag, b.tables.put)); err != nil {
		return err
	}
	if err := cmp.Or(b.putRetired(), b.putNetwork(), b.putInfo()); err != nil {
		return err
	}
	return b.tables.finish()
}

// putLinks writes the relations as they are found from one of their ends.
func (b *KnowledgeBuilder) putLinks(ctx context.Context, links *linkSorter) error {
	to := chunkWriter{tag: links.name, put: b.tables.put, cui: b.concepts.cui}
	labels := make([]string, len(b.kinds.list))
	for i, kind := range b.kinds.list {
		labels[i] = (&decoder{rest: kind}).string()
	}
	byLabel := func(x, y uint32) int { return cmp.Compare(labels[x], labels[y]) }
	for l, err := range links.sorted(ctx, byLabel) {
		if err == nil {
			err = to.add(l)
		}
		if err != nil {
			return err
		}
	}
	return cmp.Or(to.flush(), b.tables.done(links.name))
}

// putRetired writes the retired concepts, and for those that took their place which they were.
func (b *KnowledgeBuilder) putRetired() error {
	var followed []graph.Retired
	for r := range b.retired.each(b.concepts.has) {
		b.record = appendString(appendString(appendString(b.record[:0], r.CUI), r.Into), r.Release)
		if err := cmp.Or(b.hashed(retiredTag, b.record), b.tables.put(retiredKey(r.CUI), encodeRetired(r))); err != nil {
			return fmt.Errorf("adding the retired concept %s: %w", r.CUI, err)
		}
		if r.Into != "" {
			followed = append(followed, r)
		}
	}
	slices.SortFunc(followed, func(x, y graph.Retired) int {
		return cmp.Or(cmp.Compare(x.Into, y.Into), cmp.Compare(x.CUI, y.CUI))
	})
	for _, r := range followed {
		if err := b.tables.put(predecessorKey(r.Into, r.CUI), nil); err != nil {
			return fmt.Errorf("adding the retired concept %s: %w", r.CUI, err)
		}
	}
	return nil
}

func (b *KnowledgeBuilder) putNetwork() error {
	slices.SortFunc(b.types, func(x, y graph.SemanticType) int { return cmp.Compare(x.TUI, y.TUI) })
	slices.SortFunc(b.typeRelations, graph.TypeRelation.Compare)
	b.info.SemanticTypes, b.info.TypeRelations = len(b.types), len(b.typeRelations)
	network := encodeNetwork(b.types, b.typeRelations)
	return cmp.Or(b.hashed(networkKey, network), b.tables.put([]byte(networkKey), network))
}

func (b *KnowledgeBuilder) putInfo() error {
	if err := b.content.Flush(); err != nil {
		return err
	}
	b.info.FormatVersion = KnowledgeFormat
	b.info.Digest = "sha256:" + hex.EncodeToString(b.hash.Sum(nil))
	value, err := json.Marshal(b.info)
	if err != nil {
		return err
	}
	return b.tables.put([]byte(infoKey), value)
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
func (b *KnowledgeBuilder) Close() error { return b.close(false) }

func (b *KnowledgeBuilder) close(finished bool) error {
	if b.closed {
		return nil
	}
	b.closed = true
	b.words.close()
	return errors.Join(b.out.close(), b.in.close(), b.tables.close(finished), b.db.Close(), os.RemoveAll(b.scratch))
}
