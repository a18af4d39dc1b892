package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/keci-kg/keci/api"
)

// TestPythonClient makes a client in Python of the server's description and uses it.
func TestPythonClient(t *testing.T) {
	generator, err := exec.LookPath("openapi-python-client")
	if err != nil {
		t.Skip("openapi-python-client is not installed (pip install openapi-python-client==0.29.1)")
	}
	const token = "0123456789abcdef"
	s := serve(t, func(config *api.Config) { config.Tokens = tokens(t, "writer write "+token) })
	dir := t.TempDir()
	interpreter := filepath.Join(filepath.Dir(generator), "python3") // that of the generator has what the client needs
	if _, err := os.Stat(interpreter); err != nil {
		interpreter = "python3"
	}
	python := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), interpreter, args...)
		cmd.Env = append(os.Environ(), "PYTHONPATH="+dir)
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	python("client/generate/python.py", s.url, filepath.Join(dir, "keci_client"))
	python("testdata/client.py", s.url, token)
}

// tokens are those of a file with one line.
func tokens(t *testing.T, line string) *api.Tokens {
	t.Helper()
	known, err := api.ReadTokens(tokenFile(t, line))
	if err != nil {
		t.Fatal(err)
	}
	return known
}
