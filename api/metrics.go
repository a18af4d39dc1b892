package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/keci-kg/keci/api/jobs"
)

// metrics are what a Prometheus server can ask of this one.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec // by route, method and status
	running  prometheus.Gauge         // requests
	work     *prometheus.HistogramVec // texts worked on, by task and outcome
	wait     prometheus.Histogram     // for a turn
	answers  *prometheus.CounterVec   // by whether the cache had them
	saved    prometheus.Counter       // documents
}

// Bounds of the histograms in seconds: known answers take a millisecond, an
// article a minute.
var durations = []float64{.0005, .001, .002, .003, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}

func (s *Server) newMetrics() metrics {
	m := metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "keci_http_request_duration_seconds",
			Help: "Time to answer requests.", Buckets: durations}, []string{"route", "method", "status"}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "keci_http_requests_in_flight", Help: "Requests that are being answered."}),
		work: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "keci_work_duration_seconds",
			Help: "Time to extract from or link a text, without waiting.", Buckets: durations}, []string{"task", "outcome"}),
		wait:    prometheus.NewHistogram(prometheus.HistogramOpts{Name: "keci_turn_wait_seconds", Help: "Time that texts waited for their turn.", Buckets: durations}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "keci_answers_total", Help: "Answers, by whether the cache had them."}, []string{"cache"}),
		saved:   prometheus.NewCounter(prometheus.CounterOpts{Name: "keci_documents_saved_total", Help: "Documents that were stored anew or replaced."}),
	}
	about := prometheus.NewGauge(prometheus.GaugeOpts{Name: "keci_info", Help: "What runs.", ConstLabels: prometheus.Labels{
		"version": s.Version, "model": s.model.Name, "model_digest": s.model.Digest, "kb": s.kb.Name, "kb_digest": s.kb.Digest,
	}})
	about.Set(1)
	m.registry.MustRegister(m.requests, m.running, m.work, m.wait, m.answers, m.saved, about,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "keci_texts_waiting", Help: "Texts that wait for their turn."},
			func() float64 { return float64(s.turns.Length()) }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, state := range []jobs.State{jobs.Queued, jobs.Running} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "keci_jobs", Help: "Jobs that have not ended.",
			ConstLabels: prometheus.Labels{"state": string(state)}}, func() float64 { return float64(s.Jobs.Count()[state]) }))
	}
	return m
}

// measure counts and times requests, which have been answered when it goes on.
func (s *Server) measure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		s.metrics.running.Inc()
		defer s.metrics.running.Dec()
		started := time.Now()
		err := next(c)
		route := c.Path()
		if c.Response().Status == http.StatusNotFound && route == "" {
			route = "none"
		}
		s.metrics.requests.WithLabelValues(route, methodName(c.Request().Method), strconv.Itoa(c.Response().Status)).Observe(time.Since(started).Seconds())
		return err
	}
}

// methodName keeps inventions of clients out of the metrics.
func methodName(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodPatch:
		return method
	}
	return "other"
}

// timeWork notes how long a text was worked on, and with what end.
func (m metrics) timeWork(task string, started time.Time, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	m.work.WithLabelValues(task, outcome).Observe(time.Since(started).Seconds())
}

func (s *Server) routeMetrics(operations huma.API) {
	op := s.operation(mayRead, huma.Operation{OperationID: "metrics", Method: http.MethodGet, Path: "/metrics",
		Summary: "Figures for Prometheus", Tags: []string{"about"}, Metadata: map[string]any{streamKey: true},
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}},
		}}}})
	handler := promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{DisableCompression: true})
	huma.Register(operations, op, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			c := humaecho.Unwrap(ctx)
			c.Request().Header.Del(echo.HeaderAccept) // text, whatever is asked for
			handler.ServeHTTP(c.Response(), c.Request())
		}}, nil
	})
}
