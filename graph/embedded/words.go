package embedded

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/names"
	"github.com/keci-kg/keci/internal/spill"
)

// posting says that a concept, told by its place among all, has a name that holds
// some word, and how many words the shortest such name has: short names are the
// likelier answers.
type posting struct {
	length  uint8
	concept uint32
}

func comparePostings(a, b posting) int {
	return cmp.Or(cmp.Compare(a.length, b.length), cmp.Compare(a.concept, b.concept))
}

const (
	postingsPerEntry  = 1 << 15 // keeps an entry below maxEntry
	postingsPerBuffer = 1 << 21 // bounds the memory of a build to some 50 MB
)

// wordIndex gathers postings and sorts chunks of them on disk, so that its memory
// is bounded whatever the size of the knowledge base.
type wordIndex struct {
	cui      func(ordinal uint32) graph.CUI
	postings map[string][]posting
	count    int
	chunks   *spill.Sorter // of the keys of entries with their values
	chunk    uint32
}

func newWordIndex(scratch string, cui func(uint32) graph.CUI) *wordIndex {
	return &wordIndex{cui: cui, postings: map[string][]posting{}, chunks: spill.New(context.Background(), scratch)}
}

func (w *wordIndex) close() { w.chunks.Close() }

func (w *wordIndex) add(c graph.Concept, ordinal uint32) error {
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
	for word, length := range shortest {
		list, known := w.postings[word]
		if !known {
			word = strings.Clone(word) // a part of a name, which need not stay for it
		}
		w.postings[word] = append(list, posting{length, ordinal})
		w.count++
	}
	if w.count >= postingsPerBuffer {
		return w.flush()
	}
	return nil
}

// flush sends what is gathered to the sorter.
func (w *wordIndex) flush() error {
	for _, word := range slices.Sorted(maps.Keys(w.postings)) {
		list := w.postings[word]
		slices.SortFunc(list, comparePostings)
		for part := range slices.Chunk(list, postingsPerEntry) {
			if err := w.chunks.Add(string(w.appendPostings(wordKey(word, w.chunk), part))); err != nil {
				return fmt.Errorf("indexing the word %q: %w", word, err)
			}
			w.chunk++
		}
	}
	clear(w.postings)
	w.count = 0
	return nil
}

// appendPostings encodes sorted postings: for each length of names the length, the
// number of concepts and the concepts.
func (w *wordIndex) appendPostings(to []byte, list []posting) []byte {
	for len(list) > 0 {
		length := list[0].length
		n := slices.IndexFunc(list, func(p posting) bool { return p.length != length })
		if n < 0 {
			n = len(list)
		}
		to = binary.AppendUvarint(append(to, length), uint64(n))
		last := uint32(0)
		for _, p := range list[:n] {
			to = appendReference(to, referenceTo(w.cui(p.concept)), &last)
		}
		list = list[n:]
	}
	return to
}

// writeTo writes all entries in order.
func (w *wordIndex) writeTo(ctx context.Context, put func(key, value []byte) error) error {
	if err := w.flush(); err != nil {
		return err
	}
	w.postings = nil
	for record, err := range w.chunks.Sorted() {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		end := strings.Index(record, nul) + len(nul) + chunkNumberBytes
		if err := put([]byte(record[:end]), []byte(record[end:])); err != nil {
			return fmt.Errorf("indexing the word %q: %w", record[:end], err)
		}
	}
	return nil
}

const chunkNumberBytes = 4

// wordKey cuts words that are longer than any that is searched for, because
// Badger limits the size of keys.
func wordKey(word string, chunk uint32) []byte {
	return binary.BigEndian.AppendUint32(append(wordPrefix(word), nul...), chunk)
}

func wordPrefix(word string) []byte { return []byte(wordTag + word[:min(len(word), 256)]) }

// eachPosting decodes an entry.
func eachPosting(value []byte, each func(length uint8, concept graph.CUI)) error {
	d := decoder{rest: string(value)}
	for d.rest != "" && !d.failed {
		length := d.bytes(1)
		last := uint32(0)
		for range d.count() {
			if concept := d.reference(&last); !d.failed {
				each(length[0], concept.cui())
			}
		}
	}
	return d.err()
}
