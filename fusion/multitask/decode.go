package multitask

import (
	"fmt"
	"math"
	"slices"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/tagging"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// decodePlaces reads the mentions of a text off the probabilities of the tags of
// its pieces, [T, tags], word by word, with the log-odds of each.
func (c Config) decodePlaces(t *reading, probabilities []float32) (places []place, odds []float64) {
	bounds := slices.Concat(t.words, []int{len(t.pieces)})
	for _, m := range tagging.MentionsOfPieces(probabilities, tagging.Count(len(c.EntityTypes)), bounds) {
		places = append(places, place{m.First, m.Last, m.Type})
		odds = append(odds, m.Odds)
	}
	return places, odds
}

// found are the relations of a text as the network has them.
type found struct {
	pairsOf
	odds   []float64 // of the places
	labels []float64 // log-odds of each label of each pair, [P, L]
}

// findings puts what was found in a text together. Scores are calibrated; a label
// whose score reaches the threshold is a relation of each two mentions of the pair
// that share a sentence or, where none do, of the nearest two.
func (c Config) findings(doc graph.Document, f found) calibration.Findings {
	doc.Offsets = graph.OffsetByte
	doc.Mentions, doc.Relations = []graph.Mention{}, []graph.Extraction{}
	for i, p := range f.places {
		start, end := f.text.pieces[p.first].Start, f.text.pieces[p.last].End
		doc.Mentions = append(doc.Mentions, graph.Mention{
			ID: fmt.Sprintf("T%d", i+1), Start: start, End: end, Text: doc.Text[start:end],
			Type: c.EntityTypes[p.typ], Score: graph.RoundScore(c.EntityCalibration.Probability(f.odds[i])), Concepts: []graph.Candidate{},
		})
	}
	linker.MarkNegated(doc.Text, doc.Mentions)
	linker.AddConcepts(doc.Mentions, f.text.linked)
	linker.NameLongForms(doc.Mentions, f.text.linked)
	var odds []float64
	for i, p := range f.pairs {
		for l, label := range c.RelationLabels {
			of := f.labels[i*len(c.RelationLabels)+l]
			score := c.RelationCalibration.Probability(of)
			if !(score >= c.RelationThreshold) {
				continue
			}
			score = graph.RoundScore(score)
			for _, ends := range f.mentionsOf(p) {
				odds = append(odds, of)
				doc.Relations = append(doc.Relations, graph.Extraction{
					ID: fmt.Sprintf("R%d", len(doc.Relations)+1), Head: doc.Mentions[ends[0]].ID, Tail: doc.Mentions[ends[1]].ID,
					Label: label, Directed: c.Directed, Score: score, Initial: graph.Judgement{Score: score},
				})
			}
		}
	}
	return calibration.Findings{Document: doc, MentionOdds: f.odds, RelationOdds: odds}
}

// mentionsOf are the mentions, by index, that a relation of a pair is told of.
func (of pairsOf) mentionsOf(p pair) [][2]int {
	var together [][2]int
	nearest, distance := [2]int{}, math.MaxInt
	for _, a := range of.entities[p.head].places {
		for _, b := range of.entities[p.tail].places {
			if a == b {
				continue
			}
			if of.text.sentence[of.places[a].first] == of.text.sentence[of.places[b].first] {
				together = append(together, [2]int{a, b})
			}
			if d := abs(of.places[a].first - of.places[b].first); d < distance {
				nearest, distance = [2]int{a, b}, d
			}
		}
	}
	if len(together) == 0 && distance < math.MaxInt {
		together = append(together, nearest)
	}
	return together
}
