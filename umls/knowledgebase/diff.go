package knowledgebase

import (
	"context"
	"iter"
	"path/filepath"

	"github.com/keci-kg/keci/graph/embedded"
)

// Diff compares the knowledge bases of two folders; see embedded.Diff.
func Diff(ctx context.Context, older, newer string) iter.Seq2[embedded.Change, error] {
	return func(yield func(embedded.Change, error) bool) {
		from, err := openStore(ctx, older)
		if err != nil {
			yield(embedded.Change{}, err)
			return
		}
		defer from.Close()
		to, err := openStore(ctx, newer)
		if err != nil {
			yield(embedded.Change{}, err)
			return
		}
		defer to.Close()
		embedded.Diff(ctx, from, to)(yield)
	}
}

// openStore opens the store of a whole knowledge base folder.
func openStore(ctx context.Context, dir string) (*embedded.Knowledge, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if err := m.check(ctx, dir); err != nil {
		return nil, err
	}
	return embedded.OpenKnowledge(filepath.Join(dir, storeFolder))
}
