// Package embedded keeps a knowledge base and the documents extracted with it
// in files on this machine, without any server.
package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/kv"
)

// Store is a graph.Store: the documents lie in a database of the data
// directory, the knowledge base is read where it is.
type Store struct {
	graph.Knowledge
	*documents
}

// Exists tells whether there is a store in dir.
func Exists(dir string) bool { return kv.Exists(dir) }

// Open opens the store in dir, making it when there is none, beside the
// knowledge base kb, which stays the caller's to close. One process at a time
// can have a directory open. What documents say over all of them is worked out
// anew when the knowledge base is another one than the last time; when ctx ends in
// the midst of that, the next call does it.
func Open(ctx context.Context, dir string, kb graph.Knowledge) (*Store, error) {
	info, err := kb.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking what the knowledge base is: %w", err)
	}
	db, err := kv.Open(dir, kv.Options{Sync: true})
	if err != nil {
		return nil, err
	}
	succession, _ := kb.(graph.Succession)
	s := &Store{kb, &documents{db, succession}}
	if err := s.keepIndex(ctx, info.Digest); err != nil {
		return nil, errors.Join(fmt.Errorf("indexing the documents of %s: %w", dir, err), db.Close())
	}
	return s, nil
}

// Close closes the documents.
func (s *Store) Close() error { return s.documents.db.Close() }

var _ graph.Store = (*Store)(nil)
