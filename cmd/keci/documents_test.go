package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// annotatedFiles are documents in all forms that can be read, each with the text
// "FKBP12 …" and one that is broken.
func annotatedFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a.txt": "FKBP12 a", "b.jsonl": `{"id":"b","text":"FKBP12 b"}`, "c.json": `[{"id":"c","text":"FKBP12 c","mentions":[]}]`,
		"d.json":     `{"documents":[{"id":"d","passages":[{"offset":0,"text":"FKBP12 d"}]}]}`,
		"e.xml":      `<collection><document><id>e</id><passage><offset>0</offset><text>FKBP12 e</text></passage></document></collection>`,
		"f.pubtator": "f|t|FKBP12 f\nf|a|\n", "g.json": `{"sourceid":"g","text":"FKBP12 g","denotations":[]}`,
		"h.txt": "FKBP12 h", "h.ann": "T1\tGene 0 99\tbroken, but not read\n",
		"z.jsonl": `{"id":"b","text":"another"}` + "\n" + `{"id":"cut`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLinkReadsEveryForm(t *testing.T) {
	dir := annotatedFiles(t)
	out, err := run(t, "", "link", "--kb", buildSmallKB(t), dir)
	if exitCode(err) != exitSomeFailed || !strings.Contains(err.Error(), "2 of 10 documents failed") {
		t.Errorf("error %v", err)
	}
	var got []string
	for _, line := range lines(t, out) {
		id, _, _ := strings.Cut(line, " FKBP12") // what is linked is not tested here
		got = append(got, strings.ReplaceAll(id, dir, "DIR"))
	}
	want := "DIR/a.txt|b|c|d|e|f|g|h|b: the id is that of another text before: ids must be unique|DIR/z.jsonl:2: DIR/z.jsonl:2: no JSON document"
	if !strings.HasPrefix(strings.Join(got, "|"), want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

// A folder or a file that gives no document fails, and tells why.
func TestLinkOfPathsWithoutDocuments(t *testing.T) {
	kb, dir := buildSmallKB(t), t.TempDir()
	empty := filepath.Join(dir, "empty.jsonl")
	for name, content := range map[string]string{"notes.md": "FKBP12", "table.csv": "a,b", "empty.jsonl": "", "data.json": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		want string
		args []string
	}{
		{"3 files were passed over whose names tell no form of documents", []string{dir}},
		{"3 files were passed over whose names are not those of jsonl files", []string{"--in", "jsonl", dir}},
		{"there is no document in it", []string{empty}},
		{"there is no document in it", []string{t.TempDir()}},
	} {
		out, err := run(t, "FKBP12", append([]string{"link", "--kb", kb}, test.args...)...)
		path := test.args[len(test.args)-1]
		if exitCode(err) != exitSomeFailed || !strings.Contains(err.Error(), "1 of 1 documents failed") || !strings.Contains(out, `"id":"`+path+`"`) || !strings.Contains(out, test.want) {
			t.Errorf("%v: error %v, output %s", test.args, err, out)
		}
	}
	named := filepath.Join(dir, "notes.md")
	if out, err := run(t, "", "link", "--kb", kb, named, dir); exitCode(err) != exitSomeFailed || len(lines(t, out)) != 2 {
		t.Errorf("a file by its name, and its folder: %v\n%s", err, out)
	}
	if out, err := run(t, "", "link", "--kb", kb, "--in", "jsonl"); err != nil || out != "" {
		t.Errorf("an empty standard input: %v, %q", err, out)
	}
}

func TestLinkWritesAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.json")
	out, told, err := runAll(t, "FKBP12", "link", "--kb", buildSmallKB(t), "--out", "bioc", "--output", path)
	if err != nil || out != "" || told != "" {
		t.Fatalf("output %q, told %q, error %v", out, told, err)
	}
	for document, err := range format.ReadAnnotatedFile(path, "") {
		if err != nil || len(document.Mentions) != 1 || document.Mentions[0].Concepts[0].CUI != "C1" {
			t.Errorf("read %+v, %v", document, err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
}

// A folder in the place of the output is told before anything is read.
func TestLinkRefusesAFolderAsItsFile(t *testing.T) {
	dir := t.TempDir()
	_, err := run(t, "FKBP12", "link", "--kb", buildSmallKB(t), "-o", dir)
	if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(dir + ".partial"); err == nil {
		t.Error("something was written beside it")
	}
}

func TestLinkWritesBrat(t *testing.T) {
	kb := buildSmallKB(t)
	dir := filepath.Join(t.TempDir(), "brat")
	if _, err := run(t, `{"id":"PMID:1","text":"FKBP12"}`, "link", "--in", "jsonl", "--kb", kb, "--out", "brat", "-o", dir); err != nil {
		t.Fatal(err)
	}
	ann, err := os.ReadFile(filepath.Join(dir, "PMID%3A1.ann"))
	if err != nil || !strings.Contains(string(ann), "Reference T1 KB:C1\tFKBP1A") {
		t.Errorf("annotations %q, %v", ann, err)
	}
	if _, err := run(t, "FKBP12", "link", "--kb", kb, "--out", "brat", "-o", dir); exitCode(err) != exitUsage {
		t.Errorf("a folder that is there: %v", err)
	}
	again := filepath.Join(filepath.Dir(dir), "again")
	if err := os.MkdirAll(again+".partial", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(again+".partial", "old.ann"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	twice := `{"id":"a","text":"FKBP12"}` + "\n"
	if _, err := run(t, twice+twice, "link", "--in", "jsonl", "--kb", kb, "--out", "brat", "-o", again); err != nil {
		t.Error("a document that comes twice:", err)
	}
	if entries, err := os.ReadDir(again); err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	out, err := run(t, "FKBP12", "link", "--kb", kb, "--out", "brat")
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(strings.NewReader(out), int64(len(out)))
	if err != nil || len(archive.File) != 2 {
		t.Errorf("archive %v, %v", archive, err)
	}
}

func TestLinkLeavesWhatWasDoneWhenBrokenOff(t *testing.T) {
	path, kb := filepath.Join(t.TempDir(), "out.jsonl"), buildSmallKB(t)
	hanging, never := io.Pipe()
	defer never.Close()
	go func() { _, _ = io.WriteString(never, `{"id":"a","text":"FKBP12"}`+"\n") }()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, context.Canceled)
	defer cancel()
	_, err := link(ctx, hanging, "--in", "jsonl", "--kb", kb, "-o", path)
	if exitCode(err) != exitInterrupted || !strings.Contains(err.Error(), path+".partial") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an incomplete output has the name of a complete one")
	}
	if done, err := os.ReadFile(path + ".partial"); err != nil || !bytes.HasPrefix(done, []byte(`{"id":"a"`)) {
		t.Errorf("what was done is %q, %v", done, err)
	}
}

func TestOffsetsOfForms(t *testing.T) {
	if _, err := run(t, "FKBP12", "link", "--out", "bioc", "--offsets", "byte"); exitCode(err) != exitUsage {
		t.Errorf("bytes in BioC: %v", err)
	}
}

func TestExtractInEveryForm(t *testing.T) {
	for out, want := range map[string]string{
		"json": `"label": "bind"`, "bioc": `"type":"bind"`, "bioc-xml": `<infon key="type">bind</infon>`, "pubtator": "\tbind\t", "pubannotation": `"pred":"bind"`,
		"cypher": "CREATE (h)-[r:`BIND`]->(t)", "csv": ",bind,false,", "graphml": `<data key="relation">bind</data>`,
	} {
		got, err := run(t, "FKBP12 binds rapamycin.", "extract", "--out", out)
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: no %q (error %v) in\n%s", out, want, err, got)
		}
	}
}

// What keci writes can be read and extracted from again.
func TestExtractReadsItsOutput(t *testing.T) {
	once, err := run(t, "FKBP12 binds rapamycin.", "extract")
	if err != nil {
		t.Fatal(err)
	}
	twice, err := run(t, once, "extract", "--in", "jsonl")
	if err != nil || once != twice {
		t.Errorf("error %v, once and twice:\n%s%s", err, once, twice)
	}
	var document graph.Document
	if err := json.Unmarshal([]byte(once), &document); err != nil || len(document.Relations) != 1 {
		t.Errorf("extracted %v, %v", document.Relations, err)
	}
}

func TestDocumentProgress(t *testing.T) {
	var out strings.Builder
	start := time.Now().Add(-20*time.Second - 400*time.Millisecond)
	p := &documentProgress{progress: &progress{out: &out, unit: inBytes, started: start, last: start}}
	p.total.Store(4000)
	p.Read(1000)
	p.Document(false)
	p.Document(true) // too soon for another line
	p.last = time.Now().Add(-2 * plainInterval)
	p.Document(true)
	if want := "1 documents, 0.0/s: 1.0 kB of 4.0 kB, 49 B/s, 1m1s left\n3 documents (2 failed), 0.1/s: 1.0 kB of 4.0 kB, 49 B/s, 1m1s left\n"; out.String() != want {
		t.Errorf("told %q", out.String())
	}
}
