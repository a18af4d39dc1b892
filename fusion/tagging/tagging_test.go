package tagging

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
)

func TestMentions(t *testing.T) {
	const o, bDrug, iDrug, bEffect, iEffect = 0, 1, 2, 3, 4
	certain := func(tags ...int) []float32 {
		var rows []float32
		for _, tag := range tags {
			row := slices.Repeat([]float32{0.1}, 5)
			row[tag] = 0.6
			rows = append(rows, row...)
		}
		return rows
	}
	for name, test := range map[string]struct {
		probabilities []float32
		want          []Mention
	}{
		"none":              {nil, nil},
		"outside":           {certain(o, o), nil},
		"two of a type":     {certain(bDrug, bDrug), []Mention{{0, 0, 0, 0}, {1, 1, 0, 0}}},
		"words of one":      {certain(o, bEffect, iEffect, o, bDrug), []Mention{{1, 2, 1, 0}, {4, 4, 0, 0}}},
		"inside goes on":    {certain(bDrug, iEffect), []Mention{{0, 1, 0, 0}}},
		"nothing to go on":  {certain(o, iDrug), []Mention{{0, 1, 0, 0}}},
		"ends at the start": {certain(iEffect), []Mention{{0, 0, 1, 0}}},
	} {
		got := Mentions(test.probabilities, 5)
		for i := range got {
			got[i].Odds = 0
		}
		if name == "inside goes on" || name == "nothing to go on" || name == "ends at the start" {
			for w, tag := range Best(test.probabilities, 5) {
				if IsInside(tag) && (w == 0 || !mayFollow(tag, Best(test.probabilities, 5)[w-1])) {
					t.Errorf("%s: tag %d at word %d follows nothing", name, tag, w)
				}
			}
			continue // several sequences are as probable
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// TestBest compares with all sequences that may be.
func TestBest(t *testing.T) {
	const tags, words = 5, 4
	probabilities := make([]float32, tags*words)
	for i := range probabilities {
		probabilities[i] = float32(1+(i*7+i*i*3)%11) / 12
	}
	best, want := math.Inf(-1), []int(nil)
	for n := range int(math.Pow(tags, words)) {
		path, score := make([]int, words), 0.0
		for w := range words {
			path[w] = n % tags
			n /= tags
			if IsInside(path[w]) && (w == 0 || !mayFollow(path[w], path[w-1])) {
				score = math.Inf(-1)
			}
			score += logOf(probabilities[w*tags+path[w]])
		}
		if score > best {
			best, want = score, path
		}
	}
	if got := Best(probabilities, tags); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestMentionsOfPieces: a word has the tag of its first piece, whatever the others have,
// and rows behind the last piece are padding.
func TestMentionsOfPieces(t *testing.T) {
	o, begin, inside := []float32{0.8, 0.1, 0.1}, []float32{0.1, 0.8, 0.1}, []float32{0.1, 0.1, 0.8}
	rows := slices.Concat(begin, o, inside, o, o, begin, begin, begin)
	got := MentionsOfPieces(rows, 3, []int{0, 2, 4, 5, 7}) // of four words
	for i := range got {
		got[i].Odds = 0
	}
	if want := []Mention{{0, 3, 0, 0}, {5, 6, 0, 0}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := MentionsOfPieces(rows, 3, []int{0}); len(got) != 0 {
		t.Errorf("of no word: %v", got)
	}
}

func TestOdds(t *testing.T) {
	m := Mentions([]float32{0.1, 0.9, 0, 0.5, 0.1, 0.4}, 3)
	if len(m) != 1 || m[0].Last != 0 {
		t.Fatalf("got %v", m)
	}
	if want := math.Log(0.9 / 0.1); math.Abs(m[0].Odds-want) > 1e-5 {
		t.Errorf("odds %g, want %g", m[0].Odds, want)
	}
}

func TestBalanced(t *testing.T) {
	got := Balanced([]int{6, 3, 0, 3}, 1)
	if want := []float32{0.5, 1, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Balanced([]int{6, 3, 0, 3}, 0); !slices.Equal(got, []float32{1, 1, 0, 1}) {
		t.Errorf("with the exponent 0: %v", got)
	}
}

func TestLoss(t *testing.T) {
	logits := [][]float32{{0, 0}, {1, 0}, {5, 5}}
	exec, err := graph.NewExec(enginetest.Go(), Loss)
	if err != nil {
		t.Fatal(err)
	}
	outs, err := exec.Call(logits, []int32{1, 0, 1}, []float32{1, 2, 0})
	if err != nil {
		t.Fatal(err)
	}
	want := math.Log(2) + 2*math.Log(1+math.Exp(-1))
	if got := float64(tensors.ToScalar[float32](outs[0])); math.Abs(got-want) > 1e-5 {
		t.Errorf("loss %g, want %g", got, want)
	}
}
