package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
)

func (s *Server) routeAbout(operations huma.API) {
	about := func(needs access, id, path, summary string) huma.Operation {
		return s.operation(needs, huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"about"}})
	}
	huma.Register(operations, about(mayRead, "model", "/v1/model", "The model that extracts"), s.aboutModel)
	huma.Register(operations, about(mayRead, "kb", "/v1/kb", "The knowledge base"), s.aboutKB)
	huma.Register(operations, about(mayNothing, "health", "/healthz", "Whether the server lives"), s.health)
	huma.Register(operations, about(mayNothing, "ready", "/readyz", "Whether the server can take work"), s.ready)
}

type modelOutput struct {
	Body fusion.ModelInfo
}

func (s *Server) aboutModel(context.Context, *struct{}) (*modelOutput, error) {
	return &modelOutput{s.model}, nil
}

type kbOutput struct {
	Body graph.KnowledgeBaseInfo
}

func (s *Server) aboutKB(context.Context, *struct{}) (*kbOutput, error) {
	return &kbOutput{s.kb}, nil
}

type healthOutput struct{ Body healthState }

// healthState says that a server does its work; one that does not answers with a problem.
type healthState struct {
	Status string `json:"status" enum:"ok"`
}

func healthy() *healthOutput {
	return &healthOutput{healthState{Status: "ok"}}
}

func (s *Server) health(context.Context, *struct{}) (*healthOutput, error) { return healthy(), nil }

// ready also asks the store, which may be another server: it must be there, and hold
// the knowledge base that documents are read with.
func (s *Server) ready(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	if s.stopping.Load() {
		return nil, newProblem(http.StatusServiceUnavailable, "", "the server is stopping")
	}
	kb, err := s.Store.Info(ctx)
	if err != nil {
		s.Log.Warn("not ready", "error", err)
		return nil, newProblem(http.StatusServiceUnavailable, "", "the store does not answer, or cannot be used now")
	}
	if kb.Digest != s.kb.Digest {
		s.Log.Warn("not ready", "knowledge base", s.kb.Digest, "the store holds", kb.Digest)
		return nil, newProblem(http.StatusServiceUnavailable, "",
			"the store holds another knowledge base by now, %s, and documents would be read with %s: start the server anew, with that one", kb.Name, s.kb.Name)
	}
	return healthy(), nil
}
