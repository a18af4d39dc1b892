package api

import (
	"context"
	"net/http"
	"strconv"

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
	OffsetInput
	Query string `query:"q" required:"true" minLength:"1" maxLength:"500" doc:"Words of a name, or its beginning."`
}

type searchOutput struct {
	NextOutput
	Body conceptList
}

// conceptList is a page of concepts.
type conceptList struct {
	Concepts []graph.Concept `json:"concepts"`
	Next     string          `json:"next,omitempty" doc:"The value of after for the next page; absent on the last."`
}

func (s *Server) searchConcepts(ctx context.Context, in *searchInput) (*searchOutput, error) {
	concepts, next, err := pageOf(in.OffsetInput, func(limit int) ([]graph.Concept, error) { return s.Store.Search(ctx, in.Query, limit) })
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &searchOutput{nextOf(ctx, next), conceptList{concepts, next}}, nil
}

// ConceptInput is the part of a request that names a concept.
type ConceptInput struct {
	CUI graph.CUI `path:"cui" example:"C0079419" doc:"Concept unique identifier."`
}

type conceptPageInput struct {
	ConceptInput
	OffsetInput
}

type conceptOutput struct {
	Body graph.Concept
}

func (s *Server) getConcept(ctx context.Context, in *ConceptInput) (*conceptOutput, error) {
	concept, err := s.concept(ctx, in.CUI)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &conceptOutput{concept}, nil
}

// concept is the concept with an id, which may be written small.
func (s *Server) concept(ctx context.Context, cui graph.CUI) (concept graph.Concept, err error) {
	_, err = graph.KnownIDs([]graph.CUI{cui}, func(cui graph.CUI) (err error) {
		concept, err = s.Store.Concept(ctx, cui)
		return err
	})
	return concept, err
}

type neighborsOutput struct {
	NextOutput
	Body relationList
}

// relationList is a page of curated relations.
type relationList struct {
	Relations []graph.Relation `json:"relations"`
	Next      string           `json:"next,omitempty" doc:"The value of after for the next page; absent on the last."`
}

func (s *Server) conceptNeighbors(ctx context.Context, in *conceptPageInput) (*neighborsOutput, error) {
	concept, err := s.concept(ctx, in.CUI)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	relations, next, err := pageOf(in.OffsetInput, func(limit int) ([]graph.Relation, error) { return s.Store.Neighbors(ctx, concept.CUI, limit) })
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &neighborsOutput{nextOf(ctx, next), relationList{relations, next}}, nil
}

type mentionsOutput struct {
	NextOutput
	Body seenList
}

// seenList is a page of mentions of a concept.
type seenList struct {
	Mentions []graph.Seen `json:"mentions"`
	Next     string       `json:"next,omitempty" doc:"The value of after for the next page; absent on the last."`
}

func (s *Server) conceptMentions(ctx context.Context, in *conceptPageInput) (*mentionsOutput, error) {
	seen, next, err := pageOf(in.OffsetInput, func(limit int) ([]graph.Seen, error) { return s.Store.ConceptMentions(ctx, in.CUI, limit) })
	if err == nil && len(seen) == 0 && in.After == "" {
		known := idParam{"cui", &in.CUI}
		again, err := s.knownAs(ctx, known) // never seen, written small, or no concept at all?
		if err != nil {
			return nil, s.failed(ctx, err)
		}
		if again {
			return s.conceptMentions(ctx, in)
		}
	}
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &mentionsOutput{nextOf(ctx, next), seenList{seen, next}}, nil
}

// OffsetInput asks for a page of a list whose places are numbers.
type OffsetInput struct {
	PageInput
	After string `query:"after" pattern:"^[0-9]{1,9}$" doc:"Where the page begins: next, or the header Link, of the page before."`
}

// NextOutput tells of the next page.
type NextOutput struct {
	Link string `header:"Link" doc:"The next page, when there is one."`
}

// pageOf gives a page of a list of which read gives the beginning.
func pageOf[T any](in OffsetInput, read func(limit int) ([]T, error)) (items []T, next string, err error) {
	skip, _ := strconv.Atoi(in.After) // a few digits, or nothing
	items, err = read(skip + in.Limit + 1)
	if err != nil {
		return nil, "", err
	}
	items = items[min(skip, len(items)):]
	if len(items) > in.Limit {
		items, next = items[:in.Limit], strconv.Itoa(skip+in.Limit)
	}
	return orEmpty(items), next, nil
}

// nextOf is the header that leads to the next page of what was asked for.
func nextOf(ctx context.Context, next string) NextOutput {
	if next == "" {
		return NextOutput{}
	}
	return NextOutput{nextLink(requestURL(ctx), "after", next)}
}

// orEmpty makes an empty list of nil, since null is not a list in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
