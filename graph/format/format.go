// Package format reads and writes documents in the forms that people and other
// programs use.
//
// All forms but JSON hold less than a [graph.Document] does. What they keep of one
// that keci extracted, or that was read with annotations:
//
//	BioC           mentions with type, concepts, score and negation, whether they are final, and the confidence of the linker; relations; relations between concepts; title
//	PubTator       mentions with type and concepts; relations, as those between concepts; a title that the text begins with
//	PubAnnotation  mentions as in BioC; relations
//	brat           mentions with type, concepts and negation; relations
//	GraphML        mentions as in BioC; relations; only written
//	CSV            relations with the mentions that they join; only written
//
// PubTator parts every text in title and abstract: where a text does not begin with
// its title, the first line is read back as one, and a title that is all of the text
// is not. Its ids have no bar; an underscore stands for it.
//
// A mention is written with the concepts that it stands for ([graph.Mention.Denoted]):
// the first of its candidates, or all that people annotated it with.
package format

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// Kind is a form of documents.
type Kind string

// The forms of documents.
const (
	Text          Kind = "text"          // the whole input is the text of one document; only read
	JSONL         Kind = "jsonl"         // one JSON document a line
	JSON          Kind = "json"          // one JSON array of documents; objects one after the other are read too
	BioC          Kind = "bioc"          // a collection of BioC in JSON; XML is read as well
	BioCXML       Kind = "bioc-xml"      // the same in XML; JSON is read as well
	PubTator      Kind = "pubtator"      // title, abstract and annotations in lines
	PubAnnotation Kind = "pubannotation" // one JSON object of PubAnnotation a line; arrays are read too
	Brat          Kind = "brat"          // standoff: a .txt file with an .ann file beside it
	CSV           Kind = "csv"           // a row for each relation; only written
	GraphML       Kind = "graphml"       // mentions and relations for graph tools; only written
)

// Inputs are the kinds that can be read.
var Inputs = []Kind{Text, JSONL, JSON, BioC, BioCXML, PubTator, PubAnnotation, Brat}

// ParseKind finds a kind by name among those allowed.
func ParseKind(name string, allowed []Kind) (Kind, error) {
	if kind := Kind(name); slices.Contains(allowed, kind) {
		return kind, nil
	}
	return "", fmt.Errorf("unknown format %q: use %s", name, OneOf(allowed))
}

// OneOf lists kinds: "text, jsonl or json".
func OneOf(kinds []Kind) string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// identifiers are the ids of the concepts that a mention is written with.
func identifiers(m graph.Mention) string {
	concepts := m.Denoted()
	ids := make([]string, len(concepts))
	for i, c := range concepts {
		ids[i] = string(c.CUI)
	}
	return strings.Join(ids, ";")
}

// cutTitle divides a text that begins with its title and one character of white
// space. The rest is empty when it does not.
func cutTitle(d graph.Document) (title, rest string, separator byte) {
	after, ok := strings.CutPrefix(d.Text, d.Title)
	if d.Title == "" || !ok || len(after) < 2 || !strings.ContainsRune(" \n\t", rune(after[0])) {
		return "", "", 0
	}
	return d.Title, after[1:], after[0]
}
