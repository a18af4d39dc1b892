package api

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2/negotiation"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/graph/format/picture"
	"github.com/keci-kg/keci/graph/forms"
)

// FormInput is the part of a request that chooses the form of the answer.
type FormInput struct {
	Offsets string `query:"offsets" enum:"codepoint,byte,utf16" default:"codepoint" doc:"What the offsets of json and jsonl count; those of all other forms count code points."`
	Format  string `query:"format" enum:"json,jsonl,bioc,bioc-xml,pubtator,pubannotation,brat,cypher,csv,graphml,svg,png" doc:"The form of the answer; goes before Accept."`
	Accept  string `header:"Accept" hidden:"true" doc:"The media type of the answer."`
}

func (in FormInput) unit() graph.OffsetUnit { return graph.OffsetUnit(in.Offsets) }

// form is the form that was asked for, JSON for those who do not choose.
func (in FormInput) form() (forms.Form, error) {
	if in.Format != "" || in.Accept == "" {
		return forms.ByName(cmp.Or(in.Format, string(format.JSON)))
	}
	ranges := map[string]format.Kind{"*/*": format.JSON, "application/*": format.JSON, "text/*": format.PubTator, "image/*": forms.SVG}
	accepted := []string{"application/json", "*/*", "application/*", "image/*", "text/*"}
	for _, form := range forms.All() {
		accepted = append(accepted, form.Media)
	}
	media := negotiation.SelectQValue(in.Accept, accepted)
	if kind, ok := ranges[media]; ok {
		return forms.ByName(string(kind))
	}
	form, ok := forms.ByMediaType(media)
	if !ok {
		return forms.Form{}, newProblem(http.StatusNotAcceptable, "", "the answer can be %s, not %q", strings.Join(accepted[5:], ", "), in.Accept)
	}
	return form, nil
}

// pictures are drawn in turn, for as long as the client waits.
var pictures = map[format.Kind]func(context.Context, io.Writer, graph.Document) error{
	forms.SVG: picture.WriteSVG,
	forms.PNG: picture.WritePNG,
}

// writeForm writes one document. As JSON it stands alone, not in an array.
func writeForm(ctx context.Context, out io.Writer, form forms.Form, doc graph.Document) error {
	if form.Kind == format.JSON {
		return writeJSON(out, doc)
	}
	if draw, is := pictures[form.Kind]; is {
		return draw(ctx, out, doc)
	}
	writer, err := form.NewWriter(out)
	if err != nil {
		return err
	}
	if err := writer.Write(doc); err != nil {
		return err
	}
	return writer.Close()
}

// The media types of documents that are sent in, and their forms.
var inputMedia = map[string]format.Kind{
	"application/json":                   format.JSON,
	jsonLines:                            format.JSONL,
	"application/jsonl":                  format.JSONL,
	"application/vnd.bioc+json":          format.BioC,
	"application/vnd.bioc+xml":           format.BioCXML,
	"text/x-pubtator":                    format.PubTator,
	"application/vnd.pubannotation+json": format.PubAnnotation,
}

// inputKind is the form that a header Content-Type names.
func inputKind(contentType string) (kind format.Kind, known bool) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "", false
	}
	kind, known = inputMedia[media]
	return kind, known
}

// readOne reads a body of one document.
func readOne(body io.Reader, kind format.Kind) (doc graph.Document, err error) {
	count := 0
	for read, err := range format.Read(body, kind) {
		if err != nil {
			return doc, fmt.Errorf("reading the body as %s: %w", kind, err)
		}
		if count++; count > 1 {
			return doc, fmt.Errorf("the body has several documents; send them to /v1/batches")
		}
		doc = read
	}
	if count == 0 {
		return doc, fmt.Errorf("the body has no document")
	}
	return doc, nil
}
