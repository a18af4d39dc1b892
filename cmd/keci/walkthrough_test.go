package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the answers in the walk-throughs anew")

// block is a fenced block of a page: commands, or what the commands before it print.
var block = regexp.MustCompile("(?ms)^```(sh|text)\n(.*?)^```$")

// step is a block of commands.
type step struct {
	commands string
	start    int    // of the block with the answer; 0 when none is told
	answer   string // what the page says that it prints
}

func readSteps(t *testing.T, page string) (steps []step) {
	t.Helper()
	for _, at := range block.FindAllStringSubmatchIndex(page, -1) {
		kind, content := page[at[2]:at[3]], page[at[4]:at[5]]
		switch {
		case kind == "sh":
			steps = append(steps, step{commands: content})
		case len(steps) == 0 || steps[len(steps)-1].start != 0:
			t.Fatalf("an answer without commands:\n%s", content)
		default:
			steps[len(steps)-1].start, steps[len(steps)-1].answer = at[4], content
		}
	}
	if len(steps) == 0 {
		t.Fatal("the page has no steps")
	}
	return steps
}

// stepEnd ends what a step prints.
const stepEnd = "\x1e\n"

// TestWalkthroughs does what the walk-throughs say, with a server as it comes, and
// compares what they say that it prints.
func TestWalkthroughs(t *testing.T) {
	for _, program := range []string{"bash", "curl", "jq", "zcat"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	for name, needs := range map[string]string{"rest-client.md": "", "knowledge-engineer.md": "text/abstracts.txt.gz"} {
		t.Run(name, func(t *testing.T) {
			abstracts := ""
			if needs != "" {
				abstracts = sharedFile(t, needs)
			}
			path := filepath.Join("../../doc/walkthroughs", name)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			page := string(content)
			steps := readSteps(t, page)
			printed := walk(t, steps, abstracts)
			for i := len(steps) - 1; i >= 0; i-- {
				s := steps[i]
				if s.start == 0 {
					continue
				}
				if *update {
					page = page[:s.start] + printed[i] + page[s.start+len(s.answer):]
				} else if diff := cmp.Diff(s.answer, printed[i]); diff != "" {
					t.Errorf("%s\nprints (-the page +now; -update writes it):\n%s", s.commands, diff)
				}
			}
			if *update {
				if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// valueOf is a field of a document with a plain value.
var valueOf = regexp.MustCompile(`"\w+":("[^"…]*"|[\d.]+|true|false)`)

// TestDocumentInREADME compares the values of the document that the page shows with those
// that come back for the text above it.
func TestDocumentInREADME(t *testing.T) {
	page := readFile(t, "../../README.md")
	_, asked, found := strings.Cut(page, `-d '{"text":"`)
	text, _, ends := strings.Cut(asked, `"}'`)
	_, shown, shows := strings.Cut(page, "```json\n")
	shown, _, closes := strings.Cut(shown, "```")
	values := valueOf.FindAllString(shown, -1)
	if !found || !ends || !shows || !closes || len(values) < 20 {
		t.Fatalf("the page has another form: the text %q, the document %q", text, shown)
	}
	out, err := run(t, text, "extract")
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range values {
		if !strings.Contains(out, value) {
			t.Errorf("the page shows %s, which is not in\n%s", value, out)
		}
	}
}

// walk runs all steps in one shell and gives what each prints.
func walk(t *testing.T, steps []step, abstracts string) []string {
	t.Helper()
	url, stop := serve(t, "--data", t.TempDir())
	defer stop()
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	for _, s := range steps {
		script.WriteString(strings.ReplaceAll(s.commands, "http://localhost:8080", strings.TrimSuffix(url, "/")) + "printf '" + `\036\n` + "'\n")
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "ABSTRACTS="+abstracts, "LC_ALL=C.UTF-8")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	printed := strings.Split(string(out), stepEnd)
	if err != nil {
		t.Fatalf("%v after %d steps: %s\n%s", err, len(printed)-1, complaints.String(), printed[len(printed)-1])
	}
	return printed
}

// sharedFile finds a file of the real data, or skips the test.
func sharedFile(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("KECI_SHARED_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	path, err := filepath.Abs(filepath.Join(root, name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Skipf("no real data: %v", err)
	}
	return path
}
