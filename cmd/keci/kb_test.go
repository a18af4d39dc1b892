package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// kbTables are a release without the Semantic Network.
var kbTables = map[string]string{
	"MRCONSO.RRF": `C01|ENG|P|L1|PF|S1|Y|A1||||TEST|PT|1|rapamycin|0|N||
C01|ENG|S|L2|PF|S2|Y|A2||||TEST|SY|1|sirolimus|0|N||
C02|ENG|P|L3|PF|S3|Y|A3||||TEST|PT|2|FKBP12|0|N||
C03|FRE|P|L4|PF|S4|Y|A4||||TEST|PT|3|calcineurine|0|N||
`,
	"MRSTY.RRF": `C01|T109|A1.4.1.2.1|Organic Chemical|AT1||
C02|T116|A1.4.1.2.1.7|Amino Acid, Peptide, or Protein|AT2||
C03|T116|A1.4.1.2.1.7|Amino Acid, Peptide, or Protein|AT3||
`,
	"MRREL.RRF": "C02|A3|AUI|RO|C01|A1|AUI|binds|R1||TEST|TEST|||N||\n",
}

func writeTables(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range kbTables {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runKB runs keci kb with arguments.
func runKB(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, log bytes.Buffer
	root := newRootCommand()
	root.SetOut(&out)
	root.SetErr(&log)
	root.SetArgs(append([]string{"kb"}, args...))
	err = root.ExecuteContext(t.Context())
	return out.String(), log.String(), err
}

func runKBJSON[T any](t *testing.T, args ...string) (answer T) {
	t.Helper()
	out, _, err := runKB(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return answer
}

func TestKB(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my-kb")
	_, log, err := runKB(t, "build", dir, "--rrf", writeTables(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := "2 concepts, 3 names, 1 relations"; !strings.Contains(log, want) {
		t.Errorf("log %q does not tell %q", log, want)
	}

	info := runKBJSON[graph.KnowledgeBaseInfo](t, "info", dir)
	if info.Name != "my-kb" || info.Concepts != 2 || info.SemanticTypes != 2 || info.TypeRelations == 0 {
		t.Errorf("info %+v", info)
	}
	found := runKBJSON[[]graph.Concept](t, "search", "--kb", dir, "siro")
	if len(found) != 1 || found[0].CUI != "C01" {
		t.Errorf("search: %+v", found)
	}
	binds := graph.Relation{Head: "C01", Label: "binds", Tail: "C02", Rel: "RO", Sources: []string{"TEST"}}
	shown := runKBJSON[shownConcept](t, "show", "--kb", dir, "c02") // any case
	if diff := cmp.Diff([]graph.Relation{binds}, shown.Neighbors); diff != "" || shown.Name != "FKBP12" {
		t.Errorf("show: %+v\n%s", shown, diff)
	}
	sub := runKBJSON[graph.Subgraph](t, "subgraph", "--kb", dir, "C02", "C01")
	if diff := cmp.Diff([]graph.Relation{binds}, sub.Relations); diff != "" || len(sub.Concepts) != 2 {
		t.Errorf("subgraph: %+v\n%s", sub, diff)
	}
}

func TestKBBuildOptions(t *testing.T) {
	tables, dir := writeTables(t), filepath.Join(t.TempDir(), "kb")
	if _, log, err := runKB(t, "build", dir, "--rrf", tables, "--languages", "FRE", "--name", "français", "--quiet"); err != nil || log != "" {
		t.Fatalf("%v, log %q", err, log)
	}
	if info := runKBJSON[graph.KnowledgeBaseInfo](t, "info", dir); info.Name != "français" || info.Concepts != 1 {
		t.Errorf("French: %+v", info)
	}
	if _, _, err := runKB(t, "build", dir, "--rrf", tables); exitCode(err) != exitFailed || !strings.Contains(err.Error(), "--force") {
		t.Errorf("over another: %v", err)
	}
	if _, _, err := runKB(t, "build", dir, "--rrf", tables, "--force", "--types", "t109"); err != nil {
		t.Fatal(err)
	}
	if info := runKBJSON[graph.KnowledgeBaseInfo](t, "info", dir); info.Concepts != 1 || info.Name != "kb" {
		t.Errorf("chemicals: %+v", info)
	}
}

func TestKBWrongCalls(t *testing.T) {
	for _, args := range [][]string{
		{"build"}, {"build", "x"}, {"build", "x", "y", "--rrf", "z"}, {"build", "x", "--rrff", "z"},
		{"show"}, {"search"}, {"search", "--limit", "0", "x"}, {"show", "--limit", "0", "C0000001"}, {"show", "--limit", "-5", "C0000001"}, {"subgraph"}, {"info", "a", "b"}, {"verify"}, {"default", "x"},
	} {
		if _, _, err := runKB(t, args...); exitCode(err) != exitUsage {
			t.Errorf("kb %v: %v", args, err)
		}
	}
	missing := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{{"info", missing}, {"verify", missing}, {"show", "--kb", missing, "C1"}, {"build", missing, "--rrf", missing}} {
		if _, _, err := runKB(t, args...); exitCode(err) != exitFailed || !strings.Contains(err.Error(), missing) {
			t.Errorf("kb %v: %v", args, err)
		}
	}
}

func TestReadProgress(t *testing.T) {
	var log bytes.Buffer
	p := newReadProgress(&log, false)
	p.total = 1_000_000
	p.Step("reading")
	p.Read(250_000)
	if log.Len() != 0 {
		t.Errorf("told at once: %q", log.String())
	}
	p.started, p.last = p.started.Add(-plainInterval), p.last.Add(-plainInterval-time.Second)
	p.Read(250_000)
	if want := "reading: 500 kB of 1.0 MB, 50 kB/s, 10s left\n"; log.String() != want {
		t.Errorf("told %q, want %q", log.String(), want)
	}
}
