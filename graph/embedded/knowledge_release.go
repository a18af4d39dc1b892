package embedded

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
)

var _ graph.Release = (*Knowledge)(nil)

// Network implements graph.Release.
func (k *Knowledge) Network() ([]graph.SemanticType, []graph.TypeRelation) {
	types := slices.SortedFunc(maps.Values(k.types), func(a, b graph.SemanticType) int { return cmp.Compare(a.TUI, b.TUI) })
	var relations []graph.TypeRelation
	for _, head := range slices.Sorted(maps.Keys(k.typeRelations)) {
		relations = append(relations, k.typeRelations[head]...)
	}
	return types, relations
}

// Concepts implements graph.Release.
func (k *Knowledge) Concepts(ctx context.Context) iter.Seq2[graph.Concept, error] {
	return entries(ctx, k, conceptTag, func(rest string, value []byte) (graph.Concept, error) {
		return k.shared.decodeConcept(graph.CUI(rest), value)
	})
}

// Retired implements graph.Release.
func (k *Knowledge) Retired(ctx context.Context) iter.Seq2[graph.Retired, error] {
	return entries(ctx, k, retiredTag, func(rest string, value []byte) (graph.Retired, error) {
		return decodeRetired(graph.CUI(rest), value)
	})
}

// entries goes through the entries of a tag; decode gets the key after the tag.
func entries[T any](ctx context.Context, k *Knowledge, tag string, decode func(rest string, value []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		stopped := false
		err := k.view(ctx, func(txn *badger.Txn) error {
			options := badger.DefaultIteratorOptions
			options.Prefix = []byte(tag)
			it := txn.NewIterator(options)
			defer it.Close()
			for it.Rewind(); it.Valid() && !stopped; it.Next() {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				var item T
				err := it.Item().Value(func(value []byte) (err error) {
					item, err = decode(string(it.Item().Key()[len(tag):]), value)
					return err
				})
				if err != nil {
					return fmt.Errorf("reading the entry %q: %w", it.Item().Key(), err)
				}
				stopped = !yield(item, nil)
			}
			return nil
		})
		if err != nil && !stopped {
			var none T
			yield(none, err)
		}
	}
}
