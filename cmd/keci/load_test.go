package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
)

// smallKB builds a knowledge base of kbTables.
func smallKB(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "small")
	if _, _, err := runKB(t, "build", out, "--rrf", writeTables(t)); err != nil {
		t.Fatal(err)
	}
	return out
}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestLoadWrongCalls(t *testing.T) {
	for _, args := range [][]string{
		{"load"},
		{"load", "--store", "bolt://localhost", "--import-files", "x"},
		{"load", "--import-files", "x", "--replace"},
		{"load", "--import-files", "x", "--batch-rows", "5"},
		{"load", "--import-files", "x", "--store-password-file", "y"},
		{"load", "--store", "localhost:7687"},
		{"load", "--store", "http://localhost:7474"},
		{"load", "--store", "bolt://neo4j:secret@localhost"},
		{"serve", "--addr", "127.0.0.1:0", "--store", "data"},
	} {
		_, err := run(t, "", args...)
		if exitCode(err) != exitUsage {
			t.Errorf("%v: exit code %d (%v), want %d", args, exitCode(err), err, exitUsage)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error repeats the password: %v", err)
		}
	}
}

func TestLoadTellsThatNoServerAnswers(t *testing.T) {
	_, err := run(t, "", "load", "--kb", smallKB(t), "--store", "bolt://127.0.0.1:1")
	if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "bolt://127.0.0.1:1 does not answer") {
		t.Errorf("error %v", err)
	}
}

func TestLoadWritesImportFiles(t *testing.T) {
	out := filepath.Join(t.TempDir(), "import files")
	call, err := run(t, "", "load", "--kb", smallKB(t), "--import-files", out)
	if err != nil {
		t.Fatal(err)
	}
	if want := "neo4j-admin database import full neo4j '@" + filepath.Join(out, "arguments") + "'\n"; call != want {
		t.Errorf("the call is %q, want %q", call, want)
	}
	arguments, err := os.ReadFile(filepath.Join(out, "arguments"))
	if want := "\n\"--nodes=Concept=" + filepath.Join(out, "concepts.csv") + "\"\n"; err != nil || !strings.Contains(string(arguments), want) {
		t.Errorf("%v: the arguments are %s, want one more, %s", err, arguments, want)
	}
	content, err := os.ReadFile(filepath.Join(out, "concepts.csv"))
	if err != nil || !strings.HasPrefix(string(content), "cui:ID(Concept),name,") {
		t.Errorf("%v, %.80s", err, content)
	}
	if _, err := run(t, "", "load", "--kb", smallKB(t), "--import-files", out); err == nil || !strings.Contains(err.Error(), out) {
		t.Errorf("a folder that is there: error %v", err)
	}
}

// From a knowledge base to documents in Neo4j, and the answers of the server.
func TestNeo4jFromLoadToServe(t *testing.T) {
	server := neo4jtest.Use(t)
	kb, address := smallKB(t), server.Address.String()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(server.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(storePasswordVariable, "not this one")
	_, err := run(t, "FKBP12 binds rapamycin.", "extract", "--kb", kb, "--store", address, "--store-password-file", password)
	if err == nil || !strings.Contains(err.Error(), "keci load") {
		t.Errorf("extracting before loading: error %v", err)
	}
	for range 2 {
		if _, err := run(t, "", "load", "--kb", kb, "--store", address, "--store-password-file", password); err != nil {
			t.Fatal(err)
		}
	}
	_, err = run(t, "FKBP12 binds rapamycin.", "extract", "--store", address, "--store-password-file", password)
	if err == nil || !strings.Contains(err.Error(), "--kb") {
		t.Errorf("extracting with another knowledge base: error %v", err)
	}
	if server.Password != "" {
		if _, err := run(t, "", "load", "--kb", kb, "--store", address); err == nil || !strings.Contains(err.Error(), "--store-password-file") {
			t.Errorf("wrong password: error %v", err)
		}
	}
	in := `{"id":"doc","text":"FKBP12 binds rapamycin."}`
	for _, store := range [][]string{{"--store", address}, {"--store=" + address}} {
		args := append([]string{"extract", "--in", "jsonl", "--kb", kb, "--store-password-file", password}, store...)
		if _, err := run(t, in, args...); err != nil {
			t.Fatal(err)
		}
	}
	stopWords := filepath.Join(t.TempDir(), "stop.txt")
	if err := os.WriteFile(stopWords, []byte("binds\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, in, "extract", "--in", "jsonl", "--kb", kb, "--stop-words", stopWords, "--store", address, "--store-password-file", password); err != nil {
		t.Errorf("with stop words: %v", err)
	}
	url, stop := serve(t, "--data", t.TempDir(), "--kb", kb, "--store", address, "--store-password-file", password)
	for path, want := range map[string]string{
		"v1/documents/doc":          `"text":"FKBP12 binds rapamycin."`,
		"v1/documents":              `"id":"doc"`,
		"v1/concepts?q=sirolimus":   `"cui":"C01"`,
		"v1/concepts/C01":           `"name":"rapamycin"`,
		"v1/concepts/C02/neighbors": `"label":"binds"`,
		"v1/concepts/C01/mentions":  `"documentId":"doc"`,
	} {
		if got := get(t, url+path); !strings.Contains(got, want) {
			t.Errorf("%s answered %s, want %s in it", path, got, want)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A newer release takes the place of an older one, with what was extracted.
func TestLoadReplaces(t *testing.T) {
	server := neo4jtest.Use(t)
	_, older, newer := twoReleases(t)
	address := server.Address.String()
	if _, err := run(t, "", "load", "--kb", older, "--store", address); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, `{"id":"doc","text":"FKBP12 binds rapamycin."}`, "extract", "--in", "jsonl", "--kb", older, "--store", address); err != nil {
		t.Fatal(err)
	}
	_, err := run(t, "", "load", "--kb", newer, "--store", address)
	if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "older") || !strings.Contains(err.Error(), "--replace") {
		t.Errorf("without --replace: error %v", err)
	}
	for range 2 {
		if _, err := run(t, "", "load", "--kb", newer, "--store", address, "--replace"); err != nil {
			t.Fatal(err)
		}
	}
	url, stop := serve(t, "--data", t.TempDir(), "--kb", newer, "--store", address)
	for path, want := range map[string]string{
		"v1/concepts/C01":          `"cui":"C04"`,
		"v1/concepts/C01/mentions": `"documentId":"doc"`,
		"v1/concepts/C04/mentions": `"documentId":"doc"`,
		"v1/documents/doc":         `"cui":"C01"`,
	} {
		if got := get(t, url+path); !strings.Contains(got, want) {
			t.Errorf("%s answered %s, want %s in it", path, got, want)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
