// Package client asks a server of keci from Go: every operation of its OpenAPI
// document as a method, generated (operations.gen.go), and by hand what a document
// cannot say: problems as errors, waiting for a job, results as they come, and lists
// of any length.
//
//	c, err := client.New("http://localhost:8080")
//	answer, err := c.ExtractWithResponse(ctx, nil, client.DocumentBody{Text: "MDM2 binds p53."})
//	for _, m := range answer.JSON200.Mentions { … }
//
// The generated file is part of the repository, so that the package can be
// imported; a test makes it anew from the server's own description and compares.
package client

//go:generate go test github.com/keci-kg/keci/api -run ^TestGoClient$ -update

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
)

// New makes a client of the server at an address such as http://localhost:8080. An
// answer that is no success is returned as an error that is a *Problem, by every
// method. The client has no time limit but those of contexts: results of jobs come
// as long as the job goes on.
func New(server string, options ...ClientOption) (*ClientWithResponses, error) {
	problems := func(c *Client) error {
		if c.Client == nil {
			c.Client = http.DefaultClient
		}
		c.Client = refusals{c.Client}
		return nil
	}
	c, err := NewClientWithResponses(server, slices.Concat(options, []ClientOption{problems})...)
	if err != nil {
		return nil, fmt.Errorf("making a client of %s: %w", server, err)
	}
	return c, nil
}

// WithToken sends a bearer token, for servers that ask for one.
func WithToken(token string) ClientOption {
	return WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+token)
		return nil
	})
}

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail) }

// refusals makes errors of answers that are no success.
type refusals struct{ HttpRequestDoer }

// Do implements HttpRequestDoer.
func (r refusals) Do(request *http.Request) (*http.Response, error) {
	answer, err := r.HttpRequestDoer.Do(request)
	if err != nil || answer.StatusCode < http.StatusMultipleChoices {
		return answer, err
	}
	defer answer.Body.Close()
	return nil, problemOf(answer)
}

// problemBytes bounds what is read of an answer that should be a problem.
const problemBytes = 1 << 20

// problemOf reads the problem that an answer is. Of what is none, such as the page
// of a proxy between, it makes one.
func problemOf(answer *http.Response) *Problem {
	body, err := io.ReadAll(io.LimitReader(answer.Body, problemBytes))
	media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	problem := &Problem{}
	if err == nil && media == "application/problem+json" && json.Unmarshal(body, problem) == nil {
		return problem
	}
	return &Problem{Type: "about:blank", Status: int64(answer.StatusCode), Title: http.StatusText(answer.StatusCode),
		Detail: fmt.Sprintf("%s answers with no problem that can be read: %.200q", answer.Request.URL.Host, body)}
}
