package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/forms"
)

// cacheHeader tells whether an answer was worked out or known.
const cacheHeader = "X-Cache"

// question is a document with what is asked of it. Its answer does not depend
// on the document's id.
type question struct {
	task string // "extract", "extract initial" or "link"
	doc  graph.Document
	work func(context.Context, graph.Document) (graph.Document, error)
}

// answer is the canonical document that answers q: offsets in code points. known
// reports whether the cache had it.
func (s *Server) answer(ctx context.Context, q question) (doc graph.Document, known bool, err error) {
	data, known, err := s.answerJSON(ctx, q)
	if err != nil {
		return doc, false, err
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return doc, false, fmt.Errorf("reading an answer: %w", err)
	}
	return doc, known, nil
}

// answerJSON is the answer as JSON. It comes from the cache, from an equal question
// that is being worked on, or from working it out.
func (s *Server) answerJSON(ctx context.Context, q question) (data []byte, known bool, err error) {
	key := newCacheKey(s.Program, s.model.Engine, q.task, q.doc.Title, q.doc.Text, s.model.Digest, s.kb.Digest)
	data, known = s.cached(key, q.doc.ID)
	s.metrics.answers.WithLabelValues(cacheWord(known)).Inc()
	if known {
		return data, true, nil
	}
	if data, err = s.workOnce(ctx, key, q); err != nil {
		return nil, false, err
	}
	data, err = withID(data, q.doc.ID)
	return data, false, err
}

// noID is how the JSON of a document without an id begins.
var noID = []byte(`{"id":""`)

// withID puts the id into the JSON of a document that has none.
func withID(data []byte, id string) ([]byte, error) {
	rest, ok := bytes.CutPrefix(data, noID)
	if !ok {
		return nil, fmt.Errorf("an answer begins with %.20q", data)
	}
	var quoted bytes.Buffer
	if err := writeJSON(&quoted, id); err != nil {
		return nil, err
	}
	return slices.Concat([]byte(`{"id":`), bytes.TrimSuffix(quoted.Bytes(), []byte("\n")), rest), nil
}

// cached is the answer that the cache has, with the id.
func (s *Server) cached(key cacheKey, id string) (data []byte, known bool) {
	if s.Cache == nil {
		return nil, false
	}
	known, err := s.Cache.get(key, func(answer []byte) (err error) {
		data, err = withID(answer, id)
		return err
	})
	if err != nil {
		s.Log.Warn("going on without the cache", "error", err)
	}
	return data, known
}

// workOnce works a question out, once for all who ask it at a time. The work
// goes on when the one who asked first has left, for the others and the cache.
// Jobs work alone, so that one that is cancelled takes no other with it.
func (s *Server) workOnce(ctx context.Context, key cacheKey, q question) ([]byte, error) {
	if clientOf(ctx).background {
		return s.workSafely(ctx, key, q)
	}
	flight := s.flights.DoChan(string(key[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Limits.Timeout)
		defer cancel()
		return s.workSafely(ctx, key, q)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-flight:
		data, _ := result.Val.([]byte)
		return data, result.Err
	}
}

// workSafely makes an error of a panic.
func (s *Server) workSafely(ctx context.Context, key cacheKey, q question) (data []byte, err error) {
	s.works.Add(1)
	defer s.works.Done()
	defer func() {
		if fault := recover(); fault != nil {
			s.Log.Error("panic", "id", ctx.Value(requestIDKey{}), "error", fault, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return s.work(ctx, key, q)
}

// work works a question out, when its turn has come, and keeps the answer.
func (s *Server) work(ctx context.Context, key cacheKey, q question) ([]byte, error) {
	release, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	q.doc.ID = ""
	doc, err := s.timed(ctx, q)
	if err != nil {
		return nil, err
	}
	if doc, err = doc.WithOffsets(graph.OffsetCodepoint); err != nil {
		return nil, err
	}
	doc.Mentions = orEmpty(doc.Mentions)
	var body bytes.Buffer
	if err := writeJSON(&body, doc); err != nil {
		return nil, err
	}
	data := body.Bytes()
	if s.Cache != nil {
		if err := s.Cache.put(key, data); err != nil {
			s.Log.Warn("going on without the cache", "error", err)
		}
	}
	return data, nil
}

// timed does the work itself within the time for it; a job has waited no part of it.
func (s *Server) timed(ctx context.Context, q question) (doc graph.Document, err error) {
	limited, cancel := context.WithTimeout(ctx, s.Limits.Timeout)
	defer cancel()
	limited, span := s.tracer.Start(limited, q.task, trace.WithAttributes(attribute.Int("keci.text.bytes", len(q.doc.Text))))
	defer span.End()
	started := time.Now()
	defer func() { s.metrics.timeWork(q.task, started, err) }()
	doc, err = q.work(limited, q.doc)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return doc, ctx.Err()
	case limited.Err() != nil:
		return doc, newProblem(http.StatusGatewayTimeout, "", "the text was not done in %s (--timeout); send a shorter one", s.Limits.Timeout)
	case err != nil:
		return doc, fmt.Errorf("working on the text (%s): %w", q.task, err)
	}
	return doc, nil
}

// rendered is a document in the form that was asked for.
type rendered struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Cache       string `header:"X-Cache" enum:"hit,miss" doc:"Whether the answer was known or worked out."`
	Location    string `header:"Location" doc:"Where the stored document or, after Prefer: respond-async, the job is."`
	Applied     string `header:"Preference-Applied" doc:"What of Prefer was done."`
	Body        []byte
}

// render gives a canonical document the offsets and the form asked for.
func render(ctx context.Context, doc graph.Document, form forms.Form, unit graph.OffsetUnit) (*rendered, error) {
	doc, err := doc.WithOffsets(unit)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := writeForm(ctx, &body, form, doc); err != nil {
		return nil, fmt.Errorf("writing a document as %s: %w", form.Kind, err)
	}
	return &rendered{Status: http.StatusOK, ContentType: form.Media, Body: body.Bytes()}, nil
}

func cacheWord(known bool) string {
	if known {
		return "hit"
	}
	return "miss"
}
