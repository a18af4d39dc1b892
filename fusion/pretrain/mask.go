package pretrain

import (
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/encoder"
)

// Of the pieces that are to be told, this share is hidden by [MASK], and as much
// of the rest is replaced by any piece as is left as it is (Devlin et al. 2019, §3.1).
const (
	maskedShare   = 0.8
	replacedShare = 0.1
)

// masker hides pieces.
type masker struct {
	mask, cls, sep int32
	vocabulary     int
	share          float64 // of the pieces of a row
}

func newMasker(t *encoder.Tokenizer, share float64) (masker, bool) {
	mask, ok := t.Mask()
	return masker{mask: mask, cls: t.CLS(), sep: t.SEP(), vocabulary: t.VocabSize(), share: share}, ok
}

// perRow is how many pieces of a row are to be told, at most.
func (m masker) perRow(length int) int {
	return max(1, int(math.Round(m.share*float64(length-2))))
}

// shard is a part of a batch: rows in which pieces are hidden, and what they were.
type shard struct {
	rows, length int
	ids          []int32   // [rows, length], pieces hidden
	at           []int32   // [n] where the pieces to be told stand in ids
	targets      []int32   // [n] what they are
	weights      []float32 // [n] what each counts; 0 for padding
}

// hide copies rows and hides pieces of each; those that are told count 1. A row
// with fewer pieces that can be hidden than are asked for is padded.
func (m masker) hide(r rows, numbers []int, random *rand.Rand) shard {
	s := shard{rows: len(numbers), length: r.length}
	for i, number := range numbers {
		s.ids = append(s.ids, r.row(number)...)
		m.hideIn(&s, i*r.length, random)
	}
	return s
}

// hideIn hides pieces of the row that begins at base.
func (m masker) hideIn(s *shard, base int, random *rand.Rand) {
	row := s.ids[base : base+s.length]
	var places []int
	for i, id := range row {
		if id != m.cls && id != m.sep {
			places = append(places, i)
		}
	}
	for k := range m.perRow(s.length) {
		if k >= len(places) {
			s.at, s.targets, s.weights = append(s.at, int32(base)), append(s.targets, row[0]), append(s.weights, 0)
			continue
		}
		other := k + random.IntN(len(places)-k)
		places[k], places[other] = places[other], places[k]
		i := places[k]
		s.at, s.targets, s.weights = append(s.at, int32(base+i)), append(s.targets, row[i]), append(s.weights, 1)
		switch x := random.Float64(); {
		case x < maskedShare:
			row[i] = m.mask
		case x < maskedShare+replacedShare:
			row[i] = int32(random.IntN(m.vocabulary))
		}
	}
}

// told counts the pieces that are to be told.
func (s shard) told() (count float32) {
	for _, w := range s.weights {
		count += w
	}
	return count
}

// scale multiplies the weights.
func (s shard) scale(factor float32) {
	for i := range s.weights {
		s.weights[i] *= factor
	}
}

// tensors are the inputs of the network, in the order of newInputs.
func (s shard) tensors() []*tensors.Tensor {
	return []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(s.ids, s.rows, s.length),
		tensors.FromFlatDataAndDimensions(s.at, len(s.at)),
		tensors.FromFlatDataAndDimensions(s.targets, len(s.targets)),
		tensors.FromFlatDataAndDimensions(s.weights, len(s.weights)),
	}
}
