package api

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/internal/kv"
)

// CacheOptions bound a Cache.
type CacheOptions struct {
	TTL      time.Duration // an answer is forgotten after this time; 0 keeps it
	MaxBytes int64         // no answer is added while the cache is larger; 0 is no bound
}

// Cache keeps answers on disk, so that the same question is answered with the
// same bytes without being worked out again, also after a restart. It is safe
// for concurrent use.
type Cache struct {
	db      *kv.DB
	options CacheOptions
}

// OpenCache opens the cache in dir, making it when there is none.
func OpenCache(dir string, options CacheOptions) (*Cache, error) {
	db, err := kv.Open(dir, kv.Options{})
	if err != nil {
		return nil, err
	}
	return &Cache{db, options}, nil
}

// Close writes out what is pending and closes the cache.
func (c *Cache) Close() error { return c.db.Close() }

// get reads the answer of key, if there is one. What read is given holds while it
// runs, so that an answer is copied once at most.
func (c *Cache) get(key cacheKey, read func(answer []byte) error) (found bool, err error) {
	err = c.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get(key[:])
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		err = item.Value(read)
		found = err == nil
		return err
	})
	if err != nil {
		return false, fmt.Errorf("reading the response cache: %w", err)
	}
	return found, nil
}

// put keeps the answer of key, unless the cache is full.
func (c *Cache) put(key cacheKey, answer []byte) error {
	if index, values := c.db.Size(); c.options.MaxBytes > 0 && index+values > c.options.MaxBytes {
		return nil
	}
	if err := c.db.Room(); err != nil {
		return err
	}
	entry := badger.NewEntry(key[:], answer)
	if c.options.TTL > 0 {
		entry = entry.WithTTL(c.options.TTL)
	}
	if err := c.db.Update(func(txn *badger.Txn) error { return txn.SetEntry(entry) }); err != nil {
		return fmt.Errorf("writing the response cache: %w", err)
	}
	return nil
}

// cacheKey identifies a question.
type cacheKey [sha256.Size]byte

// newCacheKey hashes the parts of a question; each part is preceded by its
// length, so that no two questions run together.
func newCacheKey(parts ...string) (key cacheKey) {
	hash := sha256.New()
	for _, part := range parts {
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	hash.Sum(key[:0])
	return key
}
