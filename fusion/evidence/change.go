package evidence

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
)

// Change is what knowledge changed in one text: the graph that the text alone
// gave, and the final one.
type Change struct {
	Example       corpus.Example
	Before, After graph.Document
	Gain          int // findings that are right less those that are wrong, after less before
	Lost, Won     []Finding
}

// Finding is an entity or a relation that only one of the two graphs has.
type Finding struct {
	Text  string // "FKBP12 (protein)", "FKBP12 –bind– FK506"
	Right bool
}

// Changes compares the graphs of both stages, in the order of the corpus, and
// gives the texts where they differ, those that won most first.
func Changes(gold corpus.Corpus, before, after []graph.Document) ([]Change, error) {
	judgedBefore, err := score.Judge(gold, before)
	if err != nil {
		return nil, err
	}
	judgedAfter, err := score.Judge(gold, after)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for i, e := range gold.Examples {
		c := Change{Example: e, Before: before[i], After: after[i]}
		old, now := findings(before[i], judgedBefore[i]), findings(after[i], judgedAfter[i])
		c.Lost, c.Won = without(old, now), without(now, old)
		c.Gain = balance(c.Won) - balance(c.Lost)
		if len(c.Lost)+len(c.Won) > 0 {
			changes = append(changes, c)
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(b.Gain, a.Gain) })
	return changes, nil
}

// balance is how many findings are right less how many are wrong.
func balance(findings []Finding) (n int) {
	for _, f := range findings {
		if f.Right {
			n++
		} else {
			n--
		}
	}
	return n
}

// place is what a finding of one graph is known by in another.
type place struct {
	start, end         int
	tailStart, tailEnd int // of the tail of a relation
	label              string
}

// placed is a finding with its place.
type placed struct {
	place
	Finding
}

func findings(doc graph.Document, judged score.Judged) []placed {
	var list []placed
	mentions := map[string]graph.Mention{}
	for i, m := range doc.Mentions {
		mentions[m.ID] = m
		list = append(list, placed{place{m.Start, m.End, 0, 0, m.Type}, Finding{fmt.Sprintf("%s (%s)", m.Text, m.Type), judged.Mentions[i]}})
	}
	for i, r := range doc.Relations {
		head, tail := mentions[r.Head], mentions[r.Tail]
		arrow := "–"
		if r.Directed {
			arrow = "→"
		}
		list = append(list, placed{place{head.Start, head.End, tail.Start, tail.End, r.Label},
			Finding{fmt.Sprintf("%s –%s%s %s", head.Text, r.Label, arrow, tail.Text), judged.Relations[i]}})
	}
	return list
}

// without are the findings that the other graph does not have.
func without(list, other []placed) []Finding {
	known := map[place]bool{}
	for _, p := range other {
		known[p.place] = true
	}
	var only []Finding
	for _, p := range list {
		if !known[p.place] {
			only = append(only, p.Finding)
		}
	}
	return only
}
