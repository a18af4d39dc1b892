package umls

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
)

// table is one file of a release and its columns in the documented order.
type table struct {
	name    string
	folder  string // where it lies in a release: META or NET
	suffix  string // ".RRF" in META
	columns []string
}

// file is the name of the unpacked file.
func (t *table) file() string { return t.name + t.suffix }

// column is the index of a column.
func (t *table) column(name string) int { return slices.Index(t.columns, name) }

func meta(name, columns string) *table {
	return &table{name, "META", ".RRF", strings.Split(columns, ",")}
}

func net(name, columns string) *table {
	return &table{name, "NET", "", strings.Split(columns, ",")}
}

// The tables that are read.
var (
	mrconso = meta("MRCONSO", "CUI,LAT,TS,LUI,STT,SUI,ISPREF,AUI,SAUI,SCUI,SDUI,SAB,TTY,CODE,STR,SRL,SUPPRESS,CVF")
	mrsty   = meta("MRSTY", "CUI,TUI,STN,STY,ATUI,CVF")
	mrdef   = meta("MRDEF", "CUI,AUI,ATUI,SATUI,SAB,DEF,SUPPRESS,CVF")
	mrrel   = meta("MRREL", "CUI1,AUI1,STYPE1,REL,CUI2,AUI2,STYPE2,RELA,RUI,SRUI,SAB,SL,RG,DIR,SUPPRESS,CVF")
	mrsab   = meta("MRSAB", "VCUI,RCUI,VSAB,RSAB,SON,SF,SVER,VSTART,VEND,IMETA,RMETA,SLC,SCC,SRL,TFR,CFR,CXTY,TTYL,ATNL,LAT,CENC,CURVER,SABIN,SSN,SCIT")
	srdef   = net("SRDEF", "RT,UI,NAME,NUMBER,DEF,EX,UN,NH,ABR,RIN")
	srstr   = net("SRSTR", "NAME1,RL,NAME2,LS")
	srstre1 = net("SRSTRE1", "UI1,RL,UI2")

	tables = []*table{mrconso, mrsty, mrdef, mrrel, mrsab, srdef, srstr, srstre1}
)

// row is one line of a table. Its fields are valid until the next row is read.
type row struct {
	path   string
	line   int // 1-based
	fields [][]byte
}

// text is a field that must be valid UTF-8.
func (r *row) text(column int) (string, error) {
	if !utf8.Valid(r.fields[column]) {
		return "", r.errorf("column %d is not valid UTF-8", column+1)
	}
	return string(r.fields[column]), nil
}

func (r *row) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", r.path, r.line, fmt.Errorf(format, args...))
}

// suppressed reports whether a SUPPRESS field marks its row as not to be used:
// obsolete (O), suppressed by its type (Y) or by an editor (E).
func suppressed(field []byte) bool {
	return len(field) == 1 && (field[0] == 'O' || field[0] == 'Y' || field[0] == 'E')
}

// checkEvery is how many rows are read between two looks at the context.
const checkEvery = 4096

// rows reads a table of the release row by row. A table that is not there has none.
func (r *Release) rows(ctx context.Context, t *table) iter.Seq2[*row, error] {
	return func(yield func(*row, error) bool) {
		path := r.files[t.name]
		if path == "" {
			return
		}
		in, err := r.openTable(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer in.Close()
		current := &row{path: path, fields: make([][]byte, 0, len(t.columns)+1)}
		lines := bufio.NewReaderSize(in, 1<<20)
		for {
			if current.line%checkEvery == 0 && ctx.Err() != nil {
				yield(nil, fmt.Errorf("reading %s: %w", path, context.Cause(ctx)))
				return
			}
			err := current.read(lines, len(t.columns))
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(current, err) || err != nil {
				return
			}
		}
	}
}

// read reads the next line and splits it. At the end of the table it returns io.EOF.
func (r *row) read(lines *bufio.Reader, columns int) error {
	r.line++
	line, err := lines.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return r.errorf("the line is longer than 1 MB")
	case errors.Is(err, io.EOF) && len(line) == 0:
		return io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return r.errorf("reading (is the file whole?): %w", err)
	}
	line = bytes.TrimRight(line, "\r\n")
	r.fields = r.fields[:0]
	for {
		i := bytes.IndexByte(line, '|')
		if i < 0 {
			break
		}
		r.fields = append(r.fields, line[:i])
		line = line[i+1:]
	}
	if len(r.fields) != columns || len(line) != 0 {
		return r.errorf("the row has %d columns, each ended by |, instead of %d (is the file whole?)", len(r.fields), columns)
	}
	return nil
}

// tableFile is an open table; closing it closes the file below as well.
type tableFile struct {
	io.Reader
	file *os.File
}

func (f *tableFile) Close() error { return f.file.Close() }

func (r *Release) openTable(path string) (*tableFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var in io.Reader = file
	if r.options.OnRead != nil {
		in = &countingReader{file, r.options.OnRead}
	}
	if !strings.HasSuffix(path, ".gz") {
		return &tableFile{in, file}, nil
	}
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s:1: unpacking: %w", path, err)
	}
	return &tableFile{unzipped, file}, nil
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

// cursor walks a table that is sorted by a key column, side by side with another.
type cursor struct {
	next func() (*row, error, bool)
	stop func()
	key  int // column
	row  *row
	last string // key of row
	err  error
}

func (r *Release) cursor(ctx context.Context, t *table, key string) *cursor {
	next, stop := iter.Pull2(r.rows(ctx, t))
	c := &cursor{next: next, stop: stop, key: t.column(key)}
	c.advance()
	return c
}

// advance goes to the next row; row is nil at the end and after an error.
func (c *cursor) advance() {
	next, err, ok := c.next()
	if !ok || err != nil {
		c.row, c.err = nil, err
		return
	}
	key := next.fields[c.key]
	if c.last != string(key) {
		if err := checkOrder(next, c.last, string(key)); err != nil {
			c.row, c.err = nil, err
			return
		}
		c.last = string(key)
	}
	c.row = next
}

// rowsOf goes through the rows whose key is given. Keys must be asked for in ascending order.
func (c *cursor) rowsOf(key string, each func(*row) error) error {
	for c.row != nil && c.last <= key {
		if c.last == key {
			if err := each(c.row); err != nil {
				return err
			}
		}
		c.advance()
	}
	return c.err
}

// checkOrder says how to mend a table that is not sorted by its first column.
func checkOrder(r *row, last, key string) error {
	if key < last {
		return r.errorf("%s comes after %s, but the table must be sorted by its first column, as in a release (LC_ALL=C sort -s -t'|' -k1,1)", key, last)
	}
	return nil
}
