package main

import (
	"context"
	"fmt"
	"net/url"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// openTraces makes a provider of traces that sends them, by OTLP over HTTP, to a
// collector at an address such as http://localhost:4318. The usual variables
// OTEL_… say the rest, such as how many requests are traced.
func openTraces(ctx context.Context, endpoint string) (*trace.TracerProvider, error) {
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
	return trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about)), nil
}
