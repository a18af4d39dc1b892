package encoder

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/engine/enginetest"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// piecesOf writes word pieces as BERT prints them: "##" marks those that go on.
func piecesOf(text string) []Piece {
	var pieces []Piece
	for _, p := range strings.Fields(text) {
		pieces = append(pieces, Piece{Starting: !strings.HasPrefix(p, continuation)})
	}
	return pieces
}

func TestSpans(t *testing.T) {
	for name, test := range map[string]struct {
		pieces   string
		maxWidth int
		want     []Span
	}{
		"nothing":                        {"", 3, nil},
		"one piece":                      {"dna", 3, []Span{{0, 0}}},
		"two words":                      {"p dna", 3, []Span{{0, 0}, {0, 1}, {1, 1}}},
		"no wider than the limit":        {"a b c", 2, []Span{{0, 0}, {0, 1}, {1, 1}, {1, 2}, {2, 2}}},
		"limit of one":                   {"a b c", 1, []Span{{0, 0}, {1, 1}, {2, 2}}},
		"a word is not cut":              {"bind ##s dna", 3, []Span{{0, 1}, {0, 2}, {2, 2}}},
		"a word at the end":              {"a fk ##506", 3, []Span{{0, 0}, {0, 2}, {1, 2}}},
		"a word wider than the limit":    {"rap ##amy ##cin a", 2, []Span{{3, 3}}},
		"as wide as the limit":           {"rap ##amy ##cin a", 3, []Span{{0, 2}, {3, 3}}},
		"ends with the limit in a word":  {"a rap ##amy ##cin", 2, []Span{{0, 0}}},
		"punctuation inside a word":      {"β - catenin", 2, []Span{{0, 0}, {0, 1}, {1, 1}, {1, 2}, {2, 2}}},
		"nothing starts":                 {"##a ##b", 2, nil},
		"first piece goes on, then word": {"##a b", 2, []Span{{1, 1}}},
		"limit of none":                  {"a b", 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Spans(piecesOf(test.pieces), test.maxWidth)); diff != "" {
				t.Errorf("Spans(%q, %d) (-want +got):\n%s", test.pieces, test.maxWidth, diff)
			}
		})
	}
}

// TestSpansAreThoseOfTheDefinition tries every pair of pieces against the definition, word for word.
func TestSpansAreThoseOfTheDefinition(t *testing.T) {
	const length = 7
	for starts := range 1 << length {
		pieces := make([]Piece, length)
		for i := range pieces {
			pieces[i].Starting = starts>>i&1 == 1
		}
		for maxWidth := 1; maxWidth <= length+1; maxWidth++ {
			var want []Span
			for first := range length {
				for last := first; last < length; last++ {
					begins := pieces[first].Starting
					ends := last == length-1 || pieces[last+1].Starting
					if s := (Span{first, last}); begins && ends && s.Width() <= maxWidth {
						want = append(want, s)
					}
				}
			}
			if diff := cmp.Diff(want, Spans(pieces, maxWidth)); diff != "" {
				t.Fatalf("starting pieces %07b, at most %d (-want +got):\n%s", starts, maxWidth, diff)
			}
		}
	}
}

// TestSpanVectorsAreLocal: a span's vector depends on the pieces inside it and on nothing else of the batch.
func TestSpanVectorsAreLocal(t *testing.T) {
	cfg := SpanConfig{MaxWidth: 3, WidthEmbedding: 2, Hidden: 5, Size: 4}
	store := model.NewStore()
	store.SetParam("/"+model.ParamInitialSeed, int64(1))
	exec := model.MustNewExec(enginetest.Go(), store, func(root *model.Scope, in []*Node) *Node {
		return SpanVectors(root.At("span"), cfg, in[0], SpanInputs{First: in[1], Last: in[2], Width: in[3], Bias: in[4]}, 0)
	})
	run := func(outside, inside float32) []float32 {
		tokens := make([]float32, 2*4*3) // 2 texts of 4 pieces
		for i := range tokens {
			tokens[i] = outside * float32(math.Sin(float64(i)))
		}
		for i := 4*3 + 3; i < 4*3+9; i++ { // pieces 1 and 2 of the second text
			tokens[i] = inside * float32(math.Cos(float64(i)))
		}
		bias := make([]float32, 2*1*4)
		bias[4], bias[7] = -1e9, -1e9
		out, err := exec.Call(
			tensors.FromFlatDataAndDimensions(tokens, 2, 4, 3),
			tensors.FromFlatDataAndDimensions([]int32{0, 5}, 2, 1),
			tensors.FromFlatDataAndDimensions([]int32{0, 6}, 2, 1),
			tensors.FromFlatDataAndDimensions([]int32{0, 1}, 2, 1),
			tensors.FromFlatDataAndDimensions(bias, 2, 1, 4))
		if err != nil {
			t.Fatal(err)
		}
		return tensors.MustCopyFlatData[float32](out[0])[cfg.Size:]
	}
	here := run(1, 1)
	if diff := cmp.Diff(here, run(-7, 1)); diff != "" {
		t.Errorf("pieces outside the span change its vector (-want +got):\n%s", diff)
	}
	if cmp.Equal(here, run(1, 2)) {
		t.Error("pieces inside the span do not change its vector")
	}
}
