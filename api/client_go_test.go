package api_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the client in Go anew")

// description writes what the server says of itself to a file.
func description(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(path, start(t, nil).mustAsk(t, 200, "GET", "/openapi.json", "").Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestGoClient makes the client anew: what is in the repository must be
// what the description of the server gives.
func TestGoClient(t *testing.T) {
	const folder = "client/generate"
	fresh := filepath.Join(t.TempDir(), "operations.gen.go")
	build := exec.CommandContext(t.Context(), "go", "tool", "-n", "oapi-codegen") // where it is, when it is built
	build.Dir = folder
	generator, err := build.Output()
	if err != nil {
		t.Skipf("the generator cannot be built (it is downloaded once): %v", err)
	}
	cmd := exec.CommandContext(t.Context(), strings.TrimSpace(string(generator)), "-config", "config.yaml", "-o", fresh, description(t))
	cmd.Dir = folder
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	want, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	const kept = "client/operations.gen.go"
	if *update {
		if err := os.WriteFile(kept, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the description has changed: run go generate ./api/client\n%s", cmp.Diff(string(got), string(want)))
	}
}
