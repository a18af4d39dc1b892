package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// pubAnnotation is a document of PubAnnotation.
type pubAnnotation struct {
	SourceDB    string          `json:"sourcedb,omitempty"`
	SourceID    bioCString      `json:"sourceid,omitempty"`
	Text        *string         `json:"text"`
	Denotations []denotation    `json:"denotations"`
	Relations   []pubRelation   `json:"relations"`
	Attributes  []pubAttribute  `json:"attributes"`
	Blocks      json.RawMessage `json:"blocks,omitempty"` // parts of the text; not read
}

// denotation is a mention. Span is one range or, where it has several
// fragments, a list of them.
type denotation struct {
	ID   string          `json:"id"`
	Span json.RawMessage `json:"span"`
	Obj  string          `json:"obj"`
}

type span struct {
	Begin int `json:"begin"`
	End   int `json:"end"`
}

type pubRelation struct {
	ID   string `json:"id"`
	Pred string `json:"pred"`
	Subj string `json:"subj"`
	Obj  string `json:"obj"`
}

// pubAttribute says something of a mention or a relation.
type pubAttribute struct {
	ID   string `json:"id"`
	Pred string `json:"pred"`
	Subj string `json:"subj"`
	Obj  any    `json:"obj"` // a string, a number or a truth value
}

// Predicates of attributes that are written, and understood.
const (
	conceptPredicate    = "concept"
	negatedPredicate    = "negated"
	scorePredicate      = "score"
	directedPredicate   = "directed"
	finalPredicate      = "final"      // see graph.Mention.Final
	confidencePredicate = "confidence" // of the linker in the concept that was said before
)

// The source of abstracts of PubMed has its own name there.
const pubMedDB, pubMedPrefix = "PubMed", "PMID:"

func readPubAnnotation(r io.Reader, annotated bool) iter.Seq2[Placed, error] {
	return readJSON(r, nil, func(raw []byte, line int) (graph.Document, error) {
		var in pubAnnotation
		err := json.Unmarshal(raw, &in)
		document := graph.Document{ID: in.id()}
		switch {
		case err != nil:
			err = fmt.Errorf("no PubAnnotation document: %w", err)
		case in.Text == nil:
			err = errors.New(`the field "text" is missing`)
		default:
			if document.Text = *in.Text; annotated {
				document, err = in.annotate(document)
			}
		}
		return document, documentError(document.ID, line, err)
	})
}

// id joins database and number.
func (p pubAnnotation) id() string {
	switch {
	case p.SourceDB == pubMedDB && p.SourceID != "":
		return pubMedPrefix + string(p.SourceID)
	case p.SourceDB != "" && p.SourceID != "":
		return p.SourceDB + ":" + string(p.SourceID)
	}
	return string(p.SourceID)
}

func (p pubAnnotation) annotate(document graph.Document) (graph.Document, error) {
	var said annotations
	attributes := p.attributes()
	for i, d := range p.Denotations {
		spans, err := d.spans()
		if err != nil {
			return document, fmt.Errorf("denotation %d (id %q): %w", i+1, d.ID, err)
		}
		m := annotation{start: spans[0].Begin, end: spans[0].End, joined: len(spans) > 1}
		for _, s := range spans {
			m.start, m.end = min(m.start, s.Begin), max(m.end, s.End)
		}
		m.ID, m.Type, m.Concepts = d.ID, d.Obj, []graph.Candidate{}
		for _, a := range attributes[d.ID] {
			a.describe(&m.Mention)
		}
		said.addMention(m)
	}
	for _, r := range p.Relations {
		extraction := graph.Extraction{ID: r.ID, Head: r.Subj, Tail: r.Obj, Label: r.Pred, Directed: true}
		for _, a := range attributes[r.ID] {
			switch score, _ := a.Obj.(float64); {
			case a.Pred == scorePredicate:
				extraction.Score = score
			case a.Pred == directedPredicate:
				extraction.Directed = a.Obj != false
			}
		}
		said.addRelation(extraction, 0)
	}
	return said.annotate(document, func(graph.OffsetUnit) (string, []int) { return document.Text, []int{0} })
}

// spans are the fragments of a mention: at least one.
func (d denotation) spans() ([]span, error) {
	var one span
	var several []span
	switch {
	case json.Unmarshal(d.Span, &several) == nil && len(several) > 0:
		return several, nil
	case json.Unmarshal(d.Span, &one) == nil && len(several) == 0:
		return []span{one}, nil
	}
	return nil, fmt.Errorf(`the span is %.60s: it must be {"begin":…,"end":…} or a list of those`, d.Span)
}

// attributes gives the attributes by what they speak of.
func (p pubAnnotation) attributes() map[string][]pubAttribute {
	by := map[string][]pubAttribute{}
	for _, a := range p.Attributes {
		by[a.Subj] = append(by[a.Subj], a)
	}
	return by
}

// describe adds what the attribute says, if it is understood.
func (a pubAttribute) describe(m *graph.Mention) {
	switch value := a.Obj.(type) {
	case string:
		if a.Pred == conceptPredicate {
			m.Concepts = append(m.Concepts, graph.Candidate{CUI: graph.CUI(value), SemanticTypes: []graph.TUI{}})
		}
	case float64:
		switch {
		case a.Pred == scorePredicate:
			m.Score = value
		case a.Pred == confidencePredicate && len(m.Concepts) > 0:
			m.Concepts[len(m.Concepts)-1].Confidence = value
		}
	case bool:
		switch a.Pred {
		case negatedPredicate:
			m.Negated = value
		case finalPredicate:
			m.Final = value
		}
	}
}

// pubAnnotationWriter writes a document a line.
type pubAnnotationWriter struct{ out io.Writer }

// Write implements Writer.
func (w *pubAnnotationWriter) Write(d graph.Document) error {
	out := pubAnnotation{SourceID: bioCString(d.ID), Text: &d.Text, Denotations: []denotation{}, Relations: []pubRelation{}, Attributes: []pubAttribute{}}
	if number, ok := strings.CutPrefix(d.ID, pubMedPrefix); ok {
		out.SourceDB, out.SourceID = pubMedDB, bioCString(number)
	}
	say := func(subject, predicate string, object any) {
		out.Attributes = append(out.Attributes, pubAttribute{fmt.Sprintf("A%d", len(out.Attributes)+1), predicate, subject, object})
	}
	for _, m := range d.Mentions {
		out.Denotations = append(out.Denotations, denotation{m.ID, fmt.Appendf(nil, `{"begin":%d,"end":%d}`, m.Start, m.End), m.Type})
		for _, c := range m.Denoted() {
			say(m.ID, conceptPredicate, string(c.CUI))
			if c.Confidence != 0 {
				say(m.ID, confidencePredicate, c.Confidence)
			}
		}
		if m.Final {
			say(m.ID, finalPredicate, true)
		}
		if m.Negated {
			say(m.ID, negatedPredicate, true)
		}
		if m.Score != 0 {
			say(m.ID, scorePredicate, m.Score)
		}
	}
	for _, r := range d.Relations {
		out.Relations = append(out.Relations, pubRelation{r.ID, r.Label, r.Head, r.Tail})
		if !r.Directed {
			say(r.ID, directedPredicate, false)
		}
		if r.Score != 0 {
			say(r.ID, scorePredicate, r.Score)
		}
	}
	content, err := encode(out, "")
	if err != nil {
		return err
	}
	_, err = w.out.Write(content)
	return err
}

// Close implements Writer.
func (w *pubAnnotationWriter) Close() error { return nil }
