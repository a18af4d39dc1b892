// Package embedded keeps a knowledge base and the documents extracted with it
// in files on this machine, without any server.
package embedded

import (
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/kv"
)

// Store is a graph.Store: the documents lie in a database of the data
// directory, the knowledge base is read where it is.
type Store struct {
	graph.Knowledge
	*documents
}

// Open opens the store in dir, making it when there is none, beside the
// knowledge base kb, which stays the caller's to close. One process at a time
// can have a directory open.
func Open(dir string, kb graph.Knowledge) (*Store, error) {
	db, err := kv.Open(dir, kv.Options{Sync: true})
	if err != nil {
		return nil, err
	}
	succession, _ := kb.(graph.Succession)
	return &Store{kb, &documents{db, succession}}, nil
}

// Close closes the documents.
func (s *Store) Close() error { return s.documents.db.Close() }

var _ graph.Store = (*Store)(nil)
