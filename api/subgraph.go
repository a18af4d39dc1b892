package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keci-kg/keci/graph"
)

func (s *Server) routeSubgraph(operations huma.API) {
	huma.Register(operations, s.operation(mayRead, huma.Operation{
		OperationID: "subgraph", Method: http.MethodPost, Path: "/v1/subgraph", Tags: []string{"knowledge"},
		Summary: "The background knowledge graph of concepts, or of all candidates of a text",
	}), s.subgraph)
}

type subgraphInput struct{ Body subgraphQuestion }

// subgraphQuestion says what the background of which is asked for: one of the two.
type subgraphQuestion struct {
	Concepts []graph.CUI `json:"concepts,omitempty" maxItems:"10000"`
	Text     string      `json:"text,omitempty"`
}

type subgraphOutput struct {
	Body graph.Subgraph
}

func (s *Server) subgraph(ctx context.Context, in *subgraphInput) (*subgraphOutput, error) {
	cuis, err := s.subgraphConcepts(ctx, in.Body.Concepts, in.Body.Text)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	sub, err := s.Store.Subgraph(ctx, cuis)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	sub.Concepts, sub.SemanticTypes = orEmpty(sub.Concepts), orEmpty(sub.SemanticTypes)
	sub.Relations, sub.TypeRelations = orEmpty(sub.Relations), orEmpty(sub.TypeRelations)
	return &subgraphOutput{sub}, nil
}

// subgraphConcepts are the concepts given, or the candidates of the text given.
func (s *Server) subgraphConcepts(ctx context.Context, cuis []graph.CUI, text string) ([]graph.CUI, error) {
	if (len(cuis) == 0) == (text == "") {
		return nil, newProblem(http.StatusUnprocessableEntity, "concepts", "send either concepts or a text")
	}
	if text == "" {
		return cuis, nil
	}
	doc, err := s.document(documentBody{Text: text})
	if err != nil {
		return nil, err
	}
	doc, _, err = s.answer(ctx, question{"link", doc, s.linkDocument})
	for _, mention := range doc.Mentions {
		for _, candidate := range mention.Concepts {
			cuis = append(cuis, candidate.CUI)
		}
	}
	return cuis, err
}
