package embedded

import (
	"bytes"
	"fmt"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/ristretto/v2/z"
)

// tableWriter writes the tables of a database from entries that come in order of
// key, for each tag (the first byte of the key) by itself. Nothing is written twice
// and nothing compacted, as it would be with transactions.
type tableWriter struct {
	stream *badger.StreamWriter
	batch  *z.Buffer
	last   map[byte][]byte // key of each tag
}

// maxEntry is the size in bytes that no value may reach: Badger would put it
// into a value log, and a knowledge base has none.
const maxEntry = 1 << 20

const batchBytes = 1 << 20

func newTableWriter(db *badger.DB) (*tableWriter, error) {
	w := &tableWriter{stream: db.NewStreamWriter(), batch: z.NewBuffer(2*batchBytes, "knowledge"), last: map[byte][]byte{}}
	return w, w.stream.Prepare()
}

// put writes an entry, whose key comes after all of the same tag.
func (w *tableWriter) put(key, value []byte) error {
	if len(value) >= maxEntry {
		return fmt.Errorf("it takes %d bytes, more than the %d that fit", len(value), maxEntry)
	}
	tag := key[0]
	if last := w.last[tag]; bytes.Compare(key, last) <= 0 {
		return fmt.Errorf("the entry %q comes after %q", key, last)
	}
	w.last[tag] = append(w.last[tag][:0], key...)
	badger.KVToBuffer(&pb.KV{Key: key, Value: value, Version: 1, StreamId: uint32(tag)}, w.batch)
	if w.batch.LenNoPadding() < batchBytes {
		return nil
	}
	return w.flush()
}

// done tells that there are no more entries of a tag, which frees its memory.
func (w *tableWriter) done(tag string) error {
	badger.KVToBuffer(&pb.KV{StreamId: uint32(tag[0]), StreamDone: true}, w.batch)
	return w.flush()
}

func (w *tableWriter) flush() error {
	err := w.stream.Write(w.batch)
	w.batch.Reset()
	return err
}

// finish writes what is left.
func (w *tableWriter) finish() error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.stream.Flush()
}

// close ends the writing; after finish it only frees memory.
func (w *tableWriter) close(finished bool) error {
	if !finished {
		w.stream.Cancel()
	}
	return w.batch.Release()
}
