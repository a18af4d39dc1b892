package linker

import (
	"math"
	"testing"
)

// The known answers of MetaMap's evaluation function (Aronson 2001).
func TestPoints(t *testing.T) {
	for _, test := range []struct {
		name string
		c    components
		want int
	}{
		{"whole phrase", components{1, nearness(0), coverage(2, 2, 2, 2), cohesiveness(2*2, 2, 2)}, 1000},
		{"lung cancer as Cancer", components{1, nearness(0), coverage(1, 2, 1, 1), cohesiveness(1*1, 2, 1)}, 861},
		{"lung cancer as Lung", components{0, nearness(0), coverage(1, 2, 1, 1), cohesiveness(1*1, 2, 1)}, 694},
		{"derivation of distance 5, truncated", components{1, nearness(5), coverage(1, 2, 1, 1), cohesiveness(1*1, 2, 1)}, 768},
		{"nothing", components{}, 0},
	} {
		if got := test.c.points(); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestExactName(t *testing.T) {
	for _, test := range []struct {
		words     int
		inflected uint64
		variation float64
		points    int
	}{
		{1, 0b0, 1, 1000},
		{1, 0b1, 0.8, 966},
		{2, 0b10, 0.9, 983},
		{3, 0b111, 0.8, 966},
		{70, 0, 1, 1000},
	} {
		got := exactName(test.words, test.inflected)
		if math.Abs(got.variation-test.variation) > 1e-12 || got.points() != test.points {
			t.Errorf("%d words, inflected %b: variation %v, %d points", test.words, test.inflected, got.variation, got.points())
		}
		if got.centrality != 1 || got.coverage != 1 || got.cohesiveness != 1 {
			t.Errorf("%d words: %+v", test.words, got)
		}
	}
}
