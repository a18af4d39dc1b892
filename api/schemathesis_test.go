package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// serializers tells schemathesis how to send forms that it does not know.
const serializers = `import schemathesis

@schemathesis.serializer("application/jsonl", "application/x-ndjson", "text/x-pubtator", "application/vnd.bioc+json",
                         "application/vnd.bioc+xml", "application/vnd.pubannotation+json")
def as_it_is(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
`

// TestSchemathesis sends what the description allows and what it does not, and
// takes no answer that is not described, nor any failure of the server.
func TestSchemathesis(t *testing.T) {
	program, err := exec.LookPath("schemathesis")
	if err != nil {
		t.Skip("schemathesis is not installed (pip install schemathesis)")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "serializers.py"), []byte(serializers), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, nil)
	tell(t, s)
	cmd := exec.CommandContext(t.Context(), program, "run", s.url+"/openapi.json", "--seed", "1", "--max-examples", "20",
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,"+
			"unsupported_method,allow_header_conformance,use_after_free,ensure_resource_availability",
		"--suppress-health-check", "all", "--warnings", "off", "--no-color")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SCHEMATHESIS_HOOKS=serializers", "PYTHONPATH="+dir)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
