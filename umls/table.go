package umls

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table is one table of a release and its columns in the documented order.
type table struct {
	name    string
	suffix  string   // of its file
	folders []string // where it may lie in a release, the likeliest first
	columns []string
	needed  []string // columns without which it cannot be read
	ids     []int    // columns of which each must hold an identifier
	open    bool     // the last column is not ended by |
}

// file is the name of the unpacked file.
func (t *table) file() string { return t.name + t.suffix }

// column is the index of a column.
func (t *table) column(name string) int { return slices.Index(t.columns, name) }

func meta(name, columns, needed string, ids ...string) *table {
	t := &table{name, ".RRF", []string{"META", "."}, strings.Split(columns, ","), strings.Split(needed, ","), nil, false}
	for _, id := range ids {
		t.ids = append(t.ids, t.column(id))
	}
	return t
}

func net(name, columns string) *table {
	all := strings.Split(columns, ",")
	return &table{name, "", []string{"NET", "."}, all, all, nil, false}
}

// The tables that are read.
var (
	mrfiles = meta("MRFILES", "FIL,DES,FMT,CLS,RWS,BTS", "FIL,FMT")
	mrconso = meta("MRCONSO", "CUI,LAT,TS,LUI,STT,SUI,ISPREF,AUI,SAUI,SCUI,SDUI,SAB,TTY,CODE,STR,SRL,SUPPRESS,CVF", "CUI,LAT,SAB,STR", "CUI")
	mrrank  = meta("MRRANK", "RANK,SAB,TTY,SUPPRESS", "RANK,SAB,TTY")
	mrsty   = meta("MRSTY", "CUI,TUI,STN,STY,ATUI,CVF", "CUI,TUI,STY", "CUI", "TUI")
	mrdef   = meta("MRDEF", "CUI,AUI,ATUI,SATUI,SAB,DEF,SUPPRESS,CVF", "CUI,AUI,DEF", "CUI")
	mrrel   = meta("MRREL", "CUI1,AUI1,STYPE1,REL,CUI2,AUI2,STYPE2,RELA,RUI,SRUI,SAB,SL,RG,DIR,SUPPRESS,CVF", "CUI1,REL,CUI2,SAB", "CUI1", "CUI2")
	mrsab   = meta("MRSAB", "VCUI,RCUI,VSAB,RSAB,SON,SF,SVER,VSTART,VEND,IMETA,RMETA,SLC,SCC,SRL,TFR,CFR,CXTY,TTYL,ATNL,LAT,CENC,CURVER,SABIN,SSN,SCIT", "RSAB,SON,SABIN")
	mrcui   = meta("MRCUI", "CUI1,VER,REL,RELA,MAPREASON,CUI2,MAPIN", "CUI1,REL,CUI2", "CUI1")
	deleted = &table{"DELETEDCUI", ".RRF", []string{"META/CHANGE", "CHANGE", "META", "."}, []string{"PCUI", "PSTR"}, []string{"PCUI"}, []int{0}, false}
	srdef   = net("SRDEF", "RT,UI,NAME,NUMBER,DEF,EX,UN,NH,ABR,RIN")
	srstr   = net("SRSTR", "NAME1,RL,NAME2,LS")
	srstre1 = net("SRSTRE1", "UI1,RL,UI2")
	srstre2 = net("SRSTRE2", "NAME1,RL,NAME2")
	groups  = &table{"SemGroups", ".txt", []string{"NET", "META", "."}, []string{"GROUP", "NAME", "TUI", "TYPE"}, nil, nil, true}

	tables = []*table{mrfiles, mrconso, mrrank, mrsty, mrdef, mrrel, mrsab, mrcui, deleted, srdef, srstr, srstre1, srstre2, groups}
)

// row is one line of a table. Its fields are valid until the next row is read.
type row struct {
	release *Release
	file    *tableFile
	line    int  // 1-based, counted over all pieces of a split table
	empty   int  // lines before it that hold nothing
	unended bool // the line is the last, and no line feed ends it
	split   [][]byte
	fields  [][]byte // in the documented order
	repeats repeats
}

// text is the value of a column.
func (r *row) text(column int) string { return string(r.fields[column]) }

// problem is a problem of this row; column is the index of the column, or -1.
func (r *row) problem(kind Kind, column int, format string, args ...any) *Problem {
	p := &Problem{Kind: kind, File: r.file.name, Line: r.line, Message: fmt.Sprintf(format, args...)}
	if column >= 0 {
		p.Column = r.file.position(column) + 1
	}
	return p
}

// suppressed reports whether a SUPPRESS field marks its row as not to be used:
// obsolete (O), suppressed by its type (Y) or by an editor (E).
func suppressed(field []byte) bool {
	return len(field) == 1 && (field[0] == 'O' || field[0] == 'Y' || field[0] == 'E')
}

// checkEvery is how many rows are read between two looks at the context.
const checkEvery = 4096

// rows reads a table of the release row by row. A table that is not there has
// none. Empty lines are passed over, and so are rows with problems, which are
// reported.
func (r *Release) rows(ctx context.Context, t *table) iter.Seq2[*row, error] {
	return func(yield func(*row, error) bool) {
		file := r.files[t.name]
		if file == nil {
			return
		}
		in := r.openTable(file)
		defer in.Close()
		current := &row{release: r, file: file}
		lines := bufio.NewReaderSize(in, 1<<20)
		for {
			if current.line%checkEvery == 0 && ctx.Err() != nil {
				yield(nil, fmt.Errorf("reading %s: %w", file.name, context.Cause(ctx)))
				return
			}
			line, err := current.next(lines)
			if errors.Is(err, io.EOF) {
				err = r.report(current.ended())
				if err != nil {
					yield(nil, err)
				}
				return
			}
			var problem *Problem
			switch {
			case err == nil && len(line) == 0:
				current.empty++
				continue
			case err == nil:
				problem = current.parse(line)
			case !errors.As(err, &problem):
				yield(nil, err)
				return
			}
			if problem != nil {
				if err := r.report(problem); err != nil {
					yield(nil, err)
					return
				}
				if problem.Kind == CutOff {
					return
				}
				continue
			}
			if !yield(current, nil) {
				return
			}
		}
	}
}

// next reads a line without its end. At the end of the table it returns io.EOF.
func (r *row) next(lines *bufio.Reader) ([]byte, error) {
	line, err := lines.ReadSlice('\n')
	r.unended = errors.Is(err, io.EOF)
	if r.unended && len(line) == 0 {
		return nil, io.EOF
	}
	r.line++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = lines.ReadSlice('\n')
		}
		return nil, r.problem(Malformed, -1, "the line is longer than 1 MB")
	case err != nil && !errors.Is(err, io.EOF):
		var unpacking *unpackError
		if errors.As(err, &unpacking) {
			return nil, r.problem(CutOff, -1, "%v: the file is not whole, get it again", err)
		}
		return nil, fmt.Errorf("%s:%d: reading: %w", r.file.name, r.line, err)
	}
	if r.line == 1 {
		line = bytes.TrimPrefix(line, []byte("\uFEFF")) // the byte order mark of some editors
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// parse splits a line into the fields, or says what is wrong with it.
func (r *row) parse(line []byte) *Problem {
	r.split = r.split[:0]
	rest := line
	for {
		i := bytes.IndexByte(rest, '|')
		if i < 0 {
			break
		}
		r.split = append(r.split, rest[:i])
		rest = rest[i+1:]
	}
	if r.file.table.open {
		r.split, rest = append(r.split, rest), nil
	}
	switch right := len(r.split) == r.file.width && len(rest) == 0; {
	case !right && r.unended:
		return r.problem(CutOff, -1, "the table ends in the middle of a row: the file is not whole, get it again")
	case !right:
		return r.problem(Malformed, -1, "the row has %d columns, each ended by |, instead of %d (is the file whole?)", len(r.split), r.file.width)
	}
	r.arrange()
	if !utf8.Valid(line) {
		column := slices.IndexFunc(r.fields, func(field []byte) bool { return !utf8.Valid(field) })
		return r.problem(NotUTF8, column, "the row is not valid UTF-8")
	}
	if problem := r.noIdentifier(); problem != nil {
		return problem
	}
	if r.repeats.seen(r.split[0], line) {
		return r.problem(Duplicate, -1, "the row is the same as one before it")
	}
	return nil
}

// noIdentifier is the problem of a row that does not say what it is of.
func (r *row) noIdentifier() *Problem {
	for _, id := range r.file.table.ids {
		switch field := r.fields[id]; {
		case len(field) == 0:
			return r.problem(BadValue, id, "the %s is empty", r.file.table.columns[id])
		case bytes.ContainsFunc(field, unicode.IsControl):
			return r.problem(BadValue, id, "the %s %q holds a control character", r.file.table.columns[id], field)
		}
	}
	return nil
}

// arrange puts the fields into the documented order.
func (r *row) arrange() {
	if r.file.order == nil {
		r.fields = r.split
		return
	}
	r.fields = r.fields[:0]
	for _, at := range r.file.order {
		var field []byte
		if at >= 0 {
			field = r.split[at]
		}
		r.fields = append(r.fields, field)
	}
}

// ended says what is wrong with a table as a whole, or nil.
func (r *row) ended() *Problem {
	p, rows := &Problem{File: r.file.name}, r.line-r.empty
	switch {
	case r.file.rows >= 0 && rows != r.file.rows:
		p.Kind, p.Message = RowCount, fmt.Sprintf("the table has %d rows, but MRFILES tells of %d (is it a part of a release, or cut off?)", rows, r.file.rows)
	case r.file.rows < 0 && rows == 0:
		p.Kind, p.Message = Empty, "the table is empty"
	default:
		return nil
	}
	return p
}

// problemPlace is where readings of a file come upon problems in ascending order of lines.
type problemPlace struct {
	file   string
	kind   Kind
	column int
}

// report tells of a problem (nil is none), unless an earlier reading of the file
// has told of it.
func (r *Release) report(p *Problem) error {
	if p == nil {
		return nil
	}
	told := problemPlace{p.File, p.Kind, p.Column}
	if last, known := r.told[told]; known && p.Line <= last {
		return nil
	}
	err := r.options.Report.Tell(p)
	if err == nil {
		r.told[told] = p.Line
	}
	return err
}

// repeats finds rows that are the same as an earlier one with the same first column.
type repeats struct {
	seed maphash.Seed
	key  []byte
	rows map[uint64]struct{}
}

// keptRows bounds the map that is emptied and used again: emptying takes as long
// as it once was large.
const keptRows = 256

func (d *repeats) seen(key, line []byte) bool {
	switch {
	case d.rows == nil:
		d.seed = maphash.MakeSeed()
		fallthrough
	case !bytes.Equal(d.key, key):
		d.key = append(d.key[:0], key...)
		if d.rows == nil || len(d.rows) > keptRows {
			d.rows = map[uint64]struct{}{}
		}
		clear(d.rows)
	}
	sum := maphash.Bytes(d.seed, line)
	_, seen := d.rows[sum]
	d.rows[sum] = struct{}{}
	return seen
}

// cursor walks a table that is sorted by its first column, side by side with another.
type cursor struct {
	next func() (*row, error, bool)
	stop func()
	row  *row
	last string // first column of row
	err  error
}

func (r *Release) cursor(ctx context.Context, t *table) *cursor {
	next, stop := iter.Pull2(r.rows(ctx, t))
	c := &cursor{next: next, stop: stop}
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
	key := next.fields[0]
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

// finish goes through the rows that are left, so that their problems are told.
func (c *cursor) finish() error {
	for c.row != nil {
		c.advance()
	}
	return c.err
}

// checkOrder says how to mend a table that is not sorted by its first column.
func checkOrder(r *row, last, key string) error {
	if key < last {
		return r.problem(BadValue, -1, "%s comes after %s, but the table must be sorted by its first column, as in a release (LC_ALL=C sort -s -t'|' -k1,1)", key, last)
	}
	return nil
}
