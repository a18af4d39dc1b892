package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// st21pv are the 21 semantic types whose concepts, and those of the types
// below them, MedMentions ST21pv marks (Mohan and Li 2019, table 4): T007, T204,
// T005, T017, T074, T103, T031, T168, T022, T082, T033, T201, T170, T091, T092,
// T097, T098, T038, T037, T058 and T062, by their tree numbers. A knowledge base
// need not have a type to have some below it.
var st21pv = strings.Fields("A1.1.2 A1.1.3 A1.1.4 A1.2 A1.3.1 A1.4.1 A1.4.2 A1.4.3 A2.1.4.1 A2.1.5 A2.2 A2.3.1 A2.4 A2.6.1 A2.7 A2.9.1 A2.9.2 B2.2.1 B2.3 B1.3.1 B1.3.2")

// realCUI begins the identifiers that the UMLS gave; no gold has another one.
const realCUI = "C"

// Counts are what the measures are made of, summed over texts.
type Counts struct {
	Texts      int `json:"texts"`
	Gold       int `json:"gold"`       // marked mentions whose concept is in the knowledge base
	Marked     int `json:"marked"`     // distinct marked ranges, whatever their concept
	Covered    int `json:"covered"`    // of these, predicted exactly
	Spans      int `json:"spans"`      // predicted ranges
	Candidates int `json:"candidates"` // of all predicted ranges
	RightSpan  int `json:"rightSpan"`  // gold with the exact range predicted
	Among      int `json:"among"`      // gold with its concept among the candidates
	Right      int `json:"right"`      // gold with its concept first
	Judged     int `json:"judged"`     // predicted ranges that count for the precision
}

// Measures are shares of Counts, per cent unless said otherwise.
type Measures struct {
	Precision       float64 `json:"precision"`       // right, of the judged ranges
	Recall          float64 `json:"recall"`          // right, of gold
	F1              float64 `json:"f1"`              //
	CandidateRecall float64 `json:"candidateRecall"` // among the candidates, of gold
	SpanRecall      float64 `json:"spanRecall"`      // exact range, of gold
	Coverage        float64 `json:"coverage"`        // exact range, of all marked ones
	PerSpan         float64 `json:"perSpan"`         // candidates of a range, a number
	Counts          Counts  `json:"counts"`
}

// Judge counts what was predicted for texts. It is not safe for concurrent use.
//
// Judged are the ranges whose first concept has one of the 21 semantic types of
// ST21pv, or one below, and either an identifier of the UMLS or a gold range.
type Judge struct {
	knowledge graph.Knowledge
	wanted    map[graph.TUI]bool
	known     map[graph.CUI]bool
	counts    Counts
}

// NewJudge makes a judge for predictions with a knowledge base.
func NewJudge(knowledge graph.Knowledge) *Judge {
	return &Judge{knowledge: knowledge, wanted: map[graph.TUI]bool{}, known: map[graph.CUI]bool{}}
}

type span struct{ start, end int }

// Final gives the mentions of the final mapping.
func Final(mentions []graph.Mention) []graph.Mention {
	var final []graph.Mention
	for _, m := range mentions {
		if m.Final {
			final = append(final, m)
		}
	}
	return final
}

// Add counts the mentions predicted for a text, offsets in bytes.
func (j *Judge) Add(ctx context.Context, gold linker.Annotated, predicted []graph.Mention) error {
	c := &j.counts
	c.Texts++
	spans := make(map[span][]graph.Candidate, len(predicted))
	for _, m := range predicted {
		if len(m.Concepts) > 0 {
			spans[span{m.Start, m.End}] = m.Concepts
			c.Candidates += len(m.Concepts)
		}
	}
	c.Spans += len(spans)
	known := map[linker.Annotation]bool{}
	goldSpans := map[span]bool{}
	marked := map[span]bool{}
	for _, m := range gold.Mentions {
		at := span{m.Start, m.End}
		if !marked[at] {
			marked[at] = true
			c.Marked++
			c.Covered += count(spans[at] != nil)
		}
		is, err := j.isKnown(ctx, m.CUI)
		if err != nil {
			return err
		}
		if !is || known[m] {
			continue
		}
		known[m], goldSpans[at] = true, true
		j.countGold(m.CUI, spans[at])
	}
	for at, concepts := range spans {
		wanted, err := j.isWanted(ctx, concepts[0])
		if err != nil {
			return err
		}
		c.Judged += count(wanted && (strings.HasPrefix(string(concepts[0].CUI), realCUI) || goldSpans[at]))
	}
	return nil
}

func (j *Judge) countGold(cui graph.CUI, concepts []graph.Candidate) {
	j.counts.Gold++
	j.counts.RightSpan += count(concepts != nil)
	for i, candidate := range concepts {
		if candidate.CUI == cui {
			j.counts.Among++
			j.counts.Right += count(i == 0)
			return
		}
	}
}

// isKnown reports whether the knowledge base has the concept.
func (j *Judge) isKnown(ctx context.Context, cui graph.CUI) (bool, error) {
	if is, ok := j.known[cui]; ok {
		return is, nil
	}
	_, err := j.knowledge.Concept(ctx, cui)
	if err != nil && !errors.Is(err, graph.ErrNotFound) {
		return false, fmt.Errorf("look %s up: %w", cui, err)
	}
	j.known[cui] = err == nil
	return err == nil, nil
}

// isWanted reports whether a concept has a type of ST21pv or one below.
func (j *Judge) isWanted(ctx context.Context, c graph.Candidate) (bool, error) {
	for _, tui := range c.SemanticTypes {
		if _, ok := j.wanted[tui]; !ok {
			below, err := j.isBelow(ctx, tui)
			if err != nil {
				return false, err
			}
			j.wanted[tui] = below
		}
		if j.wanted[tui] {
			return true, nil
		}
	}
	return false, nil
}

// isBelow reports whether a type, unless the knowledge base does not have it, is of ST21pv or below.
func (j *Judge) isBelow(ctx context.Context, tui graph.TUI) (bool, error) {
	t, err := j.knowledge.SemanticType(ctx, tui)
	if err != nil && !errors.Is(err, graph.ErrNotFound) {
		return false, fmt.Errorf("look the semantic type %s up: %w", tui, err)
	}
	return slices.ContainsFunc(st21pv, func(top string) bool {
		return strings.HasPrefix(t.TreeNumber+".", top+".")
	}), nil
}

// Measures gives the figures of everything added.
func (j *Judge) Measures() Measures {
	c := j.counts
	return Measures{
		Precision:       share(c.Right, c.Judged),
		Recall:          share(c.Right, c.Gold),
		F1:              share(2*c.Right, c.Judged+c.Gold),
		CandidateRecall: share(c.Among, c.Gold),
		SpanRecall:      share(c.RightSpan, c.Gold),
		Coverage:        share(c.Covered, c.Marked),
		PerSpan:         share(c.Candidates, c.Spans) / 100,
		Counts:          c,
	}
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
