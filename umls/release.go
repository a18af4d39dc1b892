// Package umls reads a UMLS release, or any knowledge base in its layout (RRF:
// Rich Release Format), and gives its concepts, relations, semantic types and
// sources one after the other. It holds one concept at a time, so that a full
// release needs no more memory than a small one.
//
// The columns are those of the UMLS Reference Manual, chapters 3 (Metathesaurus)
// and 5 (Semantic Network).
package umls

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
}

// Release is a folder of RRF tables. Its methods may be called in any order and
// more than once; each call reads the files anew.
type Release struct {
	dir     string
	options Options
	files   map[string]string // table name → path of the file, plain or .gz
}

// Open looks for the tables in dir itself, dir/META and dir/NET. MRCONSO and
// MRSTY must be there. What is missing of the others is empty: without the
// Semantic Network, the semantic types are those that MRSTY names.
func Open(dir string, options Options) (*Release, error) {
	if len(options.Languages) == 0 {
		options.Languages = []string{"ENG"}
	}
	r := &Release{dir: dir, options: options, files: map[string]string{}}
	for _, t := range tables {
		path, err := findTable(dir, t)
		if err != nil {
			return nil, fmt.Errorf("opening release %s: %w", dir, err)
		}
		if path != "" {
			r.files[t.name] = path
		}
	}
	for _, t := range []*table{mrconso, mrsty} {
		if !r.has(t) {
			return nil, fmt.Errorf("opening release %s: no %s or %s.gz there, nor in %s: give the folder that holds META and NET, or the tables themselves",
				dir, t.file(), t.file(), filepath.Join(dir, t.folder))
		}
	}
	return r, nil
}

// findTable returns the path of a table's file, or "" when there is none.
func findTable(dir string, t *table) (string, error) {
	for _, folder := range []string{filepath.Join(dir, t.folder), dir} {
		for _, suffix := range []string{"", ".gz"} {
			path := filepath.Join(folder, t.file()+suffix)
			info, err := os.Stat(path)
			switch {
			case err == nil && info.Mode().IsRegular():
				return path, nil
			case err != nil && !errors.Is(err, fs.ErrNotExist):
				return "", err
			}
		}
	}
	return "", nil
}

func (r *Release) has(t *table) bool { return r.files[t.name] != "" }

// HasNetwork reports whether the release brings the Semantic Network.
func (r *Release) HasNetwork() bool { return r.has(srdef) }

// Bytes is the size on disk of all tables: what OnRead counts up to when
// everything is read once.
func (r *Release) Bytes() int64 {
	var total int64
	for _, path := range r.files {
		if info, err := os.Stat(path); err == nil {
			total += info.Size()
		}
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
