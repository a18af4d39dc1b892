package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/keci-kg/keci/api/jobs"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

func (s *Server) routeBatches(operations huma.API) {
	content := map[string]*huma.MediaType{}
	body := &huma.RequestBody{Required: true}
	for media, kind := range inputMedia {
		content[media] = &huma.MediaType{Schema: foreignSchema(media, "Documents as "+string(kind)+"; what they are annotated with is passed over.")}
	}
	content["application/json"].Schema = &huma.Schema{Type: huma.TypeArray, Description: "Documents, as they are sent alone.",
		Items: operations.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[documentBody](), true, "")}
	content[jsonLines].Schema.Description = `A document {"id":…,"title":…,"text":…} a line; id and title are optional.`
	content[jsonLines].Example = `{"id":"PMID:1","text":"FKBP12 binds FK506."}` + "\n"
	huma.Register(operations, s.operation(mayWrite, huma.Operation{
		OperationID: "submit-batch", Method: http.MethodPost, Path: "/v1/batches", Tags: []string{"jobs"},
		Summary: "Extract and store many documents in a job", DefaultStatus: http.StatusAccepted,
		Description: "The documents are read while they come. One that cannot be read or worked on does not harm the others: its result tells why.",
		RequestBody: body,
		Responses:   map[string]*huma.Response{"202": s.jobResponse(operations)},
		Errors:      []int{http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
	}), s.submitBatch)
	body.Content = content // only now, lest huma reads the body, all of it, as JSON
}

// AsyncInput is the part of a request that may make a job.
type AsyncInput struct {
	Prefer string `header:"Prefer" doc:"respond-async: answer at once, with a job."`
	KeyInput
}

// KeyInput is the part of a request that names it.
type KeyInput struct {
	Key string `header:"Idempotency-Key" maxLength:"200" doc:"A name for the request that makes a job: when it is sent again, the answer is the same job."`
}

// async reports whether the client prefers not to wait (RFC 7240).
func (in AsyncInput) async() bool {
	for preference := range strings.SplitSeq(in.Prefer, ",") {
		if strings.EqualFold(strings.TrimSpace(preference), "respond-async") {
			return true
		}
	}
	return false
}

type batchInput struct {
	KeyInput
	Offsets string `query:"offsets" enum:"codepoint,byte,utf16" default:"codepoint" doc:"What the offsets in the results count."`
	Replace bool   `query:"replace" doc:"Replace what is known under the ids."`
	Store   bool   `query:"store" default:"true" doc:"Keep the documents; without, the results are all there is."`

	body  io.Reader
	media string
}

// Resolve implements huma.Resolver: it keeps the body, which is read bit by bit, and
// leaves time to send it and, afterwards, the answer.
func (in *batchInput) Resolve(ctx huma.Context) []error {
	c := humaecho.Unwrap(ctx)
	in.body, in.media = c.Request().Body, ctx.Header("Content-Type")
	control, read := http.NewResponseController(c.Response()), time.Now().Add(batchReadTimeout)
	err := errors.Join(
		ignoreUnsupported(control.SetReadDeadline(read)),
		ignoreUnsupported(control.SetWriteDeadline(read.Add(batchAnswerTimeout))))
	if err != nil {
		return []error{err}
	}
	return nil
}

// batchReadTimeout is the time that a client may take to send a batch, and
// batchAnswerTimeout that to write it down, behind it, and to answer.
const (
	batchReadTimeout   = 15 * time.Minute
	batchAnswerTimeout = time.Minute
)

type acceptedOutput struct {
	Location string `header:"Location" doc:"Where the job is."`
	Body     jobs.Job
}

func (s *Server) submitBatch(ctx context.Context, in *batchInput) (*acceptedOutput, error) {
	kind, known := inputKind(in.media)
	if !known {
		return nil, newProblem(http.StatusUnsupportedMediaType, "", "a batch is %s, not %q", strings.Join(slices.Sorted(maps.Keys(inputMedia)), ", "), in.media)
	}
	job, err := s.addJob(ctx, in.Key, jobOptions{Store: in.Store, Replace: in.Replace, Offsets: graph.OffsetUnit(in.Offsets)}, s.batchTasks(in.body, kind))
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &acceptedOutput{jobPath(job), job}, nil
}

func jobPath(job jobs.Job) string { return "/v1/jobs/" + job.ID }

// jobOptions are the options of a job.
type jobOptions struct {
	Store   bool             `json:"store"`
	Replace bool             `json:"replace"`
	Offsets graph.OffsetUnit `json:"offsets"`
}

// task is a document of a job, or why it could not be read.
type task struct {
	ID      string   `json:"id,omitempty"`
	Title   string   `json:"title,omitempty"`
	Text    string   `json:"text,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// addJob makes a job of the client that asks.
func (s *Server) addJob(ctx context.Context, key string, options jobOptions, tasks iter.Seq2[[]byte, error]) (jobs.Job, error) {
	data, err := json.Marshal(options)
	if err != nil {
		return jobs.Job{}, err
	}
	job, _, err := s.Jobs.Add(ctx, jobs.Spec{Client: clientOf(ctx).name, Options: data, Key: key}, tasks)
	switch {
	case errors.Is(err, jobs.ErrTooMany):
		problem := newProblem(http.StatusTooManyRequests, "", "%v (--max-jobs); wait for one to end, or cancel one", err)
		problem.retryAfter = 10 * time.Second
		return job, problem
	case errors.Is(err, jobs.ErrKeyReused):
		return job, newProblem(http.StatusUnprocessableEntity, "Idempotency-Key", "%v; take another key for another request", err)
	}
	return job, err
}

// batchTasks reads the documents of a batch.
func (s *Server) batchTasks(body io.Reader, kind format.Kind) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		count, limited := 0, http.MaxBytesReader(nil, io.NopCloser(body), s.Limits.BatchBytes)
		for doc, err := range format.Read(limited, kind) {
			t, err := s.batchTask(doc, err)
			if count++; err == nil && count > s.Limits.BatchDocuments {
				err = newProblem(http.StatusRequestEntityTooLarge, "", "the batch has more than %d documents (--max-batch-documents)", s.Limits.BatchDocuments)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			data, err := json.Marshal(t)
			if !yield(data, err) {
				return
			}
		}
		if count == 0 {
			yield(nil, newProblem(http.StatusUnprocessableEntity, "", "the batch has no document"))
		}
	}
}

// batchTask makes a task of a document, or of the reason why it cannot be worked on,
// so that no text that is too long is kept.
// The error tells that nothing more can be read.
func (s *Server) batchTask(doc graph.Document, err error) (task, error) {
	var (
		unreadable *format.DocumentError
		tooLarge   *http.MaxBytesError
	)
	switch {
	case errors.As(err, &tooLarge):
		return task{}, newProblem(http.StatusRequestEntityTooLarge, "", "the batch has more than %d bytes (--max-batch-bytes)", s.Limits.BatchBytes)
	case errors.As(err, &unreadable):
		return task{ID: doc.ID, Problem: newProblem(http.StatusUnprocessableEntity, "", "%v", err)}, nil
	case err != nil:
		return task{}, newProblem(http.StatusBadRequest, "", "the batch could not be read to its end: %v", err)
	}
	if _, err := s.document(documentBody{ID: doc.ID, Title: doc.Title, Text: doc.Text}); err != nil {
		return task{ID: doc.ID, Problem: problemOf(err)}, nil
	}
	return task{ID: doc.ID, Title: doc.Title, Text: doc.Text}, nil
}

// submitLater makes a job of one document.
func (s *Server) submitLater(ctx context.Context, in *submitInput, doc graph.Document) (*rendered, error) {
	data, err := json.Marshal(task{ID: doc.ID, Title: doc.Title, Text: doc.Text})
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	job, err := s.addJob(ctx, in.Key, jobOptions{Store: true, Replace: in.Replace, Offsets: in.unit()},
		func(yield func([]byte, error) bool) { yield(data, nil) })
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	var body bytes.Buffer
	if err := writeJSON(&body, job); err != nil {
		return nil, s.failed(ctx, err)
	}
	return &rendered{Status: http.StatusAccepted, ContentType: "application/json", Location: jobPath(job), Applied: "respond-async", Body: body.Bytes()}, nil
}

// jobResponse describes the answer 202.
func (s *Server) jobResponse(operations huma.API) *huma.Response {
	schema := operations.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[jobs.Job](), true, "Job")
	response := &huma.Response{
		Description: "The job that was made",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
		Links:       map[string]*huma.Link{},
	}
	for _, operation := range []string{"get-job", "job-events", "job-results", "cancel-job", "delete-job"} {
		response.Links[operation] = &huma.Link{OperationID: operation, Parameters: map[string]any{"id": "$response.body#/id"}}
	}
	return response
}

// failure is the result of a document that failed.
type failure struct {
	ID    string   `json:"id"`
	Error *Problem `json:"error"`
}

// workOnTask is the jobs.Worker of the server.
func (s *Server) workOnTask(ctx context.Context, owner string, options, data []byte) (jobs.Result, error) {
	var (
		opts jobOptions
		t    task
	)
	if err := errors.Join(json.Unmarshal(options, &opts), json.Unmarshal(data, &t)); err != nil {
		return jobs.Result{}, fmt.Errorf("reading a task: %w", err)
	}
	ctx = withClient(ctx, client{name: owner, background: true})
	value, problem := s.resultOf(ctx, opts, t)
	if problem != nil {
		if problem.Status >= http.StatusInternalServerError {
			s.Log.Warn("a document of a job failed", "client", owner, "document", t.ID, "problem", problem.Detail)
		}
		value = failure{t.ID, problem}
	}
	var line bytes.Buffer
	if err := writeJSON(&line, value); err != nil {
		return jobs.Result{}, err
	}
	return jobs.Result{Data: bytes.TrimSuffix(line.Bytes(), []byte("\n")), Failed: problem != nil}, ctx.Err()
}

// patience is how often a document is tried again when it could not be worked on
// for a passing reason, such as a database that starts anew.
const patience = 10

// resultOf works on the document of a task.
func (s *Server) resultOf(ctx context.Context, options jobOptions, t task) (result any, problem *Problem) {
	if t.Problem != nil {
		return nil, t.Problem
	}
	for attempt := 1; ; attempt++ {
		doc, err := s.extractTask(ctx, options, t)
		if err == nil {
			return doc, nil
		}
		problem = problemOf(err)
		if problem.Status == http.StatusInternalServerError {
			s.Log.Error("a document of a job failed", "document", t.ID, "error", err)
		}
		if problem.retryAfter == 0 || attempt == patience {
			return nil, problem
		}
		select {
		case <-time.After(problem.retryAfter):
		case <-ctx.Done():
			return nil, problem
		}
	}
}

func (s *Server) extractTask(ctx context.Context, options jobOptions, t task) (graph.Document, error) {
	doc, err := s.document(documentBody{ID: t.ID, Title: t.Title, Text: t.Text})
	if err != nil {
		return doc, err
	}
	if err := s.Jobs.Room(); err != nil { // for the result
		return doc, err
	}
	if options.Store {
		saved, err := s.submit(ctx, doc, options.Replace)
		if err != nil {
			return doc, err
		}
		doc = saved.doc
	} else if doc, _, err = s.answer(ctx, question{"extract", doc, s.Extractor.Extract}); err != nil {
		return doc, err
	}
	return doc.WithOffsets(options.Offsets)
}
