package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

func writeText(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLinkWithOwnTermsAndSeveralKnowledgeBases(t *testing.T) {
	terms := writeText(t, "own.tsv", "XY-7\tX1\tT116\tCompound XY-7\nFKBP12\tX2\n")
	stop := writeText(t, "stop.txt", "xy\n")
	hash := graph.TextID("XY-7 binds FKBP12\n")
	kb := buildSmallKB(t)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"terms", []string{"--kb", kb, "--terms", terms}, " XY-7@0-4=X1 FKBP12@11-17=X2,C1,C2"},
		{"two", []string{"--kb", kb, "--kb", kb, "--terms", terms}, " XY-7@0-4=X1 FKBP12@11-17=X2,C1,C2"},
		{"stop words", []string{"--kb", kb, "--stop-words", stop}, " FKBP12@11-17=C1,C2"},
		{"the best", []string{"--kb", kb, "--terms", terms, "--max-candidates", "1"}, " XY-7@0-4=X1 FKBP12@11-17=X2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := link(t.Context(), strings.NewReader("XY-7 binds FKBP12\n"), test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{hash + test.want}, lines(t, out)); diff != "" {
				t.Errorf("want - got +:\n%s", diff)
			}
		})
	}
	for _, args := range [][]string{{"--terms", "nowhere"}, {"--stop-words", "nowhere"}, {"--kb", "nowhere"}} {
		if _, err := link(t.Context(), strings.NewReader("x"), append([]string{"--kb", kb}, args...)...); exitCode(err) != exitFailed {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestLinkTellsCodesAndSynonyms(t *testing.T) {
	out, err := link(t.Context(), strings.NewReader("FKBP12\n"), "--codes", "--synonyms", "--kb", buildSmallKB(t))
	if err != nil {
		t.Fatal(err)
	}
	var d graph.Document
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	c := d.Mentions[0].Concepts[0] // C1
	if diff := cmp.Diff([]graph.Code{{Source: "TEST", Code: "1"}}, c.Codes); diff != "" {
		t.Errorf("codes, want - got +:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"FKBP12"}, c.Synonyms); diff != "" {
		t.Errorf("synonyms, want - got +:\n%s", diff)
	}
}

// What is printed can be used again as it is.
func TestPrintStopWords(t *testing.T) {
	printed, err := link(t.Context(), strings.NewReader(""), "--print-stop-words")
	if err != nil || !strings.Contains(printed, "\nbecause\n") {
		t.Fatalf("%v: %s", err, printed)
	}
	kb, text := buildSmallKB(t), "can FKBP12\n"
	with, err := link(t.Context(), strings.NewReader(text), "--kb", kb, "--stop-words", writeText(t, "stop.txt", printed))
	if err != nil {
		t.Fatal(err)
	}
	without, err := link(t.Context(), strings.NewReader(text), "--kb", kb)
	if diff := cmp.Diff(lines(t, without), lines(t, with)); err != nil || diff != "" {
		t.Errorf("%v, want - got +:\n%s", err, diff)
	}
}

// A term of the user's is a candidate of what is extracted as well.
func TestExtractWithOwnTerms(t *testing.T) {
	terms := writeText(t, "own.tsv", "XY-7\tX1\tT109\tCompound XY-7\tan inhibitor of FKBP12\n")
	out, err := run(t, "XY-7 binds FKBP12.", "extract", "--terms", terms)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, `"name":"Compound XY-7"`) || !strings.Contains(out, " + own.tsv") {
		t.Errorf("got %s", out)
	}
}
