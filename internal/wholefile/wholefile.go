// Package wholefile writes files that have their names when they are whole.
package wholefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrFolder is returned, wrapped, where a folder stands in the place of the file.
var ErrFolder = errors.New("it is a folder")

// File is a file that is being written. It lies beside its place until Commit.
type File struct {
	*os.File
	partial string // empty: it is written to as it is
	path    string
}

// Create begins the file that is to have a path, with a suffix until it is whole. A file
// that the path leads to by a link is replaced where it lies. A device or a pipe is
// written to as it is: to put a file in its place would take /dev/null away from all
// programs.
func Create(path, suffix string) (*File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil: // none is there yet, or Create below tells what is wrong
	case info.IsDir():
		return nil, fmt.Errorf("%s: %w", path, ErrFolder)
	case !info.Mode().IsRegular():
		return opened("", path, func() (*os.File, error) { return os.OpenFile(path, os.O_WRONLY, 0) })
	default:
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
	}
	return opened(path+suffix, path, func() (*os.File, error) { return os.Create(path + suffix) })
}

func opened(partial, path string, open func() (*os.File, error)) (*File, error) {
	file, err := open()
	if err != nil {
		return nil, err
	}
	return &File{file, partial, path}, nil
}

// Partial is where the file lies until it is whole; empty when it is a device or a pipe.
func (f *File) Partial() string { return f.partial }

// Commit closes the file and gives it its name. When that fails, what was written stays
// at Partial.
func (f *File) Commit() error {
	if err := f.Close(); err != nil || f.partial == "" {
		return err
	}
	return os.Rename(f.partial, f.path)
}

// Discard closes the file and removes what was written.
func (f *File) Discard() error {
	err := f.Close()
	if f.partial == "" {
		return err
	}
	return errors.Join(err, os.Remove(f.partial))
}
