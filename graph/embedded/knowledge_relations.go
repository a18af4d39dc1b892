package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
)

// chunkRelations is how many relations an entry holds, so that few of those of a
// concept with a hundred thousand need be read.
const chunkRelations = 256

func relationPrefix(tag string, end graph.CUI) []byte { return []byte(tag + string(end) + nul) }

// chunkWriter writes the relations of one end in entries of chunkRelations. Those
// with the same other end are in one entry.
type chunkWriter struct {
	tag   string
	put   func(key, value []byte) error
	cui   func(ordinal uint32) graph.CUI
	end   uint32 // whose relations are gathered
	other uint32 // of the last relation
	last  uint32 // number of other
	count int
	value []byte
}

func (w *chunkWriter) add(l link) error {
	if w.count > 0 && (l.from != w.end || w.count >= chunkRelations && l.to != w.other) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.end, w.other = l.from, l.to
	w.value = appendReference(w.value, referenceTo(w.cui(l.to)), &w.last)
	w.value = binary.AppendUvarint(w.value, uint64(l.kind))
	w.count++
	return nil
}

func (w *chunkWriter) flush() error {
	if w.count == 0 {
		return nil
	}
	err := w.put(append(relationPrefix(w.tag, w.cui(w.end)), w.cui(w.other)...), w.value)
	w.value, w.count, w.last = w.value[:0], 0, 0
	return err
}

// eachRelation decodes an entry of relations: the other end of each, and the rest.
func (k *Knowledge) eachRelation(value []byte, each func(other reference, kind relationKind)) error {
	d := decoder{rest: string(value)}
	last := uint32(0)
	for d.rest != "" && !d.failed {
		other := d.reference(&last)
		if kind := k.shared.kind(&d); !d.failed {
			each(other, kind)
		}
	}
	return d.err()
}

// Neighbors implements graph.Knowledge.
func (k *Knowledge) Neighbors(ctx context.Context, cui graph.CUI, limit int) (relations []graph.Relation, err error) {
	if limit <= 0 {
		return nil, nil
	}
	err = k.view(ctx, func(txn *badger.Txn) error {
		switch r, err := readRetired(txn, cui); {
		case err == nil:
			cui = r.Into
		case !errors.Is(err, graph.ErrNotFound):
			return err
		}
		if relations, err = k.relationsOf(txn, outTag, cui); err != nil {
			return err
		}
		incoming, err := k.relationsOf(txn, inTag, cui)
		relations = append(relations, incoming...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("neighbors of %s: %w", cui, err)
	}
	slices.SortFunc(relations, graph.Relation.CompareLabels)
	return relations[:min(limit, len(relations))], nil
}

// relationsOf reads the relations with the concept as head (outTag) or tail (inTag).
func (k *Knowledge) relationsOf(txn *badger.Txn, tag string, cui graph.CUI) (relations []graph.Relation, err error) {
	it := newKeyIterator(txn, relationPrefix(tag, cui))
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		err := it.Item().Value(func(value []byte) error {
			return k.eachRelation(value, func(other reference, kind relationKind) {
				if tag == outTag {
					relations = append(relations, kind.between(cui, other.cui()))
				} else {
					relations = append(relations, kind.between(other.cui(), cui))
				}
			})
		})
		if err != nil {
			return nil, err
		}
	}
	return relations, nil
}

// relationsAmong reads the relations between the concepts, which are sorted, in
// order of head, label and tail.
func (k *Knowledge) relationsAmong(ctx context.Context, txn *badger.Txn, concepts []graph.Concept) ([]graph.Relation, error) {
	wanted := make(map[reference]graph.CUI, len(concepts))
	for _, c := range concepts {
		wanted[referenceTo(c.CUI)] = c.CUI
	}
	relations := []graph.Relation{}
	it := newKeyIterator(txn, []byte(outTag))
	defer it.Close()
	for _, head := range concepts {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		err := eachChunkTo(it, relationPrefix(outTag, head.CUI), concepts, func(value []byte) error {
			return k.eachRelation(value, func(other reference, kind relationKind) {
				if tail, is := wanted[other]; is {
					relations = append(relations, kind.between(head.CUI, tail))
				}
			})
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(relations, graph.Relation.Compare)
	return relations, nil
}

// eachChunkTo visits those of the entries with a prefix that may hold relations
// to one of the concepts, which are sorted.
func eachChunkTo(it *badger.Iterator, prefix []byte, concepts []graph.Concept, visit func(value []byte) error) error {
	seek := func(cui graph.CUI) { it.Seek(append(slices.Clip(prefix), cui...)) }
	if len(concepts) > 0 {
		seek(concepts[0].CUI)
	}
	for len(concepts) > 0 && it.ValidForPrefix(prefix) {
		last := graph.CUI(it.Item().Key()[len(prefix):])
		if concepts[0].CUI > last { // the entry after the one before is not yet it
			seek(concepts[0].CUI)
			continue
		}
		if err := it.Item().Value(visit); err != nil {
			return err
		}
		beyond, _ := slices.BinarySearchFunc(concepts, last, func(c graph.Concept, cui graph.CUI) int {
			if c.CUI <= cui {
				return -1
			}
			return 1
		})
		concepts = concepts[beyond:]
		it.Next()
	}
	return nil
}

// Relations implements graph.Release.
func (k *Knowledge) Relations(ctx context.Context) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		for chunk, err := range entries(ctx, k, outTag, k.decodeChunk) {
			if err != nil {
				yield(graph.Relation{}, err)
				return
			}
			for _, r := range chunk {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// decodeChunk gives the relations of an entry, whose key is given without the tag.
func (k *Knowledge) decodeChunk(rest string, value []byte) (chunk []graph.Relation, err error) {
	head, _, found := bytes.Cut([]byte(rest), []byte(nul))
	if !found {
		return nil, errDamagedEntry
	}
	return chunk, k.eachRelation(value, func(other reference, kind relationKind) {
		chunk = append(chunk, kind.between(graph.CUI(head), other.cui()))
	})
}
