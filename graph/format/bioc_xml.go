package format

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"golang.org/x/text/encoding/ianaindex"

	"github.com/keci-kg/keci/graph"
)

// readBioCXML reads the <document> elements, wherever they stand. What is no XML ends
// the reading.
func readBioCXML(r io.Reader, annotated bool) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		in := &failingReader{Reader: r}
		decoder := xml.NewDecoder(in)
		decoder.CharsetReader = charsetReader
		for {
			start, err := nextDocument(decoder)
			if errors.Is(err, io.EOF) {
				return
			}
			line, _ := decoder.InputPos()
			if err != nil {
				yield(Placed{}, brokenXML(err, line))
				return
			}
			var said bioCDocument
			err = decoder.DecodeElement(&said, &start)
			document := Placed{Document: graph.Document{ID: string(said.ID)}, Line: line}
			switch {
			case in.err != nil || errors.As(err, new(*xml.SyntaxError)):
				yield(document, brokenXML(err, line))
				return
			case err != nil:
				err = documentError(document.ID, line, fmt.Errorf("no BioC document: %w", err))
			default:
				document.Document, err = said.document(annotated, line)
			}
			if !yield(document, err) {
				return
			}
		}
	}
}

// nextDocument goes on to where the next document begins.
func nextDocument(decoder *xml.Decoder) (xml.StartElement, error) {
	for {
		token, err := decoder.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "document" {
			return element, nil
		}
	}
}

// failingReader remembers that reading failed.
type failingReader struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (r *failingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// brokenXML says what is wrong with XML that cannot be read on, and where.
func brokenXML(err error, line int) error {
	var syntax *xml.SyntaxError
	switch {
	case !errors.As(err, &syntax):
		return &endError{line, fmt.Errorf("no BioC document: %w", err)}
	case syntax.Msg == "unexpected EOF":
		return &endError{syntax.Line, fmt.Errorf("the XML ends too early: is the file cut off? (%w)", err)}
	}
	return &endError{syntax.Line, fmt.Errorf("broken XML: %w", err)}
}

// charsetReader converts from the encoding that an XML declaration names.
func charsetReader(name string, in io.Reader) (io.Reader, error) {
	if strings.HasPrefix(strings.ToLower(name), "utf-16") {
		return in, nil // it is UTF-8 by now
	}
	encoding, err := ianaindex.IANA.Encoding(name)
	if err != nil || encoding == nil {
		return nil, fmt.Errorf("the encoding %q is unknown: convert the file to UTF-8", name)
	}
	return encoding.NewDecoder().Reader(in), nil
}

// UnmarshalXML implements xml.Unmarshaler for one <infon key="…">.
func (i *bioCInfons) UnmarshalXML(decoder *xml.Decoder, start xml.StartElement) error {
	var value string
	if err := decoder.DecodeElement(&value, &start); err != nil {
		return err
	}
	if *i == nil {
		*i = bioCInfons{}
	}
	for _, attribute := range start.Attr {
		if attribute.Name.Local == "key" {
			(*i)[attribute.Value] = value
		}
	}
	return nil
}
