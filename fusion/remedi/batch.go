package remedi

import (
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/compiled"
)

// shape is what a graph is compiled for.
type shape struct {
	B, T int // texts, and pieces of each
	R, S int // rows of the encoder, and pieces of each: as many rows as texts, unless a text is longer than a row
}

// grain is to what the length of rows is rounded up, so that few shapes occur.
const grain = 32

// layOut makes the inputs of a batch of count texts, some of which may be missing,
// with room for the given number of pieces each. The encoder reads rows of at most
// row pieces.
func layOut(texts []masked, count, pieces int, t *encoder.Tokenizer, row int) (shape, []*tensors.Tensor) {
	s := shape{B: count, S: min(compiled.RoundUp(pieces+2, grain), row)}
	s.T = s.S - 2
	if pieces > s.T {
		s.T = compiled.RoundUp(pieces, grain)
	}
	list := make([][]encoder.Piece, count)
	mask, kinds, speech, places := make([]float32, count*s.T), make([]int32, count*s.T), make([]int32, count*s.T), make([]int32, count*s.T)
	for i, text := range texts {
		list[i] = text.pieces
		copy(kinds[i*s.T:], text.kinds)
		copy(speech[i*s.T:], text.speech)
		for p := range text.pieces {
			mask[i*s.T+p] = 1
		}
	}
	rows := encoder.LayOut(list, t, s.S)
	for i, of := range rows.Places {
		copy(places[i*s.T:], of)
	}
	s.R = rows.Count
	return s, []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(rows.IDs, s.R, s.S),
		tensors.FromFlatDataAndDimensions(rows.Mask, s.R, s.S),
		tensors.FromFlatDataAndDimensions(places, s.B, s.T),
		tensors.FromFlatDataAndDimensions(mask, s.B, s.T),
		tensors.FromFlatDataAndDimensions(kinds, s.B, s.T),
		tensors.FromFlatDataAndDimensions(speech, s.B, s.T),
	}
}
