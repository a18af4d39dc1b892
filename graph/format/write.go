package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/keci-kg/keci/graph"
)

// Writer writes documents one after the other. It is not safe for concurrent use.
type Writer interface {
	// Write writes a document.
	Write(graph.Document) error
	// WriteError writes, in the place of a document, that it failed.
	WriteError(id string, failure error) error
	// Close completes what was written; it does not close what it was written to.
	Close() error
}

// NewWriter makes a writer of documents in the form kind.
func NewWriter(w io.Writer, kind Kind) (Writer, error) {
	switch kind {
	case JSONL:
		return &lineWriter{out: w}, nil
	case JSON:
		return &arrayWriter{out: w}, nil
	}
	return nil, fmt.Errorf("documents cannot be written in format %q", kind)
}

// failed is what stands in the place of a document that failed.
type failed struct {
	ID    string  `json:"id"`
	Error failure `json:"error"`
}

type failure struct {
	Detail string `json:"detail"`
}

// lineWriter writes one JSON value a line.
type lineWriter struct{ out io.Writer }

func (w *lineWriter) Write(d graph.Document) error { return w.write(withLists(d)) }

func (w *lineWriter) WriteError(id string, err error) error {
	return w.write(failed{id, failure{err.Error()}})
}

func (w *lineWriter) Close() error { return nil }

func (w *lineWriter) write(value any) error {
	content, err := encode(value, "")
	if err != nil {
		return err
	}
	_, err = w.out.Write(content)
	return err
}

// arrayWriter writes one JSON array.
type arrayWriter struct {
	out   io.Writer
	count int
}

func (w *arrayWriter) Write(d graph.Document) error { return w.write(withLists(d)) }

func (w *arrayWriter) WriteError(id string, err error) error {
	return w.write(failed{id, failure{err.Error()}})
}

func (w *arrayWriter) Close() error {
	end := "\n]\n"
	if w.count == 0 {
		end = "[]\n"
	}
	_, err := io.WriteString(w.out, end)
	return err
}

func (w *arrayWriter) write(value any) error {
	content, err := encode(value, "  ")
	if err != nil {
		return err
	}
	before := ",\n"
	if w.count == 0 {
		before = "[\n"
	}
	w.count++
	_, err = w.out.Write(append([]byte(before), bytes.TrimSuffix(content, []byte("\n"))...))
	return err
}

// encode gives the JSON of value, and a line end.
func encode(value any, indent string) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(value)
	return buffer.Bytes(), err
}

// withLists gives the document with empty lists instead of absent ones.
func withLists(d graph.Document) graph.Document {
	if d.Mentions == nil {
		d.Mentions = []graph.Mention{}
	}
	return d
}
