package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
)

const kbOntology = `ontology: cl
data-version: 7

[Term]
id: CL:0000057
name: fibroblast
xref: UMLS:C01 "not of this shape"

[Term]
id: CL:0000001
name: FKBP cell
synonym: "tacrocyte" BROAD []
is_a: CL:0000057
nonsense
`

func writeOntology(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cl.obo")
	if err := os.WriteFile(path, []byte(kbOntology), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// An ontology alone, and beside a release: what is wrong is listed and left out.
func TestKBBuildOntology(t *testing.T) {
	file, parent := writeOntology(t), t.TempDir()
	for name, tc := range map[string]struct {
		args     []string
		concepts int
	}{
		"alone": {nil, 2}, "beside a release": {[]string{"--rrf", writeTables(t)}, 4},
	} {
		dir := filepath.Join(parent, name)
		_, log, err := runKB(t, append([]string{"build", dir, "--obo", file}, tc.args...)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"2 problems", "cl.obo:14:1: ", "cl.obo:7:7: the term CL:0000057 refers to UMLS:C01"} {
			if !strings.Contains(log, want) {
				t.Errorf("%s: %q is not in %s", name, want, log)
			}
		}
		if _, log, err := runKB(t, "verify", dir); err != nil || !strings.Contains(log, dir) {
			t.Errorf("%s: verify: %v, %q", name, err, log)
		}
		info := runKBJSON[graph.KnowledgeBaseInfo](t, "info", dir)
		if info.Concepts != tc.concepts || info.TypeRelations == 0 && tc.concepts == 4 {
			t.Errorf("%s: %+v", name, info)
		}
		c := runKBJSON[shownConcept](t, "show", "--kb", dir, "cl:0000057")
		if c.Name != "fibroblast" || len(c.Neighbors) != 1 || c.SemanticTypes[0] != "T025" {
			t.Errorf("%s: %+v", name, c)
		}
	}

	dir := filepath.Join(parent, "strict")
	if _, _, err := runKB(t, "build", dir, "--obo", file, "--strict"); exitCode(err) != exitFailed || !strings.Contains(err.Error(), "cl.obo:") {
		t.Errorf("strict: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("strict: the folder is there")
	}
}

// A release knows a term by its code, and what became of a concept that a term refers to.
func TestKBBuildMergesByCode(t *testing.T) {
	tables := writeTables(t)
	for name, content := range map[string]string{
		"MRCONSO.RRF": strings.Replace(kbTables["MRCONSO.RRF"], "PT|2|FKBP12", "PT|CL:0000057|FKBP12", 1),
		"MRCUI.RRF":   "C0000009|2025AB|SY|||C01|Y|\n",
	} {
		if err := os.WriteFile(filepath.Join(tables, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "cl.obo")
	text := strings.Replace(kbOntology, "nonsense\n", "xref: UMLS:C0000009\n", 1)
	if err := os.WriteFile(file, []byte(strings.Replace(text, "UMLS:C01 ", "UMLS:C0000001 ", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "kb")
	if _, log, err := runKB(t, "build", dir, "--rrf", tables, "--obo", file); err != nil || strings.Contains(log, "problems") {
		t.Fatal(err, log)
	}
	for id, want := range map[string]string{"CL:0000057": "FKBP12 fibroblast", "CL:0000001": "rapamycin sirolimus FKBP cell"} {
		c := runKBJSON[shownConcept](t, "show", "--kb", dir, id)
		if got := strings.Join(append([]string{c.Name}, c.Synonyms...), " "); got != want || c.Retired == nil {
			t.Errorf("%s is %+v, want %q", id, c, want)
		}
	}
	if info := runKBJSON[graph.KnowledgeBaseInfo](t, "info", dir); info.Concepts != 2 {
		t.Errorf("%+v", info)
	}
}

func TestKBBuildMapping(t *testing.T) {
	file := writeOntology(t)
	text, _, err := runKB(t, "types")
	if err != nil {
		t.Fatal(err)
	}
	mapping := filepath.Join(t.TempDir(), "types.tsv")
	if err := os.WriteFile(mapping, []byte(text+"CL:0000057\tT024\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "kb")
	if _, _, err := runKB(t, "build", dir, "--obo", file, "--mapping", mapping, "--scopes", "broad"); err != nil {
		t.Fatal(err)
	}
	if c := runKBJSON[shownConcept](t, "show", "--kb", dir, "CL:0000001"); c.SemanticTypes[0] != "T024" || len(c.Synonyms) != 1 {
		t.Errorf("%+v", c)
	}
	if _, _, err := runKB(t, "build", dir, "--force", "--obo", file, writeOntology(t)); err != nil { // as the shell gives *.obo
		t.Error(err)
	}
	for _, args := range [][]string{
		{"--obo", file, "--scopes", "wide"}, {"--obo", file, "--sources", "MSH"}, {"--obo", file, "--types", "T116"}, {"--obo", file, "--languages", "GER"},
		{"--rrf", "x", "--scopes", "exact"}, {"--rrf", "x", "--mapping", mapping},
	} {
		if _, _, err := runKB(t, append([]string{"build", dir + "2"}, args...)...); exitCode(err) != exitUsage {
			t.Errorf("%v: %v", args, err)
		}
	}
}
