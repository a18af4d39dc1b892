package graph

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// PathQuery asks how the documents join two concepts.
type PathQuery struct {
	Filter
	From, To CUI
	Label    string // empty: all
	MaxSteps int    // 1 to MaxPathSteps
	Limit    int
}

// MaxPathSteps is the longest path that can be asked for.
const MaxPathSteps = 6

// Path is a way from one concept to another over facts, whose directions do not
// matter for it.
type Path struct {
	Concepts []ConceptName `json:"concepts"` // one more than steps
	Steps    []Step        `json:"steps"`
	Score    float64       `json:"score"` // the product of the best noisyOr of each step
}

// Step is what joins two concepts of a path: all facts, the best first.
type Step struct {
	Facts []Fact `json:"relations"`
}

// maxPathFacts is how many facts are looked at.
const maxPathFacts = 50_000

// Paths gives the shortest paths between two concepts, the best first; ties in
// order of the concepts. None leads from a concept to itself. The error wraps
// ErrTooBroad when the way leads over concepts of too many facts.
func Paths(ctx context.Context, extracted Extracted, query PathQuery) ([]Path, error) {
	present, err := extracted.Present(ctx, query.From, query.To)
	if err != nil {
		return nil, err
	}
	query.From, query.To = present.Of(query.From), present.Of(query.To)
	if query.From == query.To {
		return nil, nil
	}
	search := pathSearch{query: query, extracted: extracted, depth: map[CUI]int{query.From: 0}, before: map[CUI]map[CUI][]Fact{}, names: map[CUI]ConceptName{}, best: map[CUI][]*way{}}
	found, err := search.run(ctx)
	if err != nil || !found {
		return nil, err
	}
	var paths []Path
	for _, w := range search.ways(query.To) {
		paths = append(paths, search.path(w))
	}
	return paths, nil
}

// pathSearch goes from a concept to its neighbours, to theirs, and so on.
type pathSearch struct {
	query     PathQuery
	extracted Extracted
	depth     map[CUI]int            // steps from the beginning
	before    map[CUI]map[CUI][]Fact // by concept: those one step nearer to the beginning, with what joins them
	names     map[CUI]ConceptName
	best      map[CUI][]*way // by concept, see ways
	seen      int            // facts
}

// run goes on until the end is reached.
func (s *pathSearch) run(ctx context.Context) (found bool, err error) {
	front := []CUI{s.query.From}
	for step := 1; step <= s.query.MaxSteps && len(front) > 0; step++ {
		facts, err := s.extracted.Facts(ctx, FactQuery{Filter: s.query.Filter, Concepts: front, Label: s.query.Label, Order: ByScore, Limit: maxPathFacts - s.seen + 1})
		if err != nil {
			return false, err
		}
		if s.seen += len(facts); s.seen > maxPathFacts {
			return false, fmt.Errorf("more than %d relations lie on the ways from %s: ask for fewer steps, a label or a higher score: %w", maxPathFacts, s.query.From, ErrTooBroad)
		}
		front = s.advance(facts, step)
		if _, found := s.depth[s.query.To]; found {
			return true, nil
		}
	}
	return false, nil
}

// advance notes the facts that lead one step on, and gives the concepts there.
func (s *pathSearch) advance(facts []Fact, step int) (front []CUI) {
	for _, fact := range facts {
		for _, ends := range [][2]ConceptName{{fact.Head, fact.Tail}, {fact.Tail, fact.Head}} {
			from, to := ends[0], ends[1]
			s.names[from.CUI], s.names[to.CUI] = from, to
			if at, known := s.depth[from.CUI]; !known || at != step-1 {
				continue
			}
			at, known := s.depth[to.CUI]
			if known && at != step {
				continue // nearer than this way leads
			}
			if !known {
				s.depth[to.CUI] = step
				s.before[to.CUI] = map[CUI][]Fact{}
				front = append(front, to.CUI)
			}
			s.before[to.CUI][from.CUI] = append(s.before[to.CUI][from.CUI], fact)
		}
	}
	slices.Sort(front)
	return front
}

// way is a path from the beginning to a concept, by its last step.
type way struct {
	to     CUI
	before *way // nil at the beginning
	score  float64
}

// compare puts the better of two ways of as many steps first; ties in order of the
// concepts from the beginning on.
func (w *way) compare(other *way) int {
	return cmp.Or(cmp.Compare(other.score, w.score), w.compareConcepts(other))
}

func (w *way) compareConcepts(other *way) int {
	if w == other {
		return 0
	}
	return cmp.Or(w.before.compareConcepts(other.before), cmp.Compare(w.to, other.to))
}

// ways gives the best ways to a concept, no more than are asked for: one of the best ways
// to the end is one of the best to each concept on it.
func (s *pathSearch) ways(to CUI) []*way {
	if known, ok := s.best[to]; ok {
		return known
	}
	list := []*way{}
	if to == s.query.From {
		list = append(list, &way{to: to, score: 1})
	}
	for from, facts := range s.before[to] {
		for _, before := range s.ways(from) {
			list = append(list, &way{to, before, before.score * facts[0].NoisyOr})
		}
	}
	slices.SortFunc(list, (*way).compare)
	s.best[to] = slices.Clone(list[:min(len(list), s.query.Limit)])
	return s.best[to]
}

// path tells a way with what joins its concepts.
func (s *pathSearch) path(w *way) Path {
	path := Path{Score: w.score}
	for ; w != nil; w = w.before {
		path.Concepts = append(path.Concepts, s.names[w.to])
		if w.before != nil {
			path.Steps = append(path.Steps, Step{s.before[w.to][w.before.to]})
		}
	}
	slices.Reverse(path.Concepts)
	slices.Reverse(path.Steps)
	return path
}
