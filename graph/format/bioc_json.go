package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// bioCCollections are the keys of the documents of a collection: BioC's, and that
// of what PubTator's service gives out.
var bioCCollections = []string{"documents", "PubTator3"}

// readBioCJSON reads collections, documents, and arrays and lines of them: all
// are found.
func readBioCJSON(r io.Reader, annotated bool) iter.Seq2[Placed, error] {
	return readJSON(r, bioCCollections, func(raw []byte, line int) (graph.Document, error) {
		var in bioCDocument
		err := json.Unmarshal(raw, &in)
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
			line += bytes.Count(raw[:wrong.Offset], []byte("\n"))
			err = fmt.Errorf("no BioC document: the field %q is a %s", wrong.Field, wrong.Value)
		}
		if err != nil {
			return graph.Document{ID: string(in.ID)}, documentError(string(in.ID), line, err)
		}
		return in.document(annotated, line)
	})
}

// bioCString is a string that some programs write as a number or leave null.
type bioCString string

// UnmarshalJSON implements json.Unmarshaler.
func (s *bioCString) UnmarshalJSON(raw []byte) error {
	*s = bioCString(plainJSON(raw))
	return nil
}

// UnmarshalJSON implements json.Unmarshaler. What is no string is kept as it is
// written; of an object with an identifier, that is kept.
func (i *bioCInfons) UnmarshalJSON(raw []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(raw, &values); err != nil {
		return err
	}
	*i = bioCInfons{}
	for key, value := range values {
		(*i)[key] = plainJSON(value)
	}
	return nil
}

// plainJSON is a string without its quotes, and anything else as it is written.
func plainJSON(raw json.RawMessage) string {
	var text string
	var object struct{ Identifier string }
	switch {
	case string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &text) == nil:
		return text
	case json.Unmarshal(raw, &object) == nil && object.Identifier != "":
		return object.Identifier
	}
	return strings.TrimSpace(string(raw))
}
