package wholefile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, content := range []string{"one", "another"} {
		file, err := Create(path, ".next")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(content); err != nil || file.Partial() != path+".next" {
			t.Errorf("%s: %v", file.Partial(), err)
		}
		if err := file.Commit(); err != nil || read(t, path) != content {
			t.Errorf("%q: %v", read(t, path), err)
		}
	}
	file, err := Create(path, ".next")
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Discard(); err != nil || read(t, path) != "another" {
		t.Errorf("discarding: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
	if _, err := Create(dir, ".next"); !errors.Is(err, ErrFolder) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Create(filepath.Join(dir, "none", "a"), ".next"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}
