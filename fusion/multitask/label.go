package multitask

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/tagging"
)

// example is a text with its labels.
type example struct {
	pairsOf
	tags   []int32     // of each piece; those of pieces that begin no word do not count
	labels [][]float32 // of each pair, 1 for each label that it has
}

// label finds the pieces of the annotated entities. An entity that begins or ends
// inside a word, or overlaps a longer one, cannot be learned.
func (c Config) label(t *reading, e corpus.Example) *example {
	x := &example{pairsOf: pairsOf{text: t}, tags: make([]int32, len(t.pieces))}
	placed := x.place(c, e)
	var index map[string]int
	x.entities, index = c.annotatedEntities(x.places, placed, e)
	x.pairs = c.pairs(t, x.places, x.entities)
	related := c.related(e, placed, index)
	for _, p := range x.pairs {
		labels := make([]float32, len(c.RelationLabels))
		for l, label := range c.RelationLabels {
			labels[l] = oneIf(related[link{p.head, p.tail, label}] || !c.Directed && related[link{p.tail, p.head, label}])
		}
		x.labels = append(x.labels, labels)
	}
	return x
}

// place sets places and tags, in order of the text, and gives the place of each
// entity, −1 without one.
func (x *example) place(c Config, e corpus.Example) []int {
	placed := slices.Repeat([]int{-1}, len(e.Entities))
	order := make([]int, len(e.Entities))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { // longer ones first
		return cmp.Compare(e.Entities[b].End-e.Entities[b].Start, e.Entities[a].End-e.Entities[a].Start)
	})
	taken := make([]bool, len(x.tags))
	var chosen []int
	for _, i := range order {
		m := e.Entities[i]
		first, last := x.text.piecesOf(m.Start, m.End)
		typ := slices.Index(c.EntityTypes, m.Type)
		if typ < 0 || !x.text.isRun(first, last, m.Start, m.End) || slices.Contains(taken[first:last+1], true) {
			continue
		}
		for p := first; p <= last; p++ {
			taken[p] = true
			x.tags[p] = int32(tagging.Inside(typ))
		}
		x.tags[first] = int32(tagging.Begin(typ))
		chosen = append(chosen, i)
	}
	slices.Sort(chosen) // entities are in order of the text
	for _, i := range chosen {
		m := e.Entities[i]
		first, last := x.text.piecesOf(m.Start, m.End)
		placed[i] = len(x.places)
		x.places = append(x.places, place{first, last, slices.Index(c.EntityTypes, m.Type)})
	}
	return placed
}

// isRun tells whether pieces are whole words with exactly a byte range.
func (t *reading) isRun(first, last, start, end int) bool {
	return first <= last && t.pieces[first].Start == start && t.pieces[last].End == end && t.pieces[first].Starting &&
		(last+1 == len(t.pieces) || t.pieces[last+1].Starting)
}

// annotatedEntities are the concepts of the annotation, and mentions of one name
// that have none, with the index of each by its key (see conceptKeys); where
// relations are of mentions, each mention is an entity, in their order.
func (c Config) annotatedEntities(places []place, placed []int, e corpus.Example) ([]entity, map[string]int) {
	if !c.OfConcepts {
		return group(places, make([][]string, len(places))), nil
	}
	var entities []entity
	index := map[string]int{}
	for i, m := range e.Entities {
		if placed[i] < 0 {
			continue
		}
		keys := conceptKeys(m, e.Text)
		for _, key := range keys {
			at, ok := index[key]
			if !ok {
				at = len(entities)
				index[key] = at
				entities = append(entities, entity{typ: places[placed[i]].typ})
			}
			entities[at].places = append(entities[at].places, placed[i])
		}
	}
	return entities, index
}

// conceptKeys are the concepts of a mention, or its type and name where it has none.
func conceptKeys(m corpus.Entity, text string) []string {
	if len(m.Concepts) > 0 {
		return m.Concepts
	}
	return []string{fmt.Sprintf("%s %s", m.Type, nameKey(text[m.Start:m.End]))}
}

// link is a relation between two entities, by index.
type link struct {
	head, tail int
	label      string
}

// related are the annotated relations between the entities, of which index has
// those of concepts.
func (c Config) related(e corpus.Example, placed []int, index map[string]int) map[link]bool {
	set := map[link]bool{}
	if !c.OfConcepts { // the entity of a mention has the number of its place
		for _, r := range e.Relations {
			set[link{placed[r.Head], placed[r.Tail], r.Label}] = true
		}
		return set
	}
	for _, r := range e.ConceptRelations {
		head, found := index[r.Head]
		tail, also := index[r.Tail]
		if found && also {
			set[link{head, tail, r.Label}] = true
		}
	}
	return set
}

// typePairs are the types of the heads and tails of relations, sorted; those of
// fewer than one in a hundred relations are taken for slips of the annotation.
func typePairs(c corpus.Corpus) []corpus.TypePair {
	relations, unnamed := c.TypedRelations()
	if unnamed > 0 {
		slog.Info("relations of concepts that no mention denotes are not learned", "relations", unnamed)
	}
	counts := map[corpus.TypePair]int{}
	for _, r := range relations {
		counts[r.Types]++
	}
	maps.DeleteFunc(counts, func(_ corpus.TypePair, n int) bool { return 100*n < len(relations) })
	return slices.SortedFunc(maps.Keys(counts), corpus.TypePair.Compare)
}
