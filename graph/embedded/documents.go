package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/kv"
)

// documents is a graph.Documents in a Badger database with two kinds of entry,
// and those of the index of what they say over all:
//
//	d id          → the document as JSON
//	m cui NUL id  → the places in Document.Mentions that name the concept, as JSON
//
// Ids hold no control characters, so NUL separates, and the order of the keys is
// the order of the ids.
type documents struct {
	db         *kv.DB
	succession graph.Succession // nil when the knowledge base tells of none
}

const (
	documentPrefix = "d"
	mentionPrefix  = "m"
	separator      = "\x00"
)

func documentKey(id string) []byte { return []byte(documentPrefix + id) }

func conceptPrefix(cui graph.CUI) []byte { return []byte(mentionPrefix + string(cui) + separator) }

func mentionKey(cui graph.CUI, id string) []byte { return append(conceptPrefix(cui), id...) }

// SaveDocument implements graph.Documents.
func (s *documents) SaveDocument(ctx context.Context, doc graph.Document, replace bool) (created bool, err error) {
	doc, err = graph.Canonical(doc)
	if err != nil {
		return false, fmt.Errorf("saving a document: %w", err)
	}
	if err := s.db.Room(); err != nil {
		return false, fmt.Errorf("saving a document: %w", err)
	}
	entries, err := s.indexEntries(ctx, doc)
	if err != nil {
		return false, fmt.Errorf("saving a document: %w", err)
	}
	err = s.db.UpdateRetrying(func(txn *badger.Txn) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		old, err := readDocument(txn, doc.ID)
		created = errors.Is(err, graph.ErrNotFound)
		switch {
		case created:
			return write(txn, doc, entries)
		case err != nil:
			return err
		case replace:
			if err := s.remove(ctx, txn, old); err != nil {
				return err
			}
			return write(txn, doc, entries)
		case old.Text != doc.Text:
			return fmt.Errorf("the id is known with another text: %w", graph.ErrConflict)
		case old.Title != doc.Title:
			return fmt.Errorf("the id is known with another title: %w", graph.ErrConflict)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("saving document %q: %w", doc.ID, err)
	}
	return created, nil
}

// Document implements graph.Documents.
func (s *documents) Document(ctx context.Context, id string) (doc graph.Document, err error) {
	if err := ctx.Err(); err != nil {
		return doc, err
	}
	err = s.db.View(func(txn *badger.Txn) error {
		doc, err = readDocument(txn, id)
		return err
	})
	return doc, err
}

// Documents implements graph.Documents.
func (s *documents) Documents(ctx context.Context, after string, limit int) (docs []graph.Document, err error) {
	start := documentKey(after)
	if after != "" {
		start = append(start, separator...) // the least key beyond after's
	}
	err = s.db.View(func(txn *badger.Txn) error {
		return scan(ctx, txn, []byte(documentPrefix), start, func(item *badger.Item) (more bool, err error) {
			if len(docs) >= limit {
				return false, nil
			}
			doc, err := decodeDocument(item)
			if err != nil {
				return false, err
			}
			doc.Mentions, doc.Relations = nil, nil
			docs = append(docs, doc)
			return true, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing documents: %w", err)
	}
	return docs, nil
}

// DeleteDocument implements graph.Documents.
func (s *documents) DeleteDocument(ctx context.Context, id string) error {
	err := s.db.UpdateRetrying(func(txn *badger.Txn) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		doc, err := readDocument(txn, id)
		if err != nil {
			return err
		}
		return s.remove(ctx, txn, doc)
	})
	if err != nil {
		return fmt.Errorf("deleting: %w", err)
	}
	return nil
}

// ConceptMentions implements graph.Documents. Nothing is rewritten when another
// knowledge base is put beside the documents: they are found by all identifiers
// that the concept ever had.
func (s *documents) ConceptMentions(ctx context.Context, cui graph.CUI, limit int) (seen []graph.Seen, err error) {
	cuis, err := s.identifiers(ctx, cui)
	if err != nil {
		return nil, fmt.Errorf("looking for mentions of %s: %w", cui, err)
	}
	err = s.db.View(func(txn *badger.Txn) error {
		places := map[string][]int{} // in Document.Mentions, by document
		for _, cui := range cuis {
			if err := readPlaces(ctx, txn, cui, limit, places); err != nil {
				return err
			}
		}
		for _, id := range slices.Sorted(maps.Keys(places)) {
			if len(seen) >= limit {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			doc, err := readDocument(txn, id)
			if err != nil {
				return err
			}
			seen = append(seen, mentionsAt(doc, places[id], limit-len(seen))...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for mentions of %s: %w", cui, err)
	}
	return seen, nil
}

// identifiers are those of a concept and of the retired ones whose place it took.
func (s *documents) identifiers(ctx context.Context, cui graph.CUI) ([]graph.CUI, error) {
	if s.succession == nil {
		return []graph.CUI{cui}, nil
	}
	r, err := s.succession.Successor(ctx, cui)
	switch {
	case err == nil && r.Into != "":
		cui = r.Into
	case err != nil && !errors.Is(err, graph.ErrNotFound):
		return nil, err
	}
	predecessors, err := s.succession.Predecessors(ctx, cui)
	return append(predecessors, cui), err
}

// readPlaces notes where a concept was seen, in at most limit documents.
func readPlaces(ctx context.Context, txn *badger.Txn, cui graph.CUI, limit int, noted map[string][]int) error {
	prefix := conceptPrefix(cui)
	read := 0
	return scan(ctx, txn, prefix, prefix, func(item *badger.Item) (more bool, err error) {
		if read++; read > limit {
			return false, nil
		}
		id := string(item.Key()[len(prefix):])
		var places []int
		if err := item.Value(func(value []byte) error { return json.Unmarshal(value, &places) }); err != nil {
			return false, fmt.Errorf("reading the mentions in %q: %w", id, err)
		}
		noted[id] = append(noted[id], places...)
		return true, nil
	})
}

// mentionsAt gives at most limit mentions of a document, each once, in order.
func mentionsAt(doc graph.Document, places []int, limit int) (seen []graph.Seen) {
	slices.Sort(places)
	places = slices.Compact(places)
	for _, place := range places[:min(len(places), limit)] {
		seen = append(seen, graph.Seen{DocumentID: doc.ID, Mention: doc.Mentions[place]})
	}
	return seen
}

// scan visits the entries with a prefix from start on, until visit has enough.
func scan(ctx context.Context, txn *badger.Txn, prefix, start []byte, visit func(*badger.Item) (more bool, err error)) error {
	entries := txn.NewIterator(badger.IteratorOptions{Prefix: prefix, PrefetchValues: true, PrefetchSize: 16})
	defer entries.Close()
	for entries.Seek(start); entries.ValidForPrefix(prefix); entries.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := visit(entries.Item())
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func readDocument(txn *badger.Txn, id string) (graph.Document, error) {
	item, err := txn.Get(documentKey(id))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return graph.Document{}, fmt.Errorf("document %q: %w", id, graph.ErrNotFound)
	}
	if err != nil {
		return graph.Document{}, fmt.Errorf("document %q: %w", id, err)
	}
	return decodeDocument(item)
}

func decodeDocument(item *badger.Item) (doc graph.Document, err error) {
	err = item.Value(func(value []byte) error { return json.Unmarshal(value, &doc) })
	if err != nil {
		return doc, fmt.Errorf("reading the entry %q: %w", item.Key(), err)
	}
	return doc, nil
}

// write writes a document with its entries of the index.
func write(txn *badger.Txn, doc graph.Document, entries []indexEntry) error {
	value, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	if err := txn.Set(documentKey(doc.ID), value); err != nil {
		return err
	}
	for cui, places := range conceptPlaces(doc) {
		entries = append(entries, indexEntry{string(mentionKey(cui, doc.ID)), places})
	}
	return setEntries(entries, txn.Set)
}

func (s *documents) remove(ctx context.Context, txn *badger.Txn, doc graph.Document) error {
	entries, err := s.indexEntries(ctx, doc)
	if err != nil {
		return err
	}
	for cui := range conceptPlaces(doc) {
		entries = append(entries, indexEntry{key: string(mentionKey(cui, doc.ID))})
	}
	for _, entry := range entries {
		if err := txn.Delete([]byte(entry.key)); err != nil {
			return err
		}
	}
	return txn.Delete(documentKey(doc.ID))
}

// conceptPlaces gives for each concept the mentions that name it, by their
// places in doc.Mentions.
func conceptPlaces(doc graph.Document) map[graph.CUI][]int {
	places := map[graph.CUI][]int{}
	for i, mention := range doc.Mentions {
		for _, candidate := range mention.Concepts {
			if seen := places[candidate.CUI]; len(seen) == 0 || seen[len(seen)-1] != i {
				places[candidate.CUI] = append(seen, i)
			}
		}
	}
	return places
}
