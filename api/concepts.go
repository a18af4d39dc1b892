package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keci-kg/keci/graph"
)

func (s *Server) routeConcepts(operations huma.API) {
	for _, op := range []struct {
		id, path, summary string
		errors            []int
		register          func(huma.Operation)
	}{
		{"search-concepts", "/v1/concepts", "Search concepts by their names", nil,
			func(op huma.Operation) { huma.Register(operations, op, s.searchConcepts) }},
		{"get-concept", "/v1/concepts/{cui}", "A concept of the knowledge base", []int{http.StatusNotFound},
			func(op huma.Operation) { huma.Register(operations, op, s.getConcept) }},
		{"concept-neighbors", "/v1/concepts/{cui}/neighbors", "The curated relations of a concept", []int{http.StatusNotFound},
			func(op huma.Operation) { huma.Register(operations, op, s.conceptNeighbors) }},
		{"concept-mentions", "/v1/concepts/{cui}/mentions", "Where a concept was seen in the stored documents", []int{http.StatusNotFound},
			func(op huma.Operation) { huma.Register(operations, op, s.conceptMentions) }},
	} {
		op.register(s.operation(mayRead, huma.Operation{
			OperationID: op.id, Method: http.MethodGet, Path: op.path, Summary: op.summary, Tags: []string{"knowledge"}, Errors: op.errors,
		}))
	}
}

type searchInput struct {
	PageInput
	Query string `query:"q" required:"true" maxLength:"500" doc:"Words of a name, or its beginning."`
}

type searchOutput struct {
	Body struct {
		Concepts []graph.Concept `json:"concepts"`
	}
}

func (s *Server) searchConcepts(ctx context.Context, in *searchInput) (*searchOutput, error) {
	concepts, err := s.Store.Search(ctx, in.Query, in.Limit)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	out := &searchOutput{}
	out.Body.Concepts = orEmpty(concepts)
	return out, nil
}

// ConceptInput is the part of a request that names a concept.
type ConceptInput struct {
	CUI graph.CUI `path:"cui" example:"C0079419" doc:"Concept unique identifier."`
}

type conceptPageInput struct {
	ConceptInput
	PageInput
}

type conceptOutput struct {
	Body graph.Concept
}

func (s *Server) getConcept(ctx context.Context, in *ConceptInput) (*conceptOutput, error) {
	concept, err := s.Store.Concept(ctx, in.CUI)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &conceptOutput{concept}, nil
}

type neighborsOutput struct {
	Body struct {
		Relations []graph.Relation `json:"relations"`
	}
}

func (s *Server) conceptNeighbors(ctx context.Context, in *conceptPageInput) (*neighborsOutput, error) {
	if _, err := s.Store.Concept(ctx, in.CUI); err != nil {
		return nil, s.failed(ctx, err)
	}
	relations, err := s.Store.Neighbors(ctx, in.CUI, in.Limit)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	out := &neighborsOutput{}
	out.Body.Relations = orEmpty(relations)
	return out, nil
}

type mentionsOutput struct {
	Body struct {
		Mentions []graph.Seen `json:"mentions"`
	}
}

func (s *Server) conceptMentions(ctx context.Context, in *conceptPageInput) (*mentionsOutput, error) {
	seen, err := s.Store.ConceptMentions(ctx, in.CUI, in.Limit)
	if err == nil && len(seen) == 0 {
		_, err = s.Store.Concept(ctx, in.CUI) // never seen, or no concept at all?
	}
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	out := &mentionsOutput{}
	out.Body.Mentions = orEmpty(seen)
	return out, nil
}

// orEmpty makes an empty list of nil, since null is not a list in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
