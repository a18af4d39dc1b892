package embedded

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func intPage(limit int, after *int) *page[int, int] {
	return newPage(limit, after, func(i int) int { return i }, cmp.Compare[int])
}

func TestPageHoldsTheFirstItems(t *testing.T) {
	all := make([]int, 1000)
	for i := range all {
		all[i] = i
	}
	backwards, mixed := slices.Clone(all), slices.Clone(all)
	slices.Reverse(backwards)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	for name, items := range map[string][]int{"in order": all, "backwards": backwards, "mixed": mixed} {
		for _, limit := range []int{0, 1, 2, 7, 500, 999, 1000, 1001} {
			for _, after := range []int{-1, 0, 400, 999} {
				found := intPage(limit, &after)
				for _, item := range items {
					found.add(item)
				}
				want := all[after+1:]
				if want = want[:min(limit, len(want))]; !slices.Equal(found.list(), want) {
					t.Errorf("%s, %d after %d: %v, want %v", name, limit, after, found.list(), want)
				}
			}
		}
	}
}

func TestPageTellsThatItIsFull(t *testing.T) {
	found := intPage(3, nil)
	for i, want := range []bool{true, true, false, false, false, false, false} {
		if more := found.add(i); more != want {
			t.Errorf("after %d items: %v, want %v", i+1, more, want)
		}
	}
}

// The time for an item must not grow with the page.
func BenchmarkPage(b *testing.B) {
	for _, limit := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(limit), func(b *testing.B) {
			type item struct {
				content [184]byte
				place   int
			}
			for b.Loop() {
				found := newPage(limit, nil, func(i item) int { return i.place }, cmp.Compare[int])
				for place := range 2 * limit {
					found.add(item{place: -place})
				}
				found.list()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*2*limit), "ns/item")
		})
	}
}
