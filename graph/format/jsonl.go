package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"

	"github.com/keci-kg/keci/graph"
)

func readJSONL(r io.Reader, annotated bool) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		for line, err := range readLines(r) {
			document := Placed{Line: line.number}
			switch content := bytes.TrimSpace(line.content); {
			case errors.Is(err, errTooLong):
				err = &DocumentError{Line: line.number, Err: err}
			case err == nil && len(content) == 0:
				continue
			case err == nil:
				document.Document, err = parseDocument(content, annotated)
				err = documentError(document.ID, line.number, err)
			}
			if !yield(document, err) {
				return
			}
		}
	}
}

// inputDocument is what users may say of a document: all that [graph.Document]
// has, and the error of one that failed.
type inputDocument struct {
	ID               json.RawMessage         `json:"id"`
	Title            string                  `json:"title"`
	Text             *string                 `json:"text"`
	Offsets          graph.OffsetUnit        `json:"offsets"`
	Model            *graph.Provenance       `json:"model"`
	KB               *graph.Provenance       `json:"kb"`
	Submitted        json.RawMessage         `json:"submittedAt"`
	Mentions         []graph.Mention         `json:"mentions"`
	Relations        []graph.Extraction      `json:"relations"`
	ConceptRelations []graph.ConceptRelation `json:"conceptRelations"`
	Error            *failure                `json:"error"`
}

// parseDocument reads a JSON object. With an error it gives the id if it knows it.
func parseDocument(content []byte, annotated bool) (graph.Document, error) {
	if at := graph.FirstInvalid(content); at >= 0 {
		return graph.Document{}, fmt.Errorf("byte %d is not UTF-8: convert the file", at+1)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var in inputDocument
	err := decoder.Decode(&in)
	if err == nil && decoder.More() {
		err = errors.New("more than one JSON value")
	}
	document := graph.Document{Title: in.Title}
	id, idErr := parseID(in.ID)
	document.ID = id
	switch {
	case err != nil:
		return document, fmt.Errorf("no JSON document with the fields id, title and text: %w", err)
	case idErr != nil:
		return document, idErr
	case in.Error != nil:
		return document, fmt.Errorf("the document failed before: %s", in.Error.Detail)
	case in.Text == nil:
		return document, errors.New(`the field "text" is missing`)
	}
	document.Text = *in.Text
	if !annotated {
		return document, nil
	}
	return in.annotate(document)
}

// annotate adds what the document is annotated with.
func (in inputDocument) annotate(document graph.Document) (graph.Document, error) {
	document.Model, document.KB, document.Offsets = in.Model, in.KB, in.Offsets
	var said annotations
	for _, m := range in.Mentions {
		said.addMention(annotation{Mention: m, start: m.Start, end: m.End})
	}
	for _, r := range in.Relations {
		said.addRelation(r, 0)
	}
	said.concepts = in.ConceptRelations
	unit := in.Offsets
	if unit == "" {
		unit = graph.OffsetCodepoint
	}
	said.nameAll()
	document, err := said.fit(document, func(graph.OffsetUnit) (string, []int) { return document.Text, []int{0} }, unit)
	if err != nil {
		return document, err
	}
	return said.relate(document)
}

// wholeNumber is one of any size: as an id it is kept as it is written.
var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// parseID reads an id that is a string or a whole number.
func parseID(raw json.RawMessage) (string, error) {
	if raw == nil || string(raw) == "null" {
		return "", nil
	}
	var id string
	if json.Unmarshal(raw, &id) == nil {
		return id, nil
	}
	if wholeNumber.Match(raw) {
		return string(raw), nil
	}
	return "", fmt.Errorf(`the field "id" is %s: it must be a string or a whole number`, raw)
}
