package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// newTracer makes spans of what the server does, or nothing without a provider.
func newTracer(provider trace.TracerProvider) trace.Tracer {
	if provider == nil {
		provider = noop.NewTracerProvider()
	}
	return provider.Tracer("github.com/keci-kg/keci/api")
}

// traceRequest makes a span of a request, as part of the trace that the client
// names (W3C Trace Context). Texts and queries stay out of it.
func (s *Server) traceRequest(next echo.HandlerFunc) echo.HandlerFunc {
	parent := propagation.TraceContext{}
	return func(c echo.Context) error {
		request := c.Request()
		ctx := parent.Extract(request.Context(), propagation.HeaderCarrier(request.Header))
		ctx, span := s.tracer.Start(ctx, request.Method+" "+c.Path(), trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		c.SetRequest(request.WithContext(ctx))
		err := next(c)
		status := c.Response().Status
		span.SetAttributes(
			attribute.String("http.request.method", request.Method),
			attribute.String("http.route", c.Path()),
			attribute.Int("http.response.status_code", status),
			attribute.String("keci.request.id", c.Response().Header().Get(echo.HeaderXRequestID)),
		)
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(status))
		}
		return err
	}
}

// traceID names the trace in the log; it is empty when none is made.
func traceID(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}
