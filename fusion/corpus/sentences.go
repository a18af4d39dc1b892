package corpus

import (
	"fmt"

	"github.com/keci-kg/keci/linker"
)

// Lost counts what does not lie within one sentence.
type Lost struct{ Entities, Relations int }

// InSentences cuts documents into sentences, the way a model reads them: each
// becomes an example of its own, with the entities and relations within it.
// What is a corpus of sentences stays as it is.
func (c Corpus) InSentences() (Corpus, Lost) {
	if c.Sentences {
		return c, Lost{}
	}
	var lost Lost
	var sentences []Example
	for _, e := range c.Examples {
		parts, missing := e.sentences()
		sentences = append(sentences, parts...)
		lost.Entities += missing.Entities
		lost.Relations += missing.Relations
	}
	c.Examples, c.Sentences = sentences, true
	return c, lost
}

// sentences cuts one document.
func (e Example) sentences() ([]Example, Lost) {
	type place struct{ sentence, entity int }
	places := map[int]place{} // of each entity that lies within a sentence
	var parts []Example
	for i, r := range linker.Sentences(e.Text) {
		part := Example{File: e.File, Line: e.Line, ID: fmt.Sprintf("%s#%d", e.ID, i+1), Text: e.Text[r.Start:r.End], Group: e.Group}
		for at, m := range e.Entities {
			if m.Start < r.Start || m.End > r.End {
				continue
			}
			places[at] = place{i, len(part.Entities)}
			m.Start, m.End = m.Start-r.Start, m.End-r.Start
			part.Entities = append(part.Entities, m)
		}
		parts = append(parts, part)
	}
	lost := Lost{Entities: len(e.Entities) - len(places), Relations: len(e.Relations)}
	for _, rel := range e.Relations {
		head, ok := places[rel.Head]
		tail, also := places[rel.Tail]
		if !ok || !also || head.sentence != tail.sentence {
			continue
		}
		part := &parts[head.sentence]
		part.Relations = append(part.Relations, Relation{Head: head.entity, Tail: tail.entity, Label: rel.Label})
		lost.Relations--
	}
	return parts, lost
}
