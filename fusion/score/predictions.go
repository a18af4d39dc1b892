package score

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// span is what a mention is compared by: byte offsets and type.
type span struct {
	start, end int
	typ        string
}

// before orders the mentions of an undirected relation.
func (s span) before(t span) bool {
	return cmp.Or(cmp.Compare(s.start, t.start), cmp.Compare(s.end, t.end), cmp.Compare(s.typ, t.typ)) < 0
}

// triple is a relation between two spans; the first is the earlier one where
// relations have no direction.
type triple struct {
	head, tail span
	label      string
}

// annotation is what is compared: the mentions and relations of one text, be
// they annotated or predicted.
type annotation struct {
	mentions map[span]bool
	triples  map[triple]bool
}

// pair is one example with what was predicted for it.
type pair struct {
	example         corpus.Example
	gold, predicted annotation
}

// match brings examples and predictions together, in the order of the corpus.
// The result holds the counts of documents.
func match(gold corpus.Corpus, predicted []graph.Document) ([]pair, Result, error) {
	result := Result{Corpus: gold.Name, Documents: len(gold.Examples)}
	documents := make(map[string]graph.Document, len(predicted))
	for _, doc := range predicted {
		if _, twice := documents[doc.ID]; twice {
			return nil, result, fmt.Errorf("document %q is predicted twice: keep one", doc.ID)
		}
		documents[doc.ID] = doc
	}
	pairs := make([]pair, len(gold.Examples))
	for i, e := range gold.Examples {
		pairs[i] = pair{example: e, gold: goldAnnotation(e, gold.Directed)}
		doc, ok := documents[e.ID]
		if !ok {
			result.Missing++
			continue
		}
		var err error
		if pairs[i].predicted, err = predictedAnnotation(doc, e.Text, gold.Directed); err != nil {
			return nil, result, fmt.Errorf("prediction for %q: %w", doc.ID, err)
		}
	}
	if len(predicted) > 0 && result.Missing > 0 && result.Missing == result.Documents {
		return nil, result, fmt.Errorf("no document has the id of an example of the corpus (such as %q; the first document is %q)", gold.Examples[0].ID, predicted[0].ID)
	}
	result.Unknown = len(predicted) - (result.Documents - result.Missing)
	return pairs, result, nil
}

func newAnnotation() annotation {
	return annotation{map[span]bool{}, map[triple]bool{}}
}

func goldAnnotation(e corpus.Example, directed bool) annotation {
	a := newAnnotation()
	spans := make([]span, len(e.Entities))
	for i, m := range e.Entities {
		spans[i] = span{m.Start, m.End, m.Type}
		a.mentions[spans[i]] = true
	}
	for _, r := range e.Relations {
		a.triples[newTriple(spans[r.Head], spans[r.Tail], r.Label, directed)] = true
	}
	return a
}

func predictedAnnotation(doc graph.Document, text string, directed bool) (annotation, error) {
	a := newAnnotation()
	spans, err := spansOf(doc, text)
	if err != nil {
		return a, err
	}
	for _, s := range spans {
		a.mentions[s] = true
	}
	for _, r := range doc.Relations {
		for _, id := range []string{r.Head, r.Tail} {
			if _, ok := spans[id]; !ok {
				return a, fmt.Errorf("relation %q: there is no mention %q", r.ID, id)
			}
		}
		a.triples[newTriple(spans[r.Head], spans[r.Tail], r.Label, directed)] = true
	}
	return a, nil
}

// spansOf gives the spans of the mentions of a document, by id, in a text that
// must be the document's.
func spansOf(doc graph.Document, text string) (map[string]span, error) {
	if doc.Text != text {
		return nil, errors.New("its text differs from the text in the corpus, so that offsets cannot be compared: extract from the text as the corpus has it")
	}
	doc, err := doc.WithOffsets(graph.OffsetByte)
	if err != nil {
		return nil, err
	}
	spans := make(map[string]span, len(doc.Mentions))
	for _, m := range doc.Mentions {
		if _, twice := spans[m.ID]; twice {
			return nil, fmt.Errorf("two mentions have the id %q", m.ID)
		}
		if spans[m.ID], err = spanOf(m, text); err != nil {
			return nil, fmt.Errorf("mention %q: %w", m.ID, err)
		}
	}
	return spans, nil
}

func newTriple(head, tail span, label string, directed bool) triple {
	if !directed && tail.before(head) {
		head, tail = tail, head
	}
	return triple{head, tail, label}
}

// spanOf gives the span of a mention whose offsets are bytes of the text.
func spanOf(m graph.Mention, text string) (span, error) {
	if m.Start == m.End {
		return span{}, errors.New("it is empty")
	}
	if found := text[m.Start:m.End]; m.Text != found {
		return span{}, fmt.Errorf("its text is %q, but in the document its range is %q: are the offsets in the unit that the document says?", m.Text, found)
	}
	return span{m.Start, m.End, m.Type}, nil
}
