package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/api/jobs"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/embedded"
	"github.com/keci-kg/keci/graph/storetest"
)

const sentence = "FKBP12 binds FK506 and rapamycin, and the complex inhibits calcineurin."

// names are what reader finds, each once.
var names = []struct {
	text    string
	concept graph.Candidate
}{
	{"FKBP12", graph.Candidate{CUI: "C0039246", Name: "FKBP12", SemanticTypes: []graph.TUI{"T116"}}},
	{"FK506", graph.Candidate{CUI: "C0085149", Name: "Tacrolimus", SemanticTypes: []graph.TUI{"T121"}}},
	{"rapamycin", graph.Candidate{CUI: "C0072980", Name: "Sirolimus", SemanticTypes: []graph.TUI{"T121"}}},
	{"calcineurin", graph.Candidate{CUI: "C0006686", Name: "Calcineurin", SemanticTypes: []graph.TUI{"T116"}}},
}

// reader finds names, and says that the first binds the others.
type reader struct{}

func (reader) Info() fusion.ModelInfo { return fusion.ModelInfo{Name: "reader"} }

func (reader) Link(_ context.Context, text string) (mentions []graph.Mention, err error) {
	for _, name := range names {
		if start := strings.Index(text, name.text); start >= 0 {
			mentions = append(mentions, graph.Mention{ID: fmt.Sprintf("T%d", len(mentions)+1), Start: start, End: start + len(name.text),
				Text: name.text, Concepts: []graph.Candidate{name.concept}})
		}
	}
	return mentions, nil
}

func (r reader) Extract(ctx context.Context, doc graph.Document) (graph.Document, error) {
	switch doc.Text {
	case "fail":
		return doc, errors.New("it fails")
	case "slow":
		<-ctx.Done()
		return doc, ctx.Err()
	}
	doc.Offsets = graph.OffsetByte
	doc.Mentions, _ = r.Link(ctx, doc.Text)
	for i := range doc.Mentions {
		if i > 0 {
			doc.Relations = append(doc.Relations, graph.Extraction{ID: fmt.Sprintf("R%d", i), Head: "T1", Tail: doc.Mentions[i].ID, Label: "bind", Score: 0.9})
		}
	}
	return doc, nil
}

// server is a service behind a real connection.
type server struct{ url string }

func serve(t *testing.T, change func(*api.Config)) server {
	t.Helper()
	store, err := embedded.Open(t.Context(), t.TempDir(), storetest.Knowledge(storetest.Small()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	queue, err := jobs.Open(t.TempDir(), jobs.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { queue.Close() })
	config := api.Config{Extractor: reader{}, Linker: reader{}, Store: store, Jobs: queue, Limits: api.DefaultLimits(), Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&config)
	}
	service, err := api.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		service.Stop(ctx)
	})
	listening := httptest.NewServer(service)
	t.Cleanup(listening.Close)
	return server{listening.URL}
}

// tokens are those of a file with one line.
func tokens(t *testing.T, line string) *api.Tokens {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	known, err := api.ReadTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	return known
}
