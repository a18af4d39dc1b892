// Package kv opens Badger the way keci uses it: quiet, with little memory, and
// sweeping its garbage in the background.
package kv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// Options are the choices that differ between the databases of keci.
type Options struct {
	// Sync makes a write wait until the disk has it, so that what was
	// acknowledged survives a crash of the machine.
	Sync bool
}

const (
	sweepInterval = 10 * time.Minute
	sweepRatio    = 0.5 // rewrite a value log when half of it is garbage
)

// DB is a Badger database. It is safe for concurrent use.
type DB struct {
	*badger.DB
	stop  chan struct{}
	swept sync.WaitGroup
}

// Exists tells whether there is a database in dir.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, badger.ManifestFilename))
	return err == nil
}

// Open opens the database in dir, making it when there is none. One process at
// a time can have it open.
func Open(dir string, options Options) (*DB, error) {
	db, err := badger.Open(badger.DefaultOptions(dir).
		WithLogger(nil).
		WithSyncWrites(options.Sync).
		WithNumMemtables(2).
		WithBlockCacheSize(16 << 20).
		WithIndexCacheSize(16 << 20).
		WithValueThreshold(4 << 10).
		WithValueLogFileSize(128 << 20).
		WithNumCompactors(2).
		WithCompactL0OnClose(false))
	if err != nil {
		if strings.Contains(err.Error(), "directory lock") {
			err = fmt.Errorf("another process has it open; stop that one or choose another directory: %w", err)
		}
		return nil, fmt.Errorf("opening the database %s: %w", dir, err)
	}
	opened := &DB{DB: db, stop: make(chan struct{})}
	opened.swept.Go(opened.sweep)
	return opened, nil
}

// sweep gives the space of deleted and expired values back from time to time.
func (db *DB) sweep() {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-db.stop:
			return
		case <-ticker.C:
			for db.RunValueLogGC(sweepRatio) == nil {
			}
		}
	}
}

// Close ends the sweeping and closes the database; repeated calls are errors of
// the caller.
func (db *DB) Close() error {
	close(db.stop)
	db.swept.Wait()
	return db.DB.Close()
}

// UpdateRetrying runs a read-write transaction, again when another one came
// between, until it is through or fails for another reason.
func (db *DB) UpdateRetrying(do func(*badger.Txn) error) error {
	for {
		if err := db.Update(do); !errors.Is(err, badger.ErrConflict) {
			return err
		}
	}
}
