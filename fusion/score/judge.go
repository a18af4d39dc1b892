package score

import (
	"fmt"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// Judged tells of each mention and each relation of a document, in its order,
// whether it is right.
type Judged struct{ Mentions, Relations []bool }

// Judge compares documents with a corpus, one by one: a mention is right when its
// span and type are annotated, a relation when its two spans, its label and,
// where relations have one, its direction are; where relations are of concepts
// (see Concepts), when its concepts and label are. This is what the score of a
// finding is about, whatever the rules of a benchmark are. Documents that the
// corpus does not have are an error.
func Judge(gold corpus.Corpus, documents []graph.Document) ([]Judged, error) {
	examples := map[string]corpus.Example{}
	for _, e := range gold.Examples {
		examples[e.ID] = e
	}
	judged := make([]Judged, len(documents))
	for i, doc := range documents {
		e, ok := examples[doc.ID]
		if !ok {
			return nil, fmt.Errorf("document %q is not in the corpus", doc.ID)
		}
		var err error
		if judged[i], err = judge(e, doc, gold); err != nil {
			return nil, fmt.Errorf("prediction for %q: %w", doc.ID, err)
		}
	}
	return judged, nil
}

func judge(e corpus.Example, doc graph.Document, of corpus.Corpus) (Judged, error) {
	gold, directed := goldAnnotation(e, of.Directed), of.Directed
	related := map[triple]bool{}
	for t := range gold.triples {
		related[t.withoutTypes(directed)] = true
	}
	spans, err := spansOf(doc, e.Text)
	if err != nil {
		return Judged{}, err
	}
	var j Judged
	for _, m := range doc.Mentions {
		j.Mentions = append(j.Mentions, gold.mentions[spans[m.ID]])
	}
	for _, r := range doc.Relations {
		head, found := spans[r.Head]
		tail, also := spans[r.Tail]
		if !found || !also {
			return j, fmt.Errorf("relation %q: there is no mention %q or no mention %q", r.ID, r.Head, r.Tail)
		}
		j.Relations = append(j.Relations, related[triple{head, tail, r.Label}.withoutTypes(directed)])
	}
	if of.OfConcepts {
		j.Relations = judgeConcepts(e, doc, directed)
	}
	return j, nil
}

// withoutTypes compares the places of a relation alone.
func (t triple) withoutTypes(directed bool) triple {
	return newTriple(span{start: t.head.start, end: t.head.end}, span{start: t.tail.start, end: t.tail.end}, t.label, directed)
}
