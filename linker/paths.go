package linker

import (
	"bytes"

	"github.com/keci-kg/keci/graph"
)

// variantKind is what was done to a word of the text to make it one of a name.
type variantKind uint8

const (
	sameWord variantKind = iota
	spelled
	inflected
	synonymous
	derived
	derivedSynonym
	misspelled
	learnedName
	withoutAffix
	joined
)

// kindNames are for the output.
var kindNames = [...]string{
	spelled: "spelling", inflected: "inflection", synonymous: "synonym", derived: "derivation",
	derivedSynonym: "derivation, synonym", misspelled: "misspelling", learnedName: "learned",
	withoutAffix: "affix", joined: "joined",
}

// kindDistances are MetaMap's; that of a misspelling depends on the word.
var kindDistances = [...]float64{
	spelled: distanceSpelling, inflected: distanceInflection, synonymous: distanceSynonym, derived: distanceDerivation,
	derivedSynonym: distanceDerivation + distanceSynonym, learnedName: distanceSynonym,
	withoutAffix: distanceSynonym, joined: distanceSynonym,
}

// step is a part of the text that stands for another word in a name.
type step struct {
	start, end         int // bytes of the text
	nameStart, nameEnd int // bytes of the name that matched; of the preferred name where that was learned
	kind               variantKind
	distance           float64
}

// stepRange are the steps of a hit in scratch.steps.
type stepRange struct{ first, last int }

// addStep adds a step of one kind of the whole match m to h and sets its variation.
func (s *scratch) addStep(h *hit, m *match, kind variantKind, name []byte) {
	distance := kindDistances[kind]
	h.steps.first = len(s.steps)
	s.steps = append(s.steps, step{m.start, m.end, 0, len(name), kind, distance})
	h.steps.last = len(s.steps)
	h.score.variation = 4 / (distance + 4)
	h.points = h.score.points()
}

// addInflections explains a name that the tokens i to j spell but for the plurals
// in a set, one bit for each token.
func (s *scratch) addInflections(h *hit, i, j int, changed uint64) {
	s.name.reset()
	s.name.scan(view(h.matched))
	if len(s.name.list) != j-i+1 {
		return
	}
	h.steps.first = len(s.steps)
	for k := range min(j-i+1, 64) {
		if changed>>k&1 == 1 {
			text, name := &s.tokens.list[i+k], &s.name.list[k]
			s.steps = append(s.steps, step{text.start, text.end, name.start, name.end, inflected, distanceInflection})
		}
	}
	h.steps.last = len(s.steps)
}

// path gives the steps of a candidate for the output, in memory that all share.
func (s *scratch) path(h *hit, c *graph.Candidate, memory []graph.VariantStep) (path, rest []graph.VariantStep) {
	steps := s.steps[h.steps.first:h.steps.last]
	if len(steps) == 0 {
		return nil, memory
	}
	for i, x := range steps {
		name := c.Matched
		if x.kind == learnedName {
			name = c.Name
		}
		memory[i] = graph.VariantStep{
			Text: s.tokens.text[x.start:x.end], Name: name[x.nameStart:x.nameEnd],
			Kind: kindNames[x.kind], Distance: x.distance,
		}
	}
	return memory[:len(steps):len(steps)], memory[len(steps):]
}

// wordVariant tells how a word of the text became a word of a name with the same
// stem, and its distance.
func wordVariant(text, name []byte, textPlural, namePlural bool) (variantKind, float64) {
	kind := kindOfVariant(text, name)
	if kind <= spelled && textPlural != namePlural {
		kind = inflected
	}
	return kind, kindDistances[kind]
}

func kindOfVariant(text, name []byte) variantKind {
	if bytes.Equal(text, name) {
		return sameWord
	}
	var a, b [64]byte
	x, y := appendSpelling(a[:0], text), appendSpelling(b[:0], name)
	switch {
	case bytes.Equal(x, y):
		return spelled
	case bytes.Equal(cutInflection(x), cutInflection(y)):
		return inflected
	case roots[string(x)] != "" && roots[string(y)] != "":
		return synonymous
	case bytes.Equal(cutDerivation(x), cutDerivation(y)):
		return derived
	}
	return derivedSynonym
}
