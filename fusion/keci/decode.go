package keci

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/graph"
)

// noneType is what users see where the text alone saw no entity.
const noneType = "none"

// found is what the model sees in a text: mentions in order of the text, and
// relations between them by index, in the order in which they were read.
type found struct {
	mentions  []graph.Mention // without ids
	odds      []float64       // log-odds of the type of each mention, as the network has them
	relations []foundRelation
}

type foundRelation struct {
	head, tail int // indices into mentions
	window     int // that it was read in, the first of several
	directed   bool
	label      string
	odds       float64 // log-odds of the label, as the network has them
	score      float64
	initial    float64

	headType, tailType string // of the ends, as the head has them that sees the relation; empty where there is one head
}

// decodeHeads reads the predictions of one text with the labels of every head. A
// span that several have a type for is one mention, with the type that is surest.
func (c Config) decodeHeads(text reading, predictions []prediction) found {
	if len(c.More) == 0 {
		return c.decode(text, predictions)
	}
	var all found
	for i, h := range c.heads() {
		all = all.with(c.ofHead(i).decode(text, ofHead(predictions, i)).told(h))
	}
	return c.consistent(all).merged()
}

// merged leaves out relations that another head is surer of, and sorts them by window.
func (f found) merged() found {
	var relations []foundRelation
	for _, r := range f.relations {
		i := slices.IndexFunc(relations, func(before foundRelation) bool { return before.sameAs(r) })
		switch {
		case i < 0:
			relations = append(relations, r)
		case r.score > relations[i].score:
			relations[i] = r
		}
	}
	slices.SortStableFunc(relations, func(a, b foundRelation) int { return cmp.Compare(a.window, b.window) })
	f.relations = relations
	return f
}

// consistent leaves out relations whose ends are, for the head that sees them, of
// another kind than for the one that is surer of what they are.
func (c Config) consistent(f found) found {
	f.relations = slices.DeleteFunc(f.relations, func(r foundRelation) bool {
		return c.Kinds.contradict(r.headType, f.mentions[r.head].Type) || c.Kinds.contradict(r.tailType, f.mentions[r.tail].Type)
	})
	return f
}

// told names types and labels as users are told them.
func (f found) told(h Head) found {
	for i := range f.mentions {
		m := &f.mentions[i]
		m.Type, m.Initial.Type = h.told(m.Type), h.told(m.Initial.Type)
	}
	for i := range f.relations {
		r := &f.relations[i]
		r.label, r.headType, r.tailType = h.told(r.label), f.mentions[r.head].Type, f.mentions[r.tail].Type
	}
	return f
}

// with adds what another head sees in the same text. Relations that both see are there
// twice.
func (f found) with(other found) found {
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

// sameAs tells whether two relations say the same of the same mentions.
func (r foundRelation) sameAs(s foundRelation) bool {
	return r.label == s.label && r.directed == s.directed &&
		(r.head == s.head && r.tail == s.tail || !r.directed && r.head == s.tail && r.tail == s.head)
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

// decode reads the predictions of a text's windows with the labels of one head: a kept
// span whose calibrated 1 − P(none) reaches the threshold is a mention, one that
// overlaps a surer one if it reaches the threshold for those; a pair of mentions with
// different names, of a kind that is not forbidden, likewise a relation. What several
// windows have is as the surest of them says, the first where they agree. Offsets are
// bytes of the text.
func (c Config) decode(text reading, predictions []prediction) found {
	rows := c.mentionRows(text, predictions)
	var f found
	at := map[place]int{}
	for i, r := range rows {
		m, odds := c.mention(text, predictions[r.window], r)
		f.mentions, f.odds, at[r.place] = append(f.mentions, m), append(f.odds, odds), i
	}
	known := map[[2]int]int{} // index of the relation of a pair
	for w, p := range predictions {
		mentions := c.mentionsIn(text, w, p, at)
		for _, a := range mentions {
			for _, b := range mentions {
				r, ok := c.related(f.mentions, p, a, b)
				if !ok {
					continue
				}
				r.window = w
				if i, again := known[[2]int{r.head, r.tail}]; !again {
					known[[2]int{r.head, r.tail}] = len(f.relations)
					f.relations = append(f.relations, r)
				} else if r.odds > f.relations[i].odds {
					r.window = f.relations[i].window
					f.relations[i] = r
				}
			}
		}
	}
	return f
}

// place is a range of bytes of a text.
type place struct{ start, end int }

// mentionRow is a kept span that is a mention.
type mentionRow struct {
	place          // in the text
	window int     // index into the predictions
	slot   int     // row of the prediction's tables
	span   int     // index into instance.Spans
	odds   float64 // log-odds of being a mention, as the network has them
}

// keptIn lists the spans that the model kept in a window.
func (c Config) keptIn(text reading, window int, p prediction) []mentionRow {
	types, in, first := len(c.EntityTypes), text.instances[window], text.windows[window].Start
	var rows []mentionRow
	for slot := range min(keptSpans(c, len(in.Pieces)), len(in.Spans), p.most) {
		span := int(p.kept[slot])
		at := place{first + in.start(in.Spans[span]), first + in.end(in.Spans[span])}
		rows = append(rows, mentionRow{at, window, slot, span, -logOdds(p.finalTypes[slot*types:(slot+1)*types], 0)})
	}
	return rows
}

// mentionRows lists the mentions in order of the text, longer ones first.
func (c Config) mentionRows(text reading, predictions []prediction) []mentionRow {
	surest := map[place]mentionRow{}
	for w, p := range predictions {
		for _, r := range c.keptIn(text, w, p) {
			before, again := surest[r.place]
			if c.EntityCalibration.Probability(r.odds) >= c.EntityThreshold && (!again || r.odds > before.odds) {
				surest[r.place] = r
			}
		}
	}
	return c.withoutUnsure(slices.SortedFunc(maps.Values(surest), func(a, b mentionRow) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	}))
}

// withoutUnsure leaves out the mentions that overlap a surer one and do not reach
// OverlapThreshold. They are in order of their start.
func (c Config) withoutUnsure(rows []mentionRow) []mentionRow {
	overlapsSurer := make([]bool, len(rows))
	for i, r := range rows {
		for j := i + 1; j < len(rows) && rows[j].start < r.end; j++ {
			overlapsSurer[i] = overlapsSurer[i] || rows[j].odds > r.odds
			overlapsSurer[j] = overlapsSurer[j] || r.odds > rows[j].odds
		}
	}
	var sure []mentionRow
	for i, r := range rows {
		if !overlapsSurer[i] || c.EntityCalibration.Probability(r.odds) >= c.OverlapThreshold {
			sure = append(sure, r)
		}
	}
	return sure
}

// mentionIn is a mention as a window has it.
type mentionIn struct{ mention, slot int }

// mentionsIn lists the mentions that a window kept, in their order. at gives the
// index of each by its place.
func (c Config) mentionsIn(text reading, window int, p prediction, at map[place]int) []mentionIn {
	var list []mentionIn
	for _, r := range c.keptIn(text, window, p) {
		if i, ok := at[r.place]; ok {
			list = append(list, mentionIn{i, r.slot})
		}
	}
	slices.SortFunc(list, func(a, b mentionIn) int { return cmp.Compare(a.mention, b.mention) })
	return list
}

// related reads the relation between two mentions of a window, if there may be one.
func (c Config) related(mentions []graph.Mention, p prediction, a, b mentionIn) (foundRelation, bool) {
	head, tail := mentions[a.mention], mentions[b.mention]
	if (!c.Directed && a.mention > b.mention) || sameName(head.Text, tail.Text) || c.Unrelated.forbid(head, tail, c.Directed) {
		return foundRelation{}, false
	}
	r, ok := c.relation(p, a.slot, b.slot)
	r.head, r.tail, r.directed = a.mention, b.mention, c.Directed
	return r, ok
}

// mention describes one mention: its type, what the text alone said, and the
// attention over its candidates. It gives the log-odds of the type as well.
func (c Config) mention(text reading, p prediction, r mentionRow) (graph.Mention, float64) {
	in := text.instances[r.window]
	types := len(c.EntityTypes)
	row := r.slot
	final, initial := p.finalTypes[row*types:(row+1)*types], p.initialTypes[row*types:(row+1)*types]
	label, first := best(final, 1), best(initial, 0)
	odds := logOdds(final, label)
	m := graph.Mention{
		Start: r.start, End: r.end, Text: in.Text[in.start(in.Spans[r.span]):in.end(in.Spans[r.span])],
		Type: c.EntityTypes[label], Score: graph.RoundScore(c.EntityCalibration.Probability(odds)),
		Initial:  &graph.Judgement{Type: cmp.Or(c.EntityTypes[first], noneType), Score: graph.RoundScore(calibrated(c.EntityCalibration, initial, first))},
		Concepts: []graph.Candidate{},
	}
	if p.attention != nil {
		c.attend(&m, in.Candidates[r.span], p.attention[row*(c.Knowledge.Candidates+1):])
		c.Senses.settle(&m)
	}
	return m, odds
}

// attend gives the mention its candidates with their weights, in the order of the linker.
func (c Config) attend(m *graph.Mention, candidates []candidate, attention []float32) {
	sentinel := graph.RoundScore(float64(attention[0]))
	m.Sentinel = &sentinel
	for i, candidate := range candidates {
		weight := graph.RoundScore(float64(attention[1+i]))
		concept := candidate.Candidate
		concept.Weight = &weight
		m.Concepts = append(m.Concepts, concept)
	}
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
		label: c.RelationLabels[label], odds: odds, score: graph.RoundScore(c.RelationCalibration.Probability(odds)),
		initial: graph.RoundScore(calibrated(c.RelationCalibration, p.initialRelations[at:at+labels], label)),
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

// document makes a graph of what was found in its text.
func (f found) document(doc graph.Document) graph.Document {
	doc.Offsets = graph.OffsetByte
	doc.Mentions, doc.Relations = []graph.Mention{}, []graph.Extraction{}
	for i, m := range f.mentions {
		m.ID = fmt.Sprintf("T%d", i+1)
		doc.Mentions = append(doc.Mentions, m)
	}
	for i, r := range f.relations {
		doc.Relations = append(doc.Relations, graph.Extraction{
			ID:   fmt.Sprintf("R%d", i+1),
			Head: doc.Mentions[r.head].ID, Tail: doc.Mentions[r.tail].ID,
			Label: r.label, Directed: r.directed, Score: r.score,
			Initial: graph.Judgement{Score: r.initial},
		})
	}
	return doc
}
