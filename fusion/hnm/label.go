package hnm

import (
	"errors"
	"log/slog"
	"slices"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// example is an annotated text with the class of each of its pairs.
type example struct {
	text
	pairs   []pair
	classes []int
	missed  []string // labels of annotated relations of no pair: the model knows no such types or no such label, or no mention can be read
}

// relation is an annotated relation of two concepts.
type relation struct{ head, tail, label string }

// label finds the annotated concepts of a text, and what holds between them.
func (c Config) label(t *encoder.Tokenizer, e corpus.Example) example {
	x := example{text: text{pieces: t.Tokenize(e.Text)}}
	for i, m := range e.Entities {
		typ := slices.Index(c.EntityTypes, m.Type)
		place, ok := spanOf(x.text.pieces, m.Start, m.End, i)
		if typ < 0 || !ok {
			continue
		}
		for _, id := range m.Concepts {
			x.add(id, typ, place)
		}
	}
	x.pairs = c.pairs(x.text)
	x.classes = make([]int, len(x.pairs))
	for _, r := range c.relations(e) {
		at := slices.IndexFunc(x.pairs, func(p pair) bool {
			head, tail := x.concepts[p.head].id, x.concepts[p.tail].id
			return head == r.head && tail == r.tail || !c.Directed && head == r.tail && tail == r.head
		})
		class := 1 + slices.Index(c.RelationLabels, r.label)
		if at < 0 || class == none || x.classes[at] != none { // a pair has one label
			x.missed = append(x.missed, r.label)
			continue
		}
		x.classes[at] = class
	}
	return x
}

// relations are the annotated relations of concepts, each once.
func (c Config) relations(e corpus.Example) []relation {
	var list []relation
	for _, r := range e.ConceptRelations {
		found, swapped := relation{r.Head, r.Tail, r.Label}, relation{r.Tail, r.Head, r.Label}
		if !slices.Contains(list, found) && (c.Directed || !slices.Contains(list, swapped)) {
			list = append(list, found)
		}
	}
	return list
}

// errNoConcepts is what a corpus without relations of concepts is answered.
var errNoConcepts = errors.New("no relation between concepts of a document is annotated: this variant learns from corpora such as BioRED, whose mentions have identifiers and whose relations name two of them")

// learnLabels takes types and labels from what there is to learn from. A relation of
// a concept that no mention denotes, such as one id for two concepts, is left out.
func (c *Config) learnLabels(learned corpus.Corpus) error {
	c.EntityTypes, c.Directed = learned.EntityTypes, learned.Directed
	c.Pairs, c.RelationLabels = nil, nil
	learned.OfConcepts = true // relations of mentions are not looked at
	relations, unnamed := learned.TypedRelations()
	if len(relations) == 0 {
		return errNoConcepts
	}
	if unnamed > 0 {
		slog.Info("relations of concepts that no mention denotes are not learned", "relations", unnamed)
	}
	for _, r := range relations {
		c.Pairs, c.RelationLabels = append(c.Pairs, r.Types), append(c.RelationLabels, r.Label)
	}
	slices.SortFunc(c.Pairs, corpus.TypePair.Compare)
	slices.Sort(c.RelationLabels)
	c.Pairs, c.RelationLabels = slices.Compact(c.Pairs), slices.Compact(c.RelationLabels)
	return nil
}

// semanticTypes tell for which entity type a concept is taken, by its semantic type:
// the one with which most of what the linker finds of it is annotated. A semantic
// type that is more often not annotated at all is left out. linked is what the
// linker finds in each example.
func semanticTypes(learned corpus.Corpus, linked [][]graph.Mention) map[graph.TUI]string {
	counts := map[graph.TUI]map[string]int{}
	for i, e := range learned.Examples {
		annotated := map[linker.Range]string{}
		for _, m := range e.Entities {
			annotated[linker.Range{Start: m.Start, End: m.End}] = m.Type
		}
		for _, m := range linked[i] {
			tui, ok := semanticType(m)
			if !ok {
				continue
			}
			if counts[tui] == nil {
				counts[tui] = map[string]int{}
			}
			counts[tui][annotated[linker.Range{Start: m.Start, End: m.End}]]++
		}
	}
	types := map[graph.TUI]string{}
	for tui, of := range counts {
		best := ""
		for _, typ := range append([]string{""}, learned.EntityTypes...) {
			if of[typ] > of[best] {
				best = typ
			}
		}
		if best != "" {
			types[tui] = best
		}
	}
	return types
}

// semanticType is that of the best concept of a mention of the linker's final
// mapping.
func semanticType(m graph.Mention) (graph.TUI, bool) {
	if !m.Final || len(m.Concepts) == 0 || len(m.Concepts[0].SemanticTypes) == 0 {
		return "", false
	}
	return m.Concepts[0].SemanticTypes[0], true
}
