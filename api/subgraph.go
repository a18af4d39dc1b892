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
		Summary:     "The background knowledge graph of concepts, or of all candidates of a text",
		Description: "Ids of concepts that the knowledge base lacks are 404, and the problem names the first of them.",
		Errors:      []int{http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusGatewayTimeout},
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
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	sub, err := s.Store.Subgraph(ctx, cuis)
	if err == nil && in.Body.Text == "" && len(sub.Concepts) < len(cuis) {
		sub, err = s.subgraphOfKnown(ctx, cuis, sub)
	}
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	sub.Concepts, sub.SemanticTypes = orEmpty(sub.Concepts), orEmpty(sub.SemanticTypes)
	sub.Relations, sub.TypeRelations = orEmpty(sub.Relations), orEmpty(sub.TypeRelations)
	return &subgraphOutput{sub}, nil
}

// subgraphOfKnown is sub, unless it lacks some of the concepts that it shall be of:
// then it is asked for again with the ids by which they are known.
func (s *Server) subgraphOfKnown(ctx context.Context, cuis []graph.CUI, sub graph.Subgraph) (graph.Subgraph, error) {
	present, err := s.Store.Present(ctx, cuis...)
	if err != nil {
		return sub, err
	}
	there := map[graph.CUI]bool{}
	for _, concept := range sub.Concepts {
		there[concept.CUI] = true
	}
	var ids, missing []graph.CUI
	for _, cui := range cuis {
		if there[present.Of(cui)] {
			ids = append(ids, cui)
		} else {
			missing = append(missing, cui)
		}
	}
	if len(missing) == 0 {
		return sub, nil
	}
	found, err := graph.KnownIDs(missing, func(cui graph.CUI) error {
		_, err := s.Store.Concept(ctx, cui)
		return err
	})
	if err != nil {
		return sub, unknownConcept("concepts", err)
	}
	return s.Store.Subgraph(ctx, append(ids, found...))
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
