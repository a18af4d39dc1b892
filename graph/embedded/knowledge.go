package embedded

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
)

// Knowledge is a graph.Knowledge in a folder that a KnowledgeBuilder wrote. The
// folder is only read, also by several processes at once. Concepts and
// relations stay on disk; the Semantic Network is held in memory.
type Knowledge struct {
	db      *badger.DB
	scratch string // an empty folder that Badger insists on
	info    graph.KnowledgeBaseInfo

	types         map[graph.TUI]graph.SemanticType
	typeRelations map[graph.TUI][]graph.TypeRelation // by head; sorted by label and tail
}

var _ graph.Knowledge = (*Knowledge)(nil)

// OpenKnowledge opens the knowledge base in dir.
func OpenKnowledge(dir string) (*Knowledge, error) {
	scratch, err := os.MkdirTemp("", "keci-kb-*")
	if err != nil {
		return nil, fmt.Errorf("opening the knowledge base %s: %w", dir, err)
	}
	db, err := badger.Open(knowledgeOptions(dir).
		WithReadOnly(true).
		WithBypassLockGuard(true).
		WithValueDir(scratch))
	if err != nil {
		os.RemoveAll(scratch)
		return nil, fmt.Errorf("opening the knowledge base %s: %w", dir, err)
	}
	k := &Knowledge{db: db, scratch: scratch}
	if err := k.load(); err != nil {
		k.Close()
		return nil, fmt.Errorf("opening the knowledge base %s: %w", dir, err)
	}
	return k, nil
}

// Close closes the files.
func (k *Knowledge) Close() error {
	return errors.Join(k.db.Close(), os.RemoveAll(k.scratch))
}

// load reads what is held in memory.
func (k *Knowledge) load() error {
	return k.db.View(func(txn *badger.Txn) error {
		if err := k.loadInfo(txn); err != nil {
			return err
		}
		value, err := get(txn, []byte(networkKey))
		if err != nil {
			return err
		}
		types, relations, err := decodeNetwork(value)
		if err != nil {
			return err
		}
		k.types = make(map[graph.TUI]graph.SemanticType, len(types))
		for _, t := range types {
			k.types[t.TUI] = t
		}
		k.typeRelations = map[graph.TUI][]graph.TypeRelation{}
		for _, r := range relations {
			k.typeRelations[r.Head] = append(k.typeRelations[r.Head], r)
		}
		return nil
	})
}

func (k *Knowledge) loadInfo(txn *badger.Txn) error {
	value, err := get(txn, []byte(infoKey))
	if err != nil {
		return fmt.Errorf("it is not whole, build it again: %w", err)
	}
	if err := json.Unmarshal(value, &k.info); err != nil {
		return fmt.Errorf("reading its description: %w", err)
	}
	if k.info.FormatVersion != KnowledgeFormat {
		return fmt.Errorf("it has format version %d and this program reads %d: build it again", k.info.FormatVersion, KnowledgeFormat)
	}
	return nil
}

// get returns a copy of the value of a key; the error wraps graph.ErrNotFound when there is none.
func get(txn *badger.Txn, key []byte) ([]byte, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, graph.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return item.ValueCopy(nil)
}

// Info implements graph.Knowledge.
func (k *Knowledge) Info(context.Context) (graph.KnowledgeBaseInfo, error) { return k.info, nil }

// SemanticType implements graph.Knowledge.
func (k *Knowledge) SemanticType(_ context.Context, tui graph.TUI) (graph.SemanticType, error) {
	t, known := k.types[tui]
	if !known {
		return t, fmt.Errorf("semantic type %s: %w", tui, graph.ErrNotFound)
	}
	return t, nil
}

// Concept implements graph.Knowledge.
func (k *Knowledge) Concept(ctx context.Context, cui graph.CUI) (c graph.Concept, err error) {
	err = k.view(ctx, func(txn *badger.Txn) error {
		c, err = readPresent(txn, cui)
		return err
	})
	return c, err
}

// view runs a read, unless the context is done.
func (k *Knowledge) view(ctx context.Context, read func(*badger.Txn) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return k.db.View(read)
}

func readConcept(txn *badger.Txn, cui graph.CUI) (c graph.Concept, err error) {
	item, err := txn.Get(conceptKey(cui))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return c, fmt.Errorf("concept %s: %w", cui, graph.ErrNotFound)
	}
	if err == nil {
		err = item.Value(func(value []byte) error {
			c, err = decodeConcept(cui, value)
			return err
		})
	}
	if err != nil {
		return c, fmt.Errorf("concept %s: %w", cui, err)
	}
	return c, nil
}

// Neighbors implements graph.Knowledge.
func (k *Knowledge) Neighbors(ctx context.Context, cui graph.CUI, limit int) (relations []graph.Relation, err error) {
	if limit <= 0 {
		return nil, nil
	}
	err = k.view(ctx, func(txn *badger.Txn) error {
		if r, err := readRetired(txn, cui); err == nil {
			cui = r.Into
		}
		if relations, err = neighborsBy(txn, outTag, cui); err != nil {
			return err
		}
		incoming, err := neighborsBy(txn, inTag, cui)
		relations = append(relations, incoming...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("neighbors of %s: %w", cui, err)
	}
	slices.SortFunc(relations, func(a, b graph.Relation) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Head, b.Head), cmp.Compare(a.Tail, b.Tail))
	})
	return relations[:min(limit, len(relations))], nil
}

// neighborsBy reads the relations with the concept as head (outTag) or tail (inTag).
func neighborsBy(txn *badger.Txn, tag string, cui graph.CUI) ([]graph.Relation, error) {
	prefix := relationPrefix(tag, cui)
	it := newKeyIterator(txn, prefix)
	defer it.Close()
	var relations []graph.Relation
	for it.Rewind(); it.Valid(); it.Next() {
		other, label, err := splitRelationKey(it.Item().Key()[len(prefix):])
		if err != nil {
			return nil, err
		}
		r := graph.Relation{Head: cui, Label: label, Tail: other}
		if tag == inTag {
			r.Head, r.Tail = other, cui
		}
		if err := it.Item().Value(func(value []byte) error { return decodeRelation(&r, value) }); err != nil {
			return nil, err
		}
		relations = append(relations, r)
	}
	return relations, nil
}

// newKeyIterator iterates over the entries with a prefix; values are read on demand.
func newKeyIterator(txn *badger.Txn, prefix []byte) *badger.Iterator {
	options := badger.DefaultIteratorOptions
	options.PrefetchValues = false
	options.Prefix = prefix
	return txn.NewIterator(options)
}

// Subgraph implements graph.Knowledge.
func (k *Knowledge) Subgraph(ctx context.Context, cuis []graph.CUI) (sub graph.Subgraph, err error) {
	sub = graph.Subgraph{Concepts: []graph.Concept{}, Relations: []graph.Relation{}}
	err = k.view(ctx, func(txn *badger.Txn) error {
		if sub.Concepts, err = readKnown(txn, cuis); err != nil {
			return err
		}
		sub.Relations, err = relationsAmong(ctx, txn, sub.Concepts)
		return err
	})
	if err != nil {
		return graph.Subgraph{}, fmt.Errorf("subgraph of %d concepts: %w", len(cuis), err)
	}
	sub.SemanticTypes, sub.TypeRelations = k.networkOf(sub.Concepts)
	return sub, nil
}

// readKnown reads the concepts that are there, each once, in order of CUI.
func readKnown(txn *badger.Txn, cuis []graph.CUI) ([]graph.Concept, error) {
	sorted := slices.Clone(cuis)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	concepts := make([]graph.Concept, 0, len(sorted))
	for _, cui := range sorted {
		c, err := readPresent(txn, cui)
		if errors.Is(err, graph.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		concepts = append(concepts, c)
	}
	// Successors of retired concepts may be out of order, and there twice.
	slices.SortFunc(concepts, func(a, b graph.Concept) int { return cmp.Compare(a.CUI, b.CUI) })
	return slices.CompactFunc(concepts, func(a, b graph.Concept) bool { return a.CUI == b.CUI }), nil
}

// patience is how many relations to concepts that are not asked for are stepped
// over before the next concept asked for is sought. Stepping is cheaper than
// seeking, but a concept may have a hundred thousand relations.
const patience = 16

// relationsAmong reads the relations between the concepts, which are sorted, in
// order of head, label and tail.
func relationsAmong(ctx context.Context, txn *badger.Txn, concepts []graph.Concept) ([]graph.Relation, error) {
	relations := []graph.Relation{}
	it := newKeyIterator(txn, []byte(outTag))
	defer it.Close()
	for _, head := range concepts {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		prefix := relationPrefix(outTag, head.CUI)
		missed := 0
		for it.Seek(prefix); it.ValidForPrefix(prefix); {
			tail, label, err := splitRelationKey(it.Item().Key()[len(prefix):])
			if err != nil {
				return nil, err
			}
			next, found := slices.BinarySearchFunc(concepts, tail, func(c graph.Concept, cui graph.CUI) int {
				return cmp.Compare(c.CUI, cui)
			})
			switch {
			case next == len(concepts):
				it.Seek(append(prefix, 0xff)) // no more of this head
				continue
			case found:
				r := graph.Relation{Head: head.CUI, Label: label, Tail: tail}
				if err := it.Item().Value(func(value []byte) error { return decodeRelation(&r, value) }); err != nil {
					return nil, err
				}
				relations = append(relations, r)
				missed = 0
			default:
				missed++
			}
			if missed > patience {
				it.Seek(append(slices.Clip(prefix), concepts[next].CUI...))
				missed = 0
			} else {
				it.Next()
			}
		}
	}
	slices.SortFunc(relations, func(a, b graph.Relation) int {
		return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Tail, b.Tail))
	})
	return relations, nil
}

// networkOf is the part of the Semantic Network that the concepts touch.
func (k *Knowledge) networkOf(concepts []graph.Concept) ([]graph.SemanticType, []graph.TypeRelation) {
	var touched []graph.TUI
	for _, c := range concepts {
		touched = append(touched, c.SemanticTypes...)
	}
	return k.NetworkAmong(touched)
}

// NetworkAmong gives those of the semantic types that are known, in order, and the
// relations of the Semantic Network among them.
func (k *Knowledge) NetworkAmong(tuis []graph.TUI) ([]graph.SemanticType, []graph.TypeRelation) {
	touched := map[graph.TUI]bool{}
	for _, tui := range tuis {
		touched[tui] = true
	}
	types := make([]graph.SemanticType, 0, len(touched))
	for tui := range touched {
		if t, known := k.types[tui]; known {
			types = append(types, t)
		}
	}
	slices.SortFunc(types, func(a, b graph.SemanticType) int { return cmp.Compare(a.TUI, b.TUI) })
	relations := []graph.TypeRelation{}
	for _, t := range types {
		for _, r := range k.typeRelations[t.TUI] {
			if touched[r.Tail] {
				relations = append(relations, r)
			}
		}
	}
	return types, relations
}
