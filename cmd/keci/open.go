package main

import (
	"context"

	"github.com/keci-kg/keci/linker"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// openKnowledgeBase opens a knowledge base folder, or the one in the program
// when dir is empty.
func openKnowledgeBase(ctx context.Context, dir string, options ...linker.Option) (*knowledgebase.KnowledgeBase, error) {
	if dir == "" {
		return knowledgebase.OpenDefault(ctx, options...)
	}
	return knowledgebase.Open(ctx, dir, options...)
}
