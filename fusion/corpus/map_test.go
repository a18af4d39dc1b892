package corpus

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestMap(t *testing.T) {
	c := Corpus{Examples: []Example{{ID: "a", Text: "one"}, {ID: "b", Text: "three"}}}
	lengths, err := Map(t.Context(), c, func(_ context.Context, e Example) (int, error) { return len(e.Text), nil })
	if err != nil || !slices.Equal(lengths, []int{3, 5}) {
		t.Errorf("lengths %v, %v", lengths, err)
	}
	fault := errors.New("too long")
	_, err = Map(t.Context(), c, func(_ context.Context, e Example) (int, error) {
		if e.ID == "b" {
			return 0, fault
		}
		return 0, nil
	})
	if !errors.Is(err, fault) || err.Error() != "text b: too long" {
		t.Errorf("error %v", err)
	}
}
