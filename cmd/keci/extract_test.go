package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/storetest"
)

// run runs keci with the given standard input.
func run(t *testing.T, stdin string, args ...string) (stdout string, err error) {
	t.Helper()
	stdout, _, err = runAll(t, stdin, args...)
	return stdout, err
}

// runAll gives standard error as well.
func runAll(t *testing.T, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, told bytes.Buffer
	cmd := newRootCommand()
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&told)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), told.String(), err
}

func TestExtractDeliversAndStores(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.jsonl")
	lines := `{"id":"b","text":"FKBP12 binds rapamycin."}
{"id":"bad","text":""}
{"id":"a","text":"β-catenin binds TCF4.","title":"t"}
`
	if err := os.WriteFile(in, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, "", "extract", "--store", "--data", filepath.Join(dir, "data"), in)
	if exitCode(err) != exitSomeFailed {
		t.Errorf("exit code %d (%v), want %d", exitCode(err), err, exitSomeFailed)
	}
	type line struct {
		graph.Document
		Error *struct{ Detail string }
	}
	var got []line
	for text := range strings.Lines(out) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		got = append(got, l)
	}
	if len(got) != 3 || got[0].ID != "b" || got[1].ID != "bad" || got[2].ID != "a" {
		t.Fatalf("output is not in the order of the input:\n%s", out)
	}
	if got[1].Error == nil || !strings.Contains(got[1].Error.Detail, "empty") {
		t.Errorf("the empty document gave %+v", got[1])
	}
	if got[0].Model == nil || got[0].KB == nil || got[0].Offsets != graph.OffsetCodepoint {
		t.Errorf("the graph lacks its origin: %+v", got[0].Document)
	}

	store, err := openStore(t.Context(), filepath.Join(dir, "data"), storetest.Knowledge(storetest.Small()))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	docs, err := store.Documents(t.Context(), "", 10)
	if err != nil || len(docs) != 2 || docs[0].ID != "a" || docs[0].Title != "t" || docs[1].ID != "b" {
		t.Errorf("stored: %+v (error %v)", docs, err)
	}
}

func TestExtractDrawsOneDocument(t *testing.T) {
	out, err := run(t, "FKBP12 binds rapamycin.", "extract", "--out", "svg")
	if err != nil || !strings.Contains(out, "</svg>") {
		t.Errorf("error %v, picture:\n%s", err, out)
	}
	two := `{"text":"FKBP12"}` + "\n" + `{"text":"rapamycin"}`
	if _, err := run(t, two, "extract", "--in", "jsonl", "--out", "svg"); err == nil || !strings.Contains(err.Error(), "one document") {
		t.Errorf("two documents: error %v", err)
	}
	if _, err := run(t, "", "extract", "--out", "png", "a.txt", "b.txt"); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "2 files") {
		t.Errorf("a picture of two files: %v", err)
	}
	out, told, err := runAll(t, "", "extract", "--out", "svg")
	if exitCode(err) != exitSomeFailed || out != "" || !strings.Contains(told, `"error":{"detail":"the text is empty"}`) {
		t.Errorf("an empty document: output %q, told %q, error %v", out, told, err)
	}
}

func TestExtractWrongCalls(t *testing.T) {
	for _, args := range [][]string{
		{"extract", "--data", "x"},
		{"extract", "--replace"},
		{"extract", "--store=bolt://localhost", "--data", "x"},
		{"extract", "--store-password-file", "x"},
		{"extract", "--store", "--store-password-file", "x"},
		{"graph", "relations", "--store=bolt://localhost", "--data", "x"},
		{"graph", "export", "--store-password-file", "x"},
		{"graph", "concepts", "--min-score", "NaN"},
		{"extract", "--out", "pdf"},
		{"extract", "--engine", "steam"},
		{"extract", "bolt://localhost"},
		{"extract", "--store=bolt://localhost", "bolt://localhost"},
		{"extract", "--store", "bolt://localhost", "--terms", "own.tsv"},
		{"extract", "--store", "bolt://localhost", "--kb", "a", "--kb", "b"},
		{"serve", "--addr", "127.0.0.1:0", "--store", "bolt://localhost", "--terms", "own.tsv"},
		{"serve", "x"},
		{"sreve"},
		{"kb", "sreve"},
		{"serve", "--timeout", "0"},
		{"serve", "--concurrency", "0"},
		{"serve", "--log", "xml"},
		{"serve", "--cache-ttl", "-1s"},
	} {
		if _, err := run(t, "", args...); exitCode(err) != exitUsage {
			t.Errorf("%v: exit code %d (%v), want %d", args, exitCode(err), err, exitUsage)
		}
	}
}

func TestExtractNamesWhatIsMissing(t *testing.T) {
	for _, flag := range []string{"--model", "--kb"} {
		dir := filepath.Join(t.TempDir(), "nothing")
		_, err := run(t, "FKBP12", "extract", flag, dir)
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error %v, want one that names %s", flag, err, dir)
		}
	}
}

// The address may stand anywhere among the files.
func TestExtractTakesAddress(t *testing.T) {
	for _, args := range [][]string{{"bolt://host", "a.txt", "b.txt"}, {"a.txt", "bolt://host", "b.txt"}, {"a.txt", "b.txt", "bolt://host"}} {
		o := extractOptions{store: storeFlags{address: storeInData}}
		files, err := o.takeAddress(args)
		if err != nil || !slices.Equal(files, []string{"a.txt", "b.txt"}) || o.store.address != "bolt://host" {
			t.Errorf("%v: files %v, address %s, error %v", args, files, o.store.address, err)
		}
	}
}
