package main

import (
	"context"
	"errors"

	"github.com/keci-kg/keci/umls/knowledgebase"
)

// openKnowledgeBase opens a knowledge base folder, or the one in the program
// when dir is empty.
func openKnowledgeBase(_ context.Context, dir string) (*knowledgebase.KnowledgeBase, error) {
	if dir == "" {
		return nil, errors.New("--kb is missing")
	}
	return knowledgebase.Open(dir)
}
