package hnm

import (
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/compiled"
)

// shape is what a graph is compiled for: rows, and pieces of each.
type shape struct{ B, S int }

// grain is to what the length of rows is rounded up, so that few shapes occur.
const grain = 32

// length is the length of rows that has room for all.
func (c Config) length(rows []row) int {
	longest := 1
	for _, r := range rows {
		longest = max(longest, len(r.pieces))
	}
	return min(compiled.RoundUp(longest+2, grain), c.Row)
}

// layOut makes the inputs of count rows of the given length, some of which may be
// missing.
func layOut(rows []row, count, length int, t *encoder.Tokenizer) (shape, []*tensors.Tensor) {
	s := shape{count, length}
	list := make([][]encoder.Piece, count)
	heads, tails := make([]float32, s.B*s.S), make([]float32, s.B*s.S)
	types := make([]int32, s.B)
	for i, r := range rows {
		list[i], types[i] = r.pieces, int32(r.types)
		mark(heads[i*s.S:], r.heads)
		mark(tails[i*s.S:], r.tails)
	}
	laid := encoder.LayOut(list, t, s.S)
	return s, []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(laid.IDs, s.B, s.S),
		tensors.FromFlatDataAndDimensions(laid.Mask, s.B, s.S),
		tensors.FromFlatDataAndDimensions(heads, s.B, s.S),
		tensors.FromFlatDataAndDimensions(tails, s.B, s.S),
		tensors.FromFlatDataAndDimensions(types, s.B),
	}
}

// mark shares 1 among the places of marks in a row, where [CLS] comes first.
func mark(row []float32, places []int) {
	for _, p := range places {
		row[1+p] += 1 / float32(len(places))
	}
}
