package corpus

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/linker"
)

// documentForms are the forms of package format that hold annotations.
var documentForms = []format.Kind{format.BioC, format.PubTator, format.Brat, format.JSONL}

// relationsTold is of which kinds the relations of documents are: whether there are
// some of mentions, some of those with a direction, and some of concepts.
type relationsTold struct{ mentions, directed, concepts bool }

// readDocuments reads annotated documents. told hears of their relations.
func readDocuments(path string, kind format.Kind, told *relationsTold) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		number := 0
		for doc, err := range (format.Files{Kind: kind, Annotated: true}).ReadPlaced(path) {
			number++
			e := Example{File: doc.File, Line: doc.Line, ID: doc.ID}
			if e.ID == "" {
				e.ID = fmt.Sprintf("#%d", number)
			}
			e.Group = e.ID
			if err == nil {
				e, err = annotatedExample(e, doc.Document)
			}
			told.mentions = told.mentions || len(doc.Relations) > 0
			told.concepts = told.concepts || len(doc.ConceptRelations) > 0
			for _, r := range doc.Relations {
				told.directed = told.directed || r.Directed
			}
			if at := (*format.DocumentError)(nil); errors.As(err, &at) {
				e.File, e.Line, err = at.File, at.Line, at.Err
				if doc.ID != "" {
					err = fmt.Errorf("document %q: %w", doc.ID, err)
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// annotatedExample gives an example the annotations of its document.
func annotatedExample(e Example, doc graph.Document) (Example, error) {
	doc, err := doc.WithOffsets(graph.OffsetByte)
	if err != nil {
		return e, err
	}
	e.Text = doc.Text
	index := map[string]int{} // of mentions by id
	for i, m := range doc.Mentions {
		if m.Type == "" {
			return e, fmt.Errorf("document %q: mention %s has no type", e.ID, m.ID)
		}
		index[m.ID] = i
		e.Entities = append(e.Entities, Entity{Start: m.Start, End: m.End, Type: m.Type, Cluster: i, Concepts: conceptsOf(m)})
	}
	position := e.sortEntities()
	for i := range e.Entities {
		e.Entities[i].Cluster = i
	}
	for _, r := range doc.Relations {
		if r.Label == "" {
			return e, fmt.Errorf("document %q: relation %s has no label", e.ID, r.ID)
		}
		e.Relations = append(e.Relations, Relation{position[index[r.Head]], position[index[r.Tail]], r.Label})
	}
	for _, r := range doc.ConceptRelations {
		e.ConceptRelations = append(e.ConceptRelations, ConceptRelation{Head: string(r.Head), Tail: string(r.Tail), Label: r.Label})
	}
	e.sortRelations()
	e.Relations = slices.Compact(e.Relations)
	e.relateMentions(e.ConceptRelations, linker.Sentences(e.Text))
	return e, nil
}

// conceptsOf are the ids that a document gives for a mention.
func conceptsOf(m graph.Mention) []string {
	var ids []string
	for _, c := range m.Concepts {
		ids = append(ids, string(c.CUI))
	}
	return ids
}

// conceptPlace is a mention of a concept, with the part of the text that it is in.
type conceptPlace struct{ mention, part int }

// conceptPlaces lists the mentions of each concept that lie within one of the parts.
func (e Example) conceptPlaces(parts []linker.Range) map[string][]conceptPlace {
	places := map[string][]conceptPlace{}
	for i, m := range e.Entities {
		at := slices.IndexFunc(parts, func(s linker.Range) bool { return s.Start <= m.Start && m.End <= s.End })
		if at < 0 {
			continue
		}
		for _, id := range m.Concepts {
			places[id] = append(places[id], conceptPlace{i, at})
		}
	}
	return places
}

// undirect swaps the ends of relations where Head comes after Tail: what no
// relation of a corpus has, a direction, is not learned.
func (c *Corpus) undirect() {
	for i := range c.Examples {
		e := &c.Examples[i]
		for k, r := range e.Relations {
			if r.Head > r.Tail {
				e.Relations[k].Head, e.Relations[k].Tail = r.Tail, r.Head
			}
		}
		e.sortRelations()
		e.Relations = slices.Compact(e.Relations)
	}
}
