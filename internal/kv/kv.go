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

// ErrFull is returned, wrapped, when the disk of a database has no room left.
var ErrFull = errors.New("the disk is full")

// Badger writes into files that are mapped into memory and have holes: where the disk
// has no room for what goes there, the process is ended by a signal (SIGBUS). So nothing
// is written that does not leave a reserve, for what Badger itself writes later. What is
// deleted or only marked goes into the reserve.
const (
	reserve     = 256 << 20
	openReserve = 4 << 20 // the heads of the files
)

// Free is how many bytes the disk of a folder has room for. Tests replace it.
var Free = free

const (
	sweepInterval = 10 * time.Minute
	sweepRatio    = 0.5 // rewrite a value log when half of it is garbage
)

// DB is a Badger database. It is safe for concurrent use.
type DB struct {
	*badger.DB
	dir   string
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
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the database %s: %w", dir, err)
	}
	if err := room(dir, openReserve); err != nil {
		return nil, err
	}
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
	opened := &DB{DB: db, dir: dir, stop: make(chan struct{})}
	opened.swept.Go(opened.sweep)
	return opened, nil
}

// Room tells, before something of size is written, whether the disk has room for it.
// The error wraps ErrFull when it has not.
func (db *DB) Room() error { return room(db.dir, reserve) }

func room(dir string, least uint64) error {
	bytes, err := Free(dir)
	if err != nil {
		return fmt.Errorf("asking how much room there is for the database %s: %w", dir, err)
	}
	if bytes < least {
		return fmt.Errorf("writing the database %s: %w: it has room for %d MB, and %d MB must be free", dir, ErrFull, bytes>>20, least>>20)
	}
	return nil
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
