package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/forms"
)

const sentence = "FKBP12 binds FK506 and rapamycin, and the complex inhibits calcineurin."

func body(t *testing.T, doc map[string]string) string {
	t.Helper()
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func decode[T any](t *testing.T, data []byte) (value T) {
	t.Helper()
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return value
}

// TestExtractJSON fixes the JSON that scripts rely on, to the byte.
func TestExtractJSON(t *testing.T) {
	s := start(t, nil)
	answer := s.mustAsk(t, 200, "POST", "/v1/extract", `{"id":"PMID:1","text":"β: FKBP12 <binds> FK506"}`)
	const want = `{"id":"PMID:1","text":"β: FKBP12 <binds> FK506","offsets":"codepoint",` +
		`"model":{"name":"fake","digest":"sha256:fa4e"},"kb":{"name":"small","digest":"sha256:51a11"},` +
		`"mentions":[{"id":"T1","start":3,"end":9,"text":"FKBP12","type":"protein","score":0.97,` +
		`"initial":{"type":"protein","score":0.71},"negated":false,"sentinel":0.25,` +
		`"concepts":[{"cui":"C0039246","name":"FKBP12","semanticTypes":["T116"],"weight":0.75,"score":1000,"confidence":0,` +
		`"matched":"FKBP12","centrality":1,"variation":1,"coverage":1,"cohesiveness":1}]},` +
		`{"id":"T2","start":18,"end":23,"text":"FK506","type":"chemical","score":0.97,` +
		`"initial":{"type":"protein","score":0.71},"negated":false,"sentinel":0.25,` +
		`"concepts":[{"cui":"C0085149","name":"Tacrolimus","semanticTypes":["T121"],"weight":0.75,"score":1000,"confidence":0,` +
		`"matched":"FK506","centrality":1,"variation":1,"coverage":1,"cohesiveness":1}]}],` +
		`"relations":[{"id":"R1","head":"T1","tail":"T2","label":"bind","directed":false,"score":0.91,"initial":{"score":0.44}}]}` + "\n"
	if diff := cmp.Diff(want, answer.Body.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := answer.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
}

func TestExtractForms(t *testing.T) {
	s := start(t, nil)
	for name, test := range map[string]struct {
		target, body string
		header       []string
		media, holds string
	}{
		"plain text":      {"/v1/extract", sentence, []string{"Content-Type", "text/plain; charset=utf-8"}, "application/json", `"id":"` + graph.TextID(sentence) + `"`},
		"bytes":           {"/v1/extract?offsets=byte", `{"text":"𝛂 FK506"}`, nil, "application/json", `"offsets":"byte",`},
		"bytes counted":   {"/v1/extract?offsets=byte", `{"text":"𝛂 FK506"}`, nil, "application/json", `"start":5,"end":10`},
		"utf16":           {"/v1/extract?offsets=utf16", `{"text":"𝛂 FK506"}`, nil, "application/json", `"start":3,"end":8`},
		"svg by format":   {"/v1/extract?format=svg", body(t, map[string]string{"text": sentence}), nil, "image/svg+xml", "bind 0.91"},
		"png by accept":   {"/v1/extract", body(t, map[string]string{"text": sentence}), []string{"Accept", "image/png"}, "image/png", "PNG"},
		"svg by accept":   {"/v1/extract", body(t, map[string]string{"text": sentence}), []string{"Accept", "text/html, image/*;q=0.5"}, "image/svg+xml", "FKBP12"},
		"a browser":       {"/v1/extract", body(t, map[string]string{"text": sentence}), []string{"Accept", "text/html, */*;q=0.8"}, "application/json", `"mentions":[`},
		"format wins":     {"/v1/extract?format=json", body(t, map[string]string{"text": sentence}), []string{"Accept", "image/svg+xml"}, "application/json", `"mentions":[`},
		"no entity":       {"/v1/extract", `{"text":"nothing here"}`, nil, "application/json", `"mentions":[]`},
		"link":            {"/v1/link", `{"text":"𝛂 FK506"}`, nil, "application/json", `"start":2,"end":7`},
		"link, all told":  {"/v1/link?codes=true&synonyms=true", `{"text":"FK506"}`, nil, "application/json", `"codes":[{"source":"TEST","code":"1"}],"synonyms":["FK506"]`},
		"link to nothing": {"/v1/link", `{"text":"nothing here"}`, nil, "application/json", `"mentions":[]}`},
		"bioc":            {"/v1/extract", `{"documents":[{"id":"b","passages":[{"offset":0,"text":"FK506 binds FKBP12"}]}]}`, []string{"Content-Type", "application/vnd.bioc+json"}, "application/json", `{"id":"b","text":"FK506 binds FKBP12"`},
		"pubtator":        {"/v1/extract", "7|t|Tacrolimus\n7|a|FK506 binds FKBP12\n", []string{"Content-Type", "text/x-pubtator"}, "application/json", `{"id":"7"`},
		"to bioc":         {"/v1/extract?format=bioc", `{"id":"b","text":"FK506"}`, nil, "application/vnd.bioc+json", `"annotations":[`},
		"to pubtator":     {"/v1/extract", `{"id":"7","text":"FK506"}`, []string{"Accept", "text/x-pubtator"}, "text/x-pubtator", "7|"},
		"to brat":         {"/v1/extract?format=brat", `{"id":"7","text":"FK506"}`, nil, "application/zip", "PK"},
		"to lines":        {"/v1/extract?format=jsonl&offsets=byte", `{"id":"7","text":"𝛂 FK506"}`, nil, "application/x-ndjson", `"start":5`},
		"json of a kind":  {"/v1/extract", `{"text":"FK506"}`, []string{"Content-Type", "application/json; charset=utf-8"}, "application/json", `"FK506"`},
	} {
		t.Run(name, func(t *testing.T) {
			answer := s.mustAsk(t, 200, "POST", test.target, test.body, test.header...)
			if got := answer.Header().Get("Content-Type"); got != test.media {
				t.Errorf("content type %q, want %q", got, test.media)
			}
			if !strings.Contains(answer.Body.String(), test.holds) {
				t.Errorf("the answer does not hold %s:\n%s", test.holds, answer.Body)
			}
		})
	}
	if docs, err := s.store.Documents(t.Context(), "", 1); err != nil || len(docs) != 0 {
		t.Errorf("extract and link stored %d documents (error %v)", len(docs), err)
	}
}

// The description names every form that there is.
func TestFormsAreDescribed(t *testing.T) {
	s := start(t, nil)
	description := s.mustAsk(t, 200, "GET", "/openapi.json", "").Body.String()
	for _, form := range forms.All() {
		if !strings.Contains(description, `"`+form.Media+`"`) {
			t.Errorf("%s is not described", form.Media)
		}
		answer := s.mustAsk(t, 200, "POST", "/v1/extract?format="+string(form.Kind), `{"id":"7","text":"FK506 binds FKBP12"}`)
		if got := answer.Header().Get("Content-Type"); got != form.Media {
			t.Errorf("%s: content type %q", form.Kind, got)
		}
	}
}

// What the text alone gives is an answer of its own, kept apart from the final one.
func TestExtractInitial(t *testing.T) {
	s := start(t, nil)
	question := body(t, map[string]string{"text": "FK506 binding protein (FKBP12) binds rapamycin."})
	final := decode[graph.Document](t, s.mustAsk(t, 200, "POST", "/v1/extract?stage=final", question).Body.Bytes())
	for _, cache := range []string{"miss", "hit"} {
		answer := s.mustAsk(t, 200, "POST", "/v1/extract?stage=initial", question)
		initial := decode[graph.Document](t, answer.Body.Bytes())
		if len(final.Mentions) != 4 || len(initial.Mentions) != 3 || initial.Mentions[0].Type != "protein" || initial.Mentions[0].Score != 0.71 {
			t.Errorf("final %+v, initial %+v", final.Mentions, initial.Mentions)
		}
		if len(final.Relations) != 3 || len(initial.Relations) != 2 {
			t.Errorf("final %+v, initial %+v", final.Relations, initial.Relations)
		}
		if got := answer.Header().Get("X-Cache"); got != cache {
			t.Errorf("X-Cache %q, want %q", got, cache)
		}
	}
	one := start(t, func(config *api.Config) { config.Extractor = struct{ fusion.Extractor }{config.Extractor} })
	answer := one.mustAsk(t, 422, "POST", "/v1/extract?stage=initial", question)
	checkProblem(t, answer.Header(), answer.Body.Bytes(), 422, "stage", []string{"fake"})
}

func TestLinkHasNoExtraction(t *testing.T) {
	s := start(t, nil)
	answer := s.mustAsk(t, 200, "POST", "/v1/link", body(t, map[string]string{"text": sentence})).Body.String()
	for _, unwanted := range []string{"relations", "sentinel", `"type"`, "weight", "initial", "model"} {
		if strings.Contains(answer, unwanted) {
			t.Errorf("link answers with %s: %s", unwanted, answer)
		}
	}
}

func TestCache(t *testing.T) {
	s := start(t, nil)
	question := body(t, map[string]string{"text": sentence})
	first := s.mustAsk(t, 200, "POST", "/v1/extract", question)
	again := s.mustAsk(t, 200, "POST", "/v1/extract", question)
	if first.Header().Get("X-Cache") != "miss" || again.Header().Get("X-Cache") != "hit" {
		t.Errorf("X-Cache %q, then %q; want miss, hit", first.Header().Get("X-Cache"), again.Header().Get("X-Cache"))
	}
	if first.Body.String() != again.Body.String() {
		t.Errorf("the known answer differs:\n%s\n%s", first.Body, again.Body)
	}
	// Neither id nor form change what has to be worked out; title and task do.
	for _, test := range []struct{ target, body, cache string }{
		{"/v1/extract?offsets=byte", `{"id":"other","text":"` + sentence + `"}`, "hit"},
		{"/v1/extract?format=svg", question, "hit"},
		{"/v1/extract", `{"title":"t","text":"` + sentence + `"}`, "miss"},
		{"/v1/link", question, "miss"},
	} {
		answer := s.mustAsk(t, 200, "POST", test.target, test.body)
		if got := answer.Header().Get("X-Cache"); got != test.cache {
			t.Errorf("%s %s: X-Cache %q, want %q", test.target, test.body, got, test.cache)
		}
	}
	if got := s.fake.extractions.Load(); got != 2 {
		t.Errorf("%d extractions, want 2", got)
	}
}

// What one engine has worked out is not given out for the answer of another.
func TestCacheTellsEnginesApart(t *testing.T) {
	cache, err := api.OpenCache(t.TempDir(), api.CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cache.Close() })
	for _, test := range []struct{ engine, program, cache string }{
		{"go", "digest go", "miss"}, {"go", "digest go", "hit"}, {"xla", "digest go", "miss"}, {"go", "digest go:tf32", "miss"},
	} {
		s := start(t, func(config *api.Config) {
			config.Cache, config.Program = cache, test.program
			config.Extractor.(*fake).engine = test.engine
		})
		if got := s.mustAsk(t, 200, "POST", "/v1/extract", `{"text":"FK506"}`).Header().Get("X-Cache"); got != test.cache {
			t.Errorf("engine %s of program %q: X-Cache %s, want %s", test.engine, test.program, got, test.cache)
		}
	}
}

func TestCacheForgets(t *testing.T) {
	t.Parallel()
	cache, err := api.OpenCache(t.TempDir(), api.CacheOptions{TTL: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cache.Close() })
	s := start(t, func(config *api.Config) { config.Cache = cache })
	ask := func() string {
		return s.mustAsk(t, 200, "POST", "/v1/extract", `{"text":"FK506"}`).Header().Get("X-Cache")
	}
	if first, second := ask(), ask(); first != "miss" || second != "hit" {
		t.Fatalf("X-Cache %s, then %s", first, second)
	}
	time.Sleep(2100 * time.Millisecond) // Badger counts whole seconds
	if third := ask(); third != "miss" {
		t.Errorf("X-Cache %s after the time to live", third)
	}
}

func TestEqualQuestionsAreWorkedOutOnce(t *testing.T) {
	s := start(t, func(config *api.Config) {
		config.Cache = nil
		config.Extractor.(*fake).release = make(chan struct{})
	})
	const askers = 20
	var (
		group   sync.WaitGroup
		answers [askers]string
	)
	for i := range askers {
		group.Go(func() { answers[i] = s.ask("POST", "/v1/extract", `{"text":"FK506"}`).Body.String() })
	}
	time.Sleep(50 * time.Millisecond) // until they all wait
	close(s.fake.release)
	group.Wait()
	for _, answer := range answers {
		if answer != answers[0] || !strings.Contains(answer, "FK506") {
			t.Errorf("answers differ: %s", answer)
		}
	}
	if got := s.fake.extractions.Load(); got != 1 {
		t.Errorf("%d extractions, want 1", got)
	}
}

func TestDocuments(t *testing.T) {
	s := start(t, nil)
	const id = "PMC/1 β" // wants encoding in a path
	path := "/v1/documents/" + url.PathEscape(id)
	submitted := body(t, map[string]string{"id": id, "title": "A title", "text": sentence})

	created := s.mustAsk(t, 201, "POST", "/v1/documents", submitted)
	if got := created.Header().Get("Location"); got != path {
		t.Errorf("Location %q, want %q", got, path)
	}
	doc := decode[graph.Document](t, created.Body.Bytes())
	if doc.ID != id || doc.Title != "A title" || doc.Submitted == nil || len(doc.Mentions) != 4 || len(doc.Relations) != 3 {
		t.Errorf("created %s", created.Body)
	}
	for name, answer := range map[string]string{
		"submitted again": s.mustAsk(t, 200, "POST", "/v1/documents", submitted).Body.String(),
		"read":            s.mustAsk(t, 200, "GET", path, "").Body.String(),
	} {
		if answer != created.Body.String() {
			t.Errorf("%s: another answer:\n%s", name, answer)
		}
	}
	if svg := s.mustAsk(t, 200, "GET", path+"?format=svg", ""); svg.Header().Get("Content-Type") != "image/svg+xml" {
		t.Errorf("picture: %s", svg.Body)
	}

	replaced := s.mustAsk(t, 200, "POST", "/v1/documents?replace=true", body(t, map[string]string{"id": id, "text": "calcineurin"}))
	if doc := decode[graph.Document](t, replaced.Body.Bytes()); doc.Text != "calcineurin" || len(doc.Mentions) != 1 {
		t.Errorf("replaced %s", replaced.Body)
	}
	s.mustAsk(t, 204, "DELETE", path, "")
	s.mustAsk(t, 404, "GET", path, "")
}

func TestDocumentWithoutID(t *testing.T) {
	s := start(t, nil)
	location := s.mustAsk(t, 201, "POST", "/v1/documents", sentence, "Content-Type", "text/plain").Header().Get("Location")
	doc := decode[graph.Document](t, s.mustAsk(t, 200, "GET", location, "").Body.Bytes())
	if doc.ID != graph.TextID(sentence) {
		t.Errorf("id %q", doc.ID)
	}
}

func TestListDocumentsInPages(t *testing.T) {
	s := start(t, nil)
	for _, id := range []string{"b", "a&b=c", "c"} {
		s.mustAsk(t, 201, "POST", "/v1/documents", body(t, map[string]string{"id": id, "text": "β FK506 " + id}))
	}
	type list struct {
		Documents []struct {
			ID         string
			Characters int
		}
		Next string
	}
	var got []string
	for target := "/v1/documents?limit=2"; target != ""; {
		answer := s.mustAsk(t, 200, "GET", target, "")
		page := decode[list](t, answer.Body.Bytes())
		for _, entry := range page.Documents {
			got = append(got, entry.ID)
			if entry.Characters != 8+len(entry.ID) {
				t.Errorf("%s has %d characters", entry.ID, entry.Characters)
			}
		}
		if target = ""; page.Next != "" {
			link := answer.Header().Get("Link")
			target, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
		}
	}
	if diff := cmp.Diff([]string{"a&b=c", "b", "c"}, got); diff != "" {
		t.Error(diff)
	}
	s.mustAsk(t, 204, "DELETE", "/v1/documents/a&b=c", "")
	empty := s.mustAsk(t, 200, "GET", "/v1/documents?after=z", "").Body.String()
	if empty != `{"documents":[]}`+"\n" {
		t.Errorf("an empty list is %s", empty)
	}
}

func TestKnowledge(t *testing.T) {
	s := start(t, nil)
	s.mustAsk(t, 201, "POST", "/v1/documents", body(t, map[string]string{"id": "d", "text": sentence}))
	for name, test := range map[string]struct{ method, target, body, holds string }{
		"search":             {"GET", "/v1/concepts?q=rapamycin", "", `{"concepts":[{"cui":"C0072980","name":"Sirolimus"`},
		"nothing found":      {"GET", "/v1/concepts?q=nothing", "", `{"concepts":[]}`},
		"concept":            {"GET", "/v1/concepts/C0085149", "", `{"cui":"C0085149","name":"Tacrolimus","synonyms":["FK506"]`},
		"neighbors":          {"GET", "/v1/concepts/C0085149/neighbors?limit=1", "", `{"relations":[{"head":"C0085149","label":"binds","tail":"C0039246"`},
		"mentions":           {"GET", "/v1/concepts/C0085149/mentions", "", `{"mentions":[{"documentId":"d","mention":{"id":"T2"`},
		"never seen":         {"GET", "/v1/concepts/C0999999/mentions", "", `{"mentions":[]}`},
		"subgraph":           {"POST", "/v1/subgraph", `{"concepts":["C0085149","C0039246"]}`, `"relations":[{"head":"C0085149","label":"binds","tail":"C0039246"`},
		"subgraph of a text": {"POST", "/v1/subgraph", `{"text":"FK506 binds FKBP12"}`, `"relations":[{"head":"C0085149","label":"binds","tail":"C0039246"`},
		"text of no concept": {"POST", "/v1/subgraph", `{"text":"nothing"}`, `{"concepts":[],"semanticTypes":[],"relations":[],"typeRelations":[]}`},
		"concept, small":     {"GET", "/v1/concepts/c0085149", "", `{"cui":"C0085149","name":"Tacrolimus"`},
		"neighbors, small":   {"GET", "/v1/concepts/c0085149/neighbors?limit=1", "", `{"relations":[{"head":"C0085149","label":"binds","tail":"C0039246"`},
		"mentions, small":    {"GET", "/v1/concepts/c0085149/mentions", "", `{"mentions":[{"documentId":"d","mention":{"id":"T2"`},
		"subgraph, small":    {"POST", "/v1/subgraph", `{"concepts":["c0085149","C0039246"]}`, `"relations":[{"head":"C0085149","label":"binds","tail":"C0039246"`},
		"subgraph, twice":    {"POST", "/v1/subgraph", `{"concepts":["C0085149","C0039246","C0085149"]}`, `"relations":[{"head":"C0085149","label":"binds","tail":"C0039246"`},
		"relations, small":   {"GET", "/v1/relations?concept=c0085149", "", `{"relations":[{"id":"`},
		"since a day":        {"GET", "/v1/relations?since=2020-01-31&concept=C0085149", "", `{"relations":[{"id":"`},
		"since a time":       {"GET", "/v1/relations?since=2020-01-31T12:00:00%2B02:00&concept=C0085149", "", `{"relations":[{"id":"`},
		"before a day":       {"GET", "/v1/relations?before=2020-01-31", "", `{"relations":[]}`},
		"paths, small":       {"GET", "/v1/paths?from=c0085149&to=c0039246", "", `{"paths":[{"concepts":[{"cui":"C0085149"`},
		"model":              {"GET", "/v1/model", "", `{"name":"fake","digest":"sha256:fa4e","variant":"keci"`},
		"kb":                 {"GET", "/v1/kb", "", `{"name":"small","digest":"sha256:51a11","formatVersion":1,"concepts":5`},
		"health":             {"GET", "/healthz", "", `{"status":"ok"}`},
		"readiness":          {"GET", "/readyz", "", `{"status":"ok"}`},
	} {
		t.Run(name, func(t *testing.T) {
			answer := s.mustAsk(t, 200, test.method, test.target, test.body)
			if !strings.Contains(answer.Body.String(), test.holds) {
				t.Errorf("the answer does not hold %s:\n%s", test.holds, answer.Body)
			}
		})
	}
}

func TestOpenAPI(t *testing.T) {
	s := start(t, nil)
	description := decode[struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}](t, s.mustAsk(t, 200, "GET", "/openapi.json", "").Body.Bytes())
	if !strings.HasPrefix(description.OpenAPI, "3.1") {
		t.Errorf("version %s", description.OpenAPI)
	}
	for _, status := range []string{"404", "413", "504"} {
		subgraph, _ := description.Paths["/v1/subgraph"]["post"].(map[string]any)
		if responses, _ := subgraph["responses"].(map[string]any); responses[status] == nil {
			t.Errorf("the subgraph's %s is not described", status)
		}
	}
	for _, operation := range []string{
		"post /v1/documents", "get /v1/documents", "get /v1/documents/{id}", "delete /v1/documents/{id}",
		"post /v1/extract", "post /v1/link", "get /v1/concepts", "get /v1/concepts/{cui}", "get /v1/concepts/{cui}/neighbors",
		"get /v1/concepts/{cui}/mentions", "post /v1/subgraph", "get /v1/model", "get /v1/kb", "get /healthz", "get /readyz",
	} {
		method, path, _ := strings.Cut(operation, " ")
		if description.Paths[path][method] == nil {
			t.Errorf("%s is not described", operation)
		}
	}
}

func TestRequestIDIsKept(t *testing.T) {
	s := start(t, nil)
	answer := s.mustAsk(t, http.StatusNotFound, "GET", "/v1/documents/none", "", "X-Request-Id", "mine")
	if got := answer.Header().Get("X-Request-Id"); got != "mine" || !strings.Contains(answer.Body.String(), "urn:keci:request:mine") {
		t.Errorf("X-Request-Id %q: %s", got, answer.Body)
	}
}

// BenchmarkCachedExtract is what a known text costs the server.
func BenchmarkCachedExtract(b *testing.B) {
	s := start(b, nil)
	question := `{"text":"` + sentence + `"}`
	for b.Loop() {
		if answer := s.ask("POST", "/v1/extract", question); answer.Code != http.StatusOK {
			b.Fatal(answer.Body)
		}
	}
}
