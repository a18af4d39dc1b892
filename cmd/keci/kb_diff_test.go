package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/graph"
)

// twoReleases builds the knowledge base of kbTables and a newer one, in which C01
// was merged into C04 and nothing else changed; tables are those of the newer one.
func twoReleases(t *testing.T) (tables, older, newer string) {
	t.Helper()
	tables = writeTables(t)
	parent := t.TempDir()
	older, newer = filepath.Join(parent, "older"), filepath.Join(parent, "newer")
	if _, _, err := runKB(t, "build", older, "--rrf", tables); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"MRCONSO.RRF": strings.ReplaceAll(kbTables["MRCONSO.RRF"], "C01|", "C04|"),
		"MRSTY.RRF":   strings.ReplaceAll(kbTables["MRSTY.RRF"], "C01|", "C04|"),
		"MRREL.RRF":   "",
		"MRCUI.RRF":   "C01|2025AB|SY|||C04|Y|\n",
	} {
		if strings.HasPrefix(content, "C04|") { // sorted again
			lines := strings.SplitAfter(content, "\n")
			n := strings.Count(content, "C04|")
			content = strings.Join(append(lines[n:len(lines)-1], lines[:n]...), "")
		}
		if err := os.WriteFile(filepath.Join(tables, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, log, err := runKB(t, "build", newer, "--rrf", tables); err != nil || !strings.Contains(log, "MRREL.RRF: the table is empty") {
		t.Fatal(err, log)
	}
	return tables, older, newer
}

func TestKBDiff(t *testing.T) {
	tables, older, newer := twoReleases(t)
	parent := filepath.Dir(older)
	got := runKBJSON[diffSummary](t, "diff", older, newer)
	if want := (diffSummary{Concepts: diffCounts{Added: 1, Removed: 1, Replaced: 1}, Relations: diffCounts{Removed: 1}}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := runKBJSON[diffSummary](t, "diff", newer, newer); got != (diffSummary{}) {
		t.Errorf("with itself: %+v", got)
	}
	out, _, err := runKB(t, "diff", "--list", older, newer)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); err != nil || len(lines) != 4 || !strings.Contains(lines[0], `"into":"C04"`) {
		t.Errorf("%v: %s", err, out)
	}
	shown := runKBJSON[shownConcept](t, "show", "--kb", newer, "C01")
	if shown.CUI != "C04" || shown.Retired == nil || *shown.Retired != (graph.Retired{CUI: "C01", Into: "C04", Release: "2025AB"}) {
		t.Errorf("a retired concept: %+v", shown)
	}
	// A release that tells nothing of C01, after one that had it.
	if err := os.Remove(filepath.Join(tables, "MRCUI.RRF")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runKB(t, "build", newer, "--force", "--rrf", tables, "--after", older); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runKB(t, "show", "--kb", newer, "C01"); !errors.Is(err, graph.ErrRetired) {
		t.Errorf("a concept that went: %v", err)
	}
	if _, _, err := runKB(t, "build", newer, "--force", "--rrf", tables, "--after", parent); exitCode(err) != exitFailed || !strings.Contains(err.Error(), parent) {
		t.Errorf("nothing to follow: %v", err)
	}
	if _, _, err := runKB(t, "diff", older, parent); exitCode(err) != exitFailed || !strings.Contains(err.Error(), parent) {
		t.Errorf("no knowledge base: %v", err)
	}
}
