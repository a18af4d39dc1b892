package umls

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// tableFile is a table in a folder: one file, or the pieces of a split one.
type tableFile struct {
	table *table
	name  string   // for messages
	paths []string // in order
	width int      // number of columns
	order []int    // index in a line of each documented column, -1 where there is none; nil means as documented
	rows  int      // that MRFILES tells of, -1 where it tells nothing
}

// position is the index in a line of a documented column.
func (f *tableFile) position(column int) int {
	if f.order == nil {
		return column
	}
	return f.order[column]
}

// findTable finds a table in a folder: plain, gzipped, or split into gzipped
// pieces NAME.aa.gz, NAME.ab.gz and so on. It returns nil when there is none.
func findTable(dir string, t *table) (*tableFile, error) {
	for _, folder := range t.folders {
		base := filepath.Join(dir, filepath.FromSlash(folder), t.file())
		for _, path := range []string{base, base + ".gz"} {
			info, err := os.Stat(path)
			switch {
			case err == nil && info.Mode().IsRegular():
				return newTableFile(t, path, path), nil
			case err != nil && !errors.Is(err, fs.ErrNotExist):
				return nil, err
			}
		}
		pieces, err := findPieces(base)
		if err != nil || len(pieces) > 0 {
			return newTableFile(t, base, pieces...), err
		}
	}
	return nil, nil
}

func newTableFile(t *table, name string, paths ...string) *tableFile {
	return &tableFile{table: t, name: name, paths: paths, width: len(t.columns), rows: -1}
}

// findPieces finds the pieces of a split table and misses those that are not there.
func findPieces(base string) ([]string, error) {
	found, err := filepath.Glob(escapeGlob(base) + ".[a-z][a-z].gz")
	if err != nil {
		return nil, err
	}
	slices.Sort(found)
	for i, path := range found {
		want := fmt.Sprintf("%s.%c%c.gz", base, 'a'+i/26, 'a'+i%26)
		if path != want {
			return nil, fmt.Errorf("the table is split, and its piece %s is missing", want)
		}
	}
	return found, nil
}

// escapeGlob makes a path stand for itself in a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(path)
}

// arrange takes the order of the columns from the list that MRFILES gives.
func (f *tableFile) arrange(columns []string) error {
	f.width = len(columns)
	f.order = make([]int, len(f.table.columns))
	for i, name := range f.table.columns {
		f.order[i] = slices.Index(columns, name)
		if f.order[i] < 0 && slices.Contains(f.table.needed, name) {
			return fmt.Errorf("MRFILES names no column %s for %s", name, f.table.file())
		}
	}
	if slices.Equal(columns, f.table.columns) {
		f.order = nil
	}
	return nil
}

// size is the size on disk in bytes.
func (f *tableFile) size() (bytes int64) {
	for _, path := range f.paths {
		if info, err := os.Stat(path); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// openTable reads the pieces of a table as one. Errors come with the first read.
func (r *Release) openTable(f *tableFile) io.ReadCloser {
	return &pieces{rest: f.paths, onRead: r.options.OnRead}
}

// pieces reads files one after the other, unpacking those that are packed.
type pieces struct {
	rest   []string
	onRead func(bytes int)
	path   string
	file   *os.File // nil between files
	in     io.Reader
}

// unpackError is an error of the packing, not of the disk.
type unpackError struct{ error }

func (e *unpackError) Unwrap() error { return e.error }

func (p *pieces) Read(buffer []byte) (int, error) {
	for {
		if p.file == nil {
			if len(p.rest) == 0 {
				return 0, io.EOF
			}
			if err := p.open(); err != nil {
				return 0, err
			}
		}
		n, err := p.in.Read(buffer)
		switch {
		case errors.Is(err, io.EOF):
			p.Close()
			err = nil
		case err != nil:
			err = p.unpacking(err)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (p *pieces) open() (err error) {
	p.path, p.rest = p.rest[0], p.rest[1:]
	if p.file, err = os.Open(p.path); err != nil {
		return err
	}
	p.in = p.file
	if p.onRead != nil {
		p.in = &countingReader{p.file, p.onRead}
	}
	if !strings.HasSuffix(p.path, ".gz") {
		return nil
	}
	info, err := p.file.Stat()
	if err == nil && info.Size() == 0 {
		p.in = strings.NewReader("") // not even a header: as empty as an empty table
		return nil
	}
	if p.in, err = gzip.NewReader(p.in); err != nil {
		return p.unpacking(err)
	}
	return nil
}

// unpacking tells errors of the packing from those of the disk.
func (p *pieces) unpacking(err error) error {
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return err
	}
	return &unpackError{fmt.Errorf("unpacking %s: %w", filepath.Base(p.path), err)}
}

// Close closes the file that is open.
func (p *pieces) Close() error {
	if p.file == nil {
		return nil
	}
	err := p.file.Close()
	p.file = nil
	return err
}

type countingReader struct {
	io.Reader
	count func(bytes int)
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.count(n)
	return n, err
}
