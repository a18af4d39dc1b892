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
	shared  shared

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
		var err error
		if k.shared, err = readShared(txn); err != nil {
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
		c, err = k.readPresent(txn, cui)
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

func (k *Knowledge) readConcept(txn *badger.Txn, cui graph.CUI) (c graph.Concept, err error) {
	item, err := txn.Get(conceptKey(cui))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return c, fmt.Errorf("concept %s: %w", cui, graph.ErrNotFound)
	}
	if err == nil {
		err = item.Value(func(value []byte) error {
			c, err = k.shared.decodeConcept(cui, value)
			return err
		})
	}
	if err != nil {
		return c, fmt.Errorf("concept %s: %w", cui, err)
	}
	return c, nil
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
		if sub.Concepts, err = k.readKnown(txn, cuis); err != nil {
			return err
		}
		sub.Relations, err = k.relationsAmong(ctx, txn, sub.Concepts)
		return err
	})
	if err != nil {
		return graph.Subgraph{}, fmt.Errorf("subgraph of %d concepts: %w", len(cuis), err)
	}
	sub.SemanticTypes, sub.TypeRelations = k.networkOf(sub.Concepts)
	return sub, nil
}

// readKnown reads the concepts that are there, each once, in order of CUI.
func (k *Knowledge) readKnown(txn *badger.Txn, cuis []graph.CUI) ([]graph.Concept, error) {
	sorted := slices.Clone(cuis)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	concepts := make([]graph.Concept, 0, len(sorted))
	for _, cui := range sorted {
		c, err := k.readPresent(txn, cui)
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
