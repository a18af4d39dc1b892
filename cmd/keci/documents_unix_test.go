//go:build unix

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe, and so a device, is written to and stays what it is.
func TestLinkWritesIntoAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // so that neither end waits for the other
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := run(t, "FKBP12", "link", "--kb", buildSmallKB(t), "-o", path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Fatalf("the pipe is %v now, %v", info.Mode(), err)
	}
	got := make([]byte, 6)
	if _, err := io.ReadFull(pipe, got); err != nil || string(got) != `{"id":` {
		t.Errorf("the pipe holds %q, %v", got, err)
	}
}

func TestLinkWritesThroughASymbolicLink(t *testing.T) {
	dir := t.TempDir()
	file, name := filepath.Join(dir, "file.jsonl"), filepath.Join(dir, "name.jsonl")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file.jsonl", name); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "FKBP12", "link", "--kb", buildSmallKB(t), "-o", name); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(name); err != nil || to != "file.jsonl" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if got, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(got), `{"id":`) {
		t.Errorf("the file holds %q, %v", got, err)
	}
}
