package vectors

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

const unbounded = math.MaxInt64

func open(t *testing.T, path string, width int, most int64) *File {
	t.Helper()
	f, err := Open(path, width, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func add(t *testing.T, f *File, text string, vector ...float32) {
	t.Helper()
	if err := f.Add([]string{text}, [][]float32{vector}); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, f *File, text string, vector ...float32) {
	t.Helper()
	same := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
	if got := f.Get(text); !slices.EqualFunc(got, vector, same) {
		t.Errorf("%q: %v, want %v", text, got, vector)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "v")
	f := open(t, path, 3, unbounded)
	want(t, f, "a")
	negativeZero, odd := float32(math.Copysign(0, -1)), math.Float32frombits(0x7fc12345)
	if err := f.Add([]string{"a", "b"}, [][]float32{{1, negativeZero, odd}, {4, 5, 6}}); err != nil {
		t.Fatal(err)
	}
	add(t, f, "a", 7, 7, 7) // known already
	for _, f := range []*File{f, open(t, path, 3, unbounded)} {
		want(t, f, "a", 1, negativeZero, odd)
		want(t, f, "b", 4, 5, 6)
		want(t, f, "")
		if f.Len() != 2 {
			t.Errorf("%d texts, want 2", f.Len())
		}
	}
}

// TestSeveralAtOnce: two open files stand for two processes.
func TestSeveralAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v")
	const each = 200
	var group sync.WaitGroup
	for process := range 2 {
		f := open(t, path, 2, unbounded)
		for part := range 2 {
			group.Go(func() {
				for i := range each / 2 {
					text := fmt.Sprint(process, part, i)
					if err := f.Add([]string{text, "shared"}, [][]float32{{float32(i), 1}, {8, 9}}); err != nil {
						t.Error(err)
					}
					if f.Get(text) == nil {
						t.Errorf("%s is not there", text)
					}
				}
			})
		}
	}
	group.Wait()
	f := open(t, path, 2, unbounded)
	if f.Len() != 2*each+1 {
		t.Errorf("%d texts, want %d", f.Len(), 2*each+1)
	}
	want(t, f, "shared", 8, 9)
	want(t, f, fmt.Sprint(1, 1, 7), 7, 1)
}

func TestDamage(t *testing.T) {
	const record = keySize + 2*4 + 4
	for name, test := range map[string]struct {
		damage func(content []byte) []byte
		left   []string
	}{
		"a bit":      {func(c []byte) []byte { c[record+keySize] ^= 1; return c }, []string{"a", "c"}},
		"a key":      {func(c []byte) []byte { c[0] ^= 1; return c }, []string{"b", "c"}},
		"cut off":    {func(c []byte) []byte { return c[:len(c)-3] }, []string{"a", "b"}},
		"empty":      {func([]byte) []byte { return nil }, nil},
		"other file": {func([]byte) []byte { return bytes.Repeat([]byte("not vectors\n"), 20) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "v")
			f := open(t, path, 2, unbounded)
			for i, text := range []string{"a", "b", "c"} {
				add(t, f, text, float32(i), 1)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, test.damage(content), 0o644); err != nil {
				t.Fatal(err)
			}
			f = open(t, path, 2, unbounded)
			for i, text := range []string{"a", "b", "c"} {
				if slices.Contains(test.left, text) {
					want(t, f, text, float32(i), 1)
				} else {
					want(t, f, text)
				}
			}
			add(t, f, "d", 3, 1)
			want(t, f, "d", 3, 1)
			stat, err := os.Stat(path)
			if err != nil || stat.Size() != int64(record*(len(test.left)+1)) {
				t.Errorf("the file has %v bytes (%v), want %d whole records", stat, err, len(test.left)+1)
			}
			entries, err := os.ReadDir(filepath.Dir(path))
			if err != nil || len(entries) != 1 {
				t.Errorf("the folder has %v (%v), want the file alone", entries, err)
			}
		})
	}
}

// TestDamageWhileOpen: what becomes damaged under an open file is not given out.
func TestDamageWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v")
	f := open(t, path, 1, unbounded)
	add(t, f, "a", 1)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte{99}, keySize); err != nil {
		t.Fatal(err)
	}
	want(t, f, "a")
}

func TestBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v")
	const record = keySize + 4 + 4
	f := open(t, path, 1, 3*record)
	other := open(t, path, 1, 3*record)
	for i := range 10 {
		add(t, f, fmt.Sprint(i), float32(i))
		want(t, f, fmt.Sprint(i), float32(i))
		if stat, err := os.Stat(path); err != nil || stat.Size() > 3*record {
			t.Fatalf("%v bytes (%v), at most %d were allowed", stat, err, 3*record)
		}
	}
	add(t, other, "x", 1) // into a file that is another by now
	want(t, other, "x", 1)
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "v"), 1, unbounded); err == nil {
		t.Error("a file was taken for a folder")
	}
}
