package linker

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/keci-kg/keci/graph"
)

// Annotated is a text with the mentions that people marked. Offsets are bytes.
type Annotated struct {
	Document string // id of the document that the text is a part of
	Text     string
	Mentions []Annotation
}

// Annotation is a marked range with its concept.
type Annotation struct {
	Start, End int
	CUI        graph.CUI
}

// How Train learns.
const (
	passes       = 4    // over the examples
	learningRate = 0.15 // of AdaGrad
	decay        = 2e-6 // of weights, at each use
	leastWeight  = 0.1  // smaller ones are left out
	leastTexts   = 4    // documents that a lexical feature must be in
	threshold    = 0.27 // near half the F1 to be expected, where F1 is greatest
)

// Train learns a model from texts in which people linked concepts. Aliases are
// kept of the concepts that the linker's dictionary has. The same texts in the
// same order give the same model.
//
// A candidate is a positive example where its mention was marked with just this
// range and concept. What a document itself taught about a name is not counted
// in it, so that the model learns what aliases are worth in other documents.
func Train(ctx context.Context, l *Linker, texts []Annotated) (*Model, error) {
	m := &Model{Threshold: threshold}
	perDocument := m.countAliases(l.files, texts)
	learning := &Linker{training: true, files: l.files, stopWords: l.stopWords}
	learning.model = openLearned(m)
	t := trainer{l: learning, index: map[uint64]uint32{}}
	t.s = learning.newScratch()
	t.s.features.names = map[uint64]string{}
	for _, text := range texts {
		t.s.learnedFrom = perDocument[text.Document]
		if err := t.addText(ctx, text); err != nil {
			return nil, fmt.Errorf("train the linker: %w", err)
		}
	}
	t.learn()
	for hash, i := range t.index {
		if w := t.weights[i]; math.Abs(w) >= leastWeight {
			m.weights = append(m.weights, weight{t.s.features.names[hash], w})
		}
	}
	return m, nil
}

// countAliases counts the names of concepts, in all and per document.
func (m *Model) countAliases(files *dictionary, texts []Annotated) map[string]map[alias]int {
	m.aliases = map[alias]int{}
	perDocument := map[string]map[alias]int{}
	var words tokens
	for _, text := range texts {
		own := perDocument[text.Document]
		if own == nil {
			own = map[alias]int{}
			perDocument[text.Document] = own
		}
		for _, a := range text.Mentions {
			if _, ok := files.find(string(a.CUI)); !ok {
				continue
			}
			words.reset()
			words.scan(text.Text[a.Start:a.End])
			key := alias{string(words.appendKey(nil)), a.CUI}
			if key.name == "" || len(key.name) > longestKey || !words.hasLetter() {
				continue
			}
			m.aliases[key]++
			own[key]++
		}
	}
	return perDocument
}

// trainer holds the examples and the weights.
type trainer struct {
	l        *Linker
	s        *scratch
	index    map[uint64]uint32 // of features, by hash
	examples []example
	values   []uint32 // features of the examples
	uses     []int    // documents that a feature is in
	lastUse  []string // the last of them
	lexical  []bool
	weights  []float64
}

type example struct {
	first, last int // of values
	positive    bool
}

// addText makes an example of each candidate of a text.
func (t *trainer) addText(ctx context.Context, text Annotated) error {
	gold := map[Annotation]bool{}
	for _, a := range text.Mentions {
		gold[a] = true
	}
	s := t.s
	if err := t.l.match(ctx, s, text.Text); err != nil {
		return err
	}
	f := &s.features
	t.l.eachMatch(s, func(k, longest int) {
		m := &s.matches[k]
		f.hashes = f.hashes[:0]
		s.mentionFeatures(f, k, longest)
		shared := len(f.hashes)
		total := s.totalSeen(m)
		for rank := range m.lastHit - m.firstHit {
			f.hashes = f.hashes[:shared]
			s.candidateFeatures(f, m, rank, total)
			cui := graph.CUI(s.hits[m.firstHit+rank].cui)
			t.addExample(f, text.Document, gold[Annotation{m.start, m.end, cui}])
		}
	})
	return nil
}

func (t *trainer) addExample(f *features, document string, positive bool) {
	e := example{first: len(t.values), positive: positive}
	for _, hash := range f.hashes {
		i, ok := t.index[hash]
		if !ok {
			i = uint32(len(t.uses))
			t.index[hash] = i
			t.uses, t.lastUse = append(t.uses, 0), append(t.lastUse, "")
			t.lexical = append(t.lexical, lexical(f.names[hash][0]))
		}
		if t.lastUse[i] != document {
			t.uses[i]++
			t.lastUse[i] = document
		}
		t.values = append(t.values, i)
	}
	e.last = len(t.values)
	t.examples = append(t.examples, e)
}

// learn fits the weights by stochastic gradient descent with steps by AdaGrad
// (Duchi, Hazan and Singer 2011) on the logistic loss.
func (t *trainer) learn() {
	n := len(t.uses)
	t.weights = make([]float64, n)
	squares := make([]float64, n)
	order := rand.New(rand.NewPCG(1, 2))
	for range passes {
		for _, at := range order.Perm(len(t.examples)) {
			e := t.examples[at]
			values := t.values[e.first:e.last]
			sum := 0.0
			for _, i := range values {
				sum += t.weights[i]
			}
			gradient := 1 / (1 + math.Exp(-sum))
			if e.positive {
				gradient--
			}
			for _, i := range values {
				if t.lexical[i] && t.uses[i] < leastTexts {
					continue
				}
				g := gradient + decay*t.weights[i]
				squares[i] += g * g
				t.weights[i] -= learningRate * g / (1e-3 + math.Sqrt(squares[i]))
			}
		}
	}
}
