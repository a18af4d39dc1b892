package encoder

import (
	"slices"
	"testing"
)

// TestLayOut reads every piece of every text back from where it is said to stand.
func TestLayOut(t *testing.T) {
	tokenizer := newTestTokenizer(t, true)
	for _, test := range []struct {
		lengths []int
		length  int
		rows    int
	}{
		{[]int{3, 0, 6}, 8, 3},
		{[]int{7}, 8, 2},     // one too long: a second window
		{[]int{13}, 8, 4},    // windows at 0, 3, 6, 9
		{[]int{0}, 4, 1},     // a row of nothing
		{[]int{20, 1}, 7, 7}, // an odd length: windows of 5 at 0, 3, 6, …, 15
	} {
		texts := make([][]Piece, len(test.lengths))
		for i, n := range test.lengths {
			for p := range n {
				texts[i] = append(texts[i], Piece{ID: int32(100*(i+1) + p)})
			}
		}
		r := LayOut(texts, tokenizer, test.length)
		if r.Count != test.rows || len(r.IDs) != r.Count*test.length || len(r.Mask) != len(r.IDs) {
			t.Errorf("%v in rows of %d: %d rows, %d ids, want %d rows", test.lengths, test.length, r.Count, len(r.IDs), test.rows)
			continue
		}
		for i, pieces := range texts {
			for p, piece := range pieces {
				if at := r.Places[i][p]; r.IDs[at] != piece.ID || r.Mask[at] != 1 {
					t.Errorf("%v in rows of %d: text %d, piece %d: id %d, mask %g", test.lengths, test.length, i, p, r.IDs[at], r.Mask[at])
				}
			}
		}
		for row := range r.Count {
			ids, mask := r.IDs[row*r.Length:(row+1)*r.Length], r.Mask[row*r.Length:(row+1)*r.Length]
			if mask[0] != 1 {
				t.Errorf("%v: row %d attends to nothing", test.lengths, row)
			}
			if end := slices.Index(ids, tokenizer.SEP()); ids[0] == tokenizer.CLS() && (end < 0 || mask[end] != 1 || slices.Contains(mask[end+1:], 1)) {
				t.Errorf("%v: row %d %v with mask %v", test.lengths, row, ids, mask)
			}
		}
	}
}
