// Package synthetic makes up releases in UMLS's layout, of any size, to measure
// with: a licence is needed for the real ones. What it says is nonsense.
//
// The proportions are those of a full release, with 4.5 million concepts, 17
// million names and 62 million relation rows: 3.8 names, one and a third semantic
// types and fourteen relation rows a concept, a definition for every fifteenth. Every table is sorted, every relation is there in both
// directions, and names share words, as real ones do.
package synthetic

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/keci-kg/keci/graph"
)

// Options of Write.
type Options struct {
	Concepts int                  // number of concepts, 1 to MaxConcepts
	Seed     uint64               // the same seed gives the same bytes
	Types    []graph.SemanticType // of the concepts, at least one
	Packed   bool                 // gzip the tables
}

// MaxConcepts is as many as identifiers of the usual shape allow.
const MaxConcepts = 9_999_999

// Counts says how many rows the tables have.
type Counts struct {
	Concepts    int `json:"concepts"`
	Names       int `json:"names"`
	Types       int `json:"types"`
	Definitions int `json:"definitions"`
	Relations   int `json:"relations"`
}

// Write makes a release in the folder dir/META, which must not exist.
func Write(ctx context.Context, dir string, o Options) (counts Counts, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("making a synthetic release in %s: %w", dir, err)
		}
	}()
	if o.Concepts < 1 || o.Concepts > MaxConcepts || len(o.Types) == 0 {
		return counts, fmt.Errorf("%d concepts of %d types: 1 to %d concepts and a type are possible", o.Concepts, len(o.Types), MaxConcepts)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return counts, err
	}
	folder := filepath.Join(dir, "META")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return counts, err
	}
	w := &writer{options: o, counts: &counts}
	for _, name := range []string{"MRCONSO", "MRSTY", "MRDEF", "MRREL", "MRSAB"} {
		w.open(folder, name)
	}
	for i := 1; i <= o.Concepts && w.err == nil; i++ {
		if i%4096 == 0 && ctx.Err() != nil {
			w.err = context.Cause(ctx)
		}
		w.concept(i)
	}
	fmt.Fprintf(w.tables[4], "||SYN1|SYN|Synthetic source|SYN|1|||||none||0|||||||UTF-8|Y|Y|||\n")
	return counts, w.close()
}

// writer writes the tables, one concept after the other.
type writer struct {
	options Options
	counts  *Counts
	tables  []*bufio.Writer
	closers []io.Closer // in the order of closing
	err     error
}

func (w *writer) open(folder, name string) {
	path := filepath.Join(folder, name+".RRF")
	if w.options.Packed {
		path += ".gz"
	}
	file, err := os.Create(path)
	if err != nil {
		w.err = errors.Join(w.err, err)
		w.tables = append(w.tables, bufio.NewWriter(io.Discard))
		return
	}
	out := io.Writer(file)
	if w.options.Packed {
		packed, _ := gzip.NewWriterLevel(file, gzip.BestSpeed) // the level is valid
		out, w.closers = packed, append(w.closers, packed)
	}
	w.tables, w.closers = append(w.tables, bufio.NewWriterSize(out, 1<<20)), append(w.closers, file)
}

func (w *writer) close() error {
	for _, table := range w.tables {
		w.err = errors.Join(w.err, table.Flush())
	}
	for _, closer := range w.closers {
		w.err = errors.Join(w.err, closer.Close())
	}
	return w.err
}

// random gives the random numbers of one concept, so that another one can be
// asked what it drew.
func (w *writer) random(concept int, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.options.Seed^purpose, uint64(concept)))
}

func (w *writer) concept(i int) {
	r := w.random(i, 'n')
	w.counts.Concepts++
	names := 1 + r.IntN(6) + r.IntN(18)/13 // 3.8 on average
	stem := w.name(r)
	for n := range names {
		name, status, form := stem, "P", "PF"
		if n > 0 {
			name, status = stem+" "+word(r.IntN(vocabulary)), "S"
		}
		w.counts.Names++
		fmt.Fprintf(w.tables[0], "C%07d|ENG|%s|L%07d|%s|S%08d|Y|A%08d||||SYN|PT|%d|%s|0|N|256|\n", i, status, w.counts.Names, form, w.counts.Names, w.counts.Names, i, name)
	}
	w.types(i, r)
	if r.IntN(15) == 0 {
		w.counts.Definitions++
		fmt.Fprintf(w.tables[2], "C%07d|A%08d|AT%08d||SYN|A %s that %s, as in %s.|N||\n", i, w.counts.Names, i, w.name(r), w.name(r), w.name(r))
	}
	w.relations(i)
}

func (w *writer) types(i int, r *rand.Rand) {
	first := r.IntN(len(w.options.Types))
	for n := range 1 + r.IntN(3)/2 { // 1.33 on average
		t := w.options.Types[(first+n)%len(w.options.Types)]
		w.counts.Types++
		fmt.Fprintf(w.tables[1], "C%07d|%s|%s|%s|AT%08d|256|\n", i, t.TUI, t.TreeNumber, t.Name, w.counts.Types)
	}
}

// labels are relations in both directions.
var labels = [][3]string{
	{"CHD", "isa", "inverse_isa"}, {"RO", "part_of", "has_part"}, {"RO", "affects", "affected_by"},
	{"RB", "mapped_from", "mapped_to"}, {"SIB", "", ""}, {"RO", "interacts_with", "interacts_with"},
}

// inverse is what REL is, read from the other end.
var inverse = map[string]string{"CHD": "PAR", "RB": "RN", "RO": "RO", "SIB": "SIB"}

// steps are the distances to related concepts, so that both ends know of a
// relation without being told: i is related to i+step.
var steps = []int{1, 7, 61, 523, 4513, 38923, 335717}

func (w *writer) relations(i int) {
	for _, step := range steps {
		if other := i + step; other <= w.options.Concepts {
			w.relation(i, other, step, i, 0)
		}
		if other := i - step; other >= 1 {
			w.relation(i, other, step, other, 1)
		}
	}
}

// relation writes a row; the concept from, with the step, decides on the label.
func (w *writer) relation(i, other, step, from, direction int) {
	label := labels[(from*31+step)%len(labels)]
	rel := label[0]
	if direction == 1 {
		rel = inverse[rel]
	}
	w.counts.Relations++
	fmt.Fprintf(w.tables[3], "C%07d|A%08d|AUI|%s|C%07d|A%08d|AUI|%s|R%09d||SYN|SYN|||N||\n", i, i, rel, other, other, label[1+direction], w.counts.Relations)
}

const vocabulary = 60_000 // words

// name is two to four words, of which some are frequent.
func (w *writer) name(r *rand.Rand) string {
	words := make([]string, 2+r.IntN(3))
	for i := range words {
		n := r.IntN(vocabulary)
		if r.IntN(3) == 0 {
			n %= 500
		}
		words[i] = word(n)
	}
	return strings.Join(words, " ")
}

var syllables = strings.Fields("ba co di fu ga he ki lo ma ne pi ro su ta vi xo zy an er ol")

// word makes a word of a number, another one for each.
func word(n int) string {
	var b strings.Builder
	for range 2 {
		b.WriteString(syllables[n%len(syllables)])
		n /= len(syllables)
	}
	for n > 0 {
		b.WriteString(syllables[n%len(syllables)])
		n /= len(syllables)
	}
	return b.String()
}
