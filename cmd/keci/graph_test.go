package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/linker/quote"
)

// ask runs keci graph and reads the lines of its answer.
func ask[T any](t *testing.T, args ...string) (answers []T) {
	t.Helper()
	out, err := run(t, "", append([]string{"graph"}, args...)...)
	if err != nil {
		t.Fatalf("keci graph %v: %v", args, err)
	}
	for line := range strings.Lines(out) {
		var answer T
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatalf("keci graph %v: %v in %s", args, err, line)
		}
		answers = append(answers, answer)
	}
	return answers
}

// The documents are asked with the terms and stop words that they were read with.
func TestGraphTakesSelection(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	selection := []string{"--terms", writeText(t, "own.tsv", "FKBP12\tX1\tT116\n"), "--stop-words", writeText(t, "stop.txt", "the\n"), "--data", data}
	if _, err := run(t, "FKBP12 binds rapamycin.", append([]string{"extract", "--store"}, selection...)...); err != nil {
		t.Fatal(err)
	}
	seen := ask[graph.SeenConcept](t, append([]string{"concepts", "--semantic-type", "T116"}, selection...)...)
	if len(seen) != 1 || seen[0].CUI != "X1" || seen[0].Name != "FKBP12" {
		t.Errorf("seen: %+v", seen)
	}
}

func TestGraphAnswers(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	in := `{"id":"PMID:1","title":"t","text":"Nothing here. FKBP12 binds rapamycin. Nothing there."}` + "\n" + `{"id":"x","text":"Rapamycin binds FKBP12."}`
	if _, err := run(t, in, "extract", "--in", "jsonl", "--store", "--data", data); err != nil {
		t.Fatal(err)
	}
	facts := ask[graph.Fact](t, "relations", "--data", data)
	if len(facts) == 0 || facts[0].Label != "bind" {
		t.Fatalf("relations: %+v", facts)
	}
	fact := facts[0]
	if of := ask[graph.Fact](t, "relations", "--data", data, string(fact.Head.CUI), string(fact.Tail.CUI), "--label", "bind"); len(of) != 1 || of[0].ID != fact.ID {
		t.Errorf("relations of two concepts: %+v", of)
	}
	if none := ask[graph.Fact](t, "relations", "--data", data, "--label", "unbind"); none != nil {
		t.Errorf("relations of no label: %+v", none)
	}
	if none := ask[graph.Fact](t, "relations", "--data", data, "--before", "2000-01-01"); none != nil {
		t.Errorf("relations before all: %+v", none)
	}
	for _, unknown := range [][]string{{"relations", "rapamycin"}, {"relations", string(fact.Head.CUI), "rapamycin"}, {"paths", string(fact.Head.CUI), "rapamycin"}} {
		_, err := run(t, "", append([]string{"graph", unknown[0], "--data", data}, unknown[1:]...)...)
		if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "concept rapamycin: not found (keci kb search") {
			t.Errorf("%v: error %v", unknown, err)
		}
	}
	evidence := ask[quote.Evidence](t, "evidence", "--data", data, fact.ID, "--source", "PMID")
	if len(evidence) != 1 || evidence[0].Sentence != "FKBP12 binds rapamycin." || evidence[0].DocumentID != "PMID:1" || evidence[0].Title != "t" ||
		evidence[0].Start != 14 || evidence[0].End != 37 || evidence[0].Submitted == nil {
		t.Errorf("evidence: %+v", evidence)
	}
	if none := ask[quote.Evidence](t, "evidence", "--data", data, fact.ID, "--source", "DOI"); none != nil {
		t.Errorf("evidence of no document that counts: %+v", none)
	}
	swapped := graph.FactKey{Head: fact.Tail.CUI, Label: fact.Label, Tail: fact.Head.CUI}
	for _, id := range []string{"A:b:C", fact.ID + ":directed", swapped.String()} {
		out, err := run(t, "", "graph", "evidence", "--data", data, id)
		if exitCode(err) != exitFailed || out != "" || !strings.Contains(err.Error(), "no document says "+id) {
			t.Errorf("evidence of %s, which there is not: error %v, output %q", id, err, out)
		}
	}
	concepts := ask[graph.SeenConcept](t, "concepts", "--data", data, "--order", "concept", "--limit", "1")
	if len(concepts) != 1 || concepts[0].Mentions == 0 || concepts[0].Name == "" {
		t.Errorf("concepts: %+v", concepts)
	}
	type path struct {
		Steps []struct{ Relations []graph.Fact }
	} // as over HTTP
	paths := ask[path](t, "paths", "--data", data, string(fact.Head.CUI), string(fact.Tail.CUI))
	if len(paths) != 1 || len(paths[0].Steps) != 1 || len(paths[0].Steps[0].Relations) == 0 || paths[0].Steps[0].Relations[0].ID != fact.ID {
		t.Errorf("paths: %+v", paths)
	}
}

// Questions to a store that is not there make none.
func TestGraphWithoutDocuments(t *testing.T) {
	parent := t.TempDir()
	typo, other := filepath.Join(parent, "typo"), t.TempDir()
	if err := os.Mkdir(filepath.Join(other, documentsFolder), 0o700); err != nil { // somebody's own
		t.Fatal(err)
	}
	t.Setenv("XDG_DATA_HOME", filepath.Join(parent, "home"))
	for _, args := range [][]string{
		{"relations", "--data", typo}, {"concepts", "--data", typo}, {"evidence", "--data", typo, "A:b:C"}, {"paths", "--data", typo, "A", "B"},
		{"export", "--data", typo}, {"relations", "--data", other}, {"relations"},
	} {
		_, err := run(t, "", append([]string{"graph"}, args...)...)
		if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "no documents are stored in "+filepath.Dir(parent)) {
			t.Errorf("%v: %v", args, err)
		}
	}
	for _, dir := range []string{parent, filepath.Join(other, documentsFolder)} {
		if made, _ := os.ReadDir(dir); len(made) > 0 {
			t.Errorf("there is %v now in %s", made, dir)
		}
	}
}

func TestGraphExport(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	in := `{"id":"b","text":"FKBP12 binds rapamycin."}` + "\n" + `{"id":"a","text":"Rapamycin binds FKBP12."}`
	if _, err := run(t, in, "extract", "--in", "jsonl", "--store", "--data", data); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "all.pubannotation.json")
	if _, err := run(t, "", "graph", "export", "--data", data, "--out", "pubannotation", "-o", path); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for document, err := range format.ReadAnnotatedFile(path, format.PubAnnotation) {
		if err != nil || len(document.Mentions) == 0 {
			t.Errorf("read %+v, %v", document, err)
		}
		ids = append(ids, document.ID)
	}
	if strings.Join(ids, " ") != "a b" {
		t.Errorf("exported %v", ids)
	}
	if out, err := run(t, "", "graph", "export", "--data", data, "--out", "svg", "a"); err != nil || !strings.Contains(out, "</svg>") {
		t.Errorf("one document as a picture: %v", err)
	}
	if _, err := run(t, "", "graph", "export", "--data", data, "c"); exitCode(err) != exitFailed || strings.Count(err.Error(), `"c"`) != 1 {
		t.Errorf("a document that is not there: %v", err)
	}
}

func TestGraphRefusesWrongCalls(t *testing.T) {
	for _, args := range [][]string{
		{"relations", "--order", "size"}, {"relations", "--min-score", "2"}, {"relations", "--since", "yesterday"}, {"relations", "--limit", "0"},
		{"concepts", "--order", "score"}, {"concepts", "C1"}, {"evidence", "x"}, {"evidence"}, {"paths", "C1"}, {"paths", "C1", "C1"},
		{"paths", "C1", "C2", "--max-steps", "7"}, {"export", "--out", "pdf"}, {"export", "--out", "bioc", "--offsets", "byte"}, {"sing"},
	} {
		if _, err := run(t, "", append([]string{"graph"}, args...)...); exitCode(err) != exitUsage {
			t.Errorf("%v: %v", args, err)
		}
	}
}
