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
	"sync/atomic"

	"github.com/keci-kg/keci/graph"
)

// Model is what a linker has learned from texts in which people linked
// concepts: names under which they mentioned concepts, with counts, and the
// weights of the ranking. It holds facts and weights, no text. Train makes one.
type Model struct {
	// Threshold is the least confidence of a mention of the final mapping.
	Threshold float64
	aliases   map[alias]int
	weights   []weight // of the ranking
	spans     []weight // of the ranges
}

// weight is that of a feature, by its name.
type weight struct {
	feature string
	value   float64
}

// alias is a normal form under which a concept was mentioned.
type alias struct {
	name string
	cui  graph.CUI // or elsewhere
}

// elsewhere is the concept of an alias that stands for all concepts which the
// dictionary of the training lacked.
const elsewhere graph.CUI = ""

//go:embed model.tsv.gz
var defaultModel []byte

// DefaultModel is the model in the program (`keci train linker` made it).
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
const modelHeader = "keci linker model 2"

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
	content, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	header, lines, _ := strings.Cut(string(content), "\n")
	if header != modelHeader {
		return nil, fmt.Errorf("it does not begin with %q; make it again with `keci train linker`", modelHeader)
	}
	m := &Model{aliases: map[alias]int{}}
	number := 1
	for line := range strings.Lines(lines) {
		number++
		if err := m.readLine(strings.TrimSuffix(line, "\n")); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return m, nil
}

func (m *Model) readLine(line string) (err error) {
	what, rest, _ := strings.Cut(line, "\t")
	first, rest, _ := strings.Cut(rest, "\t")
	second, third, _ := strings.Cut(rest, "\t")
	switch what {
	case "alias":
		m.aliases[alias{first, graph.CUI(second)}], err = strconv.Atoi(third)
	case "weight", "span":
		w := weight{feature: first}
		w.value, err = strconv.ParseFloat(rest, 64)
		if what == "weight" {
			m.weights = append(m.weights, w)
		} else {
			m.spans = append(m.spans, w)
		}
	case "threshold":
		m.Threshold, err = strconv.ParseFloat(first, 64)
	default:
		err = errors.New("it is no alias, weight, span or threshold")
	}
	return err
}

// Write writes a model as gzipped lines: "threshold", "alias" with normal form,
// concept and count, "weight" and "span" with feature and value. The same model gives the same bytes.
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
	writeWeights(out, "weight", m.weights)
	writeWeights(out, "span", m.spans)
	return errors.Join(out.Flush(), packed.Close())
}

func writeWeights(out io.Writer, what string, weights []weight) {
	inOrder := slices.SortedFunc(slices.Values(weights), func(a, b weight) int { return cmp.Compare(a.feature, b.feature) })
	for _, w := range inOrder {
		fmt.Fprintf(out, "%s\t%s\t%.3g\n", what, w.feature, w.value)
	}
}

func sortedAliases(aliases map[alias]int) []alias {
	return slices.SortedFunc(maps.Keys(aliases), func(a, b alias) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.cui, b.cui))
	})
}

// openModel is a model as a linker reads it.
type openModel struct {
	ranks     bool      // weights were learned
	weights   hashTable // of weightPair, by hash of the feature
	aliases   hashTable // of the first alias with a normal form in known; of nothing for beginnings
	known     []knownAlias
	threshold float64
}

// knownAlias is an alias whose concept is sought in the dictionary when a text
// first holds it, so that opening does not have to.
type knownAlias struct {
	cui   graph.CUI
	count int
	last  bool          // of its normal form
	place atomic.Uint64 // of the concept, or one of the values below
}

const (
	notSought uint64 = iota // no concept is there, since the magic is
	notThere
)

// openLearned puts the weights and aliases of a model into tables.
func openLearned(m *Model) *openModel {
	open := &openModel{ranks: len(m.weights) > 0, weights: newWeightTable(m), threshold: m.Threshold}
	list := sortedAliases(m.aliases)
	hashes := map[uint64]uint32{}
	open.known = make([]knownAlias, len(list))
	last := ""
	for i, a := range list {
		open.known[i].cui, open.known[i].count, open.known[i].last = a.cui, m.aliases[a], true
		if i > 0 && a.name == last {
			open.known[i-1].last = false
			continue
		}
		members(a.name, last, func(hash uint64) { hashes[hash] = uint32(i) })
		last = a.name
	}
	open.aliases = newHashTable(len(hashes))
	for hash, first := range hashes {
		open.aliases.set(hash, first)
	}
	return open
}

// begins reports whether an alias begins with the words of a hash.
func (m *openModel) begins(hash prefixHash) bool {
	_, ok := m.aliases.get(hash.begin())
	return ok
}

// find gives the place of the concept of an alias in the dictionary.
func (a *knownAlias) find(files *dictionary) (place uint64, ok bool) {
	if place = a.place.Load(); place == notSought {
		if place, ok = files.find(string(a.cui)); !ok {
			place = notThere
		}
		a.place.Store(place)
	}
	return place, place != notThere
}

// addAliases records the aliases that tokens i to j spell.
func (l *Linker) addAliases(s *scratch, i, j, first int) {
	m, ok := s.newMatch(i, j, byAlias)
	if !ok || s.tokens.onlyStopWords(i, j) && !writtenAsSymbol(s.tokens.text[m.start:m.end]) {
		return
	}
	begin := len(s.aliasNames)
	s.aliasNames = s.tokens.appendRange(s.aliasNames, i, j)
	name := s.aliasNames[begin:len(s.aliasNames):len(s.aliasNames)]
	for last := false; !last; first++ {
		a := &l.model.known[first]
		last = a.last
		if a.cui == elsewhere {
			m.elsewhere = a.count - s.learnedFrom[alias{string(name), elsewhere}]
			continue
		}
		place, ok := a.find(l.files)
		if !ok {
			continue
		}
		h := l.files.hit(posting{concept: place})
		h.score = exactName(j-i+1, 0)
		s.addStep(&h, &m, learnedName, h.name)
		h.how, h.seen, h.preferred = byAlias, a.count, false
		h.matched = name
		if s.learnedFrom != nil {
			h.seen -= s.learnedFrom[alias{string(h.matched), graph.CUI(h.cui)}]
		}
		if h.seen > 0 {
			s.foundHits = append(s.foundHits, h)
		}
	}
	s.addMatch(m)
}
