package corpus

import (
	"context"
	"fmt"

	"github.com/keci-kg/keci/internal/parallel"
)

// Map gives what do makes of each example, in their order, on as many examples at once as
// there are processors. An error names the text.
func Map[R any](ctx context.Context, c Corpus, do func(context.Context, Example) (R, error)) ([]R, error) {
	return parallel.Map(ctx, c.Examples, func(ctx context.Context, e Example) (R, error) {
		result, err := do(ctx, e)
		if err != nil {
			err = fmt.Errorf("text %s: %w", e.ID, err)
		}
		return result, err
	})
}
