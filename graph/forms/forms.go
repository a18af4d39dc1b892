// Package forms is the table of the forms in which documents are given out: by
// the command line, and over HTTP by name and by media type. It stands above the
// packages that write them, so that none of those needs the others.
package forms

import (
	"context"
	"fmt"
	"io"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/graph/format/picture"
	"github.com/keci-kg/keci/graph/neo4j"
)

// Form is a form of output.
type Form struct {
	Kind      format.Kind // its name, for users too
	Media     string      // media type of HTTP, without parameters
	Extension string      // of files, with the dot
	Title     string      // for people: what it is
	Single    bool        // whether it holds one document and no more
	Units     bool        // whether offsets can be in any unit; else they count code points, or there are none

	open func(io.Writer) format.Writer
}

// Names of the forms that package format knows nothing of.
const (
	Cypher format.Kind = "cypher"
	SVG    format.Kind = "svg"
	PNG    format.Kind = "png"
)

// all begins with the form that those get who do not choose.
var all = []Form{
	{Kind: format.JSONL, Media: "application/x-ndjson", Extension: ".jsonl", Title: "one JSON document a line", Units: true},
	{Kind: format.JSON, Media: "application/json", Extension: ".json", Title: "an array of JSON documents", Units: true},
	{Kind: format.BioC, Media: "application/vnd.bioc+json", Extension: ".bioc.json", Title: "BioC in JSON"},
	{Kind: format.BioCXML, Media: "application/vnd.bioc+xml", Extension: ".bioc.xml", Title: "BioC in XML"},
	{Kind: format.PubTator, Media: "text/x-pubtator", Extension: ".pubtator", Title: "PubTator"},
	{Kind: format.PubAnnotation, Media: "application/vnd.pubannotation+json", Extension: ".pubannotation.jsonl", Title: "PubAnnotation, one document a line"},
	{Kind: format.Brat, Media: "application/zip", Extension: ".zip", Title: "brat standoff, a folder or a ZIP archive of .txt and .ann files"},
	{Kind: Cypher, Media: "application/x-cypher-query", Extension: ".cypher", Title: "statements for Neo4j", open: neo4j.NewCypherWriter},
	{Kind: format.CSV, Media: "text/csv", Extension: ".csv", Title: "a row for each relation"},
	{Kind: format.GraphML, Media: "application/graphml+xml", Extension: ".graphml", Title: "mentions and relations for graph tools"},
	{Kind: SVG, Media: "image/svg+xml", Extension: ".svg", Title: "a picture of one document", Single: true,
		open: func(out io.Writer) format.Writer { return drawing(out, picture.WriteSVG) }},
	{Kind: PNG, Media: "image/png", Extension: ".png", Title: "the same as an image, for slides", Single: true,
		open: func(out io.Writer) format.Writer { return drawing(out, picture.WritePNG) }},
}

// drawing is a writer of one picture, which waits for its turn as long as it takes.
func drawing(out io.Writer, draw func(context.Context, io.Writer, graph.Document) error) format.Writer {
	return format.Single(out, func(out io.Writer, doc graph.Document) error { return draw(context.Background(), out, doc) })
}

// All lists the forms.
func All() []Form { return append([]Form{}, all...) }

// Kinds are the names of the forms, in the same order.
func Kinds() []format.Kind {
	kinds := make([]format.Kind, len(all))
	for i, f := range all {
		kinds[i] = f.Kind
	}
	return kinds
}

// ByName finds a form; the error lists the names that there are.
func ByName(name string) (Form, error) {
	for _, f := range all {
		if string(f.Kind) == name {
			return f, nil
		}
	}
	return Form{}, fmt.Errorf("unknown format %q: use %s", name, format.OneOf(Kinds()))
}

// ByMediaType finds a form by its media type, which has no parameters.
func ByMediaType(media string) (Form, bool) {
	for _, f := range all {
		if f.Media == media {
			return f, true
		}
	}
	return Form{}, false
}

// NewWriter makes a writer of documents in the form.
func (f Form) NewWriter(out io.Writer) (format.Writer, error) {
	if f.open != nil {
		return f.open(out), nil
	}
	return format.NewWriter(out, f.Kind)
}
