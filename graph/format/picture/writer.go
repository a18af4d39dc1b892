package picture

import (
	"errors"
	"fmt"
	"io"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// NewWriter makes a writer that draws one document; a second one is an error,
// and so is one that failed, since a picture has no place for it.
func NewWriter(out io.Writer) format.Writer { return &writer{out: out} }

type writer struct {
	out io.Writer
	doc *graph.Document
}

var errOneDocument = errors.New("a picture shows one document, and there are more")

func (w *writer) Write(doc graph.Document) error {
	if w.doc != nil {
		return errOneDocument
	}
	w.doc = &doc
	return nil
}

func (w *writer) WriteError(id string, failure error) error {
	return fmt.Errorf("document %q cannot be drawn: %w", id, failure)
}

func (w *writer) Close() error {
	if w.doc == nil {
		return errors.New("there is no document to draw")
	}
	return WriteSVG(w.out, *w.doc)
}
