package train

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestGroups: every example comes once, beside others of like length, in an order
// that hangs on the random numbers alone.
func TestGroups(t *testing.T) {
	lengths := make([]int, 103)
	for i := range lengths {
		lengths[i] = i * 37 % 101
	}
	draw := func(seed uint64) [][]int { return Groups(rand.New(rand.NewPCG(seed, 0)), lengths, 4) }
	groups := draw(1)
	var all []int
	spread, small := 0, 0
	for _, g := range groups {
		var of []int
		for _, i := range g {
			of = append(of, lengths[i])
		}
		spread = max(spread, slices.Max(of)-slices.Min(of))
		if len(g) != 4 {
			small++
		}
		all = append(all, g...)
	}
	slices.Sort(all)
	for i, index := range all {
		if i != index {
			t.Fatalf("example %d comes %v", i, all)
		}
	}
	if len(all) != len(lengths) || small != 1 || spread > 30 {
		t.Errorf("%d examples, %d groups not of 4, lengths of a group up to %d apart", len(all), small, spread)
	}
	same := func(a, b [][]int) bool { return slices.EqualFunc(a, b, slices.Equal) }
	if !same(groups, draw(1)) || same(groups, draw(2)) {
		t.Error("the order does not hang on the random numbers")
	}
}

func TestShards(t *testing.T) {
	for _, test := range []struct{ batch, count, size int }{{1, 1, 1}, {2, 2, 1}, {5, 2, 3}, {8, 2, 4}} {
		if count, size := Shards(test.batch); count != test.count || size != test.size {
			t.Errorf("a batch of %d: %d shards of %d, want %d of %d", test.batch, count, size, test.count, test.size)
		}
	}
}
