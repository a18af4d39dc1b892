package api_test

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/keci-kg/keci/api"
)

func TestMetrics(t *testing.T) {
	s := serve(t, func(config *api.Config) { config.Version = "1.2.3" })
	const question = `{"text":"FKBP12 binds FK506."}`
	s.mustSend(t, 201, "POST", "/v1/documents", question)
	s.mustSend(t, 200, "POST", "/v1/extract", question)
	s.mustSend(t, 404, "GET", "/v1/documents/secret-id", "")
	s.mustSend(t, 404, "GET", "/secret-path", "")
	s.mustSend(t, 405, "BREW", "/v1/model", "")
	answer := s.mustSend(t, 200, "GET", "/metrics", "", "Accept", "application/json")
	if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("content type %q", got)
	}
	for _, want := range []string{
		`keci_http_request_duration_seconds_count{method="POST",route="/v1/documents",status="201"} 1`,
		`keci_http_request_duration_seconds_count{method="GET",route="/v1/documents/:id",status="404"} 1`,
		`keci_work_duration_seconds_count{outcome="done",task="extract"} 1`,
		`keci_answers_total{cache="hit"} 1`,
		`keci_answers_total{cache="miss"} 1`,
		"keci_documents_saved_total 1",
		"keci_turn_wait_seconds_count 1",
		`keci_jobs{state="running"} 0`,
		"keci_texts_waiting 0",
		`keci_info{kb="small",kb_digest="sha256:51a11",model="fake",model_digest="sha256:fa4e",version="1.2.3"} 1`,
		"go_goroutines ",
	} {
		if !strings.Contains(string(answer.body), want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(string(answer.body), "secret") || strings.Contains(string(answer.body), "BREW") {
		t.Error("what clients invent is in the metrics")
	}
}

func TestTraces(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	s := serve(t, func(config *api.Config) { config.Traces = trace.NewTracerProvider(trace.WithSpanProcessor(recorder)) })
	const parent = "0af7651916cd43dd8448eb211c80319c"
	s.mustSend(t, 201, "POST", "/v1/documents", `{"text":"FKBP12 binds FK506."}`, "Traceparent", "00-"+parent+"-b7ad6b7169203331-01")
	names := map[string]bool{}
	for _, span := range recorder.Ended() {
		names[span.Name()] = true
		if got := span.SpanContext().TraceID().String(); got != parent {
			t.Errorf("%s is in the trace %s", span.Name(), got)
		}
		for _, attribute := range span.Attributes() {
			if strings.Contains(attribute.Value.Emit(), "FK506") {
				t.Errorf("%s tells a text", span.Name())
			}
		}
	}
	for _, want := range []string{"POST /v1/documents", "wait for a turn", "extract", "save"} {
		if !names[want] {
			t.Errorf("no span %q among %v", want, names)
		}
	}
	if !strings.Contains(s.log.String(), "trace="+parent) {
		t.Errorf("the log does not name the trace:\n%s", s.log)
	}
}
