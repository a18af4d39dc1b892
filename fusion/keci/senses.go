package keci

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// Senses tell which candidates mentions of a type stand for: for each entity type and
// each semantic type, the logarithm of how much more often the right candidates of such
// mentions have it than the wrong ones. They are learned where a corpus names the
// concepts of its mentions; of other entity types they say nothing.
type Senses map[string]map[graph.TUI]float64

// What the linker says of a candidate is weighed against its semantic types by a weight
// that was chosen on BC5CDR train and BioRED train, among 1, 2 and 3 (doc/results.md,
// "Which concept a mention stands for").
const (
	senseWeight    = 2
	mostSense      = 3.0  // what few mentions seem to say is not taken for certain
	leastConfident = 1e-4 // so that no candidate is out of reach
	contradicted   = -1.0 // the sense of a candidate that its name does not save
)

// settle puts first the candidate of a mention that it most likely stands for by what
// the linker and its semantic types say. The linker's choice stays where the text writes
// its preferred name, such as that of a user's own term, unless its types say no; and
// of several that have one name.
func (s Senses) settle(m *graph.Mention) {
	of, known := s[m.Type]
	if !known || len(m.Concepts) == 0 || strings.EqualFold(m.Concepts[0].Name, m.Text) && sense(of, m.Concepts[0]) > contradicted {
		return
	}
	chosen, most := -1, math.Inf(-1)
	for i, c := range m.Concepts {
		if value := logit(c.Confidence) + senseWeight*sense(of, c); value > most && c.Variant != graph.PartVariant {
			chosen, most = i, value
		}
	}
	if chosen < 0 {
		return
	}
	same := func(c graph.Candidate) bool {
		return strings.EqualFold(c.Name, m.Concepts[chosen].Name) && strings.EqualFold(c.Matched, m.Concepts[chosen].Matched)
	}
	putFirst(m.Concepts, m.Concepts[slices.IndexFunc(m.Concepts, same)].CUI)
}

// sense is what the most telling of its semantic types says for a candidate, 0 where
// none is known.
func sense(of map[graph.TUI]float64, c graph.Candidate) float64 {
	most := math.Inf(-1)
	for _, tui := range c.SemanticTypes {
		if odds, known := of[tui]; known {
			most = max(most, odds)
		}
	}
	if math.IsInf(most, -1) {
		return 0
	}
	return most
}

func logit(confidence float64) float64 {
	p := min(max(confidence, leastConfident), 1-leastConfident)
	return math.Log(p / (1 - p))
}

// validate looks for types that the model does not have.
func (s Senses) validate(entityTypes []string) error {
	for label, of := range s {
		if label == NoneLabel || !slices.Contains(entityTypes, label) {
			return fmt.Errorf("%q is none of the entityTypes", label)
		}
		for tui, odds := range of {
			if !(math.Abs(odds) <= mostSense) {
				return fmt.Errorf("%s: %s: %g must lie between %g and %g", label, tui, odds, -mostSense, mostSense)
			}
		}
	}
	return nil
}

// senseTally counts the candidates of the mentions of one entity type, by semantic type.
type senseTally struct {
	right, wrong       map[graph.TUI]int
	allRight, allWrong int
}

// add counts a candidate that is right or wrong.
func (t *senseTally) add(c graph.Candidate, right bool) {
	counts, all := t.wrong, &t.allWrong
	if right {
		counts, all = t.right, &t.allRight
	}
	*all++
	for _, tui := range c.SemanticTypes {
		counts[tui]++
	}
}

// odds are those of the semantic types that were seen, each seen once more than it was,
// to two decimals.
func (t *senseTally) odds() map[graph.TUI]float64 {
	seen := map[graph.TUI]bool{}
	for tui := range t.right {
		seen[tui] = true
	}
	for tui := range t.wrong {
		seen[tui] = true
	}
	of := make(map[graph.TUI]float64, len(seen))
	for tui := range seen {
		right := float64(t.right[tui]+1) / float64(t.allRight+len(seen))
		wrong := float64(t.wrong[tui]+1) / float64(t.allWrong+len(seen))
		of[tui] = math.Round(100*min(max(math.Log(right/wrong), -mostSense), mostSense)) / 100
	}
	return of
}

// learnSenses counts the candidates of annotated mentions whose concept is among them,
// nil where the corpus names none. A candidate is right that has an annotated id. Each
// mention counts once, in however many windows it is.
func (m *Model) learnSenses(ctx context.Context, c corpus.Corpus) (Senses, error) {
	named := func(e corpus.Entity) bool { return len(e.Concepts) > 0 }
	if !slices.ContainsFunc(c.Examples, func(e corpus.Example) bool { return slices.ContainsFunc(e.Entities, named) }) {
		return nil, nil
	}
	tallies, repeated := map[string]*senseTally{}, c.Repeated()
	err := m.eachLinked(ctx, c, func(at int, mentions []graph.Mention) error {
		e := c.Examples[at]
		found := map[place][]graph.Candidate{}
		for _, mention := range mentions {
			found[place{mention.Start, mention.End}] = mention.Concepts
		}
		for _, entity := range e.Entities {
			candidates := found[place{entity.Start, entity.End}]
			if !named(entity) || len(candidates) == 0 || entity.End <= repeated[at] {
				continue
			}
			if err := graph.Describe(ctx, m.reader.knowledge, []graph.Mention{{Concepts: candidates}}, graph.Details{Codes: true}); err != nil {
				return err
			}
			if tallies[entity.Type] == nil {
				tallies[entity.Type] = &senseTally{right: map[graph.TUI]int{}, wrong: map[graph.TUI]int{}}
			}
			tallies[entity.Type].addAll(candidates, entity)
		}
		return nil
	})
	if err != nil || len(tallies) == 0 {
		return nil, err
	}
	senses := Senses{}
	for label, t := range tallies {
		if t.allRight > 0 {
			senses[label] = t.odds()
		}
	}
	return senses, nil
}

// learnAllSenses learns those of every head of a configuration, from the corpus to learn
// from of its set.
func (m *Model) learnAllSenses(ctx context.Context, cfg *Config, sets []system.Set) error {
	for i, set := range sets {
		h := cfg.heads()[i]
		var err error
		if h.Senses, err = m.learnSenses(ctx, set.Train); err != nil {
			return err
		}
		cfg.setHead(i, h)
	}
	return nil
}

// addAll counts the candidates of an annotated mention, if one of them is right.
func (t *senseTally) addAll(candidates []graph.Candidate, entity corpus.Entity) {
	if !slices.ContainsFunc(candidates, entity.Means) {
		return
	}
	for _, c := range candidates {
		if c.Variant != graph.PartVariant {
			t.add(c, entity.Means(c))
		}
	}
}

// LearnSenses writes the model of the directory from, which m was opened from, again as
// the new directory to, with [Senses] that are learned from a corpus whose labels it
// has. Nothing else of it changes.
func (m *Model) LearnSenses(ctx context.Context, from, to string, c corpus.Corpus) (Senses, error) {
	if err := modeldir.CheckNew(to); err != nil {
		return nil, fmt.Errorf("learn senses: %w", err)
	}
	head, err := m.cfg.headOf(c.Name)
	if err != nil {
		return nil, fmt.Errorf("learn senses: %w", err)
	}
	h := m.cfg.heads()[head]
	if h.Senses, err = m.learnSenses(ctx, c); err != nil {
		return nil, fmt.Errorf("learn senses: %w", err)
	}
	if len(h.Senses) == 0 {
		return nil, fmt.Errorf("learn senses: no mention of the corpus has a concept that is among its candidates")
	}
	if err := h.Senses.validate(h.EntityTypes); err != nil {
		return nil, fmt.Errorf("learn senses: the corpus has other types than the model: %w", err)
	}
	cfg := m.cfg
	cfg.setHead(head, h)
	return h.Senses, modeldir.Reconfigure(from, to, cfg)
}

// eachLinked gives do each example of a corpus, by its index, with the mentions that the
// linker finds in it, which reads documents as a whole.
func (m *Model) eachLinked(ctx context.Context, c corpus.Corpus, do func(at int, mentions []graph.Mention) error) error {
	document, mentions := "", []graph.Mention(nil)
	for at, e := range c.Examples {
		whole, start := e.Document()
		if whole != document {
			var err error
			if mentions, err = m.reader.link(ctx, whole); err != nil {
				return fmt.Errorf("example %s: %w", e.ID, err)
			}
			document = whole
		}
		inside, _ := cutMentions(mentions, linker.Range{Start: start, End: start + len(e.Text)})
		if err := do(at, inside); err != nil {
			return fmt.Errorf("example %s: %w", e.ID, err)
		}
	}
	return nil
}
