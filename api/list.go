package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"github.com/keci-kg/keci/graph/format"
)

// list is a page of a list.
type list[T any] struct {
	items []T
	next  string // where the next page begins; empty on the last
}

// table says how a list is written.
type table[T any] struct {
	name   string // of the list in JSON
	header []string
	rows   func(T) [][]string
	join   func(*format.Network, T) // puts what is listed into a graph of concepts
}

// ListFormInput is the part of a request that chooses the form of a list.
type ListFormInput struct {
	Format string `query:"format" enum:"json,jsonl,csv,graphml" doc:"The form of the answer; goes before Accept."`
	Accept string `header:"Accept" hidden:"true" doc:"The form of the answer: application/json, application/x-ndjson, text/csv or application/graphml+xml."`
}

// ListInput is the part of a request that asks for a page of a list.
type ListInput struct {
	ListFormInput
	Limit int    `query:"limit" minimum:"1" maximum:"10000" default:"100" doc:"The most that is listed."`
	After string `query:"after" maxLength:"2000" pattern:"^eyJ[A-Za-z0-9_-]+$" doc:"Where the page begins: next, or the header Link, of the page before."`
}

// The forms of a list, that for those who do not choose first.
var listMedia = []struct{ name, media string }{
	{"json", "application/json"}, {"jsonl", jsonLines}, {"csv", "text/csv"}, {"graphml", graphML},
}

const graphML = "application/graphml+xml"

func (in ListFormInput) listFormat() (name string, err error) {
	if in.Format != "" || in.Accept == "" {
		return cmp.Or(in.Format, "json"), nil
	}
	names, accepted := map[string]string{"*/*": "json", "application/*": "json", "text/*": "csv"}, []string{"application/json", "*/*", "application/*", "text/*"}
	for _, form := range listMedia {
		names[form.media] = form.name
		accepted = append(accepted, form.media)
	}
	name, ok := names[negotiation.SelectQValue(in.Accept, accepted)]
	if !ok {
		return "", newProblem(http.StatusNotAcceptable, "", "the answer can be application/json, %s, text/csv or %s, not %q", jsonLines, graphML, in.Accept)
	}
	return name, nil
}

// listFormer is an input that chooses a form.
type listFormer interface{ listFormat() (string, error) }

// formChecker is an input that not every form goes with.
type formChecker interface{ checkForm(form string) error }

type listedOutput struct {
	ContentType string `header:"Content-Type"`
	Link        string `header:"Link" doc:"The next page, when there is one."`
	Body        []byte
}

// registerList registers an operation that answers with a list.
func registerList[I, T any](operations huma.API, op huma.Operation, form table[T], handler func(context.Context, *I) (list[T], error)) {
	op.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: form.schema(operations.OpenAPI().Components.Schemas)},
		jsonLines:          {Schema: &huma.Schema{Type: huma.TypeString, Description: "What is listed, one a line."}},
		"text/csv":         {Schema: &huma.Schema{Type: huma.TypeString, Description: "What is listed, one a row, with a header."}},
		graphML:            {Schema: foreignSchema(graphML, "What is listed as a graph of concepts.")},
	}}
	op.Errors = append(op.Errors, http.StatusNotAcceptable)
	huma.Register(operations, op, func(ctx context.Context, in *I) (*listedOutput, error) {
		name, err := any(in).(listFormer).listFormat()
		if err != nil {
			return nil, err
		}
		if bound, is := any(in).(formChecker); is {
			if err := bound.checkForm(name); err != nil {
				return nil, err
			}
		}
		page, err := handler(ctx, in)
		if err != nil {
			return nil, err
		}
		return form.write(name, page, requestURL(ctx))
	})
}

// schema describes a page of the list in JSON, under the name of what it lists.
func (t table[T]) schema(schemas huma.Registry) *huma.Schema {
	items := schemas.Schema(reflect.TypeFor[[]T](), true, "")
	name := strings.TrimPrefix(items.Items.Ref, schemaPrefix) + "List"
	schemas.Map()[name] = &huma.Schema{Type: huma.TypeObject, Required: []string{t.name}, Properties: map[string]*huma.Schema{
		t.name: items,
		"next": {Type: huma.TypeString, Description: "The value of after for the next page; absent on the last."},
	}}
	return &huma.Schema{Ref: schemaPrefix + name}
}

// schemaPrefix is what references to schemas of the description begin with.
const schemaPrefix = "#/components/schemas/"

func (t table[T]) write(form string, page list[T], asked url.URL) (*listedOutput, error) {
	out := &listedOutput{}
	for _, known := range listMedia {
		if known.name == form {
			out.ContentType = known.media
		}
	}
	if page.next != "" {
		out.Link = nextLink(asked, "after", page.next)
	}
	var body bytes.Buffer
	if err := t.writeBody(&body, form, page); err != nil {
		return nil, fmt.Errorf("writing %s as %s: %w", t.name, form, err)
	}
	out.Body = body.Bytes()
	return out, nil
}

func (t table[T]) writeBody(body *bytes.Buffer, form string, page list[T]) error {
	switch form {
	case "jsonl":
		for _, item := range page.items {
			if err := writeJSON(body, item); err != nil {
				return err
			}
		}
		return nil
	case "csv":
		rows := csv.NewWriter(body)
		if err := rows.Write(t.header); err != nil {
			return err
		}
		for _, item := range page.items {
			if err := rows.WriteAll(t.rows(item)); err != nil {
				return err
			}
		}
		rows.Flush()
		return rows.Error()
	case "graphml":
		var network format.Network
		for _, item := range page.items {
			t.join(&network, item)
		}
		return network.WriteGraphML(body)
	}
	content := map[string]any{t.name: orEmpty(page.items)}
	if page.next != "" {
		content["next"] = page.next
	}
	return writeJSON(body, content)
}

// nextLink is the header Link to the next page, which differs in one parameter
// from what was asked for.
func nextLink(asked url.URL, parameter, value string) string {
	query := asked.Query()
	query.Set(parameter, value)
	return "<" + asked.EscapedPath() + "?" + query.Encode() + `>; rel="next"`
}

// writeCursor makes of a place in a list what clients send back to go on there.
func writeCursor(place any) string {
	data, err := json.Marshal(place)
	if err != nil {
		panic(err) // a place is a few numbers and texts
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// readCursor reads what writeCursor wrote; nothing is nil.
func readCursor[C any](text string) (*C, error) {
	if text == "" {
		return nil, nil
	}
	place := new(C)
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(data, place)
	}
	if err != nil {
		return nil, newProblem(http.StatusUnprocessableEntity, "after", "after is not what a page before gave as next")
	}
	return place, nil
}

type urlKey struct{}

// rememberURL keeps what was asked for, from which the address of the next page is made.
func rememberURL(ctx huma.Context, next func(huma.Context)) {
	c := humaecho.Unwrap(ctx)
	c.SetRequest(c.Request().WithContext(context.WithValue(ctx.Context(), urlKey{}, ctx.URL())))
	next(ctx)
}

func requestURL(ctx context.Context) url.URL {
	asked, _ := ctx.Value(urlKey{}).(url.URL)
	return asked
}
