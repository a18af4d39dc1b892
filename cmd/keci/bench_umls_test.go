package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"
)

func TestBenchUMLS(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "release")
	var out bytes.Buffer
	root := newRootCommand()
	root.SetOut(&out)
	root.SetArgs([]string{"bench", "umls", "--concepts", "500", "--gzip", "--build", dir})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var report struct{ Results umlsResult }
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if r := report.Results; r.Concepts != 500 || r.Names < 1000 || r.Digest == "" || r.NamesPerSecond == 0 {
		t.Errorf("%s", out.String())
	}
	root = newRootCommand()
	root.SetArgs([]string{"bench", "umls", "--concepts", "0", dir})
	if err := root.ExecuteContext(t.Context()); exitCode(err) != exitUsage {
		t.Errorf("no concepts: %v", err)
	}
}
