package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// bodies decides how huma reads the bodies of requests and writes those of
// answers: JSON both ways, and in for a document also the forms of inputMedia, and a
// plain text when it has nothing but that.
type bodies struct{ huma.API }

// Adapter implements huma.API.
func (b bodies) Adapter() huma.Adapter { return heads{b.API.Adapter()} }

// heads answers HEAD as GET, without the body, which the HTTP server leaves out: what
// watches a service or mirrors a page asks so (RFC 9110, section 9.1). What comes bit
// by bit has no HEAD, nor have the descriptions in OpenAPI, which huma routes by itself.
type heads struct{ huma.Adapter }

// Handle implements huma.Adapter.
func (h heads) Handle(op *huma.Operation, handler func(huma.Context)) {
	h.Adapter.Handle(op, handler)
	if op.Method == http.MethodGet && !streams(op) {
		head := *op
		head.Method = http.MethodHead
		h.Adapter.Handle(&head, handler)
	}
}

// Unmarshal implements huma.API.
func (bodies) Unmarshal(contentType string, data []byte, value any) error {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("%w: %q is not a media type", huma.ErrUnknownContentType, contentType)
	}
	kind, known := inputKind(contentType)
	if !known && media != "text/plain" {
		return fmt.Errorf("%w: %q; send application/json, text/plain or another form that /openapi.json names", huma.ErrUnknownContentType, media)
	}
	if at := graph.FirstInvalid(data); at >= 0 {
		return fmt.Errorf("the body is not valid UTF-8: byte 0x%02X at offset %d", data[at], at)
	}
	switch {
	case media == "text/plain":
		data, err = json.Marshal(map[string]string{"text": string(data)})
	case kind != format.JSON:
		data, err = plainDocument(data, kind)
	}
	if err != nil {
		return err
	}
	return unmarshalJSON(data, value)
}

// plainDocument makes the JSON of a document of one in another form.
func plainDocument(data []byte, kind format.Kind) ([]byte, error) {
	doc, err := readOne(bytes.NewReader(data), kind)
	if err != nil {
		return nil, err
	}
	fields := map[string]string{"text": doc.Text}
	if doc.ID != "" {
		fields["id"] = doc.ID
	}
	if doc.Title != "" {
		fields["title"] = doc.Title
	}
	return json.Marshal(fields)
}

// Negotiate implements huma.API. Whatever a client accepts, values and problems
// are JSON; calls with other forms of answers look at Accept themselves.
func (bodies) Negotiate(string) (string, error) { return "application/json", nil }

// unmarshalJSON is json.Unmarshal with errors that say where the fault is.
func unmarshalJSON(data []byte, value any) error {
	err := json.Unmarshal(data, value)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line, column := position(data, int(syntax.Offset)-1)
		return fmt.Errorf("broken JSON at line %d, column %d (byte offset %d): %w", line, column, max(0, syntax.Offset-1), err)
	}
	return err
}

// position turns a byte offset into line and column, both from 1, the column
// counted in code points.
func position(data []byte, offset int) (line, column int) {
	line, column = 1, 1
	for at, r := range string(data) {
		if at >= offset {
			break
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}

// jsonFormat writes JSON as it is, without escaping <, > and &.
var jsonFormat = huma.Format{
	Marshal:   huma.DefaultJSONFormat.Marshal,
	Unmarshal: unmarshalJSON,
}

// writeJSON writes one value and a newline.
func writeJSON(out io.Writer, value any) error { return jsonFormat.Marshal(out, value) }
