package embedded

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/names"
)

// posting says that a concept has a name that holds some word, and how many
// words the shortest such name has: short names are the likelier answers.
type posting struct {
	length  uint8
	concept graph.CUI
}

func comparePostings(a, b posting) int {
	return cmp.Or(cmp.Compare(a.length, b.length), cmp.Compare(a.concept, b.concept))
}

const (
	postingsPerEntry  = 1 << 15 // keeps an entry below maxEntry
	postingsPerBuffer = 1 << 20 // bounds the memory of a build to some 50 MB
)

// wordIndex gathers postings and writes them in chunks, so that its memory is
// bounded whatever the size of the knowledge base.
type wordIndex struct {
	write    func(key, value []byte) error
	postings map[string][]posting
	count    int
	chunk    uint32
}

func (w *wordIndex) add(c graph.Concept) error {
	shortest := map[string]uint8{}
	note := func(name string) {
		list := names.Words(name)
		length := uint8(min(len(list), 255))
		for _, word := range list {
			if known, ok := shortest[word]; !ok || length < known {
				shortest[word] = length
			}
		}
	}
	note(c.Name)
	for _, name := range c.Synonyms {
		note(name)
	}
	if w.postings == nil {
		w.postings = map[string][]posting{}
	}
	for word, length := range shortest {
		w.postings[word] = append(w.postings[word], posting{length, c.CUI})
		w.count++
	}
	if w.count >= postingsPerBuffer {
		return w.flush()
	}
	return nil
}

func (w *wordIndex) flush() error {
	for _, word := range slices.Sorted(maps.Keys(w.postings)) {
		list := w.postings[word]
		slices.SortFunc(list, comparePostings)
		for part := range slices.Chunk(list, postingsPerEntry) {
			var value []byte
			for _, p := range part {
				value = append(value, p.length)
				value = appendString(value, p.concept)
			}
			if err := w.write(wordKey(word, w.chunk), value); err != nil {
				return fmt.Errorf("indexing the word %q: %w", word, err)
			}
			w.chunk++
		}
	}
	w.postings, w.count = nil, 0
	return nil
}

// wordKey cuts words that are longer than any that is searched for, because
// Badger limits the size of keys.
func wordKey(word string, chunk uint32) []byte {
	return binary.BigEndian.AppendUint32(append(wordPrefix(word), nul...), chunk)
}

func wordPrefix(word string) []byte { return []byte(wordTag + word[:min(len(word), 256)]) }

const (
	maxPostings = 200_000 // read for the beginning of a word
	maxRanked   = 2_000   // concepts that are looked at in full
)

// Search implements graph.Knowledge. The last word of the query may be the
// beginning of one. Names equal to the query come first, then those that begin
// with it, then the others; among equals preferred names, then short ones.
func (k *Knowledge) Search(ctx context.Context, query string, limit int) (found []graph.Concept, err error) {
	wanted := names.Words(query)
	if len(wanted) == 0 || limit <= 0 {
		return []graph.Concept{}, nil
	}
	err = k.view(ctx, func(txn *badger.Txn) error {
		hits, err := holding(ctx, txn, wanted)
		if err != nil {
			return err
		}
		found, err = rank(txn, hits, query, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("searching %q: %w", query, err)
	}
	return found, nil
}

// holding returns the concepts whose names hold all words, short names first.
func holding(ctx context.Context, txn *badger.Txn, wanted []string) ([]posting, error) {
	var hits map[graph.CUI]uint8
	for i, word := range wanted {
		last := i == len(wanted)-1
		next := map[graph.CUI]uint8{}
		err := readPostings(ctx, txn, word, last, func(p posting) {
			length, kept := hits[p.concept]
			if hits != nil && !kept {
				return
			}
			length = max(length, p.length)
			if known, ok := next[p.concept]; !ok || length < known {
				next[p.concept] = length
			}
		})
		if err != nil {
			return nil, err
		}
		hits = next
	}
	list := make([]posting, 0, len(hits))
	for cui, length := range hits {
		list = append(list, posting{length, cui})
	}
	slices.SortFunc(list, comparePostings)
	return list, nil
}

// readPostings goes through the postings of a word or, for a prefix, of all
// words that begin with it, up to a limit.
func readPostings(ctx context.Context, txn *badger.Txn, word string, isPrefix bool, each func(posting)) error {
	prefix := wordPrefix(word)
	if !isPrefix {
		prefix = append(prefix, nul...)
	}
	it := newKeyIterator(txn, prefix)
	defer it.Close()
	read := 0
	for it.Rewind(); it.Valid() && (!isPrefix || read < maxPostings); it.Next() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := it.Item().Value(func(value []byte) error {
			d := decoder{rest: string(value)}
			for d.rest != "" && !d.failed {
				length := d.rest[0]
				d.rest = d.rest[1:]
				each(posting{length, graph.CUI(d.string())})
				read++
			}
			return d.err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rank reads the likeliest concepts and orders them by their best name.
func rank(txn *badger.Txn, hits []posting, query string, limit int) ([]graph.Concept, error) {
	hits = hits[:min(len(hits), max(maxRanked, limit))]
	concepts := make([]graph.Concept, 0, len(hits))
	for _, hit := range hits {
		c, err := readConcept(txn, hit.concept)
		if err != nil {
			return nil, err
		}
		concepts = append(concepts, c)
	}
	names.Rank(concepts, query)
	return concepts[:min(limit, len(concepts))], nil
}
