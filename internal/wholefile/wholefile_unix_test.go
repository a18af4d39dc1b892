//go:build unix

package wholefile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe, and so a device, is written to and stays what it is, whatever comes of it.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // so that neither end waits for the other
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	for _, end := range []func(*File) error{(*File).Commit, (*File).Discard} {
		file, err := Create(path, ".next")
		if err != nil {
			t.Fatal(err)
		}
		if err := end(file); err != nil {
			t.Error(err)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
			t.Fatalf("the pipe is %v now, %v", info, err)
		}
	}
}

func TestSymbolicLink(t *testing.T) {
	dir := t.TempDir()
	file, name := filepath.Join(dir, "file"), filepath.Join(dir, "name")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", name); err != nil {
		t.Fatal(err)
	}
	written, err := Create(name, ".next")
	if err != nil {
		t.Fatal(err)
	}
	if err := written.Commit(); err != nil || read(t, file) != "" {
		t.Errorf("the file holds %q, %v", read(t, file), err)
	}
	if to, err := os.Readlink(name); err != nil || to != "file" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}
