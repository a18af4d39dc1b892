package linker

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/keci-kg/keci/graph"
)

// Model is what a linker has learned from texts in which people linked
// concepts: names under which they mentioned concepts, with counts, and the
// weights of the ranking. It holds facts and weights, no text. Train makes one.
type Model struct {
	// Threshold is the least confidence of a mention of the final mapping.
	Threshold float64
	aliases   map[alias]int
	weights   map[string]float64 // by name of the feature
}

// alias is a normal form under which a concept was mentioned.
type alias struct {
	name string
	cui  graph.CUI
}

//go:embed model.tsv.gz
var defaultModel []byte

// DefaultModel is the model in the program (`keci link-train` made it).
var DefaultModel = sync.OnceValue(func() *Model {
	m, err := readModel(bytes.NewReader(defaultModel))
	if err != nil {
		panic(err) // it is part of the program, and tests read it
	}
	return m
})

// Learned replaces the model in the program. A new Model, which knows nothing,
// ranks by MetaMap's score alone.
func Learned(m *Model) Option { return func(l *Linker) { l.learned = m } }

// modelHeader is the first line of the file of a model.
const modelHeader = "keci linker model 1"

// ReadModel reads what Write wrote.
func ReadModel(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read linker model: %w", err)
	}
	defer f.Close()
	m, err := readModel(f)
	if err != nil {
		return nil, fmt.Errorf("read linker model %s: %w", path, err)
	}
	return m, nil
}

func readModel(from io.Reader) (*Model, error) {
	unpacked, err := gzip.NewReader(from)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(unpacked)
	if !lines.Scan() || lines.Text() != modelHeader {
		return nil, fmt.Errorf("it does not begin with %q; make it again with `keci link-train`", modelHeader)
	}
	m := &Model{aliases: map[alias]int{}, weights: map[string]float64{}}
	for number := 2; lines.Scan(); number++ {
		if err := m.readLine(strings.Split(lines.Text(), "\t")); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return m, lines.Err()
}

func (m *Model) readLine(fields []string) (err error) {
	switch {
	case len(fields) == 4 && fields[0] == "alias":
		m.aliases[alias{fields[1], graph.CUI(fields[2])}], err = strconv.Atoi(fields[3])
	case len(fields) == 3 && fields[0] == "weight":
		m.weights[fields[1]], err = strconv.ParseFloat(fields[2], 64)
	case len(fields) == 2 && fields[0] == "threshold":
		m.Threshold, err = strconv.ParseFloat(fields[1], 64)
	default:
		err = errors.New("it is no alias, weight or threshold")
	}
	return err
}

// Write writes a model as gzipped lines: "threshold", "alias" with normal form,
// concept and count, "weight" with feature and value. The same model gives the same bytes.
func (m *Model) Write(to io.Writer) error {
	packed, err := gzip.NewWriterLevel(to, gzip.BestCompression)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(packed)
	fmt.Fprintf(out, "%s\nthreshold\t%g\n", modelHeader, m.Threshold)
	for _, a := range sortedAliases(m.aliases) {
		fmt.Fprintf(out, "alias\t%s\t%s\t%d\n", a.name, a.cui, m.aliases[a])
	}
	for _, name := range slices.Sorted(maps.Keys(m.weights)) {
		fmt.Fprintf(out, "weight\t%s\t%.3g\n", name, m.weights[name])
	}
	return errors.Join(out.Flush(), packed.Close())
}

func sortedAliases(aliases map[alias]int) []alias {
	return slices.SortedFunc(maps.Keys(aliases), func(a, b alias) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.cui, b.cui))
	})
}

// openModel is a model with the concepts of a dictionary.
type openModel struct {
	aliases   map[uint64]int // hash of a normal form to the first of its known; beginnings to -1
	known     []knownAlias
	weights   map[uint64]float32
	threshold float64
}

// knownAlias is an alias of a concept that the dictionary has.
type knownAlias struct {
	place uint64
	count int
	last  bool // of its normal form
}

// openLearned looks the concepts of a model up; those that the dictionary does not have are left out.
func openLearned(m *Model, files *dictionary) *openModel {
	open := &openModel{weights: make(map[uint64]float32, len(m.weights)), threshold: m.Threshold}
	for name, weight := range m.weights {
		open.weights[hashBytes([]byte(name))] = float32(weight)
	}
	open.aliases = map[uint64]int{}
	last := ""
	for _, a := range sortedAliases(m.aliases) {
		place, ok := files.find(string(a.cui))
		if !ok {
			continue
		}
		if a.name != last {
			hash := emptyPrefix.add([]byte(a.name))
			open.aliases[hash.whole()] = len(open.known)
			members(a.name, last, func(h uint64) {
				if h != hash.whole() {
					open.aliases[h] = -1
				}
			})
			last = a.name
		} else {
			open.known[len(open.known)-1].last = false
		}
		open.known = append(open.known, knownAlias{place, m.aliases[a], true})
	}
	return open
}

// begins reports whether an alias begins with the words of a hash.
func (m *openModel) begins(hash prefixHash) bool {
	_, ok := m.aliases[hash.begin()]
	return ok
}

// sum adds the weights of features.
func (m *openModel) sum(hashes []uint64) (sum float64) {
	for _, h := range hashes {
		sum += float64(m.weights[h])
	}
	return sum
}

// addAliases records the aliases that tokens i to j spell.
func (l *Linker) addAliases(s *scratch, i, j, first int) {
	m, ok := s.newMatch(i, j, byAlias)
	if !ok {
		return
	}
	for _, a := range l.model.known[first:] {
		h := l.files.hit(posting{concept: a.place})
		h.score = exactName(j-i+1, 0)
		h.score.variation = 4.0 / (distanceSynonym + 4)
		h.points = h.score.points()
		h.how, h.seen, h.preferred = byAlias, a.count, false
		h.matched = s.tokens.appendRange(nil, i, j)
		if s.learnedFrom != nil {
			h.seen -= s.learnedFrom[alias{string(h.matched), graph.CUI(h.cui)}]
		}
		if h.seen > 0 {
			s.foundHits = append(s.foundHits, h)
		}
		if a.last {
			break
		}
	}
	s.addMatch(m)
}
