package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
)

// A collector that takes connections and never answers does not hold up the end.
func TestTracesDoNotHoldUpTheEnd(t *testing.T) {
	hung := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hung }))
	defer collector.Close()
	defer close(hung)
	var log strings.Builder
	traces, err := openTraces(t.Context(), collector.URL, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	otel.Handle(errors.New("no way"))
	if !strings.HasPrefix(log.String(), "{") || !strings.Contains(log.String(), "no way") {
		t.Errorf("the log says %q", log.String())
	}
	_, span := traces.Tracer("test").Start(t.Context(), "work")
	span.End()
	start := time.Now()
	if err := sendLast(t.Context(), traces); err == nil {
		t.Error("no error tells that traces were not sent")
	}
	if took := time.Since(start); took > 2*lastTraces {
		t.Errorf("the end took %v", took)
	}
}
