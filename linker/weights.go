package linker

import "math"

// weightPair are the two weights of a feature, that of the ranking in the upper
// half and that of the ranges in the lower, in steps of 1/weightSteps.
type weightPair uint32

// weightSteps are the steps from one weight to the next whole number; half a
// step is less than a hundredth of the least weight that a model keeps.
const weightSteps = 1000

func newWeightPair(rank, span float64) weightPair {
	return weightPair(uint32(inSteps(rank))<<16 | uint32(inSteps(span)))
}

func inSteps(weight float64) uint16 {
	return uint16(int16(math.Round(min(max(weight*weightSteps, math.MinInt16), math.MaxInt16))))
}

func (p weightPair) rank() float64 { return float64(int16(p>>16)) / weightSteps }
func (p weightPair) span() float64 { return float64(int16(p)) / weightSteps }

// newWeightTable puts the weights of a model into a table of weightPair.
func newWeightTable(m *Model) hashTable {
	t := newHashTable(len(m.weights) + len(m.spans))
	set := func(feature string, rank, span float64) {
		if hash, ok := hashOfName(feature); ok {
			if old, ok := t.get(hash); ok {
				rank += weightPair(old).rank()
			}
			t.set(hash, uint32(newWeightPair(rank, span)))
		}
	}
	for _, w := range m.weights {
		set(w.feature, w.value, 0)
	}
	for _, w := range m.spans {
		set(w.feature, 0, w.value)
	}
	return t
}
