package linker

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	passes       = 8    // over the examples
	learningRate = 0.08 // of AdaGrad
	decay        = 2e-5 // of weights, at each use
	leastWeight  = 0.1  // smaller ones are left out
	leastTexts   = 4    // documents that a lexical feature must be in
	stepsToMean  = 1000 // examples between two that count for the mean of the weights
	threshold    = 0.28 // near half the F1 to be expected, where F1 is greatest
)

// ErrNothingKnown is returned by Train when it could learn only that nothing is a mention.
var ErrNothingKnown = errors.New("train the linker: none of the concepts that people marked in the texts is in the knowledge base")

// Train learns a model from texts in which people linked concepts. Aliases are
// kept of the concepts that the linker's dictionary has. The same texts in the
// same order give the same model.
//
// It learns two things, one after the other: which ranges people mark, whatever
// their concept, and which candidate is theirs. A range is a positive example
// where it was marked, a candidate where just this range was marked with its
// concept. What a document itself taught is not counted in it: the names of the
// document are taken from the aliases, and the ranges are weighed for the second
// part by what other documents taught.
//
// People could choose only the concepts that are linkable: the others of the
// dictionary, as those of its own that a terminology lacks, are no wrong
// choices, and no candidates are compared with them.
// Nor is a concept a wrong choice for its own name where people meant one that the
// dictionary lacks: they may have told apart what it does not (diabetes, the finding,
// and diabetes mellitus).
func Train(ctx context.Context, l *Linker, texts []Annotated, linkable func(graph.CUI) bool) (*Model, error) {
	m := &Model{Threshold: threshold}
	perDocument := m.countAliases(l.files, texts)
	if len(m.aliases) == 0 {
		return nil, ErrNothingKnown
	}
	t := trainer{texts: texts, perDocument: perDocument, l: l.forTraining(m), linkable: linkable}
	t.s = t.l.newScratch()
	t.s.features.names = map[uint64]string{}
	if err := t.learn(ctx, m); err != nil {
		return nil, fmt.Errorf("train the linker: %w", err)
	}
	return m, nil
}

// learn learns the weights of m.
func (t *trainer) learn(ctx context.Context, m *Model) error {
	spans, err := t.spanExamples(ctx)
	if err != nil {
		return err
	}
	logits, err := spans.unseen(ctx)
	if err != nil {
		return err
	}
	ranking, err := t.rankingExamples(ctx, logits)
	if err != nil {
		return err
	}
	if m.spans, err = spans.learn(ctx, t.s.features.names); err != nil {
		return err
	}
	m.weights, err = ranking.learn(ctx, t.s.features.names)
	return err
}

// forTraining gives a linker that finds what l does, phrases too, with the aliases of m.
func (l *Linker) forTraining(m *Model) *Linker {
	learning := &Linker{training: true, files: l.files, stopWords: l.stopWords}
	learning.model = openLearned(m)
	return learning
}

// countAliases counts the names of concepts, in all and per document, and how often
// people gave them to what the dictionary lacks, which is kept beside the others as
// of no concept: "brain" is hardly ever brain cancer, though the brain be not there.
func (m *Model) countAliases(files *dictionary, texts []Annotated) map[string]map[alias]int {
	m.aliases = map[alias]int{}
	perDocument := map[string]map[alias]int{}
	named := map[string]bool{} // that concepts of the dictionary have been called so
	var words tokens
	for _, text := range texts {
		own := perDocument[text.Document]
		if own == nil {
			own = map[alias]int{}
			perDocument[text.Document] = own
		}
		for _, a := range text.Mentions {
			words.reset()
			words.scan(text.Text[a.Start:a.End])
			key := alias{string(words.appendKey(nil)), a.CUI}
			if key.name == "" || len(key.name) > longestKey || !words.hasLetter() {
				continue
			}
			if _, ok := files.find(string(a.CUI)); ok {
				named[key.name] = true
			} else {
				key.cui = elsewhere
			}
			m.aliases[key]++
			own[key]++
		}
	}
	maps.DeleteFunc(m.aliases, func(a alias, _ int) bool { return !named[a.name] })
	return perDocument
}

// trainer makes examples of texts.
type trainer struct {
	texts       []Annotated
	perDocument map[string]map[alias]int
	linkable    func(graph.CUI) bool
	l           *Linker
	s           *scratch
}

// spanExamples makes an example of each match.
func (t *trainer) spanExamples(ctx context.Context) (*examples, error) {
	e := newExamples()
	return e, t.eachText(ctx, func(text Annotated) {
		marked := map[[2]int]bool{}
		for _, a := range text.Mentions {
			marked[[2]int{a.Start, a.End}] = true
		}
		s, f := t.s, &t.s.features
		t.l.eachMatch(s, func(k, longest int) {
			f.hashes = f.hashes[:0]
			s.mentionFeatures(f, k, longest)
			m := &s.matches[k]
			e.add(f, text.Document, marked[[2]int{m.start, m.end}])
		})
	})
}

// rankingExamples makes an example of each candidate of the matches, the logits of which are given.
func (t *trainer) rankingExamples(ctx context.Context, spans []float64) (*examples, error) {
	e := newExamples()
	return e, t.eachText(ctx, func(text Annotated) {
		gold, absent := map[Annotation]bool{}, map[[2]int]bool{}
		for _, a := range text.Mentions {
			gold[a] = true
			if _, ok := t.l.files.find(string(a.CUI)); !ok {
				absent[[2]int{a.Start, a.End}] = true
			}
		}
		s, f := t.s, &t.s.features
		t.l.eachMatch(s, func(k, longest int) {
			m := &s.matches[k]
			m.span, spans = spans[0], spans[1:]
			if m.unlikely() {
				return
			}
			f.hashes = f.hashes[:0]
			s.mentionFeatures(f, k, longest)
			shared, total := len(f.hashes), s.totalSeen(m)
			for rank := range m.lastHit - m.firstHit {
				cui := graph.CUI(s.hits[m.firstHit+rank].cui)
				itsName := s.hits[m.firstHit+rank].how == byName
				if !t.linkable(cui) || itsName && absent[[2]int{m.start, m.end}] {
					continue
				}
				f.hashes = f.hashes[:shared]
				s.candidateFeatures(f, m, rank, total)
				e.add(f, text.Document, gold[Annotation{m.start, m.end, cui}])
			}
		})
	})
}

// eachText matches each text and gives it to do.
func (t *trainer) eachText(ctx context.Context, do func(Annotated)) error {
	for _, text := range t.texts {
		t.s.learnedFrom = t.perDocument[text.Document]
		if err := t.l.match(ctx, t.s, text.Text); err != nil {
			return err
		}
		do(text)
	}
	return nil
}

// examples are what the weights of some features are learned from.
type examples struct {
	index     map[uint64]uint32 // of features, by hash
	lexical   []bool            // by feature
	uses      []int             // documents that a feature is in
	lastUse   []string          // the last of them
	values    []uint32          // features of the examples
	list      []example
	documents int
	last      string // document
}

type example struct {
	first, last int // of values
	positive    bool
	fold        int
}

// Documents belong in turn to one of some folds, so that each can be judged by
// what the others taught.
const (
	folds    = 2
	allFolds = -1
)

func newExamples() *examples { return &examples{index: map[uint64]uint32{}} }

// add adds an example of a document; those of a document come one after another.
func (e *examples) add(f *features, document string, positive bool) {
	if e.documents == 0 || document != e.last {
		e.documents++
		e.last = document
	}
	x := example{first: len(e.values), positive: positive, fold: e.documents % folds}
	for _, hash := range f.hashes {
		i, ok := e.index[hash]
		if !ok {
			i = uint32(len(e.uses))
			e.index[hash] = i
			e.uses, e.lastUse = append(e.uses, 0), append(e.lastUse, "")
			e.lexical = append(e.lexical, lexical(f.names[hash][0]))
		}
		if e.lastUse[i] != document {
			e.uses[i]++
			e.lastUse[i] = document
		}
		e.values = append(e.values, i)
	}
	x.last = len(e.values)
	e.list = append(e.list, x)
}

func (e *examples) sum(weights []float64, x example) (sum float64) {
	for _, i := range e.values[x.first:x.last] {
		sum += weights[i]
	}
	return sum
}

// fit learns weights from all examples but those of a fold, by stochastic
// gradient descent with steps by AdaGrad (Duchi, Hazan and Singer 2011) on the
// logistic loss. It gives the mean of the weights on the way, but for the first
// pass (Polyak and Juditsky 1992), which depends less on the order of the examples.
func (e *examples) fit(ctx context.Context, without int) ([]float64, error) {
	d := descent{weights: make([]float64, len(e.uses)), squares: make([]float64, len(e.uses)), sums: make([]float64, len(e.uses))}
	order := rand.New(rand.NewPCG(1, 2))
	for pass := range passes {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		for step, at := range order.Perm(len(e.list)) {
			if x := e.list[at]; x.fold != without {
				e.descend(&d, x)
			}
			if pass > 0 && step%stepsToMean == 0 {
				d.count()
			}
		}
	}
	return d.mean(), nil
}

// descend makes one step.
func (e *examples) descend(d *descent, x example) {
	gradient := 1 / (1 + math.Exp(-e.sum(d.weights, x)))
	if x.positive {
		gradient--
	}
	for _, i := range e.values[x.first:x.last] {
		if e.lexical[i] && e.uses[i] < leastTexts {
			continue
		}
		g := gradient + decay*d.weights[i]
		d.squares[i] += g * g
		d.weights[i] -= learningRate * g / (1e-3 + math.Sqrt(d.squares[i]))
	}
}

// descent is the state of a gradient descent.
type descent struct {
	weights, squares []float64
	sums             []float64 // of the weights at some steps
	counted          int
}

func (d *descent) count() {
	for i, w := range d.weights {
		d.sums[i] += w
	}
	d.counted++
}

func (d *descent) mean() []float64 {
	for i := range d.sums {
		d.sums[i] /= float64(d.counted)
	}
	return d.sums
}

// unseen gives the logit of each example by weights learned without its fold.
func (e *examples) unseen(ctx context.Context) ([]float64, error) {
	logits := make([]float64, len(e.list))
	for fold := range folds {
		weights, err := e.fit(ctx, fold)
		if err != nil {
			return nil, err
		}
		for i, x := range e.list {
			if x.fold == fold {
				logits[i] = e.sum(weights, x)
			}
		}
	}
	return logits, nil
}

// learn gives the weights that count, of features by these names.
func (e *examples) learn(ctx context.Context, names map[uint64]string) (list []weight, err error) {
	weights, err := e.fit(ctx, allFolds)
	if err != nil {
		return nil, err
	}
	for hash, i := range e.index {
		if w := weights[i]; math.Abs(w) >= leastWeight {
			list = append(list, weight{names[hash], w})
		}
	}
	return list, nil
}
