package hnm

import (
	"fmt"
	"slices"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// mentions are the mentions that the linker found of concepts whose semantic type
// stands for an entity type, with that type and the linker's confidence as score.
func (c Config) mentions(linked []graph.Mention) []graph.Mention {
	mentions := []graph.Mention{}
	for _, m := range linked {
		tui, ok := semanticType(m)
		typ := c.SemanticTypes[tui]
		if !ok || typ == "" {
			continue
		}
		mentions = append(mentions, graph.Mention{
			ID: fmt.Sprintf("T%d", len(mentions)+1), Start: m.Start, End: m.End, Text: m.Text,
			Type: typ, Score: graph.RoundScore(m.Concepts[0].Confidence), Concepts: m.Concepts,
		})
	}
	return mentions
}

// linkedText is a text whose mentions of one type and one best concept are one
// concept.
func (c Config) linkedText(t *encoder.Tokenizer, content string, mentions []graph.Mention) text {
	x := text{pieces: t.Tokenize(content)}
	for i, m := range mentions {
		if place, ok := spanOf(x.pieces, m.Start, m.End, i); ok {
			x.add(m.Type+" "+string(m.Concepts[0].CUI), slices.Index(c.EntityTypes, m.Type), place)
		}
	}
	return x
}

// document puts what was found in a text together. Two concepts are related where
// the probability of that reaches the threshold, by the likeliest label, whose
// calibrated probability is the score.
func (c Config) document(doc graph.Document, t text, pairs []pair, judged []judgement) graph.Document {
	doc.Offsets = graph.OffsetByte
	doc.Relations = []graph.Extraction{}
	for i, j := range judged {
		if j.related() < c.RelationThreshold {
			continue
		}
		head, tail := t.nearest(pairs[i])
		if head.index == tail.index {
			continue // one mention of both
		}
		score := graph.RoundScore(c.RelationCalibration.Probability(j.odds()))
		doc.Relations = append(doc.Relations, graph.Extraction{
			ID: fmt.Sprintf("R%d", len(doc.Relations)+1), Head: doc.Mentions[head.index].ID, Tail: doc.Mentions[tail.index].ID,
			Label: c.RelationLabels[j.label()-1], Directed: c.Directed, Score: score, Initial: graph.Judgement{Score: score},
		})
	}
	linker.MarkNegated(doc.Text, doc.Mentions)
	return doc
}

// odds are the log-odds of the likeliest label.
func (j judgement) odds() float64 {
	const least = 1e-6 // keeps them finite
	return calibration.Odds(min(max(float64(j.probabilities[j.label()]), least), 1-least))
}
