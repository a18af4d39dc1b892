package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/graph"
)

// online is a service behind a real connection.
type online struct {
	service
	url string
}

func serve(t testing.TB, change func(*api.Config)) online {
	t.Helper()
	s := start(t, change)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return online{s, server.URL}
}

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	body []byte
}

// send sends a request with names and values of headers in turn. Nothing is
// compressed or decompressed by the way.
func (o online) send(t testing.TB, method, path, body string, header ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, o.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{answer, content}
}

func (o online) mustSend(t testing.TB, status int, method, path, body string, header ...string) reply {
	t.Helper()
	answer := o.send(t, method, path, body, header...)
	if answer.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, answer.StatusCode, status, answer.body)
	}
	return answer
}

// HEAD gives the headers of GET and no body, wherever there is an end to wait for.
func TestHead(t *testing.T) {
	s := serve(t, nil)
	s.mustSend(t, 201, "POST", "/v1/documents", `{"id":"a","text":"FKBP12 binds FK506."}`)
	for _, path := range []string{"/", "/docs", "/healthz", "/readyz", "/v1/documents", "/v1/documents/a?format=svg", "/v1/model"} {
		get := s.mustSend(t, 200, "GET", path, "")
		head := s.mustSend(t, 200, "HEAD", path, "")
		if len(head.body) > 0 {
			t.Errorf("HEAD %s has a body", path)
		}
		for _, name := range []string{"Content-Type", "ETag", "Cache-Control", "Content-Security-Policy"} {
			if head.Header.Get(name) != get.Header.Get(name) {
				t.Errorf("HEAD %s: %s %q, GET has %q", path, name, head.Header.Get(name), get.Header.Get(name))
			}
		}
	}
	s.mustSend(t, 404, "HEAD", "/v1/documents/none", "")
	s.mustSend(t, 405, "HEAD", "/v1/link", "")
	etag := s.mustSend(t, 200, "HEAD", "/v1/documents/a", "").Header.Get("ETag")
	s.mustSend(t, 304, "HEAD", "/v1/documents/a", "", "If-None-Match", etag)
}

func TestETags(t *testing.T) {
	s := serve(t, nil)
	s.mustSend(t, 201, "POST", "/v1/documents", `{"id":"a","text":"FKBP12 binds FK506."}`)
	for _, path := range []string{"/v1/documents/a", "/v1/documents/a?format=svg", "/v1/documents", "/v1/concepts/C0085149", "/v1/model"} {
		first := s.mustSend(t, 200, "GET", path, "")
		etag := first.Header.Get("ETag")
		if etag == "" {
			t.Fatalf("%s has no ETag", path)
		}
		for _, known := range []string{etag, `"other", ` + etag, strings.TrimPrefix(etag, "W/"), "*"} {
			answer := s.mustSend(t, 304, "GET", path, "", "If-None-Match", known)
			if len(answer.body) > 0 || answer.Header.Get("ETag") != etag {
				t.Errorf("%s: 304 with ETag %s and %d bytes", path, answer.Header.Get("ETag"), len(answer.body))
			}
		}
		if again := s.mustSend(t, 200, "GET", path, "", "If-None-Match", `W/"other"`); again.Header.Get("ETag") != etag {
			t.Errorf("%s: another ETag for the same content", path)
		}
	}
	etag := s.mustSend(t, 200, "GET", "/v1/documents/a", "").Header.Get("ETag")
	s.mustSend(t, 200, "POST", "/v1/documents?replace=true", `{"id":"a","text":"calcineurin"}`)
	if changed := s.mustSend(t, 200, "GET", "/v1/documents/a", "", "If-None-Match", etag); changed.Header.Get("ETag") == etag {
		t.Error("the ETag of a replaced document is the same")
	}
	if missing := s.mustSend(t, 404, "GET", "/v1/documents/none", "", "If-None-Match", "*"); missing.Header.Get("ETag") != "" {
		t.Error("a problem has an ETag")
	}
}

func decoder(t *testing.T, encoding string, data io.Reader) io.Reader {
	t.Helper()
	switch encoding {
	case "gzip":
		reader, err := gzip.NewReader(data)
		if err != nil {
			t.Fatal(err)
		}
		return reader
	case "zstd":
		reader, err := zstd.NewReader(data)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(reader.Close)
		return reader
	}
	return data
}

// unsound is a store that panics at a concept and has seen mentions that cannot be
// written.
type unsound struct{ graph.Store }

func (unsound) Concept(context.Context, graph.CUI) (graph.Concept, error) { panic(errFake) }

func (unsound) ConceptMentions(context.Context, graph.CUI, int) ([]graph.Seen, error) {
	return []graph.Seen{{Mention: graph.Mention{Score: math.NaN()}}}, nil
}

// What breaks while a GET is answered is told, and not taken for an empty answer.
func TestPanicsOfReading(t *testing.T) {
	s := serve(t, func(config *api.Config) { config.Store = unsound{config.Store} })
	for _, path := range []string{"/v1/concepts/C0085149", "/v1/concepts/C0085149/mentions"} {
		answer := s.mustSend(t, 500, "GET", path, "")
		checkProblem(t, answer.Header, answer.body, 500, "", []string{"its log has more"})
		if etag := answer.Header.Get("ETag"); etag != "" {
			t.Errorf("%s: the problem has the ETag %s", path, etag)
		}
	}
}

func TestCompressedAnswers(t *testing.T) {
	s := serve(t, nil)
	plain := s.mustSend(t, 200, "GET", "/openapi.json", "").body
	for accept, want := range map[string]string{"gzip": "gzip", "zstd, gzip": "zstd", "br": "", "gzip;q=0": ""} {
		answer := s.mustSend(t, 200, "GET", "/openapi.json", "", "Accept-Encoding", accept)
		if got := answer.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: %q, want %q", accept, got, want)
			continue
		}
		content, err := io.ReadAll(decoder(t, want, bytes.NewReader(answer.body)))
		if err != nil || !bytes.Equal(content, plain) {
			t.Errorf("%s: another content (%v)", want, err)
		}
		if want != "" && len(answer.body) > len(plain)/2 {
			t.Errorf("%s: %d bytes of %d", want, len(answer.body), len(plain))
		}
	}
	if small := s.mustSend(t, 200, "GET", "/healthz", "", "Accept-Encoding", "gzip"); small.Header.Get("Content-Encoding") != "" {
		t.Error("a small answer is compressed")
	}
}

func TestCompressedBodies(t *testing.T) {
	s := serve(t, func(config *api.Config) { config.Limits.BodyBytes = 10_000 })
	zip := func(encoding, text string) string {
		var out bytes.Buffer
		var writer io.WriteCloser = gzip.NewWriter(&out)
		if encoding == "zstd" {
			encoder, err := zstd.NewWriter(&out)
			if err != nil {
				t.Fatal(err)
			}
			writer = encoder
		}
		if _, err := io.WriteString(writer, text); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	const question = `{"text":"FKBP12 binds FK506."}`
	want := s.mustSend(t, 200, "POST", "/v1/extract", question).body
	for _, encoding := range []string{"gzip", "zstd"} {
		answer := s.mustSend(t, 200, "POST", "/v1/extract", zip(encoding, question), "Content-Encoding", encoding)
		if !bytes.Equal(answer.body, want) {
			t.Errorf("%s: another answer: %s", encoding, answer.body)
		}
		// What blows up is stopped at the limit of its real size.
		answer = s.mustSend(t, 413, "POST", "/v1/extract", zip(encoding, `{"text":"`+strings.Repeat("a ", 1<<20)+`"}`), "Content-Encoding", encoding)
		checkProblem(t, answer.Header, answer.body, 413, "", []string{"--max-body-bytes"})
		answer = s.mustSend(t, 400, "POST", "/v1/extract", question, "Content-Encoding", encoding)
		checkProblem(t, answer.Header, answer.body, 400, "", nil)
	}
	answer := s.mustSend(t, 415, "POST", "/v1/extract", question, "Content-Encoding", "br")
	checkProblem(t, answer.Header, answer.body, 415, "", []string{"gzip", "zstd"})
}

const (
	readToken  = "0123456789abcdef-read"
	writeToken = "0123456789abcdef-write"
)

func tokenFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTokensChange changes the file of tokens under a server.
func TestTokensChange(t *testing.T) {
	path := tokenFile(t, "reader read "+readToken)
	tokens, err := api.ReadTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, step := range []struct {
		name, content string // empty: the file is removed
		after         time.Duration
		changed       bool
		fails         string
	}{
		{"as it was", "reader read " + readToken, 2 * time.Second, true, ""}, // its time is another
		{"too soon", "writer write " + writeToken, 2500 * time.Millisecond, false, ""},
		{"changed", "writer write " + writeToken, 4 * time.Second, true, ""},
		{"removed", "", 6 * time.Second, false, "no such file"},
		{"told once", "", 8 * time.Second, false, ""},
		{"damaged", "writer write short", 10 * time.Second, false, "line 1"},
		{"whole again", "writer write " + writeToken, 12 * time.Second, true, ""},
	} {
		if step.content == "" {
			os.Remove(path)
		} else if err := os.WriteFile(path, []byte(step.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = os.Chtimes(path, now.Add(step.after), now.Add(step.after))
		changed, err := tokens.Refresh(now.Add(step.after))
		if changed != step.changed || (err == nil) != (step.fails == "") || err != nil && !strings.Contains(err.Error(), step.fails) {
			t.Errorf("%s: changed %t, %v", step.name, changed, err)
		}
	}
}

// TestTokensOfServerChange takes a token away from a client.
func TestTokensOfServerChange(t *testing.T) {
	path := tokenFile(t, "reader read "+readToken)
	s := serve(t, func(config *api.Config) {
		var err error
		if config.Tokens, err = api.ReadTokens(path); err != nil {
			t.Fatal(err)
		}
	})
	s.mustSend(t, 200, "GET", "/v1/model", "", "Authorization", "Bearer "+readToken)
	if err := os.WriteFile(path, []byte("another read "+writeToken), 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if s.send(t, "GET", "/v1/model", "", "Authorization", "Bearer "+readToken).StatusCode == 401 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the token that was taken away still opens")
		}
	}
	s.mustSend(t, 200, "GET", "/v1/model", "", "Authorization", "Bearer "+writeToken)
}

func TestTokens(t *testing.T) {
	tokens, err := api.ReadTokens(tokenFile(t, "# clients\n\nreader read "+readToken+"\n  writer\twrite "+writeToken+"\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(config *api.Config) { config.Tokens = tokens })
	const doc = `{"id":"a","text":"FKBP12 binds FK506."}`
	for _, test := range []struct {
		method, path, body   string
		nobody, read, writer int
	}{
		{"GET", "/healthz", "", 200, 200, 200},
		{"GET", "/readyz", "", 200, 200, 200},
		{"GET", "/", "", 200, 200, 200},
		{"GET", "/openapi.json", "", 200, 200, 200},
		{"GET", "/docs", "", 200, 200, 200},
		{"POST", "/v1/extract", doc, 401, 200, 200},
		{"POST", "/v1/link", doc, 401, 200, 200},
		{"POST", "/v1/subgraph", `{"concepts":["C0085149"]}`, 401, 200, 200},
		{"POST", "/v1/documents", doc, 401, 403, 201},
		{"GET", "/v1/documents/a", "", 401, 200, 200},
		{"GET", "/v1/model", "", 401, 200, 200},
		{"GET", "/v1/jobs", "", 401, 200, 200},
		{"POST", "/v1/jobs/x/cancel", "", 401, 403, 404},
		{"DELETE", "/v1/jobs/x", "", 401, 403, 404},
		{"DELETE", "/v1/documents/a", "", 401, 403, 204},
	} {
		for _, client := range []struct {
			authorization string
			status        int
		}{
			{"", test.nobody}, {"Bearer wrong-wrong-wrong-wrong", test.nobody}, {"Basic " + writeToken, test.nobody},
			{"Bearer " + readToken, test.read}, {"bearer " + writeToken, test.writer},
		} {
			answer := s.mustSend(t, client.status, test.method, test.path, test.body, "Authorization", client.authorization)
			if client.status == 401 || client.status == 403 {
				checkProblem(t, answer.Header, answer.body, client.status, "", []string{"token"})
			}
			if (answer.Header.Get("WWW-Authenticate") != "") != (client.status == 401) {
				t.Errorf("%s %s: WWW-Authenticate %q", test.method, test.path, answer.Header.Get("WWW-Authenticate"))
			}
		}
	}
	if log := s.log.String(); strings.Contains(log, readToken) || !strings.Contains(log, "token reader") {
		t.Errorf("the log tells a token, or not the client:\n%s", log)
	}
}

func TestTokenFilesThatAreWrong(t *testing.T) {
	for content, says := range map[string]string{
		"":                              "no token",
		"# only a remark\n":             "no token",
		"a read\n":                      "line 1: a line has 2 fields",
		"\na admin " + readToken + "\n": `line 2: a token can be for read or write, not for "admin"`,
		"a read short\n":                "5 bytes",
		"a read " + readToken + "\na write " + writeToken + "\n": `line 2: the name "a" is used twice`,
	} {
		if _, err := api.ReadTokens(tokenFile(t, content)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error = %v, want one that says %q", content, err, says)
		} else if strings.Contains(err.Error(), readToken) {
			t.Errorf("the error tells a token: %v", err)
		}
	}
	if _, err := api.ReadTokens(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there gives no error")
	}
}

func TestCORS(t *testing.T) {
	const site = "https://lab.example"
	browser := []string{"Origin", site, "Sec-Fetch-Site", "cross-site"}
	closed := serve(t, nil)
	answer := closed.mustSend(t, 403, "POST", "/v1/extract", `{"text":"FK506"}`, browser...)
	checkProblem(t, answer.Header, answer.body, 403, "", []string{"--cors-origin"})
	if answer.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another site may read the answer")
	}
	for _, origins := range [][]string{{site}, {"*"}} {
		s := serve(t, func(config *api.Config) { config.Origins = origins })
		answer := s.mustSend(t, 200, "POST", "/v1/extract", `{"text":"FK506"}`, browser...)
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != origins[0] {
			t.Errorf("allowed %q", got)
		}
		asked := s.mustSend(t, 204, "OPTIONS", "/v1/documents/a", "", "Origin", site, "Access-Control-Request-Method", "DELETE")
		if got := asked.Header.Get("Access-Control-Allow-Methods"); !strings.Contains(got, "DELETE") {
			t.Errorf("allowed methods %q", got)
		}
	}
	s := serve(t, func(config *api.Config) { config.Origins = []string{site} })
	s.mustSend(t, 403, "POST", "/v1/extract", `{"text":"FK506"}`, "Origin", "https://other.example", "Sec-Fetch-Site", "cross-site")
}

func TestRateOfEachClient(t *testing.T) {
	_, everyone, err := net.ParseCIDR("0.0.0.0/0")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(config *api.Config) {
		config.Limits.Rate, config.Limits.Burst = 0.1, 2
		config.Proxies = []*net.IPNet{everyone}
	})
	for _, status := range []int{200, 200, 429, 429} {
		answer := s.mustSend(t, status, "GET", "/v1/model", "", "X-Forwarded-For", "192.0.2.1")
		if status == 429 {
			checkProblem(t, answer.Header, answer.body, 429, "", []string{"0.1 requests a second (--rate)", "--burst"})
			if got := answer.Header.Get("Retry-After"); got != "10" {
				t.Errorf("Retry-After %q", got)
			}
		}
	}
	s.mustSend(t, 200, "GET", "/healthz", "", "X-Forwarded-For", "192.0.2.1")
	s.mustSend(t, 200, "GET", "/v1/model", "", "X-Forwarded-For", "192.0.2.2")
}

func TestNobodyForgesAnAddress(t *testing.T) {
	s := serve(t, func(config *api.Config) { config.Limits.Rate, config.Limits.Burst = 0.1, 1 })
	s.mustSend(t, 200, "GET", "/v1/model", "", "X-Forwarded-For", "192.0.2.1", "X-Real-Ip", "192.0.2.1")
	s.mustSend(t, 429, "GET", "/v1/model", "", "X-Forwarded-For", "192.0.2.2", "X-Real-Ip", "192.0.2.2")
}

func TestTooManyTextsOfOneClientWait(t *testing.T) {
	s := serve(t, func(config *api.Config) {
		config.Limits.Concurrency, config.Limits.Waiting = 1, 1
		config.Extractor.(*fake).release = make(chan struct{})
	})
	answers := make(chan reply, 3)
	for i := range 3 { // one is worked on, one waits, one is too much
		go func() { answers <- s.send(t, "POST", "/v1/extract", fmt.Sprintf(`{"text":"FK506 %d"}`, i)) }()
	}
	refused := <-answers
	checkProblem(t, refused.Header, refused.body, 429, "", []string{"1 texts of one client", "--max-waiting"})
	if refused.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	close(s.fake.release)
	for range 2 {
		if answer := <-answers; answer.StatusCode != 200 {
			t.Errorf("who waited got %d: %s", answer.StatusCode, answer.body)
		}
	}
}

// The documentation must come out of the program, to the last script.
func TestDocsNeedNoNetwork(t *testing.T) {
	s := serve(t, nil)
	page := s.mustSend(t, 200, "GET", "/docs", "")
	if !bytes.Contains(page.body, []byte("/openapi.json")) || bytes.Contains(page.body, []byte("//cdn")) {
		t.Errorf("the page is %s", page.body)
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	for _, file := range []string{"swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "swagger-ui.css"} {
		if !bytes.Contains(page.body, []byte(file)) {
			t.Errorf("the page does not use %s", file)
		}
		if got := s.mustSend(t, 200, "GET", "/docs/"+file, ""); len(got.body) < 10_000 {
			t.Errorf("%s has %d bytes", file, len(got.body))
		}
	}
}

// A server that is told to stop lets a request finish and leaves no stream open.
func TestStopFinishesWhatRuns(t *testing.T) {
	s := start(t, func(config *api.Config) { config.Extractor.(*fake).release = make(chan struct{}) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, listener) }()
	o := online{s, "http://" + listener.Addr().String()}
	job := accepted(t, o.mustSend(t, 202, "POST", "/v1/batches", `{"text":"FK506 1"}`+"\n"+`{"text":"FK506 2"}`, "Content-Type", "application/jsonl"))
	watched := make(chan reply)
	go func() { watched <- o.send(t, "GET", "/v1/jobs/"+job.ID+"/events", "") }()
	answered := make(chan reply)
	go func() { answered <- o.send(t, "POST", "/v1/extract", `{"text":"FK506"}`) }()
	for s.fake.extractions.Load() < 1 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	cancel()
	if answer := <-watched; answer.StatusCode != 200 || !bytes.Contains(answer.body, []byte("event: progress")) {
		t.Errorf("who watched a job got %d %s", answer.StatusCode, answer.body)
	}
	close(s.fake.release)
	if answer := <-answered; answer.StatusCode != 200 {
		t.Errorf("the request that ran: %d %s", answer.StatusCode, answer.body)
	}
	if err := <-ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// served gives the address of a service that listens on this machine alone.
func served(t *testing.T, change func(*api.Config)) online {
	t.Helper()
	s := start(t, change)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
	return online{s, "http://" + listener.Addr().String()}
}

// Another site's name that leads to this machine does not make its pages our own.
func TestNamesOfTheService(t *testing.T) {
	tokens, err := api.ReadTokens(tokenFile(t, "reader read "+readToken))
	if err != nil {
		t.Fatal(err)
	}
	plain := served(t, nil)
	named := served(t, func(config *api.Config) { config.Origins = []string{"https://keci.example"} })
	open := served(t, func(config *api.Config) { config.Origins = []string{"*"} })
	known := served(t, func(config *api.Config) { config.Tokens = tokens })
	behind := serve(t, nil) // its listener is not known
	for _, test := range []struct {
		o      online
		host   string
		status int
	}{
		{plain, "localhost:8080", 200}, {plain, "LOCALHOST", 200}, {plain, "127.0.0.1:1", 200}, {plain, "[::1]:8080", 200},
		{plain, "evil.example", 403}, {plain, "evil.example:8080", 403}, {plain, "192.0.2.1", 403}, {plain, "localhost.evil.example", 403},
		{named, "keci.example", 200}, {named, "keci.example:443", 200}, {named, "evil.example", 403},
		{open, "evil.example", 200}, {known, "evil.example", 200}, {behind, "keci.example", 200},
	} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", test.o.url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = test.host
		request.Header.Set("Origin", "http://"+test.host)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != test.status {
			t.Errorf("asked for as %q: %d, want %d: %s", test.host, answer.StatusCode, test.status, body)
		}
		if test.status == 403 {
			checkProblem(t, answer.Header, body, 403, "", []string{"localhost", "--cors-origin"})
		}
	}
}

// What a request that was still being read began, after which its client left, is
// done before the server has stopped.
func TestStopWaitsForWorkOfLateRequests(t *testing.T) {
	s := start(t, func(config *api.Config) { config.Extractor.(*fake).release = make(chan struct{}) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"text":"FK506"}`
	fmt.Fprintf(client, "POST /v1/extract HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:5])
	time.Sleep(100 * time.Millisecond)
	cancel()
	time.Sleep(100 * time.Millisecond)
	fmt.Fprint(client, body[5:])
	for s.fake.extractions.Load() < 1 {
		time.Sleep(time.Millisecond)
	}
	client.Close()
	select {
	case err := <-ended:
		close(s.fake.release)
		t.Fatalf("the server stopped (%v) while it worked", err)
	case <-time.After(500 * time.Millisecond):
	}
	close(s.fake.release)
	if err := <-ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
}
