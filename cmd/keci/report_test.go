package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// evidenceGold is a corpus of three sentences, the last without anything to find.
const evidenceGold = `{"id":"a","text":"Rapamycin binds FKBP12.","mentions":[{"id":"T1","start":0,"end":9,"text":"Rapamycin","type":"chemical"},{"id":"T2","start":16,"end":22,"text":"FKBP12","type":"protein"}],"relations":[{"id":"R1","head":"T1","tail":"T2","label":"bind"}]}
{"id":"b","text":"MDM2 ubiquitinates p53 in tumor cells.","mentions":[{"id":"T1","start":0,"end":4,"text":"MDM2","type":"protein"},{"id":"T2","start":19,"end":22,"text":"p53","type":"protein"}],"relations":[{"id":"R1","head":"T1","tail":"T2","label":"bind"}]}
{"id":"c","text":"It rains.","mentions":[],"relations":[]}
`

func TestReportAttention(t *testing.T) {
	data := writeText(t, "gold.jsonl", evidenceGold)
	table := mustKeci(t, "report", "attention", "--corpus", "jsonl", "--data", data, "--least", "1", "--most", "2")
	if !regexp.MustCompile(`^[2-9]\d* mentions with candidates; average attention to none of them [01]\.\d{3}\n`).MatchString(table) {
		t.Errorf("the table begins with %q", strings.SplitN(table, "\n", 2)[0])
	}
	rows := regexp.MustCompile(`(?m)^\| [A-Z][^|]+ \(T\d{3}\) \| \d+ \| [01]\.\d{3} \|$`).FindAllString(table, -1)
	if len(rows) != 4 {
		t.Errorf("%d rows, want the two lowest and the two highest types:\n%s", len(rows), table)
	}
	if _, _, err := keciRun(t, "report", "attention", "--corpus", "jsonl", "--data", data, "--most", "0"); exitCode(err) != exitUsage {
		t.Errorf("--most 0: %v", err)
	}
}

func TestReportChanges(t *testing.T) {
	data, out := writeText(t, "gold.jsonl", evidenceGold), filepath.Join(t.TempDir(), "changes")
	summary := mustKeci(t, "report", "changes", "--corpus", "jsonl", "--data", data, "--out", out)
	if !strings.HasPrefix(summary, "Of 3 texts the graph of ") {
		t.Errorf("summary %q", summary)
	}
	page, err := os.ReadFile(filepath.Join(out, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), summary) {
		t.Errorf("the page lacks the summary %q:\n%s", summary, page)
	}
	for _, picture := range regexp.MustCompile(`\]\(([^)]+\.svg)\)`).FindAllStringSubmatch(string(page), -1) {
		if svg, err := os.ReadFile(filepath.Join(out, picture[1])); err != nil || !strings.Contains(string(svg), "<svg") {
			t.Errorf("picture %s: %v", picture[1], err)
		}
	}
	_, _, err = keciRun(t, "report", "changes", "--corpus", "jsonl", "--data", data)
	if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "--out") {
		t.Errorf("without --out: %v", err)
	}
}

// A model without knowledge has no attention to average, and nothing that knowledge
// changed.
func TestReportsOfModelWithoutKnowledge(t *testing.T) {
	data, dir := writeAnnotated(t, 6), t.TempDir()
	mustKeci(t, "train", "--corpus", "jsonl", "--data", data, "--encoder", writeEncoder(t), "--kb", buildSmallKB(t),
		"--variant", "sent-context", "--epochs", "1", "--held-out", "0", "--out", filepath.Join(dir, "run"), "--quiet")
	page := filepath.Join(dir, "changes")
	for _, args := range [][]string{{"attention"}, {"changes", "--out", page}} {
		_, _, err := keciRun(t, append(append([]string{"report"}, args...), "--corpus", "jsonl", "--data", data, "--model", filepath.Join(dir, "run", "best"), "--quiet")...)
		if exitCode(err) != exitFailed || !strings.Contains(err.Error(), "the variant sent-context has no fusion") {
			t.Errorf("report %s: %v", args[0], err)
		}
	}
	if _, err := os.Stat(page); err == nil {
		t.Errorf("there is a page: %s", page)
	}
}
