package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/kv"
)

// TestProblems sends every kind of bad request. Each must be answered by a
// problem as of RFC 9457 that says what is wrong, and nothing may be stored.
func TestProblems(t *testing.T) {
	text := func(text string) string {
		body, err := json.Marshal(map[string]string{"text": text})
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	s := start(t, func(config *api.Config) {
		config.Limits.TextBytes, config.Limits.BodyBytes = 1000, 8000
		config.Limits.Timeout, config.Limits.Concurrency = 50*time.Millisecond, 1
	})
	saved := `{"id":"known","text":"FKBP12 binds FK506."}`
	s.mustAsk(t, http.StatusCreated, "POST", "/v1/documents", saved)

	for name, test := range map[string]struct {
		method, target, body string
		header               []string
		status               int
		field                string
		says                 []string
	}{
		"empty text":        {body: text(""), status: 422, field: "text", says: []string{"empty"}},
		"white space":       {body: text(" \n\t"), status: 422, field: "text", says: []string{"empty"}},
		"only emoji":        {body: text("🧬🧪"), status: 422, field: "text", says: []string{"no letter"}},
		"control character": {body: text("FK506 \x00 binds"), status: 422, field: "text", says: []string{"U+0000", "byte 6"}},
		"long text":         {body: text(strings.Repeat("a ", 501)), status: 413, field: "text", says: []string{"1002 bytes", "1000", "--max-text-bytes"}},
		"10 MB":             {body: text(strings.Repeat("x", 10<<20)), status: 413, says: []string{"8000 bytes", "--max-body-bytes"}},
		"invalid UTF-8":     {body: "{\"text\":\"FK\xff506\"}", status: 400, says: []string{"UTF-8", "0xFF", "offset 11"}},
		"invalid UTF-8, plain": {body: "FK\xc3\x28506", header: []string{"Content-Type", "text/plain"},
			status: 400, says: []string{"UTF-8", "0xC3", "offset 2"}},
		"empty plain text":   {body: " ", header: []string{"Content-Type", "text/plain"}, status: 422, field: "text", says: []string{"empty"}},
		"broken JSON":        {body: "{\n  \"text\": \"β\" x}", status: 400, says: []string{"line 2, column 15", "byte offset 17", "'x'"}},
		"JSON cut off":       {body: `{"text":"FK`, status: 400, says: []string{"broken JSON", "line 1, column 11"}},
		"no object":          {body: `["FK506"]`, status: 422, says: []string{"object"}},
		"no body":            {status: 400, says: []string{"body is required"}},
		"no text":            {body: `{"id":"a"}`, status: 422, says: []string{"text"}},
		"text is a number":   {body: `{"text":1}`, status: 422, field: "text", says: []string{"string"}},
		"BioC as JSON":       {body: `{"documents":[{"id":"b","passages":[]}]}`, status: 422, says: []string{`unknown field "documents"`, "application/vnd.bioc+json"}},
		"unknown field":      {body: `{"text":"FK506","txet":1}`, status: 422, field: "txet", says: []string{`unknown field "txet"`}},
		"unknown parameter":  {target: "?offset=byte", body: text("FK506"), status: 422, field: "offset", says: []string{"unknown query parameter"}},
		"unknown offsets":    {target: "?offsets=words", body: text("FK506"), status: 422, field: "offsets", says: []string{"codepoint", "byte", "utf16"}},
		"unknown format":     {target: "?format=pdf", body: text("FK506"), status: 422, field: "format", says: []string{"json", "svg"}},
		"not acceptable":     {body: text("FK506"), header: []string{"Accept", "text/html"}, status: 406, says: []string{"application/json", "image/svg+xml"}},
		"form":               {body: "text=FK506", header: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, says: []string{"x-www-form-urlencoded", "application/json"}},
		"several documents":  {body: "1|t|a b\n1|a|c d\n\n2|t|e f\n2|a|g h\n", header: []string{"Content-Type", "text/x-pubtator"}, status: 400, says: []string{"several documents", "/v1/batches"}},
		"broken BioC":        {body: "{", header: []string{"Content-Type", "application/vnd.bioc+json"}, status: 400, says: []string{"bioc"}},
		"no media type":      {body: text("FK506"), header: []string{"Content-Type", ";"}, status: 415, says: []string{"media type"}},
		"control in id":      {body: `{"text":"FK506","id":"a\u0007"}`, status: 422, field: "id", says: []string{"U+0007"}},
		"long id":            {body: `{"text":"FK506","id":"` + strings.Repeat("i", 513) + `"}`, status: 422, field: "id", says: []string{"512"}},
		"too slow":           {body: text("slow FK506"), status: 504, says: []string{"50ms", "--timeout"}},
		"panic":              {body: text("panic FK506"), status: 500, says: []string{"log"}},
		"failure":            {body: text("fail FK506"), status: 500, says: []string{"log"}},
		"conflict":           {target: "/v1/documents", body: `{"id":"known","text":"other words"}`, status: 409, field: "id", says: []string{"known", "replace=true"}},
		"title conflict":     {target: "/v1/documents", body: `{"id":"known","text":"FKBP12 binds FK506.","title":"t"}`, status: 409, field: "id", says: []string{"title"}},
		"unknown document":   {method: "GET", target: "/v1/documents/none", status: 404, says: []string{`"none"`}},
		"delete unknown":     {method: "DELETE", target: "/v1/documents/none", status: 404, says: []string{`"none"`}},
		"unknown concept":    {method: "GET", target: "/v1/concepts/C0000000", status: 404, says: []string{`"C0000000"`}},
		"unknown neighbors":  {method: "GET", target: "/v1/concepts/C0000000/neighbors", status: 404, says: []string{`"C0000000"`}},
		"unknown mentions":   {method: "GET", target: "/v1/concepts/C0000000/mentions", status: 404, field: "cui", says: []string{`"C0000000"`}},
		"unknown at an end":  {method: "GET", target: "/v1/relations?concept=FK506", status: 404, field: "concept", says: []string{`"FK506"`, "/v1/concepts?q="}},
		"unknown other end":  {method: "GET", target: "/v1/relations?concept=C0085149&other=C0000000", status: 404, field: "other", says: []string{`"C0000000"`}},
		"unknown at its end": {method: "GET", target: "/v1/paths?from=C0085149&to=C0000000", status: 404, field: "to", says: []string{`"C0000000"`}},
		"unknown both ends":  {method: "GET", target: "/v1/paths?from=zzz&to=zzz", status: 404, field: "from", says: []string{`"zzz"`}},
		"unknown subgraph":   {target: "/v1/subgraph", body: `{"concepts":["C0085149","nonsense","C0000000"]}`, status: 404, field: "concepts", says: []string{`"nonsense"`, `"C0000000"`, "/v1/concepts?q="}},
		"long subgraph":      {target: "/v1/subgraph", body: text(strings.Repeat("a ", 501)), status: 413, field: "text", says: []string{"--max-text-bytes"}},
		"no time":            {method: "GET", target: "/v1/relations?since=yesterday", status: 422, field: "since", says: []string{`"yesterday"`, "2026-01-31T12:00:00Z"}},
		"a score of NaN":     {method: "GET", target: "/v1/relations?minScore=NaN", status: 422, field: "minScore", says: []string{"0 to 1"}},
		"NaN of concepts":    {method: "GET", target: "/v1/concepts/seen?minScore=nan", status: 422, field: "minScore", says: []string{"0 to 1"}},
		"sentences as CSV":   {method: "GET", target: "/v1/relations?evidence=1&format=csv", status: 422, field: "evidence", says: []string{"csv", "jsonl"}},
		"sentences as graph": {method: "GET", target: "/v1/paths?from=C0085149&to=C0039246&evidence=1&format=graphml", status: 422, field: "evidence", says: []string{"graphml", "jsonl"}},
		"search for nothing": {method: "GET", target: "/v1/concepts", status: 422, field: "q", says: []string{"required"}},
		"two questions":      {method: "GET", target: "/v1/relations?q=a&concept=C0039246", status: 422, field: "q", says: []string{"not both"}},
		"limit 0":            {method: "GET", target: "/v1/documents?limit=0", status: 422, field: "limit", says: []string{">= 1"}},
		"limit x":            {method: "GET", target: "/v1/documents?limit=x", status: 422, field: "limit", says: []string{"integer"}},
		"subgraph of what":   {target: "/v1/subgraph", body: `{}`, status: 422, field: "concepts", says: []string{"either"}},
		"too large to draw":  {target: "/v1/extract?format=svg", body: text("many FK506"), status: 422, field: "format", says: []string{"401 entities", "400"}},
		"another site":       {body: text("FK506"), header: []string{"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"}, status: 403, says: []string{"another site"}},
		"unknown path":       {method: "GET", target: "/v2", status: 404, says: []string{"/v2"}},
		"wrong method":       {method: "PUT", target: "/v1/model", status: 405, says: []string{"PUT", "GET"}},
	} {
		t.Run(name, func(t *testing.T) {
			targets := []string{test.target}
			if !strings.HasPrefix(test.target, "/") {
				targets = []string{"/v1/documents" + test.target, "/v1/extract" + test.target}
			}
			method := test.method
			if method == "" {
				method = "POST"
			}
			for _, target := range targets {
				answer := s.mustAsk(t, test.status, method, target, test.body, test.header...)
				checkProblem(t, answer.Header(), answer.Body.Bytes(), test.status, test.field, test.says)
			}
		})
	}

	docs, err := s.store.Documents(t.Context(), "", 10)
	if err != nil || len(docs) != 1 {
		t.Errorf("after the bad requests the store has %d documents (error %v), want the one saved", len(docs), err)
	}
	if log := s.log.String(); strings.Contains(log, "FK506") {
		t.Errorf("the log tells a text:\n%s", log)
	}
	if !strings.Contains(s.log.String(), errFake.Error()) {
		t.Error("the log does not tell the failure inside")
	}
}

func checkProblem(t *testing.T, header http.Header, body []byte, status int, field string, says []string) {
	t.Helper()
	if got := header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	var problem api.Problem
	if err := json.Unmarshal(body, &problem); err != nil {
		t.Fatalf("the problem is not JSON: %v: %s", err, body)
	}
	if problem.Status != status || problem.Title == "" || !strings.HasPrefix(problem.Type, "urn:keci:problem:") {
		t.Errorf("problem %s", body)
	}
	if want := "urn:keci:request:" + header.Get("X-Request-Id"); problem.Instance != want || header.Get("X-Request-Id") == "" {
		t.Errorf("instance %q, want %q", problem.Instance, want)
	}
	if problem.Field != field {
		t.Errorf("field %q, want %q: %s", problem.Field, field, body)
	}
	for _, want := range says {
		if !strings.Contains(problem.Detail, want) {
			t.Errorf("the detail does not say %q: %s", want, problem.Detail)
		}
	}
	if len(body) > 1500 || strings.Contains(string(body), errFake.Error()) {
		t.Errorf("the problem tells too much: %.1500s", body)
	}
}

func TestBusyServerSaysWhenToComeBack(t *testing.T) {
	s := start(t, func(config *api.Config) {
		config.Limits.Concurrency, config.Limits.Timeout = 1, 100*time.Millisecond
		config.Extractor.(*fake).release = make(chan struct{})
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ask("POST", "/v1/extract", `{"text":"FKBP12 first"}`)
	}()
	for s.fake.extractions.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	answer := s.mustAsk(t, http.StatusServiceUnavailable, "POST", "/v1/extract", `{"text":"FKBP12 second"}`)
	checkProblem(t, answer.Header(), answer.Body.Bytes(), 503, "", []string{"1 texts at a time", "--concurrency", "--timeout"})
	if answer.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	close(s.fake.release)
	<-done
}

func TestLimitsMustBePositive(t *testing.T) {
	_, err := api.New(t.Context(), api.Config{})
	if err == nil || !strings.Contains(fmt.Sprint(err), "limit") {
		t.Errorf("error = %v", err)
	}
}

// unreachable is a store whose server is gone.
type unreachable struct{ graph.Store }

func (unreachable) Concept(context.Context, graph.CUI) (graph.Concept, error) {
	return graph.Concept{}, fmt.Errorf("asking the database at a secret place: %w", graph.ErrUnavailable)
}

func TestUnreachableStoreSaysWhenToComeBack(t *testing.T) {
	s := start(t, func(config *api.Config) { config.Store = unreachable{config.Store} })
	answer := s.mustAsk(t, http.StatusServiceUnavailable, "GET", "/v1/concepts/C0085149", "")
	checkProblem(t, answer.Header(), answer.Body.Bytes(), 503, "", []string{"store", "later"})
	if answer.Header().Get("Retry-After") == "" || strings.Contains(answer.Body.String(), "secret") {
		t.Errorf("Retry-After %q, %s", answer.Header().Get("Retry-After"), answer.Body)
	}
}

// reloaded is a store into which another knowledge base is loaded.
type reloaded struct {
	graph.Store
	info *graph.KnowledgeBaseInfo
}

func (s reloaded) Info(context.Context) (graph.KnowledgeBaseInfo, error) { return *s.info, nil }

// With another knowledge base in the store than documents are read with, a server is
// not ready.
func TestReadyAsLongAsTheKnowledgeBaseIsTheSame(t *testing.T) {
	info := graph.KnowledgeBaseInfo{Name: "small", Digest: "sha256:51a11"}
	s := start(t, func(config *api.Config) { config.Store = reloaded{config.Store, &info} })
	s.mustAsk(t, http.StatusOK, "GET", "/readyz", "")
	info = graph.KnowledgeBaseInfo{Name: "newer", Digest: "sha256:0e3e5"}
	answer := s.mustAsk(t, http.StatusServiceUnavailable, "GET", "/readyz", "")
	checkProblem(t, answer.Header(), answer.Body.Bytes(), 503, "", []string{"newer", "small", "start"})
}

// hanging is a store whose server takes connections and says nothing.
type hanging struct{ graph.Store }

func hang(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("asking the database: %w", context.Cause(ctx))
}

func (hanging) Concept(ctx context.Context, _ graph.CUI) (graph.Concept, error) {
	return graph.Concept{}, hang(ctx)
}

func (hanging) Subgraph(ctx context.Context, _ []graph.CUI) (graph.Subgraph, error) {
	return graph.Subgraph{}, hang(ctx)
}

func (hanging) Document(ctx context.Context, _ string) (graph.Document, error) {
	return graph.Document{}, hang(ctx)
}

func (hanging) SaveDocument(ctx context.Context, _ graph.Document, _ bool) (bool, error) {
	return false, hang(ctx)
}

func TestHangingStoreHoldsNobody(t *testing.T) {
	s := start(t, func(config *api.Config) {
		config.Store, config.Limits.StoreTimeout = hanging{config.Store}, 20*time.Millisecond
	})
	for _, ask := range [][3]string{
		{"GET", "/v1/concepts/C0085149", ""},
		{"GET", "/v1/documents/a", ""},
		{"POST", "/v1/documents", `{"id":"a","text":"FKBP12 binds FK506."}`},
		{"POST", "/v1/documents?replace=true", `{"id":"a","text":"FKBP12 binds FK506."}`},
		{"POST", "/v1/subgraph", `{"text":"FKBP12 binds FK506."}`},
		{"POST", "/v1/link?codes=true", `{"text":"FKBP12 binds FK506."}`},
	} {
		answer := s.mustAsk(t, http.StatusServiceUnavailable, ask[0], ask[1], ask[2])
		checkProblem(t, answer.Header(), answer.Body.Bytes(), 503, "", []string{"too long", "--store-timeout"})
		if answer.Header().Get("Retry-After") == "" {
			t.Errorf("%s %s: no Retry-After", ask[0], ask[1])
		}
	}
}

// On a full disk nothing is written, lest Badger is ended by a signal; what needs no
// writing goes on.
func TestFullDisk(t *testing.T) {
	s := start(t, nil)
	s.mustAsk(t, http.StatusCreated, "POST", "/v1/documents", `{"id":"a","text":"FKBP12"}`)
	defer func(free func(string) (uint64, error)) { kv.Free = free }(kv.Free)
	kv.Free = func(string) (uint64, error) { return 100 << 20, nil }
	for _, ask := range [][2]string{
		{"/v1/documents", `{"id":"b","text":"FKBP12 binds FK506."}`},
		{"/v1/documents?replace=true", `{"id":"a","text":"FKBP12 binds FK506."}`},
		{"/v1/batches", `[{"id":"b","text":"FKBP12 binds FK506."}]`},
	} {
		answer := s.mustAsk(t, http.StatusServiceUnavailable, "POST", ask[0], ask[1])
		checkProblem(t, answer.Header(), answer.Body.Bytes(), 503, "", []string{"disk", "full"})
		if answer.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", ask[0])
		}
	}
	s.mustAsk(t, http.StatusOK, "POST", "/v1/extract", `{"text":"FKBP12 binds rapamycin."}`)
	s.mustAsk(t, http.StatusOK, "GET", "/v1/documents/a", "")
	s.mustAsk(t, http.StatusNoContent, "DELETE", "/v1/documents/a", "")
	if told := s.log.String(); !strings.Contains(told, "100 MB") {
		t.Errorf("the log does not tell how much room there is:\n%s", told)
	}
	kv.Free = func(string) (uint64, error) { return 1 << 20, nil }
	if _, err := api.OpenCache(t.TempDir(), api.CacheOptions{}); !errors.Is(err, kv.ErrFull) {
		t.Errorf("opening a cache: %v", err)
	}
}

// overtaking is a store in which others save the same document while it is worked on,
// and change it right after.
type overtaking struct {
	graph.Store
	change func(graph.Store, graph.Document) error
}

func (s overtaking) SaveDocument(ctx context.Context, doc graph.Document, replace bool) (bool, error) {
	if _, err := s.Store.SaveDocument(ctx, doc, false); err != nil {
		return false, err
	}
	created, err := s.Store.SaveDocument(ctx, doc, replace)
	return created, errors.Join(err, s.change(s.Store, doc))
}

func TestDocumentThatOthersSaveAndChange(t *testing.T) {
	for name, change := range map[string]func(graph.Store, graph.Document) error{
		"deleted": func(store graph.Store, doc graph.Document) error { return store.DeleteDocument(t.Context(), doc.ID) },
		"replaced": func(store graph.Store, doc graph.Document) error {
			doc.Text = "of others"
			_, err := store.SaveDocument(t.Context(), doc, true)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(config *api.Config) { config.Store = overtaking{config.Store, change} })
			answer := s.mustAsk(t, http.StatusOK, "POST", "/v1/documents", `{"id":"a","text":"FKBP12"}`)
			if got := answer.Body.String(); !strings.Contains(got, `"text":"FKBP12"`) {
				t.Errorf("the answer is %s", got)
			}
		})
	}
}
