package eval_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
	"github.com/keci-kg/keci/linker/eval"
)

// gold are two documents: a nested pair, a concept that the knowledge base does
// not have, one marked twice, and one that is not of ST21pv.
const gold = `{"pmid":"1","tokens":["β","-","cell","tumour","of","the","lung"],"mentions":[{"start":0,"end":4,"cui":"C1"},{"start":2,"end":3,"cui":"C2"},{"start":6,"end":7,"cui":"C9"}]}
{"pmid":"1","tokens":["cells","grow"],"mentions":[{"start":0,"end":1,"cui":"C2"},{"start":0,"end":1,"cui":"C2"},{"start":1,"end":2,"cui":"C3"}]}
{"pmid":"2","tokens":["lung"],"mentions":[{"start":0,"end":1,"cui":"K4"}]}
`

// found are the predictions, in bytes: candidates by text and range.
var found = [][]graph.Mention{
	{
		mention(0, 16, "C1", "C2"), // right
		mention(5, 9, "K4", "C2"),  // among the candidates
		mention(10, 16, "C1"),      // not marked
		mention(24, 28, "K4"),      // marked with an unknown concept; no concept of the UMLS
	},
	{mention(0, 5, "C2"), mention(6, 10, "C3")}, // right, and right but of another type
	{mention(0, 4, "K4"), mention(1, 3, "K4")},  // right, and not judged
}

func mention(start, end int, cuis ...graph.CUI) graph.Mention {
	m := graph.Mention{Start: start, End: end}
	for _, cui := range cuis {
		m.Concepts = append(m.Concepts, graph.Candidate{CUI: cui, SemanticTypes: []graph.TUI{typeOf[cui]}})
	}
	return m
}

var typeOf = map[graph.CUI]graph.TUI{"C1": "T191", "C2": "T017", "C3": "T999", "K4": "T023"}

// trees are tree numbers: T017 is of ST21pv, T191 and T023 are below such, T999 is not.
var trees = map[graph.TUI]string{above: "B2.2.1", "T191": "B2.2.1.2.1.2", "T017": "A1.2", "T023": "A1.2.3.1", "T999": "B9"}

// above is a type that no concept has, and so none of a knowledge base without a Semantic Network.
const above = "T038"

// types is a knowledge base of typeOf and trees.
type types struct{ graph.Knowledge }

func (types) Concept(_ context.Context, cui graph.CUI) (graph.Concept, error) {
	if typeOf[cui] == "" {
		return graph.Concept{}, graph.ErrNotFound
	}
	return graph.Concept{CUI: cui, SemanticTypes: []graph.TUI{typeOf[cui]}}, nil
}

func (types) SemanticType(_ context.Context, tui graph.TUI) (graph.SemanticType, error) {
	if trees[tui] == "" || tui == above {
		return graph.SemanticType{}, graph.ErrNotFound
	}
	return graph.SemanticType{TUI: tui, TreeNumber: trees[tui]}, nil
}

func readGold(t *testing.T) (path string, texts []linker.Annotated) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "gold.jsonl")
	if err := os.WriteFile(path, []byte(gold), 0o600); err != nil {
		t.Fatal(err)
	}
	texts, err := eval.ReadMedMentions(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, texts
}

func judged(t *testing.T) eval.Measures {
	t.Helper()
	_, texts := readGold(t)
	judge := eval.NewJudge(types{})
	for i, text := range texts {
		if err := judge.Add(context.Background(), text, found[i]); err != nil {
			t.Fatal(err)
		}
	}
	return judge.Measures()
}

func TestJudge(t *testing.T) {
	want := eval.Counts{Texts: 3, Gold: 5, Marked: 6, Covered: 6, Spans: 8, Candidates: 10, RightSpan: 5, Among: 5, Right: 4, Judged: 5}
	got := judged(t)
	if diff := cmp.Diff(want, got.Counts); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
	if got.Precision != 80 || got.Recall != 80 || got.F1 != 80 || got.CandidateRecall != 100 || got.Coverage != 100 || got.PerSpan != 1.25 {
		t.Errorf("got %+v", got)
	}
}

// The script that defines the measures gives the same, where it is there.
func TestJudgeAgreesWithScript(t *testing.T) {
	script := sharedTool(t, "linker_eval.py")
	goldPath, texts := readGold(t)
	dir := t.TempDir()
	var hierarchy, typed, predicted strings.Builder
	// The script wants all 21 types, those that the knowledge base here does not have as well.
	for i, tui := range strings.Fields("T005 T007 T017 T022 T031 T033 T037 T038 T058 T062 T074 T082 T091 T092 T097 T098 T103 T168 T170 T201 T204") {
		if trees[graph.TUI(tui)] == "" {
			fmt.Fprintf(&hierarchy, "STY|%s|name|Z%d|\n", tui, i)
		}
	}
	for tui, number := range trees {
		fmt.Fprintf(&hierarchy, "STY|%s|name|%s|\n", tui, number)
	}
	for cui, tui := range typeOf {
		fmt.Fprintf(&typed, "%s|%s|\n", cui, tui)
	}
	for i, mentions := range found {
		d := graph.Document{ID: fmt.Sprint(i), Text: texts[i].Text, Offsets: graph.OffsetByte, Mentions: mentions}
		d, err := d.WithOffsets(graph.OffsetCodepoint)
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		predicted.Write(append(line, '\n'))
	}
	for name, content := range map[string]string{"NET/SRDEF": hierarchy.String(), "META/MRSTY.RRF": typed.String(), "found.jsonl": predicted.String()} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), "python3", script, "--kb", dir, goldPath, filepath.Join(dir, "found.jsonl")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	heads, row := strings.Fields(lines[1]), strings.Fields(lines[2])
	got := judged(t)
	for i, head := range heads {
		want, ok := map[string]string{
			"P": fmt.Sprintf("%.1f", got.Precision), "R": fmt.Sprintf("%.1f", got.Recall), "F1": fmt.Sprintf("%.1f", got.F1),
			"cand-R": fmt.Sprintf("%.1f", got.CandidateRecall), "span-R": fmt.Sprintf("%.1f", got.SpanRecall),
			"cover": fmt.Sprintf("%.1f", got.Coverage), "spans": fmt.Sprint(got.Counts.Spans), "judged": fmt.Sprint(got.Counts.Judged),
		}[head]
		if ok && row[i] != want {
			t.Errorf("%s is %s by the script and %s here", head, row[i], want)
		}
	}
}

// sharedTool finds a script beside the corpora, or skips the test.
func sharedTool(t *testing.T, name string) string {
	t.Helper()
	data := os.Getenv("KECI_SHARED_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(data, "..", "tools", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no script: %v", err)
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3")
	}
	return path
}

func TestReadMedMentions(t *testing.T) {
	_, texts := readGold(t)
	var got []string
	for _, text := range texts {
		for _, m := range text.Mentions {
			if !utf8.ValidString(text.Text[m.Start:m.End]) {
				t.Errorf("%v cuts a character of %q", m, text.Text)
			}
			got = append(got, text.Document+" "+text.Text[m.Start:m.End]+" "+string(m.CUI))
		}
	}
	want := []string{"1 β - cell tumour C1", "1 cell C2", "1 lung C9", "1 cells C2", "1 cells C2", "1 grow C3", "2 lung K4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
	for _, share := range []float64{0, 0.5, 1} {
		first, rest := eval.Split(texts, share)
		if want := map[float64]int{0: 0, 0.5: 2, 1: 3}[share]; len(first) != want || len(first)+len(rest) != len(texts) {
			t.Errorf("share %g: %d and %d texts", share, len(first), len(rest))
		}
	}
}

func TestReadMedMentionsRefuses(t *testing.T) {
	for content, want := range map[string]string{
		"{\"tokens\":[\"a\"]}\n{\"tokens\":[\"a\"],\"mentions\":[{\"start\":0,\"end\":2}]}\n": ":2: a mention has the tokens 0 to 2 of 1",
		"{\"tokens\":[\"a\"]}\n\n{":       ":3:",
		"{\"id\":\"1\",\"text\":\"a\"}\n": `:1: it has no "tokens"`, // a document for keci link
	} {
		path := filepath.Join(t.TempDir(), "bad.jsonl")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := eval.ReadMedMentions(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}

// TestWritten: blanks stand where people write them, and mentions go with their words.
func TestWritten(t *testing.T) {
	text := linker.Annotated{Document: "1", Text: `Mice ' s " β - cell tumours " ( 50 % ) , and / or IL-2 : none .`}
	for _, name := range []string{"β - cell tumours", "Mice", "IL-2", "none"} {
		start := strings.Index(text.Text, name)
		text.Mentions = append(text.Mentions, linker.Annotation{Start: start, End: start + len(name), CUI: "C1"})
	}
	got := eval.Written([]linker.Annotated{text})[0]
	if want := `Mice' s "β-cell tumours" (50%), and/or IL-2: none.`; got.Text != want || got.Document != "1" {
		t.Errorf("got %q, want %q", got.Text, want)
	}
	var names []string
	for _, m := range got.Mentions {
		names = append(names, got.Text[m.Start:m.End]+" "+string(m.CUI))
	}
	if diff := cmp.Diff([]string{"β-cell tumours C1", "Mice C1", "IL-2 C1", "none C1"}, names); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}
