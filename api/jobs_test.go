package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/api/jobs"
	"github.com/keci-kg/keci/graph"
)

// accepted is the job of an answer 202.
func accepted(t *testing.T, answer reply) jobs.Job {
	t.Helper()
	job := decode[jobs.Job](t, answer.body)
	if got := answer.Header.Get("Location"); got != "/v1/jobs/"+job.ID || job.ID == "" {
		t.Fatalf("Location %q of the job %s", got, answer.body)
	}
	return job
}

func lines(data []byte) []string {
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

func TestAsyncDocument(t *testing.T) {
	s := serve(t, nil)
	submitted := body(t, map[string]string{"id": "PMID:1", "text": sentence})
	answer := s.mustSend(t, 202, "POST", "/v1/documents", submitted, "Prefer", "wait=5, respond-async", "Idempotency-Key", "once")
	if got := answer.Header.Get("Preference-Applied"); got != "respond-async" {
		t.Errorf("Preference-Applied %q", got)
	}
	job := accepted(t, answer)
	result := s.mustSend(t, 200, "GET", "/v1/jobs/"+job.ID+"/results", "")
	stored := s.mustSend(t, 200, "GET", "/v1/documents/PMID:1", "")
	if diff := cmp.Diff(string(stored.body), string(result.body)); diff != "" {
		t.Errorf("the result is not the stored document:\n%s", diff)
	}
	state := decode[jobs.Job](t, s.mustSend(t, 200, "GET", "/v1/jobs/"+job.ID, "").body)
	for !state.State.Ended() { // the results are there a moment before the job has ended
		state = decode[jobs.Job](t, s.mustSend(t, 200, "GET", "/v1/jobs/"+job.ID, "").body)
	}
	if state.State != jobs.Done || state.Tasks != 1 || state.Done != 1 || state.Failed != 0 {
		t.Errorf("the job is %+v", state)
	}
	again := s.mustSend(t, 202, "POST", "/v1/documents", submitted, "Prefer", "respond-async", "Idempotency-Key", "once")
	if accepted(t, again).ID != job.ID {
		t.Error("the same request made another job")
	}
	reused := s.mustSend(t, 422, "POST", "/v1/documents", `{"text":"FK506"}`, "Prefer", "respond-async", "Idempotency-Key", "once")
	checkProblem(t, reused.Header, reused.body, 422, "Idempotency-Key", []string{"another"})
	s.mustSend(t, 422, "POST", "/v1/documents", `{"text":" "}`, "Prefer", "respond-async") // checked at once
}

// batch holds documents of every fate.
const batch = `{"id":"a","title":"A title","text":"FKBP12 binds FK506."}
{"id":"b","text":

{"id":"c","text":"  "}
{"text":"β calcineurin"}
{"id":"e","text":"fail FK506"}
{"id":"a","text":"another text"}
`

func TestBatch(t *testing.T) {
	s := serve(t, func(config *api.Config) { config.Limits.Concurrency = 1 })
	answer := s.mustSend(t, 202, "POST", "/v1/batches?offsets=byte", batch, "Content-Type", "application/x-ndjson; charset=utf-8")
	job := accepted(t, answer)
	if job.Tasks != 6 {
		t.Errorf("the job is %+v", job)
	}
	results := s.mustSend(t, 200, "GET", "/v1/jobs/"+job.ID+"/results", "")
	if got := results.Header.Get("Content-Type"); got != "application/x-ndjson" {
		t.Errorf("content type %q", got)
	}
	type line struct {
		ID       string
		Mentions []graph.Mention
		Error    *api.Problem
	}
	var got []string
	for _, text := range lines(results.body) {
		result := decode[line](t, []byte(text))
		outcome := strconv.Itoa(len(result.Mentions))
		if result.Error != nil {
			outcome = strconv.Itoa(result.Error.Status) + " " + result.Error.Field
		}
		got = append(got, result.ID+": "+outcome)
	}
	want := []string{"a: 2", ": 422 ", "c: 422 text", graph.TextID("β calcineurin") + ": 1", "e: 500 ", "a: 409 id"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s\n%s", diff, results.body)
	}
	if !strings.Contains(lines(results.body)[3], `"offsets":"byte"`) || !strings.Contains(lines(results.body)[3], `"start":3,`) {
		t.Errorf("offsets: %s", lines(results.body)[3])
	}
	if strings.Contains(string(results.body), errFake.Error()) {
		t.Error("a result tells of the inside")
	}
	s.mustSend(t, 200, "GET", "/v1/documents/a", "")
	if from := s.mustSend(t, 200, "GET", "/v1/jobs/"+job.ID+"/results?from=5&wait=false", ""); len(lines(from.body)) != 1 {
		t.Errorf("from the last: %s", from.body)
	}
	list := decode[struct{ Jobs []jobs.Job }](t, s.mustSend(t, 200, "GET", "/v1/jobs", "").body)
	if len(list.Jobs) != 1 || list.Jobs[0].ID != job.ID {
		t.Errorf("the list of jobs is %+v", list)
	}
	s.mustSend(t, 204, "DELETE", "/v1/jobs/"+job.ID, "")
	for _, path := range []string{"", "/results", "/events"} {
		gone := s.mustSend(t, 404, "GET", "/v1/jobs/"+job.ID+path, "")
		checkProblem(t, gone.Header, gone.body, 404, "", []string{"no such job"})
	}
	s.mustSend(t, 200, "GET", "/v1/documents/a", "") // what was stored stays
}

func TestBatchThatStoresNothing(t *testing.T) {
	s := serve(t, nil)
	job := accepted(t, s.mustSend(t, 202, "POST", "/v1/batches?store=false", batch, "Content-Type", "application/jsonl"))
	if got := lines(s.mustSend(t, 200, "GET", "/v1/jobs/"+job.ID+"/results", "").body); len(got) != 6 || strings.Contains(got[5], "error") {
		t.Errorf("results %q", got)
	}
	if docs, err := s.store.Documents(t.Context(), "", 1); err != nil || len(docs) != 0 {
		t.Errorf("%d documents are stored, %v", len(docs), err)
	}
}

func TestBatchesThatAreRefused(t *testing.T) {
	s := serve(t, func(config *api.Config) { config.Limits.BatchBytes, config.Limits.BatchDocuments = 1000, 3 })
	line := `{"text":"FK506"}` + "\n"
	for name, test := range map[string]struct {
		body, media string
		status      int
		says        string
	}{
		"empty":              {"", "application/jsonl", 422, "no document"},
		"only empty lines":   {"\n\n", "application/jsonl", 422, "no document"},
		"too many":           {strings.Repeat(line, 4), "application/jsonl", 413, "3 documents (--max-batch-documents)"},
		"too large":          {line + `{"text":"` + strings.Repeat("x", 1000) + `"}`, "application/jsonl", 413, "1000 bytes (--max-batch-bytes)"},
		"another media type": {line, "text/plain", 415, "application/x-ndjson"},
		"what curl sends":    {line, "application/x-www-form-urlencoded", 415, "application/x-ndjson"},
	} {
		answer := s.mustSend(t, test.status, "POST", "/v1/batches", test.body, "Content-Type", test.media)
		t.Run(name, func(t *testing.T) {
			checkProblem(t, answer.Header, answer.body, test.status, "", []string{test.says})
		})
	}
	if list := s.mustSend(t, 200, "GET", "/v1/jobs", ""); string(list.body) != `{"jobs":[]}`+"\n" {
		t.Errorf("jobs were made: %s", list.body)
	}
}

func TestBatchesInOtherForms(t *testing.T) {
	s := serve(t, nil)
	for media, content := range map[string]string{
		"application/json":          `[{"id":"json 1","text":"FKBP12 binds FK506."},{"id":"json 2","text":"calcineurin"}]`,
		"text/x-pubtator":           "1|t|FKBP12\n1|a|It binds FK506.\n\n2|t|Calcineurin\n2|a|calcineurin\n\n",
		"application/vnd.bioc+json": `{"documents":[{"id":"b","passages":[{"offset":0,"text":"FKBP12 binds FK506."}]},{"id":"c","passages":[{"offset":0,"text":"calcineurin"}]}]}`,
	} {
		job := accepted(t, s.mustSend(t, 202, "POST", "/v1/batches", content, "Content-Type", media))
		got := lines(s.mustSend(t, 200, "GET", "/v1/jobs/"+job.ID+"/results", "").body)
		if len(got) != 2 || strings.Contains(strings.Join(got, ""), `"error"`) || !strings.Contains(got[0], "FK506") {
			t.Errorf("%s: %q", media, got)
		}
	}
}

// Results and events come while the job runs, compressed or not.
func TestResultsAndEventsWhileTheyCome(t *testing.T) {
	s := serve(t, func(config *api.Config) {
		config.Limits.Concurrency = 1
		config.Extractor.(*fake).release = make(chan struct{})
	})
	job := accepted(t, s.mustSend(t, 202, "POST", "/v1/batches", `{"id":"a","text":"FK506 a"}`+"\n"+`{"id":"b","text":"FK506 b"}`, "Content-Type", "application/jsonl"))
	get := func(path string, header ...string) *bufio.Scanner {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/v1/jobs/"+job.ID+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		client := http.Client{Transport: &http.Transport{DisableCompression: true}}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { answer.Body.Close(); client.CloseIdleConnections() })
		return bufio.NewScanner(decoder(t, answer.Header.Get("Content-Encoding"), answer.Body))
	}
	events := get("/events")
	event := func() (name string, job jobs.Job) {
		t.Helper()
		for events.Scan() {
			field, value, _ := strings.Cut(events.Text(), ": ")
			switch field {
			case "event":
				name = value
			case "data":
				if err := json.Unmarshal([]byte(value), &job); err != nil {
					t.Fatal(err)
				}
				return name, job
			}
		}
		t.Fatalf("the events ended: %v", events.Err())
		return "", job
	}
	if name, now := event(); name != "progress" || now.Done != 0 {
		t.Errorf("first event %s %+v", name, now)
	}
	s.fake.release <- struct{}{} // one document
	results := get("/results", "Accept-Encoding", "gzip")
	if !results.Scan() || !strings.Contains(results.Text(), `"id":"a"`) {
		t.Errorf("the first result is %q, %v", results.Text(), results.Err())
	}
	for {
		if name, now := event(); now.Done == 1 {
			if name != "progress" || now.State != jobs.Running {
				t.Errorf("event %s %+v", name, now)
			}
			break
		}
	}
	s.fake.release <- struct{}{}
	if !results.Scan() || !strings.Contains(results.Text(), `"id":"b"`) || results.Scan() {
		t.Errorf("the last result is %q, %v", results.Text(), results.Err())
	}
	name, last := event()
	for name != "end" {
		name, last = event()
	}
	if last.State != jobs.Done || last.Done != 2 {
		t.Errorf("the end is %+v", last)
	}
	if events.Scan() && events.Scan() {
		t.Errorf("after the end comes %q", events.Text())
	}
}

func TestCancelJob(t *testing.T) {
	s := serve(t, func(config *api.Config) {
		config.Limits.Concurrency = 1
		config.Limits.Timeout = 10 * time.Second
	})
	job := accepted(t, s.mustSend(t, 202, "POST", "/v1/batches", `{"id":"a","text":"FK506"}`+"\n"+`{"id":"b","text":"slow"}`+"\n"+`{"text":"never"}`, "Content-Type", "application/jsonl"))
	for s.fake.extractions.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	started := time.Now()
	cancelled := decode[jobs.Job](t, s.mustSend(t, 200, "POST", "/v1/jobs/"+job.ID+"/cancel", "").body)
	if cancelled.State != jobs.Cancelled || cancelled.Done != 1 || time.Since(started) > 5*time.Second {
		t.Errorf("after %s the job is %+v", time.Since(started), cancelled)
	}
	if got := lines(s.mustSend(t, 200, "GET", "/v1/jobs/"+job.ID+"/results", "").body); len(got) != 1 || !strings.Contains(got[0], `"id":"a"`) {
		t.Errorf("results %q", got)
	}
}

// What a job had left is done by the next server.
func TestJobsSurviveARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "jobs")
	open := func() *jobs.Queue {
		queue, err := jobs.Open(dir, jobs.DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		return queue
	}
	queue := open()
	s := serve(t, func(config *api.Config) {
		config.Jobs, config.Limits.Concurrency = queue, 1
		config.Limits.Timeout = 10 * time.Second
	})
	job := accepted(t, s.mustSend(t, 202, "POST", "/v1/batches", `{"id":"a","text":"FK506"}`+"\n"+`{"id":"b","text":"slow"}`+"\n"+`{"id":"c","text":"FKBP12"}`, "Content-Type", "application/jsonl"))
	for s.fake.extractions.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	stop(t, s.service)
	if err := queue.Close(); err != nil {
		t.Fatal(err)
	}

	queue = open()
	t.Cleanup(func() { queue.Close() })
	next := serve(t, func(config *api.Config) {
		config.Jobs, config.Limits.Concurrency = queue, 1
		config.Limits.Timeout = 20 * time.Millisecond
	})
	got := lines(next.mustSend(t, 200, "GET", "/v1/jobs/"+job.ID+"/results", "").body)
	if len(got) != 3 || !strings.Contains(got[0], `"id":"a"`) || !strings.Contains(got[1], `"status":504`) || !strings.Contains(got[2], `"id":"c"`) {
		t.Errorf("results %q", got)
	}
	if count := next.fake.extractions.Load(); count != 2 {
		t.Errorf("after the restart %d documents were worked on, want the two that were left", count)
	}
}

// A text that is too long is refused when it comes, and takes no room in the queue.
func TestBatchKeepsNoTextThatIsTooLong(t *testing.T) {
	dir := t.TempDir()
	queue, err := jobs.Open(dir, jobs.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(config *api.Config) {
		config.Jobs, config.Limits.TextBytes, config.Limits.Concurrency = queue, 100, 1
	})
	s.mustSend(t, 202, "POST", "/v1/batches", `{"id":"a","text":"slow"}`+"\n"+`{"id":"b","text":"`+strings.Repeat("FK506 ", 1000)+`"}`,
		"Content-Type", "application/jsonl")
	stop(t, s.service)
	if err := queue.Close(); err != nil {
		t.Fatal(err)
	}
	if queue, err = jobs.Open(dir, jobs.DefaultOptions()); err != nil {
		t.Fatal(err)
	}
	defer queue.Close()
	kept := make(chan string, 2)
	queue.Start(1, func(_ context.Context, _ string, _, task []byte) (jobs.Result, error) {
		kept <- string(task)
		return jobs.Result{}, nil
	})
	for range 2 {
		if task := <-kept; len(task) > 1000 || strings.Contains(task, `"b"`) && !strings.Contains(task, "--max-text-bytes") {
			t.Errorf("a task of %d bytes was kept: %.300s", len(task), task)
		}
	}
}

// Results that the server cuts off when it stops are not taken for all there are.
func TestResultsThatAreCutOff(t *testing.T) {
	s := serve(t, func(config *api.Config) { config.Limits.Concurrency = 1 })
	job := accepted(t, s.mustSend(t, 202, "POST", "/v1/batches", `{"id":"a","text":"FK506"}`+"\n"+`{"id":"b","text":"slow"}`, "Content-Type", "application/jsonl"))
	type stream struct {
		encoding string
		results  *bufio.Reader
	}
	var streams []stream
	for _, encoding := range []string{"", "gzip"} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/v1/jobs/"+job.ID+"/results", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Encoding", encoding)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		results := bufio.NewReader(decoder(t, answer.Header.Get("Content-Encoding"), answer.Body))
		if line, err := results.ReadString('\n'); err != nil || !strings.Contains(line, `"id":"a"`) {
			t.Fatalf("encoded by %q: the first result is %q, %v", encoding, line, err)
		}
		streams = append(streams, stream{encoding, results})
	}
	stop(t, s.service)
	for _, cut := range streams {
		if rest, err := io.ReadAll(cut.results); !errors.Is(err, io.ErrUnexpectedEOF) || len(rest) > 0 {
			t.Errorf("encoded by %q: after the first result comes %q, %v", cut.encoding, rest, err)
		}
	}
}

// The answer to a batch comes also when to send it took longer than other requests
// may take as a whole.
func TestBatchThatComesSlowly(t *testing.T) {
	s := start(t, func(config *api.Config) { config.Limits.BatchDocuments = 2 })
	server := httptest.NewUnstartedServer(s)
	server.Config.WriteTimeout = 200 * time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	for documents, want := range map[int]int{0: 422, 2: 202, 3: 413} {
		body, upload := io.Pipe()
		go func() {
			time.Sleep(2 * server.Config.WriteTimeout)
			_, err := io.WriteString(upload, strings.Repeat(`{"text":"FK506"}`+"\n", documents))
			upload.CloseWithError(err)
		}()
		answer, err := http.Post(server.URL+"/v1/batches", "application/jsonl", body)
		if err != nil {
			t.Errorf("%d documents: %v", documents, err)
			continue
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%d documents: status %d, want %d", documents, answer.StatusCode, want)
		}
	}
}

func TestTooManyJobs(t *testing.T) {
	queue, err := jobs.Open(t.TempDir(), jobs.Options{Unfinished: 1, Running: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { queue.Close() })
	s := serve(t, func(config *api.Config) {
		config.Jobs = queue
		config.Extractor.(*fake).release = make(chan struct{})
	})
	submit := func(status int) reply {
		return s.mustSend(t, status, "POST", "/v1/batches", `{"text":"FK506"}`, "Content-Type", "application/jsonl")
	}
	submit(202)
	refused := submit(429)
	checkProblem(t, refused.Header, refused.body, 429, "", []string{"--max-jobs"})
	if refused.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	close(s.fake.release)
}
