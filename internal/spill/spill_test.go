package spill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// More strings than one chunk come back sorted, and nothing is left on disk.
func TestSorter(t *testing.T) {
	for _, n := range []int{0, 1, 1000, 3*chunk + 7} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			dir := t.TempDir()
			s := New(t.Context(), dir)
			for i := range n {
				if err := s.Add(fmt.Sprintf("%08d", (i*7919)%n)); err != nil {
					t.Fatal(err)
				}
			}
			i := 0
			for record, err := range s.Sorted() {
				if err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprintf("%08d", i); record != want {
					t.Fatalf("%q, want %q", record, want)
				}
				i++
			}
			if i != n {
				t.Errorf("%d of %d", i, n)
			}
			left(t, dir)
		})
	}
}

func left(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestSorterGivenUp(t *testing.T) {
	dir := t.TempDir()
	s := New(t.Context(), dir)
	for i := range 2 * chunk {
		if err := s.Add(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	s.Close()
	left(t, dir)

	ctx, cancel := context.WithCancel(t.Context())
	s = New(ctx, dir)
	cancel()
	var err error
	for i := 0; err == nil && i < 1_000_000; i++ {
		err = s.Add("x")
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	s.Close()
}

func TestSorterWithoutDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := New(t.Context(), filepath.Join(file, "no folder"))
	var err error
	for i := 0; err == nil && i < 3*chunk; i++ {
		err = s.Add("x")
	}
	for _, sortErr := range s.Sorted() {
		err = errors.Join(err, sortErr)
	}
	if err == nil {
		t.Error("no error")
	}
}
