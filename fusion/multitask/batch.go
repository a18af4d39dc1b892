package multitask

import (
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/compiled"
)

// textShape is what the tagger's graph is compiled for. Each dimension is the
// largest of the batch, rounded up so that few shapes occur.
type textShape struct {
	B int // texts
	T int // pieces of a text
	R int // rows of the encoder: B, unless a text is longer than a row
	S int // pieces of a row
}

// textBatch lays texts out. The shape has room for so many rows, and for texts of
// so many pieces at least.
func (c Config) textBatch(texts []*reading, rows, longest int, tokenizer *encoder.Tokenizer) (textShape, []*tensors.Tensor) {
	pieces := make([][]encoder.Piece, rows)
	for i, t := range texts {
		pieces[i] = t.pieces
		longest = max(longest, len(t.pieces))
	}
	shape := textShape{B: rows, S: min(compiled.RoundUp(longest+2, 64), c.Row)}
	shape.T = shape.S - 2
	if longest > shape.T {
		shape.T = compiled.RoundUp(longest, 64)
	}
	laid := encoder.LayOut(pieces, tokenizer, shape.S)
	shape.R = laid.Count
	tokens := make([]int32, shape.B*shape.T)
	hints := make([]int32, shape.B*shape.T*hintKinds)
	for i, t := range texts {
		copy(tokens[i*shape.T:], laid.Places[i])
		for kind, of := range t.hints {
			for p, h := range of {
				hints[(i*shape.T+p)*hintKinds+kind] = h
			}
		}
	}
	return shape, []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(laid.IDs, shape.R, shape.S),
		tensors.FromFlatDataAndDimensions(laid.Mask, shape.R, shape.S),
		tensors.FromFlatDataAndDimensions(tokens, shape.B, shape.T),
		tensors.FromFlatDataAndDimensions(hints, shape.B, shape.T, hintKinds),
	}
}

// pairShape is what the classifier's graph is compiled for.
type pairShape struct{ B, T, E, P int } // see network

// pairsOf are the pairs of a text, with what they are made of.
type pairsOf struct {
	text     *reading
	places   []place
	entities []entity
	pairs    []pair
}

// part has some of the pairs, and of the entities those that they join.
func (of pairsOf) part(pairs []pair) pairsOf {
	part := pairsOf{text: of.text, places: of.places}
	index := map[int]int{} // in part, of the entities
	in := func(e int) int {
		at, ok := index[e]
		if !ok {
			at = len(part.entities)
			index[e] = at
			part.entities = append(part.entities, of.entities[e])
		}
		return at
	}
	for _, p := range pairs {
		part.pairs = append(part.pairs, pair{in(p.head), in(p.tail), p.types})
	}
	return part
}

// pairBatch lays pairs out, those of each text for a text of t pieces.
func (c Config) pairBatch(texts []pairsOf, rows, t int) (pairShape, []*tensors.Tensor) {
	s := pairShape{B: rows, T: t, E: 1, P: 1}
	for _, of := range texts {
		s.E, s.P = max(s.E, len(of.entities)), max(s.P, len(of.pairs))
	}
	s.E, s.P = compiled.RoundUpPower(s.E, 32, 2), compiled.RoundUpPower(s.P, mostPairs, 2)
	pieces := make([]float32, s.B*s.T)
	members, near := make([]float32, s.B*s.E*s.T), make([]float32, s.B*s.E*s.T)
	heads, tails := make([]int32, s.B*s.P), make([]int32, s.B*s.P)
	size := c.surfaceSize()
	surface := make([]float32, s.B*s.P*size)
	for i := range s.B {
		pieces[i*s.T] = 1 // a text of nothing: attention to nothing is no number
	}
	for i, of := range texts {
		for p := range of.text.pieces {
			pieces[i*s.T+p] = 1
		}
		for e, entity := range of.entities {
			at := (i*s.E + e) * s.T
			of.mark(entity, members[at:at+s.T], near[at:at+s.T])
		}
		for k, p := range of.pairs {
			heads[i*s.P+k], tails[i*s.P+k] = int32(i*s.E+p.head), int32(i*s.E+p.tail)
			copy(surface[(i*s.P+k)*size:], c.surface(of.text, of.places, of.entities, p))
		}
	}
	return s, []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(pieces, s.B, s.T),
		tensors.FromFlatDataAndDimensions(members, s.B, s.E, s.T),
		tensors.FromFlatDataAndDimensions(near, s.B, s.E, s.T),
		tensors.FromFlatDataAndDimensions(heads, s.B, s.P),
		tensors.FromFlatDataAndDimensions(tails, s.B, s.P),
		tensors.FromFlatDataAndDimensions(surface, s.B, s.P, size),
	}
}

// mark fills the maps of an entity over the pieces of its text.
func (of pairsOf) mark(e entity, members, near []float32) {
	n := 0
	sentences := map[int]bool{}
	for _, i := range e.places {
		for p := of.places[i].first; p <= of.places[i].last; p++ {
			members[p] = 1
			sentences[of.text.sentence[p]] = true
		}
	}
	for p := range of.text.pieces {
		if members[p] > 0 {
			n++
		}
		near[p] = oneIf(sentences[of.text.sentence[p]])
	}
	for p := range members {
		members[p] /= float32(max(n, 1))
	}
}
