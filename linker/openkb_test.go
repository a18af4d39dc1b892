package linker

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls"
)

// sharedData finds the folder of real data, or skips the test.
func sharedData(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("KECI_SHARED_DATA")
	if root == "" {
		dir, err := os.Getwd()
		for ; err == nil && root == ""; dir = filepath.Dir(dir) {
			if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
				root = filepath.Join(dir, "..", "shared", "data")
			} else if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no real data: %v", err)
	}
	return path
}

var openKB struct {
	once   sync.Once
	linker *Linker
	err    error
}

// openOpenKB builds the dictionary of open-kb, once for all tests.
func openOpenKB(t testing.TB) *Linker {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a large dictionary")
	}
	release := sharedData(t, "open-kb")
	openKB.once.Do(func() {
		var dir string
		if dir, openKB.err = os.MkdirTemp("", "keci-openkb-"); openKB.err != nil {
			return
		}
		defer os.RemoveAll(dir) // what is mapped stays
		if openKB.err = buildFrom(release, dir); openKB.err == nil {
			openKB.linker, openKB.err = Open(dir)
		}
	})
	if openKB.err != nil {
		t.Fatal(openKB.err)
	}
	return openKB.linker
}

func buildFrom(release, dir string) error {
	r, err := umls.Open(release, umls.Options{})
	if err != nil {
		return err
	}
	b, err := NewBuilder(dir)
	if err != nil {
		return err
	}
	for concept, err := range r.Concepts(context.Background()) {
		if err != nil {
			return err
		}
		if err := b.Add(concept); err != nil {
			return err
		}
	}
	return b.Finish(context.Background())
}

// annotated is a text with the ranges, in code points, that people marked.
type annotated struct {
	text  string
	spans map[[2]int]bool
}

func readJSON[T any](t testing.TB, path string) (value T) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, &value)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func readBioRelEx(t testing.TB) (all []annotated) {
	type sentence struct {
		Text     string
		Entities []struct {
			Names map[string]struct{ Mentions [][2]int }
		}
	}
	for _, s := range readJSON[[]sentence](t, sharedData(t, "corpora", "biorelex", "dev.json")) {
		a := annotated{s.Text, map[[2]int]bool{}}
		for _, entity := range s.Entities {
			for _, name := range entity.Names {
				for _, span := range name.Mentions {
					a.spans[span] = true
				}
			}
		}
		all = append(all, a)
	}
	return all
}

func readADE(t testing.TB) (all []annotated) {
	type sentence struct {
		Tokens   []string
		Entities []struct{ Start, End int }
	}
	for _, s := range readJSON[[]sentence](t, sharedData(t, "corpora", "ade", "ade_split_0_test.json")) {
		starts := []int{0}
		for _, token := range s.Tokens {
			starts = append(starts, starts[len(starts)-1]+utf8.RuneCountInString(token)+1)
		}
		a := annotated{strings.Join(s.Tokens, " "), map[[2]int]bool{}}
		for _, e := range s.Entities {
			a.spans[[2]int{starts[e.Start], starts[e.End] - 1}] = true
		}
		all = append(all, a)
	}
	return all
}

func readBC5CDR(t testing.TB) (all []annotated) {
	paths, err := filepath.Glob(filepath.Join(sharedData(t, "corpora", "bc5cdr"), "*[dD]ev*"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("found %v, %v", paths, err)
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(string(content), "\n\n") {
		a := annotated{spans: map[[2]int]bool{}}
		for line := range strings.SplitSeq(strings.TrimSpace(block), "\n") {
			if parts := strings.SplitN(line, "|", 3); len(parts) == 3 && (parts[1] == "t" || parts[1] == "a") {
				a.text += parts[2] + " "
			}
			if row := strings.Split(line, "\t"); len(row) >= 6 {
				var span [2]int
				if _, err := fmt.Sscan(row[1]+" "+row[2], &span[0], &span[1]); err != nil {
					t.Fatal(err)
				}
				a.spans[span] = true
			}
		}
		if a.text != "" {
			all = append(all, a)
		}
	}
	return all
}

// TestCoverage measures how many of the ranges that people marked have a candidate.
func TestCoverage(t *testing.T) {
	l := openOpenKB(t)
	for _, test := range []struct {
		corpus  string
		read    func(testing.TB) []annotated
		atLeast float64 // per cent
	}{
		{"BioRelEx dev", readBioRelEx, 81.5},
		{"ADE fold 0 test", readADE, 91},
		{"BC5CDR dev", readBC5CDR, 93},
	} {
		t.Run(test.corpus, func(t *testing.T) {
			covered, all := 0, 0
			for _, a := range test.read(t) {
				linked := linkedSpans(t, l, a.text)
				for span := range a.spans {
					all++
					if linked[span] {
						covered++
					}
				}
			}
			got := 100 * float64(covered) / float64(all)
			t.Logf("%.1f %% of %d ranges", got, all)
			if got < test.atLeast {
				t.Errorf("%.1f %% covered, want at least %.1f", got, test.atLeast)
			}
		})
	}
}

// linkedSpans gives the ranges of the mentions in code points.
func linkedSpans(t testing.TB, l *Linker, text string) map[[2]int]bool {
	mentions, err := l.Link(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	d, err := graph.Document{Text: text, Offsets: graph.OffsetByte, Mentions: mentions}.WithOffsets(graph.OffsetCodepoint)
	if err != nil {
		t.Fatal(err)
	}
	spans := map[[2]int]bool{}
	for _, m := range d.Mentions {
		spans[[2]int{m.Start, m.End}] = true
	}
	return spans
}

func readAbstracts(t testing.TB, limit int) (texts []string) {
	f, err := os.Open(sharedData(t, "text", "abstracts.txt.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unpacked)
	lines.Buffer(nil, 1<<20)
	for len(texts) < limit && lines.Scan() {
		texts = append(texts, lines.Text())
	}
	return texts
}
