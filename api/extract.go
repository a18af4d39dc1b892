package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/graph/forms"
)

// DocumentInput is a document sent in, with what the answer shall look like.
type DocumentInput struct {
	FormInput
	Body documentBody
}

// documentBody is a document as clients send it.
type documentBody struct {
	ID    string `json:"id,omitempty" doc:"Without one, the hash of the text is the id."`
	Title string `json:"title,omitempty"`
	Text  string `json:"text" example:"FKBP12 binds FK506."`
}

// document is the document sent in, checked.
func (s *Server) document(body documentBody) (graph.Document, error) {
	doc := graph.Document{ID: body.ID, Title: body.Title, Text: body.Text}
	err := graph.ValidateText(body.Text, s.Limits.TextBytes)
	switch {
	case errors.Is(err, graph.ErrTextTooLong):
		return doc, newProblem(http.StatusRequestEntityTooLarge, "text", "%v (--max-text-bytes)", err)
	case err != nil:
		return doc, newProblem(http.StatusUnprocessableEntity, "text", "%v", err)
	}
	if doc.ID == "" {
		doc.ID = graph.TextID(doc.Text)
	}
	if err := graph.ValidateID(doc.ID); err != nil {
		return doc, newProblem(http.StatusUnprocessableEntity, "id", "%v", err)
	}
	return doc, nil
}

func (s *Server) routeExtract(operations huma.API) {
	huma.Register(operations, s.documentOperation(mayRead, huma.Operation{
		OperationID: "extract", Method: http.MethodPost, Path: "/v1/extract", Tags: []string{"documents"},
		Summary: "Extract the graph of a text", Description: "Entities, their concepts and the relations among them. Nothing is stored.",
	}, operations), s.extract)
	huma.Register(operations, s.documentOperation(mayRead, huma.Operation{
		OperationID: "link", Method: http.MethodPost, Path: "/v1/link", Tags: []string{"documents"},
		Summary: "Link a text to the knowledge base", Description: "The mentions of the text with every candidate concept, best first. Nothing is stored.",
	}, operations), s.link)
}

// documentOperation describes an operation that answers with a document.
func (s *Server) documentOperation(needs access, op huma.Operation, operations huma.API) huma.Operation {
	schema := operations.OpenAPI().Components.Schemas.Schema(documentType, true, "Document")
	response := &huma.Response{Description: "The document", Content: map[string]*huma.MediaType{}}
	for _, form := range forms.All() {
		response.Content[form.Media] = &huma.MediaType{Schema: foreignSchema(form.Media, form.Title)}
	}
	response.Content["application/json"].Schema = schema
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["200"] = response
	if op.DefaultStatus != 0 {
		op.Responses["201"] = response
	}
	op.Errors = append(op.Errors, http.StatusNotAcceptable)
	if op.Method == http.MethodPost {
		op.Errors = append(op.Errors, http.StatusRequestEntityTooLarge, http.StatusGatewayTimeout)
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{}}
		for media, kind := range inputMedia {
			if kind != format.JSON {
				op.RequestBody.Content[media] = &huma.MediaType{Schema: foreignSchema(media,
					"One document as "+string(kind)+"; what it is annotated with is passed over.")}
			}
		}
		op.RequestBody.Content["text/plain"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1)}}
	}
	return s.operation(needs, op)
}

// foreignSchema describes content whose form others have laid down: JSON of any
// kind, or text.
func foreignSchema(media, description string) *huma.Schema {
	if media == "application/json" || strings.HasSuffix(media, "+json") {
		return &huma.Schema{Description: description}
	}
	return &huma.Schema{Type: huma.TypeString, MinLength: new(1), Description: description}
}

// ExtractInput is a document to be extracted from.
type ExtractInput struct {
	DocumentInput
	Stage string `query:"stage" enum:"initial,final" default:"final" doc:"initial: the graph that the text alone gives, before the knowledge base is asked, read with the same thresholds."`
}

func (s *Server) extract(ctx context.Context, in *ExtractInput) (*rendered, error) {
	task, work := "extract", s.Extractor.Extract
	if in.Stage == "initial" {
		staged, ok := s.Extractor.(fusion.Staged)
		if !ok {
			return nil, newProblem(http.StatusUnprocessableEntity, "stage", "the model %s has one stage only, the final one", s.model.Name)
		}
		task, work = "extract initial", func(ctx context.Context, doc graph.Document) (graph.Document, error) {
			initial, _, err := staged.ExtractStages(ctx, doc)
			return initial, err
		}
	}
	return s.answerDocument(ctx, &in.DocumentInput, task, work, graph.Details{})
}

// LinkInput is a document to be linked.
type LinkInput struct {
	DocumentInput
	Codes    bool `query:"codes" doc:"Tell the identifiers of each candidate in its sources."`
	Synonyms bool `query:"synonyms" doc:"Tell all names of each candidate."`
}

func (s *Server) link(ctx context.Context, in *LinkInput) (*rendered, error) {
	return s.answerDocument(ctx, &in.DocumentInput, "link", s.linkDocument, graph.Details{Codes: in.Codes, Synonyms: in.Synonyms})
}

func (s *Server) linkDocument(ctx context.Context, doc graph.Document) (graph.Document, error) {
	mentions, err := s.Linker.Link(ctx, doc.Text)
	if err != nil {
		return doc, err
	}
	doc.Offsets, doc.Mentions = graph.OffsetByte, mentions
	doc.KB = &graph.Provenance{Name: s.kb.Name, Digest: s.kb.Digest}
	return doc, nil
}

// answerDocument works on a document and answers in the form asked for, with
// details of the candidates, which are no part of what is cached.
func (s *Server) answerDocument(ctx context.Context, in *DocumentInput, task string,
	work func(context.Context, graph.Document) (graph.Document, error), details graph.Details) (*rendered, error) {
	form, err := in.form()
	if err != nil {
		return nil, err
	}
	doc, err := s.document(in.Body)
	if err != nil {
		return nil, err
	}
	data, known, err := s.answerJSON(ctx, question{task, doc, work})
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	if form.Kind == format.JSON && in.unit() == graph.OffsetCodepoint && details == (graph.Details{}) {
		return &rendered{Status: http.StatusOK, ContentType: form.Media, Body: data, Cache: cacheWord(known)}, nil // as it is kept
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, s.failed(ctx, fmt.Errorf("reading an answer: %w", err))
	}
	bounded, cancel := s.bounded(ctx)
	defer cancel()
	if err := graph.Describe(bounded, s.Store, doc.Mentions, details); err != nil {
		return nil, s.failed(ctx, err)
	}
	out, err := render(ctx, doc, form, in.unit())
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	out.Cache = cacheWord(known)
	return out, nil
}
