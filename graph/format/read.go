package format

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/keci-kg/keci/graph"
)

// MaxDocumentBytes is the most that Read takes for one document, the line of a
// JSONL file included. It only keeps the memory bounded: what is a reasonable
// text is for the caller to say.
const MaxDocumentBytes = 64 << 20

// Placed is a document with the place that it was read from.
type Placed struct {
	graph.Document
	File string // empty when it was not read from a file
	Line int    // on which it begins, from 1; 0 when the form has no lines
}

// DocumentError tells of one document that could not be read; those after it can.
type DocumentError struct {
	ID   string // empty when it could not be read
	File string // empty when it was not read from a file
	Line int    // from 1; 0 when the form has no lines
	Err  error
}

func (e *DocumentError) Error() string {
	switch {
	case e.File != "" && e.Line > 0:
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
	case e.File != "":
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	case e.Line > 0:
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	}
	return e.Err.Error()
}

func (e *DocumentError) Unwrap() error { return e.Err }

// documentError makes an error of a document that begins on a line; an [errAt]
// knows better.
func documentError(id string, line int, err error) error {
	if err == nil {
		return nil
	}
	if at := (*errAt)(nil); errors.As(err, &at) && at.line > 0 {
		line = at.line
	}
	return &DocumentError{ID: id, Line: line, Err: err}
}

// endError is an error on a line after which nothing can be read.
type endError struct {
	line int
	err  error
}

func (e *endError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *endError) Unwrap() error { return e.err }

// Read reads the documents of r one after the other, without what they may be
// annotated with. A document without an id has an empty one. An error is a
// [*DocumentError], after which the next document follows, or another one, after
// which nothing does: of r, or of JSON or XML that is broken or cut off. What [Brat] keeps in two files is read by [ReadFile].
//
// A document in JSON has the fields of [graph.Document], of which only text must be
// there; the id may be a whole number. Another field is an error. Empty lines are
// passed over.
func Read(r io.Reader, kind Kind) iter.Seq2[graph.Document, error] {
	return unplaced(read(r, kind, false))
}

// ReadAnnotated is [Read] with what people, or programs, have annotated: mentions
// with their types and concepts, relations between mentions and relations between
// concepts. Offsets are counted in code points; Final, Negated and scores are set
// where the form has them, as [JSONL] does. An annotation that does not fit its
// text is an error of the document.
//
// The concepts of mentions are ids in the vocabulary that the annotators used, for
// example "MESH:D003490". A mention of several fragments goes from the first to
// the last and has all that is between them.
func ReadAnnotated(r io.Reader, kind Kind) iter.Seq2[graph.Document, error] {
	return unplaced(read(r, kind, true))
}

// unplaced are the documents alone.
func unplaced(documents iter.Seq2[Placed, error]) iter.Seq2[graph.Document, error] {
	return func(yield func(graph.Document, error) bool) {
		for document, err := range documents {
			if !yield(document.Document, err) {
				return
			}
		}
	}
}

func read(r io.Reader, kind Kind, annotated bool) iter.Seq2[Placed, error] {
	r = decoded(r)
	failure := fmt.Errorf("documents cannot be read from format %q", kind)
	switch {
	case kind == Text && annotated:
		failure = errors.New("a text has no annotations: name another format, or put an .ann file beside it")
	case kind == Text:
		return readText(r)
	case kind == JSONL:
		return readJSONL(r, annotated)
	case kind == JSON:
		return readJSON(r, nil, func(raw []byte, line int) (graph.Document, error) {
			document, err := parseDocument(raw, annotated)
			return document, documentError(document.ID, line, err)
		})
	case kind == BioC, kind == BioCXML:
		return readBioC(r, annotated)
	case kind == PubTator:
		return readPubTator(r, annotated)
	case kind == PubAnnotation:
		return readPubAnnotation(r, annotated)
	}
	return func(yield func(Placed, error) bool) { yield(Placed{}, failure) }
}

func readText(r io.Reader) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		content, err := io.ReadAll(io.LimitReader(r, MaxDocumentBytes+1))
		if err == nil && len(content) > MaxDocumentBytes {
			err = &DocumentError{Err: errTooLong}
		}
		if err != nil {
			yield(Placed{}, err)
			return
		}
		yield(Placed{Document: graph.Document{Text: string(content)}}, nil)
	}
}
