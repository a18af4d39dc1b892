package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServeRefusesWrongFlags(t *testing.T) {
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"--burst", "0"}, "--burst"},
		{[]string{"--max-batch-documents", "-1"}, "--max-batch-documents"},
		{[]string{"--rate", "-1"}, "--rate"},
		{[]string{"--cors-origin", "example.org"}, "--cors-origin"},
		{[]string{"--trusted-proxy", "10.0.0.0"}, "--trusted-proxy"},
	} {
		_, err := run(t, "", append([]string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir()}, test.args...)...)
		if err == nil || !strings.Contains(err.Error(), test.says) || exitCode(err) != exitUsage {
			t.Errorf("%q: error = %v, exit code %d", test.args, err, exitCode(err))
		}
	}
}

func TestServeAsksForTokens(t *testing.T) {
	const secret = "0123456789abcdef"
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte("me read "+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url, stop := serve(t, "--data", t.TempDir(), "--auth-token-file", file)
	for authorization, want := range map[string]int{"": 401, "Bearer " + secret: 200} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"v1/model", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", authorization)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("Authorization %q: status %d, want %d", authorization, answer.StatusCode, want)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestProgramDigest(t *testing.T) {
	first, err := programDigest()
	if err != nil || !strings.HasPrefix(first, "sha256:") || len(first) != len("sha256:")+64 {
		t.Errorf("programDigest() = %q, %v", first, err)
	}
	if again, _ := programDigest(); again != first {
		t.Errorf("the digest of the same program is %q, then %q", first, again)
	}
}

// Answers in the cache are those of a program on an engine with its settings.
func TestProgramOfServe(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"go", "go:parallelism=1", "xla:/p.so", "xla:/p.so,tf32", "onnx:/p.so"} {
		program, err := serveOptions{engine: name}.program()
		if err != nil || !strings.HasPrefix(program, "sha256:") {
			t.Errorf("--engine %s: %q, %v", name, program, err)
		}
		if other, known := seen[program]; known {
			t.Errorf("--engine %s and %s are taken for the same: %q", name, other, program)
		}
		seen[program] = name
	}
	if _, err := (serveOptions{engine: "steam"}).program(); err == nil || !strings.Contains(err.Error(), "--engine") {
		t.Errorf("an unknown engine: %v", err)
	}
}
