package evidence

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// Linking is how often two ways to choose among the candidates of a mention take the
// concept that people annotated it with.
type Linking struct {
	Mentions     int // of an annotated range, with a candidate that is right
	First        int // of these, those whose first candidate is right (graph.Mention.Denoted)
	MostAttended int // those whose candidate with the most attention is right
}

// CompareLinking looks at the mentions of documents, whose candidates tell their codes, with
// the range of an annotated one. A candidate is right when it is what that one means
// ([corpus.Entity.Means]). Offsets of the documents are bytes.
func CompareLinking(gold corpus.Corpus, documents []graph.Document) Linking {
	byID := map[string]graph.Document{}
	for _, doc := range documents {
		byID[doc.ID] = doc
	}
	var l Linking
	for _, e := range gold.Examples {
		annotated := map[[2]int][]corpus.Entity{}
		for _, entity := range e.Entities {
			place := [2]int{entity.Start, entity.End}
			annotated[place] = append(annotated[place], entity)
		}
		for _, m := range byID[e.ID].Mentions {
			l.add(m, annotated[[2]int{m.Start, m.End}])
		}
	}
	return l
}

// add counts a mention that is annotated as these entities.
func (l *Linking) add(m graph.Mention, annotated []corpus.Entity) {
	right := func(c graph.Candidate) bool {
		return slices.ContainsFunc(annotated, func(e corpus.Entity) bool { return e.Means(c) })
	}
	if !slices.ContainsFunc(m.Concepts, right) || m.Concepts[0].Weight == nil {
		return
	}
	most := slices.MaxFunc(m.Concepts, func(a, b graph.Candidate) int { return cmp.Compare(*a.Weight, *b.Weight) })
	l.Mentions++
	if right(m.Concepts[0]) {
		l.First++
	}
	if right(most) {
		l.MostAttended++
	}
}

// Write tells both shares in a sentence, or nothing where no mention could be looked at.
func (l Linking) Write(out io.Writer) error {
	if l.Mentions == 0 {
		return nil
	}
	percent := func(n int) float64 { return 100 * float64(n) / float64(l.Mentions) }
	_, err := fmt.Fprintf(out, "\nOf %d mentions with an annotated concept among their candidates, the first is right for %d (%.1f %%),\n"+
		"and the one with the most attention for %d (%.1f %%).\n", l.Mentions, l.First, percent(l.First), l.MostAttended, percent(l.MostAttended))
	return err
}
