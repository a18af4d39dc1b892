package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Ended reports whether a job in the state goes on no more.
func (s JobState) Ended() bool { return s == Done || s == Cancelled || s == Failed }

// WaitForJob waits until a job has ended and returns it. progress, unless it is
// nil, is told of every change that the server sends, at most four in a second.
// That the job ended well is for its state to say; documents that failed are told
// by its results.
func (c *ClientWithResponses) WaitForJob(ctx context.Context, id string, progress func(Job)) (*Job, error) {
	answer, err := c.JobEvents(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("following job %s: %w", id, err)
	}
	defer answer.Body.Close()
	for line, err := range eachLine(answer.Body) {
		if err != nil {
			return nil, fmt.Errorf("following job %s: %w", id, err)
		}
		data, is := bytes.CutPrefix(line, []byte("data: "))
		if !is {
			continue
		}
		var job Job
		if err := json.Unmarshal(data, &job); err != nil {
			return nil, fmt.Errorf("following job %s: %w", id, err)
		}
		if progress != nil {
			progress(job)
		}
		if job.State.Ended() {
			return &job, nil
		}
	}
	if _, err := c.GetJobWithResponse(ctx, id); err != nil { // was it removed?
		return nil, fmt.Errorf("following job %s: the server stopped telling of it: %w", id, err)
	}
	return nil, fmt.Errorf("following job %s: the server stopped telling of it; it goes on, ask again", id)
}

// Result is what became of a document of a job: the document, or why it failed.
type Result struct {
	Document
	Problem *Problem `json:"error"` // nil when it did not fail; else only the id of the document is known
}

// Results gives the results of a job in the order of its documents, while they
// come, until it has ended. An error is the last that is given.
func (c *ClientWithResponses) Results(ctx context.Context, id string) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		answer, err := c.JobResults(ctx, id, nil)
		if err != nil {
			yield(Result{}, fmt.Errorf("results of job %s: %w", id, err))
			return
		}
		defer answer.Body.Close()
		for line, err := range eachLine(answer.Body) {
			var result Result
			if err == nil {
				err = json.Unmarshal(line, &result)
			}
			if err != nil {
				yield(result, fmt.Errorf("results of job %s: %w", id, err))
				return
			}
			if !yield(result, nil) {
				return
			}
		}
	}
}

// eachLine gives the lines of a text, which may be of any length.
func eachLine(text io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for lines := bufio.NewReader(text); ; {
			line, err := lines.ReadBytes('\n')
			if line = bytes.TrimSuffix(line, []byte("\n")); len(line) > 0 && err == nil && !yield(line, nil) {
				return
			}
			if err != nil {
				if !errors.Is(err, io.EOF) || len(line) > 0 {
					yield(nil, fmt.Errorf("after %q: %w", line[:min(len(line), 80)], unexpected(err)))
				}
				return
			}
		}
	}
}

// unexpected makes of the end of a text that ends within a line the error that it is.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
