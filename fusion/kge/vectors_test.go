package kge

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
)

// complexNumbers reads a vector as this package stores it.
func complexNumbers(x []float32) []complex128 {
	half := len(x) / 2
	list := make([]complex128, half)
	for i := range list {
		list[i] = complex(float64(x[i]), float64(x[half+i]))
	}
	return list
}

// scoreOf is Re⟨h, r, t̄⟩ of Trouillon et al. 2016, eq. 9.
func scoreOf(h, r, t []float32) float64 {
	a, b, c := complexNumbers(h), complexNumbers(r), complexNumbers(t)
	var sum complex128
	for i := range a {
		sum += a[i] * b[i] * complex(real(c[i]), -imag(c[i]))
	}
	return real(sum)
}

func randomRows(random *rand.Rand, rows, size int) [][]float32 {
	list := make([][]float32, rows)
	for i := range list {
		for range size {
			list[i] = append(list[i], float32(random.NormFloat64()))
		}
	}
	return list
}

// TestLoss compares with the definition, in float64 and complex numbers.
func TestLoss(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 0))
	rows, relations := randomRows(random, 7, 6), randomRows(random, 3, 6)
	head, relation, tail := []int32{0, 3, 5, 1}, []int32{2, 0, 0, 1}, []int32{1, 4, 6, 2}
	sampled := []int32{4, 2, 5}
	const others, n3 = 1.25, 0.01
	exec := MustNewExec(enginetest.Go(), func(in []*Node) *Node {
		return questions{in[2], in[3], in[4], in[5]}.loss(in[0], in[1], others, n3)
	})
	got := float64(tensors.ToScalar[float32](exec.MustCall1(rows, relations, head, relation, tail, sampled)))

	cube := func(x []float32) (sum float64) {
		for _, c := range complexNumbers(x) {
			sum += math.Pow(math.Hypot(real(c), imag(c)), 3)
		}
		return sum
	}
	var want float64
	for i := range head {
		h, r := rows[head[i]], relations[relation[i]]
		right := scoreOf(h, r, rows[tail[i]])
		sum := math.Exp(right) + math.Exp(scoreOf(h, r, h))
		for _, s := range sampled {
			if s != tail[i] {
				sum += math.Exp(scoreOf(h, r, rows[s]) + others)
			}
		}
		want += (math.Log(sum) - right + n3*(cube(h)+cube(r)+cube(rows[tail[i]]))) / float64(len(head))
	}
	if math.Abs(got-want) > 1e-4*want {
		t.Errorf("loss %g, want %g", got, want)
	}
}

func TestRank(t *testing.T) {
	scores := []float32{5, 3, 3, 9, 1, 3}
	for name, test := range map[string]struct {
		tail  int32
		right []int32
		want  float64
	}{
		"best":                          {3, nil, 1},
		"second":                        {0, nil, 2},
		"last":                          {4, nil, 6},
		"two of the same score":         {1, nil, 4},
		"a better one is right as well": {0, []int32{3, 0}, 1},
		"named twice":                   {0, []int32{3, 3}, 1},
		"an equal one is right as well": {1, []int32{2}, 3.5},
		"all others are":                {4, []int32{0, 1, 2, 3, 5}, 1},
	} {
		if got := rank(scores, test.tail, test.right); got != test.want {
			t.Errorf("%s: rank %g, want %g", name, got, test.want)
		}
	}
}

// TestAsk ranks with vectors whose scores are known.
func TestAsk(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 0))
	const entities, size = 9, 4
	vectors, relations := randomRows(random, entities, size), randomRows(random, 2, size)
	known := []triple{{0, 0, 1}, {0, 0, 2}, {3, 1, 4}, {8, 1, 0}, {0, 1, 5}}
	queries := []triple{{0, 0, 1}, {3, 1, 4}, {8, 1, 0}}
	var want LinkPrediction
	for _, q := range queries {
		place := 1.0
		for e := range int32(entities) {
			isKnown := q.head == 0 && q.relation == 0 && e == 2
			if e != q.tail && !isKnown && scoreOf(vectors[q.head], relations[q.relation], vectors[e]) > scoreOf(vectors[q.head], relations[q.relation], vectors[q.tail]) {
				place++
			}
		}
		want.add(place)
	}
	flat := func(rows [][]float32) (all []float32) {
		for _, row := range rows {
			all = append(all, row...)
		}
		return all
	}
	got, err := ranking{enginetest.Go(), size, flat(vectors), flat(relations), known}.ask(t.Context(), queries)
	if err != nil || got != want.mean() {
		t.Errorf("%+v, %v, want %+v", got, err, want.mean())
	}
}
