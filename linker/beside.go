package linker

import (
	"cmp"
	"slices"

	"github.com/keci-kg/keci/graph"
)

// Beside finds the names of other linkers as well, those of further knowledge
// bases or of a user's own terms. What they find is put together: candidates of
// one range by their confidence, score and likeness to the text, preferred names first,
// and where all that is equal, in the order of the linkers. The others must be closed after this one, by who opened them.
func Beside(others ...*Linker) Option {
	return func(l *Linker) { l.beside = append(l.beside, others...) }
}

// merge puts the mentions of two linkers together.
func merge(a, b []graph.Mention) []graph.Mention {
	if len(b) == 0 {
		return a
	}
	merged := make([]graph.Mention, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch order := compareRanges(a[0], b[0]); {
		case order < 0:
			merged, a = append(merged, a[0]), a[1:]
		case order > 0:
			merged, b = append(merged, b[0]), b[1:]
		default:
			m := a[0]
			m.Final = a[0].Final || b[0].Final
			m.Concepts = mergeCandidates(m.Text, a[0].Concepts, b[0].Concepts)
			merged, a, b = append(merged, m), a[1:], b[1:]
		}
	}
	merged = append(append(merged, a...), b...)
	number(merged)
	settleFinal(merged)
	return merged
}

// settleFinal makes the final mapping one without overlaps: of two mentions in
// it that overlap the longer one stays, or else the first. Mentions come in
// order of their start.
func settleFinal(mentions []graph.Mention) {
	last := -1
	for i, m := range mentions {
		switch {
		case !m.Final:
		case last < 0 || m.Start >= mentions[last].End:
			last = i
		case m.End-m.Start > mentions[last].End-mentions[last].Start:
			mentions[last].Final = false
			last = i
		default:
			mentions[i].Final = false
		}
	}
}

// mergeCandidates puts two lists together, each in its own order and each
// concept once, at its first place.
func mergeCandidates(surface string, a, b []graph.Candidate) []graph.Candidate {
	merged := make([]graph.Candidate, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		next := &a
		if len(a) == 0 || len(b) > 0 && compareCandidates(surface, b[0], a[0]) < 0 {
			next = &b
		}
		if c := (*next)[0]; !holds(merged, c.CUI) {
			merged = append(merged, c)
		}
		*next = (*next)[1:]
	}
	return slices.Clip(merged)
}

// compareCandidates orders candidates of different linkers, best first.
func compareCandidates(surface string, a, b graph.Candidate) int {
	return cmp.Or(
		cmp.Compare(b.Confidence, a.Confidence),
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(likeness([]byte(b.Matched), surface), likeness([]byte(a.Matched), surface)),
		compareTrueFirst(a.Matched == a.Name, b.Matched == b.Name),
	)
}
