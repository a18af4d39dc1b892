package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// openTraces makes a provider of traces that sends them, by OTLP over HTTP, to a
// collector at an address such as http://localhost:4318. The usual variables
// OTEL_… say the rest, such as how many requests are traced. What goes wrong in sending
// them stands in the log, and holds nothing up.
func openTraces(ctx context.Context, endpoint string, log *slog.Logger) (*trace.TracerProvider, error) {
	if parsed, err := url.Parse(endpoint); err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return nil, usageError("--otlp-endpoint: %q is no address such as http://localhost:4318", endpoint)
	}
	target, err := url.JoinPath(endpoint, "v1", "traces")
	if err != nil {
		return nil, usageError("--otlp-endpoint: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(target))
	if err != nil {
		return nil, fmt.Errorf("preparing to send traces to %s: %w", endpoint, err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "keci"), attribute.String("service.version", version)),
		resource.WithFromEnv(), resource.WithTelemetrySDK(), resource.WithHost())
	if err != nil {
		return nil, fmt.Errorf("describing this service for traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("sending traces", "to", endpoint, "error", err) }))
	return trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about)), nil
}

// lastTraces is the time that the last traces have to be sent: a collector that does
// not answer must not keep the service from ending.
const lastTraces = 3 * time.Second

// sendLast sends the traces that were not sent yet and ends their provider.
func sendLast(ctx context.Context, traces *trace.TracerProvider) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTraces)
	defer cancel()
	return traces.Shutdown(ctx)
}
