package keci

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/graph"
)

// noneType is what users see where the text alone saw no entity.
const noneType = "none"

// found is what the model sees in one instance: mentions in order of the text,
// and relations between them by index.
type found struct {
	mentions  []graph.Mention // without ids
	odds      []float64       // log-odds of the type of each mention, as the network has them
	relations []foundRelation
}

type foundRelation struct {
	head, tail int // indices into mentions
	directed   bool
	label      string
	odds       float64 // log-odds of the label, as the network has them
	score      float64
	initial    float64
}

// decodeHeads reads the prediction of one text with the labels of every head. A
// span that several have a type for is one mention, with the type that is surest.
func (c Config) decodeHeads(in *instance, p prediction) found {
	all := c.ofHead(0).decode(in, p.ofHead(0))
	for i := range c.More {
		all = all.with(c.ofHead(i+1).decode(in, p.ofHead(i+1)))
	}
	return all
}

// with adds what another head sees in the same text.
func (f found) with(other found) found {
	type place struct{ start, end int }
	at := map[place]int{}
	for i, m := range f.mentions {
		at[place{m.Start, m.End}] = i
	}
	moved := make([]int, len(other.mentions))
	for i, m := range other.mentions {
		j, known := at[place{m.Start, m.End}]
		switch {
		case !known:
			j = len(f.mentions)
			f.mentions, f.odds = append(f.mentions, m), append(f.odds, other.odds[i])
		case m.Score > f.mentions[j].Score:
			f.mentions[j], f.odds[j] = m, other.odds[i]
		}
		moved[i] = j
	}
	for _, r := range other.relations {
		r.head, r.tail = moved[r.head], moved[r.tail]
		f.relations = append(f.relations, r)
	}
	return f.inOrder()
}

// inOrder brings the mentions into the order of the text, longer ones first.
func (f found) inOrder() found {
	order := make([]int, len(f.mentions))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := f.mentions[i], f.mentions[j]
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	moved := make([]int, len(order))
	sorted := found{relations: f.relations}
	for now, before := range order {
		moved[before] = now
		sorted.mentions, sorted.odds = append(sorted.mentions, f.mentions[before]), append(sorted.odds, f.odds[before])
	}
	for i, r := range sorted.relations {
		sorted.relations[i].head, sorted.relations[i].tail = moved[r.head], moved[r.tail]
	}
	return sorted
}

// decode reads the prediction of one text with the labels of one head: a kept span whose calibrated 1 − P(none)
// reaches the threshold is a mention, one that overlaps a surer one if it reaches the
// threshold for those; a pair of mentions with different names, of a
// kind that is not forbidden, likewise a relation. Offsets are bytes of the instance's text.
func (c Config) decode(in *instance, p prediction) found {
	rows := c.mentionRows(in, p)
	var f found
	for _, r := range rows {
		m, odds := c.mention(in, p, r)
		f.mentions, f.odds = append(f.mentions, m), append(f.odds, odds)
	}
	for a := range rows {
		for b := range rows {
			head, tail := f.mentions[a], f.mentions[b]
			if (!c.Directed && a > b) || sameName(head.Text, tail.Text) || c.Unrelated.forbid(head, tail, c.Directed) {
				continue
			}
			if r, ok := c.relation(p, rows[a].slot, rows[b].slot); ok {
				r.head, r.tail, r.directed = a, b, c.Directed
				f.relations = append(f.relations, r)
			}
		}
	}
	return f
}

// mentionRow is a kept span that is a mention.
type mentionRow struct {
	slot int     // row of the prediction's tables
	span int     // index into instance.Spans
	odds float64 // log-odds of being a mention, as the network has them
}

// mentionRows lists the mentions in order of the text, longer ones first.
func (c Config) mentionRows(in *instance, p prediction) []mentionRow {
	types := len(c.EntityTypes)
	var rows []mentionRow
	for slot := range min(keptSpans(c, len(in.Pieces)), len(in.Spans), p.most) {
		r := mentionRow{slot, int(p.kept[slot]), -logOdds(p.finalTypes[slot*types:(slot+1)*types], 0)}
		if c.EntityCalibration.Probability(r.odds) >= c.EntityThreshold {
			rows = append(rows, r)
		}
	}
	rows = c.withoutUnsure(in, rows)
	slices.SortFunc(rows, func(a, b mentionRow) int {
		s, t := in.Spans[a.span], in.Spans[b.span]
		return cmp.Or(cmp.Compare(s.First, t.First), cmp.Compare(t.Last, s.Last))
	})
	return rows
}

// withoutUnsure leaves out the mentions that overlap a surer one and do not reach
// OverlapThreshold.
func (c Config) withoutUnsure(in *instance, rows []mentionRow) []mentionRow {
	var sure []mentionRow
	for _, r := range rows {
		s := in.Spans[r.span]
		overlapsSurer := slices.ContainsFunc(rows, func(other mentionRow) bool {
			t := in.Spans[other.span]
			return other.odds > r.odds && s.First <= t.Last && t.First <= s.Last
		})
		if !overlapsSurer || c.EntityCalibration.Probability(r.odds) >= c.OverlapThreshold {
			sure = append(sure, r)
		}
	}
	return sure
}

// mention describes one mention: its type, what the text alone said, and the
// attention over its candidates. It gives the log-odds of the type as well.
func (c Config) mention(in *instance, p prediction, r mentionRow) (graph.Mention, float64) {
	span := in.Spans[r.span]
	types := len(c.EntityTypes)
	row := r.slot
	final, initial := p.finalTypes[row*types:(row+1)*types], p.initialTypes[row*types:(row+1)*types]
	label, first := best(final, 1), best(initial, 0)
	odds := logOdds(final, label)
	m := graph.Mention{
		Start: in.start(span), End: in.end(span),
		Type: c.EntityTypes[label], Score: rounded(c.EntityCalibration.Probability(odds)),
		Initial:  &graph.Judgement{Type: cmp.Or(c.EntityTypes[first], noneType), Score: rounded(calibrated(c.EntityCalibration, initial, first))},
		Concepts: []graph.Candidate{},
	}
	m.Text = in.Text[m.Start:m.End]
	if p.attention != nil {
		c.attend(&m, in.Candidates[r.span], p.attention[row*(c.Knowledge.Candidates+1):])
	}
	return m, odds
}

// attend gives the mention its candidates with their weights, best first.
func (c Config) attend(m *graph.Mention, candidates []candidate, attention []float32) {
	sentinel := rounded(float64(attention[0]))
	m.Sentinel = &sentinel
	for i, candidate := range candidates {
		weight := rounded(float64(attention[1+i]))
		concept := candidate.Candidate
		concept.Weight = &weight
		m.Concepts = append(m.Concepts, concept)
	}
	slices.SortStableFunc(m.Concepts, func(a, b graph.Candidate) int { return cmp.Compare(*b.Weight, *a.Weight) })
}

// relation reads the relation between two kept spans, if there is one.
func (c Config) relation(p prediction, head, tail int) (foundRelation, bool) {
	labels := len(c.RelationLabels)
	at := (head*p.most + tail) * labels
	final := p.finalRelations[at : at+labels]
	if labels < 2 || c.RelationCalibration.Probability(-logOdds(final, 0)) < c.RelationThreshold {
		return foundRelation{}, false
	}
	label := best(final, 1)
	odds := logOdds(final, label)
	return foundRelation{
		label: c.RelationLabels[label], odds: odds, score: rounded(c.RelationCalibration.Probability(odds)),
		initial: rounded(calibrated(c.RelationCalibration, p.initialRelations[at:at+labels], label)),
	}, true
}

// best is the index of the highest probability from index from on.
func best(probabilities []float32, from int) int {
	index := from
	for i := from + 1; i < len(probabilities); i++ {
		if probabilities[i] > probabilities[index] {
			index = i
		}
	}
	return index
}

// logOdds are those of one class against all others. They keep what 1 − p loses
// where p is near 1.
func logOdds(probabilities []float32, class int) float64 {
	others := 0.0
	for i, p := range probabilities {
		if i != class {
			others += float64(p)
		}
	}
	return math.Log(float64(probabilities[class])) - math.Log(others)
}

// calibrated is the probability of a class. That of "none" is what remains to
// that of anything else.
func calibrated(m calibration.Map, probabilities []float32, class int) float64 {
	odds := logOdds(probabilities, class)
	if class == 0 {
		return 1 - m.Probability(-odds)
	}
	return m.Probability(odds)
}

// rounded cuts a probability to what is meaningful, and what users want to read.
func rounded(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// document puts what was found in the segments of a text together. segments
// holds the byte range of each in text.
func (c Config) document(doc graph.Document, segments []segment, results []found) graph.Document {
	doc.Offsets = graph.OffsetByte
	doc.Mentions, doc.Relations = []graph.Mention{}, []graph.Extraction{}
	for s, f := range results {
		first := len(doc.Mentions)
		for i, m := range f.mentions {
			m.ID = fmt.Sprintf("T%d", first+i+1)
			m.Start, m.End = m.Start+segments[s].start, m.End+segments[s].start
			doc.Mentions = append(doc.Mentions, m)
		}
		for _, r := range f.relations {
			doc.Relations = append(doc.Relations, graph.Extraction{
				ID:   fmt.Sprintf("R%d", len(doc.Relations)+1),
				Head: doc.Mentions[first+r.head].ID, Tail: doc.Mentions[first+r.tail].ID,
				Label: r.label, Directed: r.directed, Score: r.score,
				Initial: graph.Judgement{Score: r.initial},
			})
		}
	}
	return doc
}

// segment is a byte range of a text that the model reads at once: a sentence.
type segment struct{ start, end int }
