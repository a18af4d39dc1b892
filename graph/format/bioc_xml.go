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

// readBioCXML reads the <document> elements, wherever they stand.
func readBioCXML(r io.Reader, annotated bool) iter.Seq2[graph.Document, error] {
	return func(yield func(graph.Document, error) bool) {
		decoder := xml.NewDecoder(r)
		decoder.CharsetReader = charsetReader
		for {
			in, line, err := nextBioCXML(decoder)
			if errors.Is(err, io.EOF) {
				return
			}
			var syntax *xml.SyntaxError
			switch {
			case errors.As(err, &syntax) && syntax.Msg == "unexpected EOF":
				err = documentError(string(in.ID), syntax.Line, errors.New("the XML ends too early: is the file cut off?"))
			case errors.As(err, &syntax):
				err = documentError(string(in.ID), syntax.Line, fmt.Errorf("broken XML: %s", syntax.Msg))
			case err != nil:
				err = documentError(string(in.ID), line, fmt.Errorf("no BioC document: %w", err))
			}
			document := graph.Document{ID: string(in.ID)}
			if err == nil {
				document, err = in.document(annotated, line)
			}
			if !yield(document, err) || syntax != nil {
				return
			}
		}
	}
}

// nextBioCXML reads the next document and the line on which it begins.
func nextBioCXML(decoder *xml.Decoder) (in bioCDocument, line int, err error) {
	for {
		token, err := decoder.Token()
		line, _ = decoder.InputPos()
		if err != nil {
			return in, line, err
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "document" {
			return in, line, decoder.DecodeElement(&in, &element)
		}
	}
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
