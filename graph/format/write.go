package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/keci-kg/keci/graph"
)

// Writer writes documents one after the other. It is not safe for concurrent use.
type Writer interface {
	// Write writes a document.
	Write(graph.Document) error
	// Close completes what was written; it does not close what it was written to.
	Close() error
}

// FailureWriter is a writer of a form that has a place for documents that failed.
type FailureWriter interface {
	Writer
	// WriteError writes, in the place of a document, why it failed.
	WriteError(id string, failure error) error
}

// NewWriter makes a writer of documents in the form kind. Those of JSONL and JSON
// are FailureWriters and keep the offsets of documents; all others write code
// points, whatever the documents count. That of Brat writes a ZIP archive.
func NewWriter(w io.Writer, kind Kind) (Writer, error) {
	switch kind {
	case JSONL:
		return &lineWriter{out: w}, nil
	case JSON:
		return &arrayWriter{out: w}, nil
	case BioC:
		return inCodepoints{&bioCJSONWriter{out: w}}, nil
	case BioCXML:
		return inCodepoints{&bioCXMLWriter{out: w}}, nil
	case PubTator:
		return inCodepoints{&pubTatorWriter{out: w, written: written{}}}, nil
	case PubAnnotation:
		return inCodepoints{&pubAnnotationWriter{out: w}}, nil
	case Brat:
		return inCodepoints{newBratArchive(w)}, nil
	case CSV:
		return inCodepoints{newCSVWriter(w)}, nil
	case GraphML:
		return inCodepoints{&graphMLWriter{out: w, written: written{}}}, nil
	}
	return nil, fmt.Errorf("documents cannot be written in format %q", kind)
}

// inCodepoints converts the offsets of documents before they are written.
type inCodepoints struct{ Writer }

// Write implements Writer.
func (w inCodepoints) Write(d graph.Document) error {
	d, err := d.WithOffsets(graph.OffsetCodepoint)
	if err != nil {
		return err
	}
	return w.Writer.Write(d)
}

// ErrNoDocument is returned when a form that holds one document gets none.
var ErrNoDocument = errors.New("there is no document to show")

// Single makes a writer of a form that holds one document, like a picture. A
// second document is an error; closed without one, it gives ErrNoDocument.
func Single(w io.Writer, write func(io.Writer, graph.Document) error) Writer {
	return &singleWriter{out: w, write: write}
}

type singleWriter struct {
	out   io.Writer
	write func(io.Writer, graph.Document) error
	doc   *graph.Document
}

// Write implements Writer. The document is not written before Close, for it must
// be the only one.
func (w *singleWriter) Write(doc graph.Document) error {
	if w.doc != nil {
		return errors.New("this form of output shows one document, and there are more: read one at a time, or choose another form")
	}
	w.doc = &doc
	return nil
}

// Close implements Writer.
func (w *singleWriter) Close() error {
	if w.doc == nil {
		return ErrNoDocument
	}
	return w.write(w.out, *w.doc)
}

// failed is what stands in the place of a document that failed.
type failed struct {
	ID    string  `json:"id"`
	Error failure `json:"error"`
}

// failure says why a document failed.
type failure struct {
	Detail string `json:"detail"`
}

// UnmarshalJSON implements json.Unmarshaler: what the service says beside the detail is
// passed over, where unknown fields are refused as well, and what is no object is told as
// it is.
func (f *failure) UnmarshalJSON(content []byte) error {
	type plain failure
	if json.Unmarshal(content, (*plain)(f)) != nil {
		f.Detail = string(content)
	}
	return nil
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
