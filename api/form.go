package api

import (
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2/negotiation"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format/picture"
)

// form is a form in which a document can be had.
type form struct {
	name  string // in ?format=
	media string
	write func(io.Writer, graph.Document) error
}

// forms begins with the one given to those who do not choose.
var forms = []form{
	{"json", "application/json", func(out io.Writer, doc graph.Document) error { return writeJSON(out, doc) }},
	{"svg", "image/svg+xml", picture.WriteSVG},
}

// FormInput is the part of a request that chooses the form of the answer.
type FormInput struct {
	Offsets string `query:"offsets" enum:"codepoint,byte,utf16" default:"codepoint" doc:"What the offsets count."`
	Format  string `query:"format" enum:"json,svg" doc:"The form of the answer; goes before Accept."`
	Accept  string `header:"Accept" hidden:"true" doc:"The form of the answer: application/json or image/svg+xml."`
}

func (in FormInput) unit() graph.OffsetUnit { return graph.OffsetUnit(in.Offsets) }

// accepted are the media types that Accept may name, in order of preference,
// and the forms that they stand for.
var accepted = map[string]form{
	"application/json": forms[0], "*/*": forms[0], "application/*": forms[0],
	"image/svg+xml": forms[1], "image/*": forms[1],
}

// form is the form that was asked for.
func (in FormInput) form() (form, error) {
	for _, f := range forms {
		if in.Format == f.name || in.Format == "" && in.Accept == "" {
			return f, nil
		}
	}
	chosen, ok := accepted[negotiation.SelectQValue(in.Accept, []string{
		"application/json", "*/*", "application/*", "image/svg+xml", "image/*"})]
	if !ok {
		return form{}, newProblem(http.StatusNotAcceptable, "", "the answer can be application/json or image/svg+xml, not %q", in.Accept)
	}
	return chosen, nil
}
