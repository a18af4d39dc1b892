package parallel

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestMap(t *testing.T) {
	squares, err := Map(t.Context(), []int{3, 1, 2}, func(_ context.Context, n int) (int, error) { return n * n, nil })
	if err != nil || !slices.Equal(squares, []int{9, 1, 4}) {
		t.Errorf("squares are %v, %v", squares, err)
	}
}

func TestMapFails(t *testing.T) {
	fault := errors.New("three is too many")
	_, err := Map(t.Context(), []int{1, 2, 3}, func(ctx context.Context, n int) (int, error) {
		if n == 3 {
			return 0, fault
		}
		return n, nil
	})
	if !errors.Is(err, fault) {
		t.Errorf("error %v, want %v", err, fault)
	}
}
