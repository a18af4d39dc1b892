// Package umls reads a UMLS release, or any knowledge base in its layout (RRF:
// Rich Release Format), and gives its concepts, relations, semantic types and
// sources one after the other. It holds one concept at a time, so that a full
// release needs no more memory than a small one.
//
// The columns are those of the UMLS Reference Manual, chapters 3 (Metathesaurus)
// and 5 (Semantic Network).
package umls

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// Options say what of a release is read. The zero value reads every English
// name of every source and type.
type Options struct {
	Languages []string    // LAT, for example "ENG"; the first gives the preferred names; none means ENG
	Sources   []string    // SAB, for example "MSH"; none means all
	Types     []graph.TUI // concepts must have one of these; none means all

	// OnRead, when set, is told how many bytes were read from the files, to
	// show progress against Release.Bytes.
	OnRead func(bytes int)

	// Report is told of problems with the tables; see Reporter. Whether the ends
	// of relations are concepts at all is looked up when it is set.
	Report Reporter
}

// Release is a folder of RRF tables. Its methods may be called in any order and
// more than once, by one goroutine at a time; each call reads the files anew.
// What is wrong with a place of a file is told to Options.Report once.
type Release struct {
	dir     string
	options Options
	files   map[string]*tableFile // by name of the table
	ranks   map[termType]int      // MRRANK
	told    map[problemPlace]int  // the last line whose problem was told
	cuis    *graph.CUISet         // of MRCONSO, once it was read
}

// Open looks for the tables in dir, dir/META and dir/NET. They may be plain,
// gzipped, or split into gzipped pieces (MRCONSO.RRF.aa.gz, …). MRCONSO and
// MRSTY must be there. What is missing of the others is empty: without the
// Semantic Network, the semantic types are those that MRSTY names. Where there
// is MRFILES, it tells the columns.
func Open(dir string, options Options) (*Release, error) {
	if len(options.Languages) == 0 {
		options.Languages = []string{"ENG"}
	}
	r := &Release{dir: dir, options: options, files: map[string]*tableFile{}, told: map[problemPlace]int{}}
	if err := r.open(); err != nil {
		return nil, fmt.Errorf("opening release %s: %w", dir, err)
	}
	return r, nil
}

func (r *Release) open() error {
	for _, t := range tables {
		file, err := findTable(r.dir, t)
		if err != nil {
			return err
		}
		if file != nil {
			r.files[t.name] = file
		}
	}
	for _, t := range []*table{mrconso, mrsty} {
		if !r.has(t) {
			return fmt.Errorf("no %s or %s.gz there, nor in %s: give the folder that holds META and NET, or the tables themselves",
				t.file(), t.file(), filepath.Join(r.dir, t.folders[0]))
		}
	}
	if err := r.readFormats(); err != nil {
		return err
	}
	return r.readRanks()
}

// readFormats takes columns and numbers of rows from MRFILES.
func (r *Release) readFormats() error {
	name, format, rows := mrfiles.column("FIL"), mrfiles.column("FMT"), mrfiles.column("RWS")
	described := map[string]*tableFile{}
	for _, file := range r.files {
		described[file.table.file()] = file
	}
	for row, err := range r.rows(context.Background(), mrfiles) {
		if err != nil {
			return err
		}
		file := described[path.Base(row.text(name))]
		if file == nil || file.table == mrfiles || row.text(format) == "" {
			continue
		}
		if err := file.arrange(strings.Split(row.text(format), ",")); err != nil {
			return row.problem(BadValue, format, "%v", err)
		}
		if n, err := strconv.Atoi(row.text(rows)); err == nil {
			file.rows = n
		}
	}
	return nil
}

// termType is a kind of name of a source; MRRANK says which comes first.
type termType struct{ source, kind string }

func (r *Release) readRanks() error {
	rank, source, kind := mrrank.column("RANK"), mrrank.column("SAB"), mrrank.column("TTY")
	r.ranks = map[termType]int{}
	for row, err := range r.rows(context.Background(), mrrank) {
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(row.text(rank), 10, 16)
		if err != nil {
			if err := r.report(row.problem(BadValue, rank, "the rank %q is not a number below 65536", row.text(rank))); err != nil {
				return err
			}
			continue
		}
		r.ranks[termType{row.text(source), row.text(kind)}] = int(n)
	}
	return nil
}

func (r *Release) has(t *table) bool { return r.files[t.name] != nil }

// HasNetwork reports whether the release brings the Semantic Network: its types and
// the relations between them.
func (r *Release) HasNetwork() bool {
	return r.has(srdef) && (r.has(srstre1) || r.has(srstre2) || r.has(srstr))
}

// Bytes is the size on disk of all tables: what OnRead counts up to when
// everything is read once.
func (r *Release) Bytes() (total int64) {
	for _, file := range r.files {
		total += file.size()
	}
	return total
}

// Name is the name of the release's folder.
func (r *Release) Name() string {
	abs, err := filepath.Abs(r.dir)
	if err != nil {
		return filepath.Base(r.dir)
	}
	return strings.TrimSuffix(filepath.Base(abs), "-META")
}

func (o *Options) language(lat []byte) bool { return slices.Contains(o.Languages, string(lat)) }

func (o *Options) source(sab []byte) bool {
	return len(o.Sources) == 0 || slices.Contains(o.Sources, string(sab))
}

func (o *Options) anyType(types []graph.TUI) bool {
	return len(o.Types) == 0 || slices.ContainsFunc(types, func(t graph.TUI) bool {
		return slices.Contains(o.Types, t)
	})
}
