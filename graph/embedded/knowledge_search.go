package embedded

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/names"
)

// hit is a concept with names that hold some words, and the number of words that
// the shortest of them has at least.
type hit struct {
	length  uint8
	concept graph.CUI
}

const (
	maxPostings = 200_000 // read for the beginning of a word
	maxRanked   = 2_000   // concepts that are looked at in full and found, whatever the limit
)

// Search implements graph.Knowledge. The words of the query are looked for in several
// spellings (names.Spellings), for the index has the names as they are. The last word
// may be the beginning of one. Names equal to the query come first, then those that begin
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
		found, err = k.rank(txn, hits, query, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("searching concepts: %w", err) // without the query: errors are logged
	}
	return found, nil
}

// holding returns the concepts whose names hold all words, short names first.
func holding(ctx context.Context, txn *badger.Txn, wanted []string) ([]hit, error) {
	var hits map[graph.CUI]uint8
	for i, word := range wanted {
		last := i == len(wanted)-1
		next := map[graph.CUI]uint8{}
		for _, word := range names.Spellings(word) {
			err := readPostings(ctx, txn, word, last, func(length uint8, concept graph.CUI) {
				before, kept := hits[concept]
				if hits != nil && !kept {
					return
				}
				length = max(length, before)
				if known, ok := next[concept]; !ok || length < known {
					next[concept] = length
				}
			})
			if err != nil {
				return nil, err
			}
		}
		hits = next
	}
	list := make([]hit, 0, len(hits))
	for cui, length := range hits {
		list = append(list, hit{length, cui})
	}
	slices.SortFunc(list, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.length, b.length), cmp.Compare(a.concept, b.concept))
	})
	return list, nil
}

// readPostings goes through the postings of a word or, for a prefix, of all
// words that begin with it, up to a limit.
func readPostings(ctx context.Context, txn *badger.Txn, word string, isPrefix bool, each func(length uint8, concept graph.CUI)) error {
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
			return eachPosting(value, func(length uint8, concept graph.CUI) {
				each(length, concept)
				read++
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rank reads the likeliest concepts and orders them by their best name.
func (k *Knowledge) rank(txn *badger.Txn, hits []hit, query string, limit int) ([]graph.Concept, error) {
	hits = hits[:min(len(hits), maxRanked)]
	concepts := make([]graph.Concept, 0, len(hits))
	for _, hit := range hits {
		c, err := k.readConcept(txn, hit.concept)
		if err != nil {
			return nil, err
		}
		concepts = append(concepts, c)
	}
	names.Rank(concepts, query)
	return concepts[:min(limit, len(concepts))], nil
}
