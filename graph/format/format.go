// Package format reads and writes documents in the forms that people and other
// programs use.
package format

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is a form of documents.
type Kind string

// The forms of documents.
const (
	Text     Kind = "text"     // the whole input is the text of one document; only read
	JSONL    Kind = "jsonl"    // one JSON document a line
	JSON     Kind = "json"     // one JSON array of documents; objects one after the other are read too
	BioC     Kind = "bioc"     // BioC, a collection of documents, in JSON; XML is read as well
	PubTator Kind = "pubtator" // title, abstract and annotations in lines
	Brat     Kind = "brat"     // standoff: a .txt file with an .ann file beside it
	SVG      Kind = "svg"      // a picture of one document; only written, by package picture
)

// Inputs and Outputs are the kinds that Read and NewWriter know.
var (
	Inputs  = []Kind{Text, JSONL, JSON, BioC, PubTator, Brat}
	Outputs = []Kind{JSONL, JSON}
)

// ParseKind finds a kind by name among those allowed.
func ParseKind(name string, allowed []Kind) (Kind, error) {
	if kind := Kind(name); slices.Contains(allowed, kind) {
		return kind, nil
	}
	names := make([]string, len(allowed))
	for i, kind := range allowed {
		names[i] = string(kind)
	}
	last := len(names) - 1
	return "", fmt.Errorf("unknown format %q: use %s or %s", name, strings.Join(names[:last], ", "), names[last])
}
