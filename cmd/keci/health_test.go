package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	url, stop := serve(t, "--data", t.TempDir())
	if out, err := run(t, "", "health", "--url", url); err != nil || out != "ready\n" {
		t.Errorf("a server that is ready: %q, %v", out, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	unwell := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"type":"about:blank","title":"Not now","status":503,"detail":"the store does not answer"}`))
	}))
	defer unwell.Close()
	for address, says := range map[string]string{url: "refused", unwell.URL: "the store does not answer", "::": "::"} {
		if _, err := run(t, "", "health", "--url", address); exitCode(err) != exitFailed || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
