package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keci-kg/keci/graph"
)

var documentType = reflect.TypeFor[graph.Document]()

func (s *Server) routeDocuments(operations huma.API) {
	huma.Register(operations, s.documentOperation(mayWrite, huma.Operation{
		OperationID: "submit-document", Method: http.MethodPost, Path: "/v1/documents", Tags: []string{"documents"},
		Summary: "Extract the graph of a document and store it", DefaultStatus: http.StatusCreated,
		Description: "201 when the document is new, 200 when it was known. An id that is known with another text or title is refused unless replace is set; " +
			"replace also extracts a known text anew. With Prefer: respond-async it is done in a job.",
		Responses: map[string]*huma.Response{"202": s.jobResponse(operations)},
		Errors:    []int{http.StatusConflict},
	}, operations), s.submitDocument)
	huma.Register(operations, s.operation(mayRead, huma.Operation{
		OperationID: "list-documents", Method: http.MethodGet, Path: "/v1/documents", Tags: []string{"documents"},
		Summary: "List the stored documents in order of id",
	}), s.listDocuments)
	huma.Register(operations, s.documentOperation(mayRead, huma.Operation{
		OperationID: "get-document", Method: http.MethodGet, Path: "/v1/documents/{id}", Tags: []string{"documents"},
		Summary: "A stored document with what was extracted from it",
		Errors:  []int{http.StatusNotFound},
	}, operations), s.getDocument)
	huma.Register(operations, s.operation(mayWrite, huma.Operation{
		OperationID: "delete-document", Method: http.MethodDelete, Path: "/v1/documents/{id}", Tags: []string{"documents"},
		Summary: "Remove a document and all that was extracted from it",
		Errors:  []int{http.StatusNotFound},
	}), s.deleteDocument)
}

type submitInput struct {
	DocumentInput
	AsyncInput
	Replace bool `query:"replace" doc:"Replace what is known under the id."`
}

func (s *Server) submitDocument(ctx context.Context, in *submitInput) (*rendered, error) {
	form, err := in.form()
	if err != nil {
		return nil, err
	}
	doc, err := s.document(in.Body)
	if err != nil {
		return nil, err
	}
	if in.async() {
		return s.submitLater(ctx, in, doc)
	}
	saved, err := s.submit(ctx, doc, in.Replace)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	out, err := render(ctx, saved.doc, form, in.unit())
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	out.Status, out.Cache = saved.status, cacheWord(saved.known)
	out.Location = "/v1/documents/" + url.PathEscape(doc.ID)
	return out, nil
}

// saved is a document that is in the store.
type saved struct {
	doc    graph.Document
	status int  // 201 when it is new there
	known  bool // nothing had to be worked out
}

// submit extracts and stores a document, unless the store has it.
func (s *Server) submit(ctx context.Context, doc graph.Document, replace bool) (saved, error) {
	if !replace {
		stored, err := s.stored(ctx, doc.ID)
		switch {
		case err == nil && stored.Text == doc.Text && stored.Title == doc.Title:
			return saved{stored, http.StatusOK, true}, nil
		case err == nil:
			return saved{}, newConflict(doc.ID)
		case !errors.Is(err, graph.ErrNotFound):
			return saved{}, err
		}
	}
	doc, known, err := s.answer(ctx, question{"extract", doc, s.Extractor.Extract})
	if err != nil {
		return saved{}, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	doc.Submitted = &now
	created, err := s.save(ctx, doc, replace)
	switch {
	case err != nil:
		return saved{}, err
	case created:
		return saved{doc, http.StatusCreated, known}, nil
	case replace:
		return saved{doc, http.StatusOK, known}, nil
	}
	stored, err := s.stored(ctx, doc.ID) // someone else was faster
	if errors.Is(err, graph.ErrNotFound) || err == nil && (stored.Text != doc.Text || stored.Title != doc.Title) {
		return saved{doc, http.StatusOK, known}, nil // and yet another has deleted or replaced it since
	}
	return saved{stored, http.StatusOK, true}, err
}

// bounded gives what is asked of the store the time for it, see [Server.boundStore].
func (s *Server) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.Limits.StoreTimeout)
}

// stored is the document that the store has.
func (s *Server) stored(ctx context.Context, id string) (graph.Document, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return s.Store.Document(ctx, id)
}

// save stores a document.
func (s *Server) save(ctx context.Context, doc graph.Document, replace bool) (created bool, err error) {
	ctx, span := s.tracer.Start(ctx, "save")
	defer span.End()
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	created, err = s.Store.SaveDocument(ctx, doc, replace)
	if err == nil && (created || replace) {
		s.metrics.saved.Inc()
	}
	return created, err
}

func newConflict(id string) *Problem {
	return newProblem(http.StatusConflict, "id", "document %q is known with another text or title; send ?replace=true to replace it", id)
}

// PageInput bounds a list. (Exported because huma reads embedded fields of
// exported types only, like the others of its kind.)
type PageInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The most that is listed."`
}

type listInput struct {
	PageInput
	After string `query:"after" doc:"List those after this id: next of the page before."`
}

type listOutput struct {
	Link string `header:"Link" doc:"The next page, when there is one."`
	Body documentList
}

// documentList is a page of documents.
type documentList struct {
	Documents []documentEntry `json:"documents"`
	Next      string          `json:"next,omitempty" doc:"The value of after for the next page; absent on the last."`
}

// documentEntry is a document in a list.
type documentEntry struct {
	ID         string            `json:"id"`
	Title      string            `json:"title,omitempty"`
	Characters int               `json:"characters" doc:"The length of the text in code points."`
	Submitted  *time.Time        `json:"submittedAt,omitempty"`
	Model      *graph.Provenance `json:"model,omitempty"`
	KB         *graph.Provenance `json:"kb,omitempty"`
}

func (s *Server) listDocuments(ctx context.Context, in *listInput) (*listOutput, error) {
	docs, err := s.Store.Documents(ctx, in.After, in.Limit+1)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	out := &listOutput{}
	if len(docs) > in.Limit {
		docs = docs[:in.Limit]
		out.Body.Next = docs[in.Limit-1].ID
		out.Link = nextLink(requestURL(ctx), "after", out.Body.Next)
	}
	out.Body.Documents = make([]documentEntry, len(docs))
	for i, doc := range docs {
		out.Body.Documents[i] = documentEntry{doc.ID, doc.Title, utf8.RuneCountInString(doc.Text), doc.Submitted, doc.Model, doc.KB}
	}
	return out, nil
}

// IDInput is the part of a request that names a document.
type IDInput struct {
	ID string `path:"id" doc:"The id of the document, percent-encoded."`
}

type getInput struct {
	FormInput
	IDInput
}

func (s *Server) getDocument(ctx context.Context, in *getInput) (*rendered, error) {
	form, err := in.form()
	if err != nil {
		return nil, err
	}
	doc, err := s.Store.Document(ctx, in.ID)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	out, err := render(ctx, doc, form, in.unit())
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return out, nil
}

func (s *Server) deleteDocument(ctx context.Context, in *IDInput) (*struct{}, error) {
	if err := s.Store.DeleteDocument(ctx, in.ID); err != nil {
		return nil, s.failed(ctx, err)
	}
	return nil, nil
}
