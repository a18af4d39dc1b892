package remedi

import (
	"fmt"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// found is what the network finds in a text.
type found struct {
	mentions  []mention
	relations []relation // candidates, whatever their score is
}

// mention is a range of bytes of a text.
type mention struct {
	linker.Range
	typ  int
	odds float64 // log-odds that it is one
}

// relation are two mentions, by index, that may be related.
type relation struct {
	head, tail int
	pair       int     // index into Config.Pairs
	odds       float64 // log-odds that they are
}

// add puts what was found in a sentence behind the rest.
func (f *found) add(pieces []encoder.Piece, places []place, odds []float64, related []relation) {
	before := len(f.mentions)
	for i, p := range places {
		f.mentions = append(f.mentions, mention{linker.Range{Start: pieces[p.first].Start, End: pieces[p.last].End}, p.typ, odds[i]})
	}
	for _, r := range related {
		r.head, r.tail = r.head+before, r.tail+before
		f.relations = append(f.relations, r)
	}
}

// candidates are the pairs of mentions whose types may be related.
func (c Config) candidates(places []place) []relation {
	var list []relation
	for head, a := range places {
		for tail, b := range places {
			if head == tail || !c.Directed && a.typ == b.typ && head > tail {
				continue
			}
			for i, p := range c.Pairs {
				if p.Head == c.EntityTypes[a.typ] && p.Tail == c.EntityTypes[b.typ] {
					list = append(list, relation{head: head, tail: tail, pair: i})
				}
			}
		}
	}
	return list
}

// together is the log-odds that two masks are of one group, from the probabilities
// of the groups of each: Σ_g p_a(g)·p_b(g), both normalized.
func together(a, b []float32) float64 {
	const least = 1e-6 // keeps the odds finite
	both, ofA, ofB := 0.0, 0.0, 0.0
	for g := range a {
		both += float64(a[g]) * float64(b[g])
		ofA += float64(a[g])
		ofB += float64(b[g])
	}
	return calibration.Odds(min(max(both/max(ofA*ofB, least), least), 1-least))
}

// findings puts what was found in a text together: the mentions, and the candidates whose
// calibrated score reaches the threshold as relations.
func (c Config) findings(doc graph.Document, f found) calibration.Findings {
	doc.Offsets = graph.OffsetByte
	doc.Mentions, doc.Relations = []graph.Mention{}, []graph.Extraction{}
	var mentionOdds, relationOdds []float64
	for i, m := range f.mentions {
		mentionOdds = append(mentionOdds, m.odds)
		doc.Mentions = append(doc.Mentions, graph.Mention{
			ID: fmt.Sprintf("T%d", i+1), Start: m.Start, End: m.End, Text: doc.Text[m.Start:m.End], Type: c.EntityTypes[m.typ],
			Score: graph.RoundScore(c.EntityCalibration.Probability(m.odds)), Concepts: []graph.Candidate{},
		})
	}
	linker.MarkNegated(doc.Text, doc.Mentions)
	for _, r := range f.relations {
		score := c.RelationCalibration.Probability(r.odds)
		if !(score >= c.RelationThreshold) {
			continue
		}
		score = graph.RoundScore(score)
		relationOdds = append(relationOdds, r.odds)
		doc.Relations = append(doc.Relations, graph.Extraction{
			ID: fmt.Sprintf("R%d", len(doc.Relations)+1), Head: doc.Mentions[r.head].ID, Tail: doc.Mentions[r.tail].ID,
			Label: c.Pairs[r.pair].Label, Directed: c.Directed, Score: score, Initial: graph.Judgement{Score: score},
		})
	}
	return calibration.Findings{Document: doc, MentionOdds: mentionOdds, RelationOdds: relationOdds}
}
