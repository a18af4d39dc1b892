package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
)

// What documents say over all of them is found by four more kinds of entry, which
// go by the concepts of the present knowledge base:
//
//	e head NUL tail NUL label NUL direction NUL id  → the relations of the document that tell the fact
//	f tail NUL head NUL label NUL direction NUL id  → nothing; finds the facts of a tail
//	c cui NUL id                                    → the mentions of the document that stand for the concept
//	v                                               → how, and with which knowledge base, these were made
//
// The direction is 0 or 1. Entries of other makes or knowledge bases are made anew
// when the store is opened.
const (
	factPrefix    = "e"
	tailPrefix    = "f"
	conceptsOfDoc = "c"
	makeKey       = "v"

	indexVersion = 2
)

// indexMake is how the index was made.
type indexMake struct {
	Version int    `json:"version"`
	KB      string `json:"kb"`
}

// told is what a document says of a fact.
type told struct {
	Submitted time.Time      `json:"at"`
	Relations []toldRelation `json:"relations"`
}

type toldRelation struct {
	Place    int     `json:"p"`
	Score    float64 `json:"s"`
	HeadType string  `json:"h,omitempty"`
	TailType string  `json:"t,omitempty"`
}

// named is how a document names a concept.
type named struct {
	Submitted time.Time      `json:"at"`
	Name      string         `json:"name"` // for concepts that the knowledge base lacks
	Mentions  []namedMention `json:"mentions"`
}

type namedMention struct {
	Type  string  `json:"t,omitempty"`
	Score float64 `json:"s,omitempty"`
}

// indexEntry is an entry of the index.
type indexEntry struct {
	key   string
	value any // nil: none
}

func direction(directed bool) string {
	if directed {
		return "1"
	}
	return "0"
}

// factKeyPrefix is what the keys of the entries of a fact begin with.
func factKeyPrefix(key graph.FactKey) string {
	return factPrefix + strings.Join([]string{string(key.Head), string(key.Tail), key.Label, direction(key.Directed), ""}, separator)
}

func tailKeyPrefix(key graph.FactKey) string {
	return tailPrefix + strings.Join([]string{string(key.Tail), string(key.Head), key.Label, direction(key.Directed), ""}, separator)
}

// parseFactEntry reads the key of an entry of either kind.
func parseFactEntry(entry []byte) (key graph.FactKey, id string, err error) {
	fields := strings.SplitN(string(entry[1:]), separator, 5)
	if len(fields) != 5 {
		return key, "", fmt.Errorf("the entry %q is broken", entry)
	}
	key = graph.FactKey{Head: graph.CUI(fields[0]), Tail: graph.CUI(fields[1]), Label: fields[2], Directed: fields[3] == "1"}
	if string(entry[:1]) == tailPrefix {
		key.Head, key.Tail = key.Tail, key.Head
	}
	return key, fields[4], nil
}

// Present implements graph.Extracted.
func (s *documents) Present(ctx context.Context, cuis ...graph.CUI) (graph.Presence, error) {
	present := graph.Presence{}
	if s.succession == nil {
		return present, nil
	}
	for _, cui := range cuis {
		if _, known := present[cui]; known || cui == "" {
			continue
		}
		retired, err := s.succession.Successor(ctx, cui)
		if err != nil && !errors.Is(err, graph.ErrNotFound) {
			return nil, err
		}
		present[cui] = retired.Into
	}
	return present, nil
}

// firstConcepts are the concepts that the mentions of a document stand for.
func firstConcepts(doc graph.Document) (cuis []graph.CUI) {
	for _, mention := range doc.Mentions {
		if concepts := mention.Denoted(); len(concepts) > 0 {
			cuis = append(cuis, concepts[0].CUI)
		}
	}
	return cuis
}

// indexEntries are the entries that a document has in the index.
func (s *documents) indexEntries(ctx context.Context, doc graph.Document) ([]indexEntry, error) {
	present, err := s.Present(ctx, firstConcepts(doc)...)
	if err != nil {
		return nil, fmt.Errorf("looking for the concepts of document %q: %w", doc.ID, err)
	}
	return append(factEntries(doc, present.Of), conceptEntries(doc, present.Of)...), nil
}

func factEntries(doc graph.Document, present func(graph.CUI) graph.CUI) (entries []indexEntry) {
	types := map[string]string{}
	for _, mention := range doc.Mentions {
		types[mention.ID] = mention.Type
	}
	facts := map[graph.FactKey]*told{}
	for place, key := range graph.RelationKeys(doc, present) {
		if key == (graph.FactKey{}) {
			continue
		}
		if facts[key] == nil {
			facts[key] = &told{Submitted: *doc.Submitted}
			entries = append(entries, indexEntry{factKeyPrefix(key) + doc.ID, facts[key]}, indexEntry{tailKeyPrefix(key) + doc.ID, nil})
		}
		relation := doc.Relations[place]
		facts[key].Relations = append(facts[key].Relations, toldRelation{place, relation.Score, types[relation.Head], types[relation.Tail]})
	}
	return entries
}

func conceptEntries(doc graph.Document, present func(graph.CUI) graph.CUI) (entries []indexEntry) {
	concepts := map[graph.CUI]*named{}
	for _, mention := range doc.Mentions {
		denoted := mention.Denoted()
		if len(denoted) == 0 {
			continue
		}
		cui := present(denoted[0].CUI)
		if concepts[cui] == nil {
			concepts[cui] = &named{Submitted: *doc.Submitted, Name: denoted[0].Name}
			entries = append(entries, indexEntry{conceptsOfDoc + string(cui) + separator + doc.ID, concepts[cui]})
		}
		concepts[cui].Mentions = append(concepts[cui].Mentions, namedMention{mention.Type, mention.Score})
	}
	return entries
}

func setEntries(entries []indexEntry, set func(key, value []byte) error) error {
	for _, entry := range entries {
		var value []byte
		if entry.value != nil {
			var err error
			if value, err = json.Marshal(entry.value); err != nil {
				return err
			}
		}
		if err := set([]byte(entry.key), value); err != nil {
			return err
		}
	}
	return nil
}

// keepIndex makes the index anew if it is of another make than wanted.
func (s *documents) keepIndex(ctx context.Context, kb string) error {
	wanted, present := indexMake{indexVersion, kb}, indexMake{}
	err := s.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get([]byte(makeKey))
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return item.Value(func(value []byte) error { return json.Unmarshal(value, &present) })
	})
	if err != nil || present == wanted {
		return err
	}
	if err := s.db.DropPrefix([]byte(makeKey), []byte(factPrefix), []byte(tailPrefix), []byte(conceptsOfDoc)); err != nil {
		return err
	}
	batch := s.db.NewWriteBatch()
	defer batch.Cancel()
	err = s.db.View(func(txn *badger.Txn) error {
		return scan(ctx, txn, []byte(documentPrefix), []byte(documentPrefix), func(item *badger.Item) (more bool, err error) {
			doc, err := decodeDocument(item)
			if err != nil {
				return false, err
			}
			entries, err := s.indexEntries(ctx, doc)
			if err != nil {
				return false, err
			}
			return true, setEntries(entries, batch.Set)
		})
	})
	if err != nil {
		return err
	}
	value, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	if err := batch.Flush(); err != nil {
		return err
	}
	return s.db.Update(func(txn *badger.Txn) error { return txn.Set([]byte(makeKey), value) })
}
