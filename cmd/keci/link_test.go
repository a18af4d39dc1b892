package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// smallSource is a knowledge base of two concepts.
type smallSource struct{}

func (smallSource) Concepts(context.Context) iter.Seq2[graph.Concept, error] {
	return func(yield func(graph.Concept, error) bool) {
		for _, c := range []graph.Concept{
			{CUI: "C1", Name: "FKBP1A", Synonyms: []string{"FKBP12"}, SemanticTypes: []graph.TUI{"T116"}, Sources: []string{"TEST"},
				Codes: []graph.Code{{Source: "TEST", Code: "1"}}},
			{CUI: "C2", Name: "fkbp12", SemanticTypes: []graph.TUI{"T116"}, Sources: []string{"TEST"}},
		} {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (smallSource) Relations(context.Context) iter.Seq2[graph.Relation, error] {
	return func(func(graph.Relation, error) bool) {}
}

func (smallSource) SemanticTypes(context.Context) iter.Seq2[graph.SemanticType, error] {
	return func(yield func(graph.SemanticType, error) bool) { yield(graph.SemanticType{TUI: "T116"}, nil) }
}

func (smallSource) TypeRelations(context.Context) iter.Seq2[graph.TypeRelation, error] {
	return func(func(graph.TypeRelation, error) bool) {}
}

func (smallSource) Sources(context.Context) ([]graph.SourceInfo, error) { return nil, nil }

func buildSmallKB(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "kb")
	if _, err := knowledgebase.Build(t.Context(), dir, smallSource{}, knowledgebase.Options{Name: "small"}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// link runs the command with the given standard input.
func link(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := newRootCommand()
	cmd.SetArgs(append([]string{"link"}, args...))
	cmd.SetIn(stdin)
	cmd.SetOut(&out)
	err := cmd.ExecuteContext(ctx)
	return out.String(), err
}

// linked is what the tests look at in a line of output.
type linked struct {
	ID       string
	Offsets  string
	KB       struct{ Name string }
	Mentions []struct {
		Start, End int
		Text       string
		Concepts   []struct{ CUI string }
	}
	Error *struct{ Detail string }
}

// lines gives each document as "id mention@start-end=CUI,…" or "id: error".
func lines(t *testing.T, out string) (got []string) {
	t.Helper()
	for line := range strings.Lines(out) {
		var d linked
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if d.Error != nil {
			got = append(got, d.ID+": "+d.Error.Detail)
			continue
		}
		s := d.ID
		for _, m := range d.Mentions {
			s += fmt.Sprintf(" %s@%d-%d=", m.Text, m.Start, m.End)
			for i, c := range m.Concepts {
				s += strings.Repeat(",", min(i, 1)) + c.CUI
			}
		}
		got = append(got, s)
	}
	return got
}

func TestLinkCommand(t *testing.T) {
	kb := buildSmallKB(t)
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a.txt":       "FKBP12",
		"b/c.jsonl":   `{"id":"c1","text":"no name"}` + "\n" + `{"id":"c2","text":"😀 FKBP12"}`,
		"b/d.txt":     "😀",
		"b/passed.md": "FKBP12",
		"named.md":    "fkbp12",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	hash := graph.TextID("FKBP12\n")
	for _, test := range []struct {
		name, stdin string
		args        []string
		want        []string
		exit        int
	}{
		{"standard input", "FKBP12\n", nil, []string{hash + " FKBP12@0-6=C1,C2"}, 0},
		{"JSONL", `{"id":1,"text":"FKBP12"}`, []string{"--in", "jsonl"}, []string{"1 FKBP12@0-6=C1,C2"}, 0},
		{"one candidate", "FKBP12\n", []string{"--max-candidates", "1"}, []string{hash + " FKBP12@0-6=C1"}, 0},
		{"code points", "", []string{in("b/c.jsonl")}, []string{"c1", "c2 FKBP12@2-8=C1,C2"}, 0},
		{"UTF-16", "", []string{in("b/c.jsonl"), "--offsets", "utf16"}, []string{"c1", "c2 FKBP12@3-9=C1,C2"}, 0},
		{"bytes", "", []string{in("b/c.jsonl"), "--offsets", "byte"}, []string{"c1", "c2 FKBP12@5-11=C1,C2"}, 0},
		{"files and folders, one bad", "", []string{in("named.md"), in("a.txt"), in("b")}, []string{
			in("named.md") + " fkbp12@0-6=C2,C1", in("a.txt") + " FKBP12@0-6=C1,C2", "c1", "c2 FKBP12@2-8=C1,C2",
			in("b/d.txt") + ": the text holds no letter and no digit"}, exitSomeFailed},
		{"missing file", "", []string{in("x.txt"), in("a.txt")}, []string{
			in("x.txt") + ": " + in("x.txt") + ": no such file or directory", in("a.txt") + " FKBP12@0-6=C1,C2"}, exitSomeFailed},
		{"bad lines", `{"id":"a","text":"` + "\n" + `{"id":"b","text":"FKBP12"}` + "\n" + `{"id":"c"}`, []string{"--in", "jsonl"}, []string{
			"-:1: line 1: no JSON document with the fields id, title and text: unexpected EOF", "b FKBP12@0-6=C1,C2",
			`c: line 3: the field "text" is missing`}, exitSomeFailed},
		{"too long", "FKBP12\n", []string{"--max-text-bytes", "6"}, []string{
			hash + ": the text is too long: 7 bytes, at most 6 are allowed (--max-text-bytes)"}, exitSomeFailed},
		{"bad id", `{"id":"a\nb","text":"x"}`, []string{"--in", "jsonl"}, []string{"a\nb: the id holds the control character U+000A at byte 1"}, exitSomeFailed},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := link(t.Context(), strings.NewReader(test.stdin), append(test.args, "--kb", kb)...)
			if got := exitCode(err); got != test.exit {
				t.Errorf("exit code %d (%v), want %d", got, err, test.exit)
			}
			if diff := cmp.Diff(test.want, lines(t, out)); diff != "" {
				t.Errorf("want - got +:\n%s", diff)
			}
		})
	}
}

func TestLinkKeepsTheOrder(t *testing.T) {
	var in strings.Builder
	var want []string
	for i := range 500 {
		fmt.Fprintf(&in, `{"id":%d,"text":"x %s"}`+"\n", i, strings.Repeat("FKBP12 ", i%7*50))
		want = append(want, fmt.Sprint(i))
	}
	out, err := link(t.Context(), strings.NewReader(in.String()), "--in", "jsonl", "--workers", "8", "--kb", buildSmallKB(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range lines(t, out) {
		id, _, _ := strings.Cut(line, " ")
		got = append(got, id)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}

func TestLinkAsJSONArray(t *testing.T) {
	out, err := link(t.Context(), strings.NewReader(`{"id":"a","text":"FKBP12"}`+"\n"+`{"id":"b"}`), "--in", "jsonl", "--out", "json", "--kb", buildSmallKB(t))
	if exitCode(err) != exitSomeFailed {
		t.Errorf("got %v", err)
	}
	var documents []linked
	if err := json.Unmarshal([]byte(out), &documents); err != nil {
		t.Fatal(err)
	}
	if len(documents) != 2 || documents[0].KB.Name != "small" || documents[0].Offsets != "codepoint" || documents[1].Error == nil {
		t.Errorf("got %+v", documents)
	}
}

func TestLinkStops(t *testing.T) {
	kb := buildSmallKB(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := link(ctx, strings.NewReader("FKBP12"), "--kb", kb); exitCode(err) != exitInterrupted {
		t.Errorf("cancelled: %v", err)
	}
	hanging, never := io.Pipe()
	defer never.Close()
	ctx, cancel = context.WithTimeoutCause(t.Context(), 100*time.Millisecond, context.Canceled)
	defer cancel()
	if _, err := link(ctx, hanging, "--kb", kb); exitCode(err) != exitInterrupted {
		t.Errorf("cancelled while reading: %v", err)
	}
	broken := io.MultiReader(strings.NewReader(`{"id":"a","text":"FKBP12"}`+"\n"), iotest.ErrReader(errors.New("disk on fire")))
	out, err := link(t.Context(), broken, "--in", "jsonl", "--kb", kb)
	if diff := cmp.Diff([]string{"a FKBP12@0-6=C1,C2", "-: line 2: disk on fire"}, lines(t, out)); diff != "" || exitCode(err) != exitSomeFailed {
		t.Errorf("broken input: %v, want - got +:\n%s", err, diff)
	}
}

func TestLinkRefusesWrongCalls(t *testing.T) {
	for _, args := range [][]string{
		{"--in", "pdf"}, {"--out", "text"}, {"--offsets", "words"}, {"--workers", "0"}, {"--max-candidates", "-1"},
		{"--max-text-bytes", "0"}, {"--unknown"}, {"--out", "csv"},
	} {
		if _, err := link(t.Context(), strings.NewReader("x"), args...); exitCode(err) != exitUsage {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := link(t.Context(), strings.NewReader("x"), "--kb", t.TempDir()); exitCode(err) != exitFailed {
		t.Errorf("no knowledge base there: %v", err)
	}
}

func TestFinalMapping(t *testing.T) {
	kb := buildSmallKB(t)
	all, err := run(t, "FKBP12 and FKBP12", "link", "--kb", kb)
	if err != nil {
		t.Fatal(err)
	}
	final, err := run(t, "FKBP12 and FKBP12", "link", "--kb", kb, "--final")
	marked := func(out string) int { return strings.Count(out, `"final":true`) }
	if mentions := strings.Count(final, `"start":`); err != nil || mentions == 0 || mentions != marked(final) || mentions != marked(all) {
		t.Errorf("error %v; of\n%sthe final ones are\n%s", err, all, final)
	}
	got := finalMapping([]graph.Mention{{ID: "T1"}, {ID: "T2", Final: true, LongForm: "T1"}, {ID: "T3", Final: true, LongForm: "T2"}})
	if diff := cmp.Diff([]graph.Mention{{ID: "T2", Final: true}, {ID: "T3", Final: true, LongForm: "T2"}}, got); diff != "" {
		t.Errorf("want - got +:\n%s", diff)
	}
}
