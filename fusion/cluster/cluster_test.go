package cluster

import (
	"errors"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestAdjustedRandIndex compares with values computed by hand from the table of
// both divisions, and with what the index is for chance.
func TestAdjustedRandIndex(t *testing.T) {
	for name, test := range map[string]struct {
		a, b []int
		want float64
	}{
		"other names":            {[]int{0, 0, 1, 1}, []int{5, 5, 2, 2}, 1},
		"one splits a cluster":   {[]int{0, 0, 1, 1}, []int{0, 0, 1, 2}, 4.0 / 7}, // pairs 1, 2 and 1 of 6: (1 − 1/3)/(3/2 − 1/3)
		"each crosses the other": {[]int{0, 0, 1, 1}, []int{0, 1, 0, 1}, -0.5},    // pairs 0, 2 and 2 of 6: (0 − 2/3)/(2 − 2/3)
		"one cluster, and two":   {[]int{0, 0, 0, 0}, []int{0, 0, 1, 1}, 0},
		"one cluster each":       {[]int{0, 0, 0}, []int{1, 1, 1}, 1},
		"nothing":                {nil, nil, 1},
		"one thing":              {[]int{3}, []int{4}, 1},
	} {
		if got := AdjustedRandIndex(test.a, test.b); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%s: %g, want %g", name, got, test.want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := make([]int, 5000), make([]int, 5000)
	for i := range a {
		a[i], b[i] = rng.IntN(4), rng.IntN(7)
	}
	if got := AdjustedRandIndex(a, b); math.Abs(got) > 0.01 {
		t.Errorf("by chance: %g", got)
	}
}

// clouds are points around as many corners of a cube, far from one another.
func clouds(count int) (points [][]float64, of []int) {
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range 30 * count {
		p := []float64{0, 0, 0, 0}
		p[i%count] = 10
		for d := range p {
			p[d] += rng.NormFloat64()
		}
		points, of = append(points, p), append(of, i%count)
	}
	return points, of
}

func TestKMeans(t *testing.T) {
	points, of := clouds(4)
	got := KMeans(points, 4, 1)
	if ari := AdjustedRandIndex(got, of); ari != 1 {
		t.Errorf("clusters that lie apart: ARI %g", ari)
	}
	if again := KMeans(points, 4, 1); !slices.Equal(got, again) {
		t.Error("the second time it is another division")
	}
	same := [][]float64{{1, 1}, {1, 1}, {1, 1}}
	for _, k := range []int{0, 1, 2, 9} {
		if got := KMeans(same, k, 1); len(got) != 3 || slices.Max(got) >= max(k, 1) {
			t.Errorf("%d clusters of equal points: %v", k, got)
		}
	}
	if got := KMeans(nil, 3, 1); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// TestProject finds the plane in which points were laid.
func TestProject(t *testing.T) {
	var points [][]float64
	for x := -3.0; x <= 3; x++ {
		for y := -1.0; y <= 1; y++ {
			points = append(points, []float64{5 + y, 2 - x*0.6, 1 + x*0.8})
		}
	}
	got, err := Project(points)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range got {
		if x, y := math.Abs(float64(i/3-3)), math.Abs(float64(i%3-1)); math.Abs(math.Abs(p.X)-x) > 1e-9 || math.Abs(math.Abs(p.Y)-y) > 1e-9 {
			t.Errorf("point %d lies at %v, want ±%g, ±%g", i, p, x, y)
		}
	}
	if _, err := Project(points[:2]); !errors.Is(err, ErrTooFew) {
		t.Errorf("two points: %v", err)
	}
}

func TestDraw(t *testing.T) {
	points, of := clouds(3)
	labels := make([]string, len(of))
	for i, label := range of {
		labels[i] = string(rune('a' + label))
	}
	path := filepath.Join(t.TempDir(), "clusters.png")
	set := Labelled{"before", points, labels}
	if err := Draw(path, set, set); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds(); size.Dx() < 2*size.Dy()-2 {
		t.Errorf("two panels are %v", size)
	}
	if err := Draw(path, Labelled{Title: "none"}); !errors.Is(err, ErrTooFew) {
		t.Errorf("nothing to draw: %v", err)
	}
}
