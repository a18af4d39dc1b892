package knowledgebase

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/keci-kg/keci/linker"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkedAtOnce is how much of a file is read before the context is asked.
const checkedAtOnce = 16 << 20

// checkFile reads a file of the folder and sums it up.
func checkFile(ctx context.Context, dir, path string) (fileCheck, error) {
	file, err := os.Open(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		return fileCheck{}, err
	}
	defer file.Close()
	sum, size, buffer := crc32.New(castagnoli), int64(0), make([]byte, 256<<10)
	for {
		if ctx.Err() != nil {
			return fileCheck{}, context.Cause(ctx)
		}
		n, err := io.CopyBuffer(sum, io.LimitReader(file, checkedAtOnce), buffer)
		if size += n; err != nil || n == 0 {
			return fileCheck{path, size, fmt.Sprintf("%08x", sum.Sum32())}, err
		}
	}
}

// checkStore sums up all files of the store and the head of the dictionary.
func checkStore(ctx context.Context, dir string) ([]fileCheck, error) {
	paths := []string{namesFile}
	err := fs.WalkDir(os.DirFS(dir), storeFolder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	files := make([]fileCheck, len(paths))
	for i, path := range paths {
		if files[i], err = checkFile(ctx, dir, path); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Verify reads every file of a folder that Build made, those that Open only looks
// at included, and compares it with what was written. The error wraps ErrDamaged or
// one of the linker's, or is the context's.
func Verify(ctx context.Context, dir string) error {
	m, err := readManifest(dir)
	if err != nil {
		return err
	}
	if err := m.check(ctx, dir); err != nil {
		return err
	}
	return linker.Verify(ctx, dir)
}

// check compares the files with those that were written and returns the first
// difference in order of the list.
func (m *manifest) check(ctx context.Context, dir string) error {
	differences := make([]error, len(m.Files))
	var reading sync.WaitGroup
	for i, want := range m.Files {
		reading.Go(func() { differences[i] = want.compare(ctx, dir) })
	}
	reading.Wait()
	return cmp.Or(differences...)
}

func (want fileCheck) compare(ctx context.Context, dir string) error {
	path := filepath.Join(dir, filepath.FromSlash(want.Path))
	got, err := checkFile(ctx, dir, want.Path)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("checking %s: %w", path, context.Cause(ctx))
	case err != nil:
		return damaged(path, err)
	case got.Bytes != want.Bytes:
		return damaged(path, fmt.Errorf("it has %d bytes instead of %d", got.Bytes, want.Bytes))
	case got != want:
		return damaged(path, errors.New("its checksum is wrong"))
	}
	return nil
}
