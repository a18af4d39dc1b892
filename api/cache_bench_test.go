package api_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keci-kg/keci/api"
)

// BenchmarkKnownAnswer is the work of an answer of 30 kB that the cache has, from
// routing to the last byte, without a connection.
func BenchmarkKnownAnswer(b *testing.B) {
	s := start(b, func(config *api.Config) { config.Log = slog.New(slog.DiscardHandler) })
	body := `{"text":"many ` + strings.Repeat("words of an abstract ", 80) + `"}`
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		b.Run(encoding, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(http.MethodPost, "/v1/extract", strings.NewReader(body))
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set("Accept-Encoding", encoding)
				answer := httptest.NewRecorder()
				if s.ServeHTTP(answer, request); answer.Code != http.StatusOK {
					b.Fatal(answer.Code)
				}
			}
		})
	}
}
