package jobs

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/internal/kv"
)

// storage keeps jobs in a Badger database with four kinds of entry:
//
//	j id              → the record of the job, as JSON
//	k client NUL key  → what a key stands for, as JSON
//	t id number       → a task without a result
//	r id number       → a result; the mark failedMark on it if it is a failure
//
// Ids are of one length and in order of time; numbers are of four bytes, the
// most significant first.
type storage struct{ db *kv.DB }

const (
	jobPrefix    = 'j'
	keyPrefix    = 'k'
	taskPrefix   = 't'
	resultPrefix = 'r'

	failedMark byte = 1
)

// record is a job as it is kept.
type record struct {
	Job
	Spec Spec `json:"spec"`
}

// keyed is what a key stands for.
type keyed struct {
	Job    string `json:"job"`
	Digest []byte `json:"digest"` // of the options and the tasks
}

func jobKey(id string) []byte { return append([]byte{jobPrefix}, id...) }

func keyKey(client, key string) []byte {
	return append([]byte{keyPrefix}, client+"\x00"+key...)
}

func prefixOf(kind byte, id string) []byte { return append([]byte{kind}, id...) }

func numbered(kind byte, id string, number int) []byte {
	return binary.BigEndian.AppendUint32(prefixOf(kind, id), uint32(number))
}

// read gives the record of a job.
func (s storage) read(id string) (r record, err error) {
	err = s.db.View(func(txn *badger.Txn) error { return readJSON(txn, jobKey(id), &r) })
	if err != nil {
		return r, fmt.Errorf("reading job %q: %w", id, err)
	}
	return r, nil
}

// readJSON reads an entry; the error wraps ErrNotFound when there is none.
func readJSON(txn *badger.Txn, key []byte, value any) error {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return ErrNotFound
	}
	if err != nil {
		return err
	}
	return item.Value(func(data []byte) error { return json.Unmarshal(data, value) })
}

func writeJSON(txn *badger.Txn, key []byte, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return txn.Set(key, data)
}

// create makes a job known whose tasks have been written. When its key has come
// to stand for another one in between, that one is given.
func (s storage) create(r record, digest []byte) (other *keyed, err error) {
	err = s.db.UpdateRetrying(func(txn *badger.Txn) error {
		if r.Spec.Key != "" {
			key, known := keyKey(r.Spec.Client, r.Spec.Key), keyed{}
			if err := readJSON(txn, key, &known); err == nil {
				other = &known
				return nil
			} else if !errors.Is(err, ErrNotFound) {
				return err
			}
			if err := writeJSON(txn, key, keyed{r.ID, digest}); err != nil {
				return err
			}
		}
		return writeJSON(txn, jobKey(r.ID), r)
	})
	if err == nil && other == nil {
		err = s.db.Sync()
	}
	if err != nil {
		return nil, fmt.Errorf("writing a job: %w", err)
	}
	return other, nil
}

// update writes the record of a job, unless it was removed.
func (s storage) update(r record) error {
	err := s.db.UpdateRetrying(func(txn *badger.Txn) error {
		if _, err := txn.Get(jobKey(r.ID)); err != nil {
			return ignore(err, badger.ErrKeyNotFound)
		}
		return writeJSON(txn, jobKey(r.ID), r)
	})
	if err != nil {
		return fmt.Errorf("writing job %s: %w", r.ID, err)
	}
	return nil
}

// key gives what a key of a client stands for; known is false for nothing.
func (s storage) key(client, key string) (stands keyed, known bool, err error) {
	err = s.db.View(func(txn *badger.Txn) error { return readJSON(txn, keyKey(client, key), &stands) })
	if errors.Is(err, ErrNotFound) {
		return stands, false, nil
	}
	if err != nil {
		return stands, false, fmt.Errorf("reading the key of a job: %w", err)
	}
	return stands, true, nil
}

// task reads a task.
func (s storage) task(id string, number int) ([]byte, error) {
	data, found, err := s.value(numbered(taskPrefix, id, number))
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading task %d of job %s: %w", number, id, err)
	}
	return data, nil
}

// result reads a result; found is false when it is not there.
func (s storage) result(id string, number int) (data []byte, found bool, err error) {
	data, found, err = s.value(numbered(resultPrefix, id, number))
	if err != nil {
		return nil, false, fmt.Errorf("reading result %d of job %s: %w", number, id, err)
	}
	return data, found, nil
}

func (s storage) value(key []byte) (data []byte, found bool, err error) {
	err = s.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key)
		if err != nil {
			return ignore(err, badger.ErrKeyNotFound)
		}
		data, err = item.ValueCopy(nil)
		found = err == nil
		return err
	})
	return data, found, err
}

// hasResult reports whether a task is done.
func (s storage) hasResult(id string, number int) (found bool, err error) {
	err = s.db.View(func(txn *badger.Txn) error {
		_, err := txn.Get(numbered(resultPrefix, id, number))
		found = err == nil
		return ignore(err, badger.ErrKeyNotFound)
	})
	return found, err
}

// finish puts a result in the place of a task, unless the job was removed.
func (s storage) finish(id string, number int, result Result) error {
	entry := badger.NewEntry(numbered(resultPrefix, id, number), result.Data)
	if result.Failed {
		entry = entry.WithMeta(failedMark)
	}
	err := s.db.UpdateRetrying(func(txn *badger.Txn) error {
		if _, err := txn.Get(jobKey(id)); err != nil {
			return ignore(err, badger.ErrKeyNotFound)
		}
		if err := txn.SetEntry(entry); err != nil {
			return err
		}
		return txn.Delete(numbered(taskPrefix, id, number))
	})
	if err != nil {
		return fmt.Errorf("writing result %d of job %s: %w", number, id, err)
	}
	return nil
}

// progress counts the results of a job, and the failures among them.
func (s storage) progress(id string) (done, failed int, err error) {
	err = s.scan(prefixOf(resultPrefix, id), false, nil, func(item *badger.Item) (more bool, err error) {
		done++
		if item.UserMeta() == failedMark {
			failed++
		}
		return true, nil
	})
	return done, failed, err
}

// records visits the records of jobs, the newest first, those before an id
// unless it is empty.
func (s storage) records(before string, visit func(record) (more bool)) error {
	from := append(jobKey(before), 0)
	if before == "" {
		from = []byte{jobPrefix + 1}
	}
	return s.scan([]byte{jobPrefix}, true, from, func(item *badger.Item) (more bool, err error) {
		var r record
		if err := item.Value(func(data []byte) error { return json.Unmarshal(data, &r) }); err != nil {
			return false, fmt.Errorf("reading the record %q: %w", item.Key(), err)
		}
		if r.ID == before {
			return true, nil
		}
		return visit(r), nil
	})
}

// scan visits the entries with a prefix, from a key on unless it is nil.
func (s storage) scan(prefix []byte, backwards bool, from []byte, visit func(*badger.Item) (more bool, err error)) error {
	if from == nil {
		from = prefix
	}
	return s.db.View(func(txn *badger.Txn) error {
		entries := txn.NewIterator(badger.IteratorOptions{Reverse: backwards})
		defer entries.Close()
		entries.Seek(from)
		if backwards && entries.Valid() && !entries.ValidForPrefix(prefix) {
			entries.Next() // Seek found the first key beyond the prefix itself
		}
		for ; entries.ValidForPrefix(prefix); entries.Next() {
			if more, err := visit(entries.Item()); err != nil || !more {
				return err
			}
		}
		return nil
	})
}

// remove removes a job; what hangs on it is left for erase.
func (s storage) remove(r record) error {
	err := s.db.UpdateRetrying(func(txn *badger.Txn) error {
		if r.Spec.Key != "" {
			if err := txn.Delete(keyKey(r.Spec.Client, r.Spec.Key)); err != nil {
				return err
			}
		}
		return txn.Delete(jobKey(r.ID))
	})
	if err != nil {
		return fmt.Errorf("removing job %s: %w", r.ID, err)
	}
	return nil
}

// erase removes the tasks and, if told so, the results of a job.
func (s storage) erase(id string, results bool) error {
	batch := s.db.NewWriteBatch()
	defer batch.Cancel()
	kinds := []byte{taskPrefix}
	if results {
		kinds = append(kinds, resultPrefix)
	}
	for _, kind := range kinds {
		err := s.scan(prefixOf(kind, id), false, nil, func(item *badger.Item) (more bool, err error) {
			return true, batch.Delete(item.KeyCopy(nil))
		})
		if err != nil {
			return fmt.Errorf("removing what job %s leaves: %w", id, err)
		}
	}
	if err := batch.Flush(); err != nil {
		return fmt.Errorf("removing what job %s leaves: %w", id, err)
	}
	return nil
}

// idBytes is the length of an id.
const idBytes = 36

// orphans are the jobs of which there are tasks or results and no record: those
// that were being made or removed when the program ended.
func (s storage) orphans() (ids []string, err error) {
	err = s.db.View(func(txn *badger.Txn) error {
		entries := txn.NewIterator(badger.IteratorOptions{})
		defer entries.Close()
		for _, kind := range []byte{taskPrefix, resultPrefix} {
			for entries.Seek([]byte{kind}); entries.ValidForPrefix([]byte{kind}); {
				id := string(entries.Item().Key()[1 : 1+idBytes])
				if _, err := txn.Get(jobKey(id)); errors.Is(err, badger.ErrKeyNotFound) {
					ids = append(ids, id)
				} else if err != nil {
					return err
				}
				entries.Seek(append(prefixOf(kind, id), bytes.Repeat([]byte{0xFF}, 5)...)) // the next job
			}
		}
		return nil
	})
	return ids, err
}

func ignore(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}
