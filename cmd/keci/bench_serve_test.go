package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestBenchServe(t *testing.T) {
	url, stop := serve(t, "--data", t.TempDir())
	file := filepath.Join(t.TempDir(), "documents.jsonl")
	if err := os.WriteFile(file, []byte(`{"text":"FKBP12 binds FK506."}`+"\n"+`{"text":"MDM2 binds p53."}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, "", "bench", "serve", "--url", url, "--rate", "50", "--duration", "500ms", file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct{ Results serveResult }
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	got := report.Results
	if got.Documents != 2 || got.Requests < 10 || got.Statuses["200"] != got.Requests || got.Cached != got.Requests ||
		got.P50Ms <= 0 || got.P99Ms < got.P50Ms || got.MaxMs < got.P99Ms {
		t.Errorf("results %+v", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
