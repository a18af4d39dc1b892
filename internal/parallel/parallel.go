// Package parallel does one thing to many items.
package parallel

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Map gives what do makes of each item, in their order, on as many items at once
// as there are processors. The first error cancels the context of the others and
// is returned.
func Map[T, R any](ctx context.Context, items []T, do func(context.Context, T) (R, error)) ([]R, error) {
	results := make([]R, len(items))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, item := range items {
		group.Go(func() (err error) {
			results[i], err = do(ctx, item)
			return err
		})
	}
	return results, group.Wait()
}
