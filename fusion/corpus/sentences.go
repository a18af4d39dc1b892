package corpus

import (
	"fmt"
	"slices"

	"github.com/keci-kg/keci/linker"
)

// Lost counts what does not lie within what is read at once. A relation of concepts
// is lost where no mentions of the two do.
type Lost struct {
	Entities, Relations int
	Unnamed             int // relations of a concept that no entity of the document has
	Loops               int // relations of a mention with itself, which no system here finds
}

// InSentences cuts documents into sentences, see [Corpus.InWindows].
func (c Corpus) InSentences() (Corpus, Lost) { return c.InWindows(1, nil) }

// InWindows cuts documents into runs of up to n consecutive sentences, as far as a
// run of several fits (see [linker.Windows]), the way a model reads them: each becomes
// an example of its own, with the entities and relations within it, so that some are
// in several. A relation of concepts holds between all their mentions in it.
// What is a corpus of sentences stays as it is.
func (c Corpus) InWindows(n int, fits func(text string) bool) (Corpus, Lost) {
	if c.Sentences {
		return c, Lost{}
	}
	var lost Lost
	var windows []Example
	for _, e := range c.Examples {
		parts := linker.Windows(linker.Sentences(e.Text), n, func(r linker.Range) bool { return fits(e.Text[r.Start:r.End]) })
		examples, missing := e.cut(parts)
		windows = append(windows, examples...)
		lost.Entities += missing.Entities
		lost.Relations += missing.Relations
		lost.Unnamed += missing.Unnamed
		lost.Loops += missing.Loops
	}
	c.Examples, c.Sentences = windows, true
	if !c.Directed {
		c.undirect()
	}
	return c, lost
}

// Repeated is how many bytes each example begins with that the examples before it had
// as well, since windows of one document overlap: what is counted over the examples
// must pass over them.
func (c Corpus) Repeated() []int {
	repeated := make([]int, len(c.Examples))
	document, last, end := "", 0, 0 // the document that is being read, where its last part begins, and where the parts end
	for i, e := range c.Examples {
		whole, start := e.Document()
		if i == 0 || whole != document || start <= last {
			document, end = whole, start
		}
		last = start
		repeated[i] = max(0, end-start)
		end = max(end, start+len(e.Text))
	}
	return repeated
}

// cut makes an example of each part of a document, and counts what is in none.
func (e Example) cut(parts []linker.Range) ([]Example, Lost) {
	var examples []Example
	k := kept{map[int]bool{}, map[Relation]bool{}, map[ConceptRelation]bool{}}
	for i, r := range parts {
		examples = append(examples, e.part(fmt.Sprintf("%s#%d", e.ID, i+1), r, k))
	}
	return examples, k.lost(e)
}

// kept is what of a document lies in one of its parts.
type kept struct {
	entities   map[int]bool // by index
	relations  map[Relation]bool
	ofConcepts map[ConceptRelation]bool
}

func (k kept) lost(e Example) Lost {
	l := Lost{Entities: len(e.Entities) - len(k.entities)}
	for _, r := range e.Relations {
		switch {
		case r.Head == r.Tail:
			l.Loops++
		case !k.relations[r]:
			l.Relations++
		}
	}
	for _, r := range e.ConceptRelations {
		switch {
		case k.ofConcepts[r]:
		case !e.names(r.Head) || !e.names(r.Tail):
			l.Unnamed++
		default:
			l.Relations++
		}
	}
	return l
}

// names tells whether an entity of the document is of a concept.
func (e Example) names(concept string) bool {
	return slices.ContainsFunc(e.Entities, func(m Entity) bool { return slices.Contains(m.Concepts, concept) })
}

// part is the example of a part of a document.
func (e Example) part(id string, r linker.Range, k kept) Example {
	part := Example{File: e.File, Line: e.Line, ID: id, Text: e.Text[r.Start:r.End], In: Part{e.Text, r.Start}, Group: e.Group}
	places := map[int]int{} // in the part, of the entities within it
	for at, m := range e.Entities {
		if m.Start < r.Start || m.End > r.End {
			continue
		}
		places[at], k.entities[at] = len(part.Entities), true
		m.Start, m.End = m.Start-r.Start, m.End-r.Start
		part.Entities = append(part.Entities, m)
	}
	for _, rel := range e.Relations {
		head, ok := places[rel.Head]
		tail, also := places[rel.Tail]
		if ok && also && head != tail {
			k.relations[rel] = true
			part.Relations = append(part.Relations, Relation{Head: head, Tail: tail, Label: rel.Label})
		}
	}
	for _, rel := range part.relateMentions(e.ConceptRelations, []linker.Range{{Start: 0, End: len(part.Text)}}) {
		k.ofConcepts[rel] = true
		part.ConceptRelations = append(part.ConceptRelations, rel)
	}
	return part
}
