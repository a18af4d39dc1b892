package linker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

// writeTest writes a dictionary and gives its folder.
func writeTest(t testing.TB, concepts []graph.Concept) string {
	t.Helper()
	dir := t.TempDir()
	b, err := NewBuilder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range concepts {
		if err := b.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Finish(context.Background()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func readFolder(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for _, entry := range entries {
		if files[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestOrderOfConceptsDoesNotMatter(t *testing.T) {
	backwards := slices.Clone(testConcepts)
	slices.Reverse(backwards)
	want, got := readFolder(t, writeTest(t, testConcepts)), readFolder(t, writeTest(t, backwards))
	if len(want) != 7 {
		t.Errorf("%d files", len(want))
	}
	for name := range want {
		if !bytes.Equal(want[name], got[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

// A build that is given up leaves nothing behind.
func TestBuilderGivenUp(t *testing.T) {
	dir := t.TempDir()
	b, err := NewBuilder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range testConcepts {
		if err := b.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	b.Close()
	if files := readFolder(t, dir); len(files) > 0 {
		t.Errorf("%d files", len(files))
	}
}

func TestBuilderRefuses(t *testing.T) {
	b, err := NewBuilder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Add(graph.Concept{CUI: "C\x00", Name: "a"}); err == nil {
		t.Error("a NUL: no error")
	}
	if err := b.Add(graph.Concept{Name: "nameless"}); err == nil {
		t.Error("no CUI: no error")
	}
	if err := b.Add(graph.Concept{CUI: "C1", Name: "a"}); err != nil {
		t.Error(err)
	}
	if err := b.Add(graph.Concept{CUI: "C1", Name: "b"}); err == nil || !strings.Contains(err.Error(), "C1") {
		t.Errorf("twice: %v", err)
	}
}

func TestInterruptedBuildLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	b, err := NewBuilder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Add(testConcepts[0]); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Finish(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if files := readFolder(t, dir); len(files) > 0 {
		t.Errorf("left %d files", len(files))
	}
}

func TestEmptyDictionary(t *testing.T) {
	l := buildTest(t, nil)
	got, err := l.Link(context.Background(), "anything at all")
	if err != nil || len(got) > 0 || got == nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestOpenDamaged(t *testing.T) {
	whole := readFolder(t, writeTest(t, testConcepts))
	for _, test := range []struct {
		name, file string
		damage     func([]byte) []byte // nil: the file is missing
		want       error
	}{
		{"missing manifest", manifestFile, nil, ErrNoDictionary},
		{"broken manifest", manifestFile, func(b []byte) []byte { return b[:len(b)/2] }, ErrDamaged},
		{"other version", manifestFile, func(b []byte) []byte {
			return bytes.Replace(b, fmt.Appendf(nil, `"formatVersion": %d`, formatVersion), []byte(`"formatVersion": 99`), 1)
		}, ErrVersion},
		{"missing names", namesFile, nil, ErrDamaged},
		{"cut names", namesFile, func(b []byte) []byte { return b[:len(b)-1] }, ErrDamaged},
		{"empty postings", postingsFile, func([]byte) []byte { return nil }, ErrDamaged},
		{"other postings", postingsFile, flipFirst, ErrDamaged},
		{"longer concepts", conceptsFile, func(b []byte) []byte { return append(slices.Clone(b), 0) }, ErrDamaged},
		{"other concepts", conceptsFile, flipFirst, ErrDamaged},
		{"other bags", bagsFile, flipFirst, ErrDamaged},
		{"more bags than there are", bagsFile, flipNumber, ErrDamaged},
		{"other concept places", cuisFile, flipFirst, ErrDamaged},
		{"other filter", prefixesFile, flipFirst, ErrDamaged},
		{"more filter than there is", prefixesFile, flipNumber, ErrDamaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := writeDamaged(t, whole, test.file, test.damage)
			_, err := Open(dir)
			for what, err := range map[string]error{"Open": err, "Verify": Verify(context.Background(), dir)} {
				if !errors.Is(err, test.want) {
					t.Fatalf("%s: got %v, want %v", what, err, test.want)
				}
				for _, part := range []string{filepath.Join(dir, test.file), "keci kb build"} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%s: %q does not tell %q", what, err, part)
					}
				}
			}
		})
	}
}

// writeDamaged writes the files of a folder, one of them damaged, or missing when damage is nil.
func writeDamaged(t *testing.T, files map[string][]byte, file string, damage func([]byte) []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range files {
		if name == file {
			if damage == nil {
				continue
			}
			content = damage(content)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func flipAt(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 0x40
	return b
}

func flipFirst(b []byte) []byte { return flipAt(b, 0) }

// flipNumber changes the highest byte of the number after the magic.
func flipNumber(b []byte) []byte { return flipAt(b, len(magic)+7) }

func TestVerify(t *testing.T) {
	whole := readFolder(t, writeTest(t, testConcepts))
	if err := Verify(context.Background(), writeDamaged(t, whole, "", nil)); err != nil {
		t.Error(err)
	}
	for name := range whole {
		if name == manifestFile {
			continue
		}
		dir := writeDamaged(t, whole, name, func(b []byte) []byte { return flipAt(b, len(b)/2) })
		if err := Verify(context.Background(), dir); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), filepath.Join(dir, name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Verify(ctx, writeDamaged(t, whole, "", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Open does not read the files as a whole, so whatever bytes they hold must end
// in an answer or in an error, soon.
func TestLinkDamaged(t *testing.T) {
	whole := readFolder(t, writeTest(t, testConcepts))
	const text = "FKBP12, IL-2 receptors, TNF-α, coli E., cancer in the lung, iron(III), CAN, a feline, hFKBP12p"
	learned := &Model{aliases: map[alias]int{{"feline", "C19"}: 3, {"lung", "C14"}: 1}}
	caught := map[string]bool{}
	for name, content := range whole {
		if name == manifestFile {
			continue
		}
		dir := writeDamaged(t, whole, name, func(b []byte) []byte { return b })
		path := filepath.Join(dir, name)
		for at := range content {
			for _, value := range []byte{0xff, content[at] ^ 1} {
				changed := slices.Clone(content)
				changed[at] = value
				if err := os.WriteFile(path, changed, 0o644); err != nil {
					t.Fatal(err)
				}
				l, err := Open(dir, Learned(learned))
				if err == nil {
					_, err = l.Link(context.Background(), text)
					l.Close()
				}
				if errors.Is(err, ErrDamaged) {
					caught[name] = true
				} else if err != nil {
					t.Fatalf("byte %d of %s is %x: %v", at, name, value, err)
				}
			}
		}
		if !caught[name] {
			t.Errorf("no damage of %s was noticed", name)
		}
	}
}

// FuzzDamaged: a dictionary with bytes in it that nobody wrote answers, or tells that it is damaged.
func FuzzDamaged(f *testing.F) {
	dir := writeTest(f, testConcepts)
	whole := readFolder(f, dir)
	f.Add(uint8(0), uint(60), []byte{0xff, 0xff}, "IL-2 receptors, cancer of lungs")
	f.Fuzz(func(t *testing.T, file uint8, at uint, damage []byte, text string) {
		name := dictionaryFiles[int(file)%(len(dictionaryFiles)-1)] // not the manifest
		content := slices.Clone(whole[name])
		copy(content[at%uint(len(content)):], damage)
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir, Learned(new(Model)))
		if err == nil {
			_, err = l.Link(context.Background(), text)
			l.Close()
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole[name], 0o644); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCloseTwice(t *testing.T) {
	l, err := Open(writeTest(t, testConcepts))
	if err != nil {
		t.Fatal(err)
	}
	mentions, err := l.Link(context.Background(), "FKBP12")
	if err := errors.Join(err, l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"FKBP12=C01"}, brief(mentions)); diff != "" {
		t.Errorf("after Close: %s", diff)
	}
}
