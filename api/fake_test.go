package api_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/api/jobs"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/embedded"
	"github.com/keci-kg/keci/graph/format/picture"
	"github.com/keci-kg/keci/graph/storetest"
)

// fake knows a few names by heart. A few words make it misbehave.
type fake struct {
	extractions atomic.Int32
	engine      string        // "go" when it is empty
	release     chan struct{} // not nil: extractions wait until it is closed
}

var errFake = errors.New("secret of the inside")

func (f *fake) Info() fusion.ModelInfo {
	return fusion.ModelInfo{Name: "fake", Digest: "sha256:fa4e", Variant: "keci", Engine: cmp.Or(f.engine, "go"),
		EntityTypes: []string{"protein", "chemical", "protein-complex"}, RelationLabels: []string{"bind"}}
}

var names = []struct {
	name, kind, initial string
	cui                 graph.CUI
	concept             string
	tui                 graph.TUI
}{
	{"FKBP12", "protein", "protein", "C0039246", "FKBP12", "T116"},
	{"FK506", "chemical", "protein", "C0085149", "Tacrolimus", "T121"},
	{"rapamycin", "chemical", "chemical", "C0072980", "Sirolimus", "T121"},
	{"FK506 binding protein", "protein-family", "protein", "C0039246", "FKBP12", "T116"},
	{"calcineurin", "protein-complex", "protein", "C0006686", "Calcineurin", "T116"},
}

// Link finds the first place of each name.
func (f *fake) Link(_ context.Context, text string) (mentions []graph.Mention, err error) {
	for _, n := range names {
		start := strings.Index(text, n.name)
		if start < 0 {
			continue
		}
		mentions = append(mentions, graph.Mention{
			Start: start, End: start + len(n.name), Text: n.name, Negated: strings.Contains(text, "no "+n.name),
			Concepts: []graph.Candidate{{CUI: n.cui, Name: n.concept, SemanticTypes: []graph.TUI{n.tui}, Score: 1000,
				Matched: n.name, Centrality: 1, Variation: 1, Coverage: 1, Cohesiveness: 1}},
		})
	}
	slices.SortFunc(mentions, func(a, b graph.Mention) int { return cmp.Or(a.Start-b.Start, b.End-a.End) })
	for i := range mentions {
		mentions[i].ID = fmt.Sprintf("T%d", i+1)
	}
	return mentions, nil
}

// Extract links and relates the first mention to each other.
func (f *fake) Extract(ctx context.Context, doc graph.Document) (graph.Document, error) {
	f.extractions.Add(1)
	switch {
	case strings.Contains(doc.Text, "panic"):
		panic(errFake)
	case strings.Contains(doc.Text, "fail"):
		return doc, errFake
	case strings.Contains(doc.Text, "many"):
		for i := range picture.MaxNodes + 1 {
			doc.Mentions = append(doc.Mentions, graph.Mention{ID: fmt.Sprint(i), Text: fmt.Sprint(i)})
		}
		return doc, nil
	case strings.Contains(doc.Text, "slow"):
		<-ctx.Done()
		return doc, ctx.Err()
	}
	if f.release != nil {
		<-f.release
	}
	doc.Offsets, doc.Relations = graph.OffsetByte, []graph.Extraction{}
	doc.Model = &graph.Provenance{Name: "fake", Digest: "sha256:fa4e"}
	doc.KB = &graph.Provenance{Name: "small", Digest: "sha256:51a11"}
	doc.Mentions, _ = f.Link(ctx, doc.Text)
	for i := range doc.Mentions {
		m := &doc.Mentions[i]
		for _, n := range names {
			if n.name == m.Text {
				m.Type, m.Score = n.kind, 0.97
				m.Initial = &graph.Judgement{Type: n.initial, Score: 0.71}
			}
		}
		sentinel, weight := 0.25, 0.75
		m.Sentinel, m.Concepts[0].Weight = &sentinel, &weight
		if i > 0 {
			doc.Relations = append(doc.Relations, graph.Extraction{ID: fmt.Sprintf("R%d", i), Head: "T1", Tail: m.ID,
				Label: "bind", Score: 0.91, Initial: graph.Judgement{Score: 0.44}})
		}
	}
	return doc, nil
}

// ExtractStages gives the text alone no families of proteins, and of the relations
// only the first and one that knowledge drops.
func (f *fake) ExtractStages(ctx context.Context, doc graph.Document) (initial, final graph.Document, err error) {
	final, err = f.Extract(ctx, doc)
	if err != nil {
		return initial, final, err
	}
	initial = final
	initial.Mentions, initial.Relations = nil, []graph.Extraction{}
	for _, m := range final.Mentions {
		if m.Type != "protein-family" {
			m.Type, m.Score, m.Sentinel, m.Concepts = m.Initial.Type, m.Initial.Score, nil, []graph.Candidate{}
			initial.Mentions = append(initial.Mentions, m)
		}
	}
	if n := len(initial.Mentions); n > 1 {
		first, second, last := initial.Mentions[0].ID, initial.Mentions[1].ID, initial.Mentions[n-1].ID
		initial.Relations = append(initial.Relations,
			graph.Extraction{ID: "R1", Head: first, Tail: second, Label: "bind", Score: 0.6, Initial: graph.Judgement{Score: 0.6}},
			graph.Extraction{ID: "R2", Head: second, Tail: last, Label: "bind", Score: 0.55, Initial: graph.Judgement{Score: 0.55}})
	}
	return initial, final, nil
}

// service is a server to test, with a way to look behind it.
type service struct {
	*api.Server
	fake  *fake
	store graph.Store
	log   *strings.Builder
}

// start makes a server with an empty store and, unless the change says
// otherwise, a cache.
func start(t testing.TB, change func(*api.Config)) service {
	t.Helper()
	store, err := embedded.Open(t.Context(), t.TempDir(), storetest.Knowledge(storetest.Small()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	cache, err := api.OpenCache(t.TempDir(), api.CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cache.Close() })
	f, log := &fake{}, &strings.Builder{}
	queue, err := jobs.Open(t.TempDir(), jobs.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { queue.Close() })
	config := api.Config{Extractor: f, Linker: f, Store: store, Cache: cache, Jobs: queue, Limits: api.DefaultLimits(),
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if change != nil {
		change(&config)
	}
	server, err := api.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	s := service{server, f, store, log}
	t.Cleanup(func() { stop(t, s) })
	return s
}

// stop breaks off what runs.
func stop(t testing.TB, s service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	s.Stop(ctx)
}

// ask sends a request; header holds names and values in turn.
func (s service) ask(method, target, body string, header ...string) *httptest.ResponseRecorder {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request := httptest.NewRequest(method, target, reader)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return recorder
}

// mustAsk is ask for an answer that must have the status.
func (s service) mustAsk(t *testing.T, status int, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	answer := s.ask(method, target, body, header...)
	if answer.Code != status {
		t.Fatalf("%s %s: status %d (%s), want %d: %s\n%s", method, target, answer.Code, http.StatusText(answer.Code), status, answer.Body, s.log)
	}
	return answer
}
