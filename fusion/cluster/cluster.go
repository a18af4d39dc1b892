// Package cluster tells how well vectors of labelled things fall into clusters:
// k-means without the labels, the adjusted Rand index of what it finds, and a
// picture in two dimensions.
//
// k-means is our own because the libraries for Go that we know draw their first
// centres from the clock, and the same vectors must give the same figure.
package cluster

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
)

// How hard KMeans looks.
const (
	restarts   = 10
	iterations = 100
)

// KMeans divides points, all of one dimension, into k clusters by Lloyd's
// algorithm, from centres drawn as by k-means++ (Arthur and Vassilvitskii 2007): of
// ten such beginnings the one with the smallest sum of squared distances. It gives
// the cluster of each point, from 0; the same seed gives the same. There are at most
// as many clusters as points.
func KMeans(points [][]float64, k int, seed int64) []int {
	k = min(k, len(points))
	if k < 1 {
		return make([]int, len(points))
	}
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	var best []int
	least := math.Inf(1)
	for range restarts {
		assigned, sum := lloyd(points, firstCentres(points, k, rng))
		if best == nil || sum < least {
			best, least = assigned, sum
		}
	}
	return best
}

// firstCentres draws points, each with a probability that grows with the square of
// its distance from those drawn before.
func firstCentres(points [][]float64, k int, rng *rand.Rand) [][]float64 {
	centres := [][]float64{points[rng.IntN(len(points))]}
	weights := make([]float64, len(points))
	for len(centres) < k {
		for i, p := range points {
			_, weights[i] = nearest(p, centres)
		}
		at, left := 0, rng.Float64()*floats.Sum(weights)
		for at < len(points)-1 && left >= weights[at] {
			left -= weights[at]
			at++
		}
		centres = append(centres, points[at])
	}
	return centres
}

// nearest is the centre nearest to a point, with the square of its distance.
func nearest(point []float64, centres [][]float64) (at int, squared float64) {
	squared = math.Inf(1)
	for i, c := range centres {
		if d := floats.Distance(point, c, 2); d*d < squared {
			at, squared = i, d*d
		}
	}
	return at, squared
}

// lloyd moves centres to the means of the points nearest to them until no point
// changes sides, and gives the sum of squared distances.
func lloyd(points, centres [][]float64) (assigned []int, sum float64) {
	assigned = make([]int, len(points))
	for range iterations {
		changed := false
		sum = 0
		for i, p := range points {
			at, squared := nearest(p, centres)
			changed = changed || at != assigned[i]
			assigned[i], sum = at, sum+squared
		}
		centres = means(points, assigned, centres)
		if !changed {
			break
		}
	}
	return assigned, sum
}

// means are the centres of clusters; an empty one stays where it was.
func means(points [][]float64, assigned []int, before [][]float64) [][]float64 {
	centres := make([][]float64, len(before))
	for c := range before {
		mean, n := make([]float64, len(before[c])), 0
		for i, p := range points {
			if assigned[i] == c {
				floats.Add(mean, p)
				n++
			}
		}
		if n == 0 {
			centres[c] = before[c]
			continue
		}
		floats.Scale(1/float64(n), mean)
		centres[c] = mean
	}
	return centres
}

// AdjustedRandIndex compares two divisions of the same things: 1 where they are the
// same but for names, about 0 where they have no more in common than by chance
// (Hubert and Arabie 1985, eq. 5). Two divisions that both put all into one
// cluster, or each thing into its own, are the same.
func AdjustedRandIndex(a, b []int) float64 {
	both, ofA, ofB := map[[2]int]int{}, map[int]int{}, map[int]int{}
	for i := range a {
		both[[2]int{a[i], b[i]}]++
		ofA[a[i]]++
		ofB[b[i]]++
	}
	together, inA, inB, all := pairs(both), pairs(ofA), pairs(ofB), choose2(len(a))
	if all == 0 {
		return 1
	}
	expected, most := inA*inB/all, (inA+inB)/2
	if most == expected {
		return 1
	}
	return (together - expected) / (most - expected)
}

// pairs is how many pairs of things share a cluster.
func pairs[K comparable](sizes map[K]int) float64 {
	sum := 0.0
	for _, n := range sizes {
		sum += choose2(n) // whole numbers: their order does not matter
	}
	return sum
}

func choose2(n int) float64 { return float64(n) * float64(n-1) / 2 }
