package format

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// MaxDocumentBytes is the most that Read takes for one document, the line of a
// JSONL file included. It only keeps the memory bounded: what is a reasonable
// text is for the caller to say.
const MaxDocumentBytes = 64 << 20

// DocumentError tells of one document that could not be read; those after it can.
type DocumentError struct {
	ID   string // empty when it could not be read
	Line int    // from 1; 0 when the form has no lines
	Err  error
}

func (e *DocumentError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	}
	return e.Err.Error()
}

func (e *DocumentError) Unwrap() error { return e.Err }

// Read reads the documents of r one after the other. A document without an id
// has an empty one. An error is a [*DocumentError], after which the next
// document follows, or one of r, after which nothing does.
//
// A line of JSONL has the fields text, and if wanted id (a string or a whole
// number) and title; another field is an error. Empty lines are passed over.
func Read(r io.Reader, kind Kind) iter.Seq2[graph.Document, error] {
	switch kind {
	case Text:
		return readText(r)
	case JSONL:
		return readJSONL(r)
	}
	return func(yield func(graph.Document, error) bool) {
		yield(graph.Document{}, fmt.Errorf("documents cannot be read from format %q", kind))
	}
}

func readText(r io.Reader) iter.Seq2[graph.Document, error] {
	return func(yield func(graph.Document, error) bool) {
		content, err := io.ReadAll(io.LimitReader(r, MaxDocumentBytes+1))
		if err == nil && len(content) > MaxDocumentBytes {
			err = &DocumentError{Err: errTooLong}
		}
		if err != nil {
			yield(graph.Document{}, err)
			return
		}
		text := strings.TrimPrefix(string(content), "\uFEFF") // the byte order mark of some editors
		yield(graph.Document{Text: text}, nil)
	}
}

var errTooLong = fmt.Errorf("the document has more than %d bytes", MaxDocumentBytes)

func readJSONL(r io.Reader) iter.Seq2[graph.Document, error] {
	return func(yield func(graph.Document, error) bool) {
		lines := bufio.NewReaderSize(r, 1<<16)
		for number := 1; ; number++ {
			line, err := readLine(lines)
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errTooLong) {
				yield(graph.Document{}, fmt.Errorf("line %d: %w", number, err))
				return
			}
			last := errors.Is(err, io.EOF)
			if number == 1 {
				line = bytes.TrimPrefix(line, []byte("\uFEFF"))
			}
			line = bytes.TrimSpace(line)
			switch {
			case errors.Is(err, errTooLong):
				if !yield(graph.Document{}, &DocumentError{Line: number, Err: err}) {
					return
				}
			case len(line) > 0:
				document, err := parseDocument(line)
				if err != nil {
					err = &DocumentError{ID: document.ID, Line: number, Err: err}
				}
				if !yield(document, err) {
					return
				}
			}
			if last {
				return
			}
		}
	}
}

// readLine reads up to the next line end. A line that is too long is passed over.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line) <= MaxDocumentBytes {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > MaxDocumentBytes && (err == nil || errors.Is(err, io.EOF)) {
			err = errors.Join(errTooLong, err)
		}
		return line, err
	}
}

// inputDocument is what users may say of a document.
type inputDocument struct {
	ID    json.RawMessage `json:"id"`
	Title string          `json:"title"`
	Text  *string         `json:"text"`
}

// parseDocument reads a JSON object. With an error it gives the id if it knows it.
func parseDocument(content []byte) (graph.Document, error) {
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
	case in.Text == nil:
		return document, errors.New(`the field "text" is missing`)
	}
	document.Text = *in.Text
	return document, nil
}

// parseID reads an id that is a string or a whole number.
func parseID(raw json.RawMessage) (string, error) {
	if raw == nil || string(raw) == "null" {
		return "", nil
	}
	var id string
	if json.Unmarshal(raw, &id) == nil {
		return id, nil
	}
	var number int64
	if json.Unmarshal(raw, &number) == nil {
		return string(raw), nil
	}
	return "", fmt.Errorf(`the field "id" is %s: it must be a string or a whole number`, raw)
}
