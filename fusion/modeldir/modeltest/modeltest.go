// Package modeltest is for tests of what opens model directories.
package modeltest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Damage copies the model directory from and puts replacement in the place of the
// first of in one of its files, which must have it. It gives the copy.
func Damage(t testing.TB, from, file, of, replacement string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, file)
	data, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(data, []byte(of)) {
		t.Fatalf("%s has no %s (%v)", file, of, err)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte(of), []byte(replacement), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
