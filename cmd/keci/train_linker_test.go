package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/linker"
)

// writeLinked writes texts in the form of MedMentions that mention concepts of the small
// knowledge base.
func writeLinked(t *testing.T) string {
	t.Helper()
	var lines strings.Builder
	for i := range 20 {
		fmt.Fprintf(&lines, `{"pmid":"%d","tokens":["The","FKBP12","binds","rapamycin","."],"mentions":[{"start":1,"end":2,"cui":"C2"}]}`+"\n", i)
	}
	return writeText(t, "linked.jsonl", lines.String())
}

func TestTrainLinker(t *testing.T) {
	kb, data, dir := buildSmallKB(t), writeLinked(t), t.TempDir()
	out := filepath.Join(dir, "linker.tsv.gz")
	mustKeci(t, "train", "linker", "--data", data, "--kb", kb, "--out", out)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
	if told := mustKeci(t, "evaluate", "--corpus", "medmentions", "--data", data, "--kb", kb, "--link-model", out); !strings.Contains(told, `"final"`) {
		t.Errorf("evaluated %s", told)
	}
}

// Where the model cannot be written is told before anything is read, and what fails
// leaves nothing, and the model of before as it was.
func TestTrainLinkerThatFails(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none", "linker.tsv.gz")
	if _, _, err := keciRun(t, "train", "linker", "--data", "missing.jsonl", "--out", nowhere); err == nil || !strings.Contains(err.Error(), nowhere) {
		t.Errorf("no folder for the model: %v", err)
	}
	out := writeText(t, "linker.tsv.gz", "old")
	if _, _, err := keciRun(t, "train", "linker", "--data", "missing.jsonl", "--out", out); err == nil || !strings.Contains(err.Error(), "missing.jsonl") {
		t.Errorf("no texts: %v", err)
	}
	unknown := writeText(t, "unknown.jsonl", `{"pmid":"1","tokens":["FKBP12"],"mentions":[{"start":0,"end":1,"cui":"C999"}]}`)
	if _, _, err := keciRun(t, "train", "linker", "--data", unknown, "--kb", buildSmallKB(t), "--out", out); !errors.Is(err, linker.ErrNothingKnown) {
		t.Errorf("none of the concepts is known: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) != 1 || readFile(t, out) != "old" {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}
