package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/keci-kg/keci/api/jobs"
)

// The media types of what comes bit by bit.
const (
	eventStream = "text/event-stream"
	jsonLines   = "application/x-ndjson"
)

func (s *Server) routeJobs(operations huma.API) {
	job := func(needs access, id, method, path, summary string) huma.Operation {
		return s.operation(needs, huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary,
			Tags: []string{"jobs"}, Errors: []int{http.StatusNotFound}})
	}
	huma.Register(operations, s.operation(mayRead, huma.Operation{
		OperationID: "list-jobs", Method: http.MethodGet, Path: "/v1/jobs", Summary: "List the jobs, the newest first", Tags: []string{"jobs"},
	}), s.listJobs)
	huma.Register(operations, job(mayRead, "get-job", http.MethodGet, "/v1/jobs/{id}", "How far a job has come"), s.getJob)
	huma.Register(operations, job(mayWrite, "delete-job", http.MethodDelete, "/v1/jobs/{id}",
		"End a job and remove it with its results; documents that it stored stay"), s.deleteJob)
	huma.Register(operations, job(mayWrite, "cancel-job", http.MethodPost, "/v1/jobs/{id}/cancel",
		"End a job; the results that are there are kept"), s.cancelJob)
	huma.Register(operations, s.streamOperation(huma.Operation{
		OperationID: "job-events", Path: "/v1/jobs/{id}/events", Summary: "How a job goes on, as server-sent events", Tags: []string{"jobs"},
		Description: "An event \"progress\" with the job comes at once and after changes, at most four times a second, and an event \"end\" when it has ended.",
	}, eventStream, &huma.Schema{Type: huma.TypeObject, Required: []string{"event", "id", "data"}, Properties: map[string]*huma.Schema{
		"event": {Type: huma.TypeString, Enum: []any{"progress", "end"}},
		"id":    {Type: huma.TypeString, Description: "How many documents are done."},
		"data":  {Type: huma.TypeString, Description: "The job, as JSON."},
	}}), s.jobEvents)
	huma.Register(operations, s.streamOperation(huma.Operation{
		OperationID: "job-results", Path: "/v1/jobs/{id}/results", Summary: "The results of a job, one a line", Tags: []string{"jobs"},
		Description: "In the order of the documents, while they come, until the job has ended. " +
			`A document that failed is a line {"id":…,"error":{…}}. Documents that were not reached when the job was cancelled have no line. ` +
			"When the connection breaks off before the end, as it does when the server stops, ask again with from.",
	}, jsonLines, &huma.Schema{Type: huma.TypeString}), s.jobResults)
}

// streamOperation describes an operation of reading whose answer comes bit by bit.
func (s *Server) streamOperation(op huma.Operation, media string, schema *huma.Schema) huma.Operation {
	op.Method = http.MethodGet
	op.Metadata = map[string]any{streamKey: true}
	op.Errors = append(op.Errors, http.StatusNotFound)
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		media: {Schema: schema},
	}}}
	return s.operation(mayRead, op)
}

// JobInput is the part of a request that names a job.
type JobInput struct {
	ID string `path:"id" doc:"The id of the job."`
}

type jobOutput struct {
	Body jobs.Job
}

func (s *Server) getJob(ctx context.Context, in *JobInput) (*jobOutput, error) {
	return s.jobAnswer(ctx)(s.Jobs.Get(in.ID))
}

func (s *Server) cancelJob(ctx context.Context, in *JobInput) (*jobOutput, error) {
	return s.jobAnswer(ctx)(s.Jobs.Cancel(in.ID))
}

func (s *Server) jobAnswer(ctx context.Context) func(jobs.Job, error) (*jobOutput, error) {
	return func(job jobs.Job, err error) (*jobOutput, error) {
		if err != nil {
			return nil, s.failed(ctx, err)
		}
		return &jobOutput{job}, nil
	}
}

func (s *Server) deleteJob(ctx context.Context, in *JobInput) (*struct{}, error) {
	if err := s.Jobs.Remove(in.ID); err != nil {
		return nil, s.failed(ctx, err)
	}
	return nil, nil
}

type listJobsInput struct {
	PageInput
	Before string `query:"before" doc:"List those before this id: next of the page before."`
}

type listJobsOutput struct {
	Link string `header:"Link" doc:"The next page, when there is one."`
	Body jobList
}

// jobList is a page of jobs.
type jobList struct {
	Jobs []jobs.Job `json:"jobs"`
	Next string     `json:"next,omitempty" doc:"The value of before for the next page; absent on the last."`
}

func (s *Server) listJobs(ctx context.Context, in *listJobsInput) (*listJobsOutput, error) {
	list, err := s.Jobs.List(in.Before, in.Limit+1)
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	out := &listJobsOutput{}
	if len(list) > in.Limit {
		list = list[:in.Limit]
		out.Body.Next = list[in.Limit-1].ID
		out.Link = nextLink(requestURL(ctx), "before", out.Body.Next)
	}
	out.Body.Jobs = orEmpty(list)
	return out, nil
}

// eventInterval is the least time between two events, beatInterval the longest.
const (
	eventInterval = 250 * time.Millisecond
	beatInterval  = 15 * time.Second
)

func (s *Server) jobEvents(ctx context.Context, in *JobInput) (*huma.StreamResponse, error) {
	if _, err := s.Jobs.Get(in.ID); err != nil {
		return nil, s.failed(ctx, err)
	}
	return stream(eventStream, func(ctx context.Context, out *streamWriter) error {
		beat := time.NewTicker(beatInterval)
		defer beat.Stop()
		changes, stop := s.changes(ctx, in.ID)
		defer stop()
		for {
			select {
			case job, ok := <-changes:
				if !ok {
					return nil
				}
				if err := writeEvent(out, job); err != nil || job.State.Ended() {
					return err
				}
			case <-beat.C: // keeps proxies from taking the connection for dead
				if err := out.send([]byte(": \n\n")); err != nil {
					return err
				}
			}
		}
	}), nil
}

// changes gives a job as it changes, not faster than events are sent. The channel
// is closed after the end of the job or of ctx, and when the server stops: there is
// no last event then, which tells that the job goes on.
func (s *Server) changes(ctx context.Context, id string) (changes <-chan jobs.Job, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	out := make(chan jobs.Job)
	go func() {
		defer close(out)
		for job, err := range s.Jobs.Watch(ctx, id) {
			if err != nil {
				return
			}
			select {
			case out <- job:
			case <-ctx.Done():
				return
			}
			if !job.State.Ended() {
				select {
				case <-time.After(eventInterval):
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, cancel
}

func writeEvent(out *streamWriter, job jobs.Job) error {
	name := "progress"
	if job.State.Ended() {
		name = "end"
	}
	data, err := json.Marshal(job)
	if err != nil {
		return err
	}
	return out.send(fmt.Appendf(nil, "event: %s\nid: %d\ndata: %s\n\n", name, job.Done, data))
}

type resultsInput struct {
	JobInput
	From int  `query:"from" minimum:"0" default:"0" doc:"The first document, counted from 0, whose result is wanted."`
	Wait bool `query:"wait" default:"true" doc:"Wait for results to come; without, the answer ends at the first that is not there."`
}

func (s *Server) jobResults(ctx context.Context, in *resultsInput) (*huma.StreamResponse, error) {
	if _, err := s.Jobs.Get(in.ID); err != nil {
		return nil, s.failed(ctx, err)
	}
	return stream(jsonLines, func(ctx context.Context, out *streamWriter) error {
		for line, err := range s.Jobs.Results(ctx, in.ID, in.From, in.Wait) {
			if err == nil {
				err = out.send(append(line, '\n'))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}), nil
}

// streamWriter sends what is written at once.
type streamWriter struct {
	out     io.Writer
	control *http.ResponseController
}

// streamTimeout is the time that a client may take to receive a piece.
const streamTimeout = 30 * time.Second

func (w *streamWriter) send(data []byte) error {
	if err := w.control.SetWriteDeadline(time.Now().Add(streamTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := w.out.Write(data); err != nil {
		return err
	}
	return ignoreUnsupported(w.control.Flush())
}

func ignoreUnsupported(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// stream answers with what write sends. An error of it breaks the connection off,
// which is all that can be told then: so nobody takes the answer for a whole one.
func stream(media string, write func(context.Context, *streamWriter) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		response := humaecho.Unwrap(ctx).Response()
		response.Header().Set(echo.HeaderContentType, media)
		response.Header().Set(echo.HeaderCacheControl, "no-store")
		response.WriteHeader(http.StatusOK)
		out := &streamWriter{response, http.NewResponseController(response)}
		if err := write(ctx.Context(), out); err != nil && ctx.Context().Err() == nil {
			panic(http.ErrAbortHandler) // passed on by echo's Recover
		}
	}}
}
