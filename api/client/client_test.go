package client_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/api/client"
)

func newClient(t *testing.T, s server, options ...client.ClientOption) *client.ClientWithResponses {
	t.Helper()
	c, err := client.New(s.url, options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDocuments(t *testing.T) {
	ctx, c := t.Context(), newClient(t, serve(t, nil))
	const id = "PMID:1/β ?"
	created, err := c.SubmitDocumentWithResponse(ctx, nil, client.DocumentBody{ID: new(id), Text: sentence})
	if err != nil {
		t.Fatal(err)
	}
	if created.JSON201 == nil || len(created.JSON201.Mentions) != 4 || created.JSON201.Relations[0].Label != "bind" {
		t.Errorf("submitting gives %d: %+v", created.StatusCode(), created.JSON201)
	}
	again, err := c.SubmitDocumentWithResponse(ctx, nil, client.DocumentBody{ID: new(id), Text: sentence})
	if err != nil || again.JSON200 == nil {
		t.Errorf("submitting again gives %+v, %v", again, err)
	}
	stored, err := c.GetDocumentWithResponse(ctx, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(created.JSON201, stored.JSON200); diff != "" {
		t.Errorf("what was submitted and what is stored (-submitted +stored):\n%s", diff)
	}
	picture, err := c.GetDocumentWithResponse(ctx, id, &client.GetDocumentParams{Format: new(client.GetDocumentParamsFormatSvg)})
	if err != nil || !bytes.Contains(picture.Body, []byte("<svg")) {
		t.Errorf("as a picture: %+v, %v", picture, err)
	}
	var ids []string
	for entry, err := range c.Documents(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, entry.ID)
	}
	if diff := cmp.Diff([]string{id}, ids); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

func TestJob(t *testing.T) {
	ctx, c := t.Context(), newClient(t, serve(t, nil))
	submitted, err := c.SubmitBatchWithResponse(ctx, nil, []client.DocumentBody{
		{ID: new("PMID:1"), Text: sentence}, {ID: new("PMID:2"), Text: "fail"}, {ID: new("PMID:3"), Text: "FKBP12 binds rapamycin."},
	})
	if err != nil {
		t.Fatal(err)
	}
	job := submitted.JSON202
	var told []client.Job
	ended, err := c.WaitForJob(ctx, job.ID, func(job client.Job) { told = append(told, job) })
	if err != nil {
		t.Fatal(err)
	}
	if ended.State != client.Done || ended.Done != 3 || ended.Failed != 1 || len(told) == 0 || told[len(told)-1].State != client.Done {
		t.Errorf("the job ended as %+v; told were %+v", ended, told)
	}
	var results []string
	for result, err := range c.Results(ctx, job.ID) {
		if err != nil {
			t.Fatal(err)
		}
		line := result.ID
		if result.Problem != nil {
			line += " " + http.StatusText(int(result.Problem.Status))
		}
		results = append(results, line)
	}
	if diff := cmp.Diff([]string{"PMID:1", "PMID:2 Internal Server Error", "PMID:3"}, results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// Who waits for a job that is removed learns that it is gone.
func TestJobRemoved(t *testing.T) {
	ctx, s := t.Context(), serve(t, nil)
	c := newClient(t, s)
	submitted, err := c.SubmitBatchWithResponse(ctx, nil, []client.DocumentBody{{ID: new("a"), Text: "slow"}})
	if err != nil {
		t.Fatal(err)
	}
	id := submitted.JSON202.ID
	_, err = c.WaitForJob(ctx, id, func(client.Job) {
		if _, err := c.DeleteJobWithResponse(ctx, id); err != nil {
			t.Error(err)
		}
	})
	if problem := (*client.Problem)(nil); !errors.As(err, &problem) || problem.Status != 404 {
		t.Errorf("error %v", err)
	}
}

func TestFacts(t *testing.T) {
	ctx, c := t.Context(), newClient(t, serve(t, nil))
	for _, text := range []string{sentence, "FKBP12 binds rapamycin."} {
		if _, err := c.SubmitDocumentWithResponse(ctx, nil, client.DocumentBody{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	const pages = 1 // of one relation each, so that the pages are turned
	var ids []string
	for relation, err := range c.Relations(ctx, client.ListRelationsParams{Limit: new(int64(pages)), Evidence: new(int64(1)), Format: new(client.ListRelationsParamsFormatCsv)}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(relation.Evidence) != 1 || relation.NoisyOr <= 0 {
			t.Errorf("a relation without a sentence: %+v", relation)
		}
		ids = append(ids, relation.ID)
	}
	all, err := c.ListRelationsWithResponse(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, relation := range all.JSON200.Relations {
		want = append(want, relation.ID)
	}
	if diff := cmp.Diff(want, ids); diff != "" || len(ids) < 2 {
		t.Errorf("page by page (-all +got):\n%s", diff)
	}
	for sentence, err := range c.Sentences(ctx, ids[0], client.RelationEvidenceParams{}) {
		if err != nil || !strings.Contains(sentence.Sentence, sentence.Head.Text) {
			t.Errorf("evidence %+v, %v", sentence, err)
		}
	}
	for concept, err := range c.SeenConcepts(ctx, client.ListSeenConceptsParams{Limit: new(int64(pages))}) {
		if err != nil || concept.Documents == 0 {
			t.Errorf("concept %+v, %v", concept, err)
		}
	}
}

func TestProblems(t *testing.T) {
	s := serve(t, func(config *api.Config) { config.Tokens = tokens(t, "reader read 0123456789abcdef") })
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	known := newClient(t, s, client.WithToken("0123456789abcdef"))
	for name, test := range map[string]struct {
		client *client.ClientWithResponses
		text   string
		store  bool
		status int64
		field  string
	}{
		"without a token":     {newClient(t, s), sentence, false, 401, ""},
		"to read":             {known, sentence, true, 403, ""},
		"without a text":      {known, "", false, 422, "text"},
		"with a long text":    {known, strings.Repeat("a", 300<<10), false, 413, "text"},
		"a fault inside":      {known, "fail", false, 500, ""},
		"another server's":    {newClient(t, server{url: elsewhere.URL}), sentence, false, 404, ""},
		"all is as it should": {known, sentence, false, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			if test.store {
				_, err = test.client.SubmitDocumentWithResponse(t.Context(), nil, client.DocumentBody{Text: test.text})
			} else {
				_, err = test.client.ExtractWithResponse(t.Context(), nil, client.DocumentBody{Text: test.text})
			}
			problem := &client.Problem{}
			if !errors.As(err, &problem) && (err != nil || test.status != 0) {
				t.Fatalf("the error is %v", err)
			}
			field := ""
			if problem.Field != nil {
				field = *problem.Field
			}
			if problem.Status != test.status || field != test.field || test.status != 0 && problem.Detail == "" {
				t.Errorf("the problem is %+v", problem)
			}
		})
	}
	for _, err := range newClient(t, s).Relations(t.Context(), client.ListRelationsParams{}) {
		if problem := (*client.Problem)(nil); !errors.As(err, &problem) || problem.Status != 401 {
			t.Errorf("listing without a token: %v", err)
		}
	}
	if _, err := known.WaitForJob(t.Context(), "none", nil); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("waiting for no job: %v", err)
	}
}
