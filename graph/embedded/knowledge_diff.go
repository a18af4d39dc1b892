package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/align"
)

// ChangeKind says what happened to something between two knowledge bases.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed"
)

// Change is one difference between two knowledge bases: a concept, a relation, a
// semantic type or a relation between types. Of what was removed it holds the old
// one, otherwise the new one.
type Change struct {
	Kind         ChangeKind          `json:"change"`
	Concept      *graph.Concept      `json:"concept,omitempty"`
	Retired      *graph.Retired      `json:"retired,omitempty"` // of a removed concept, what the newer one says became of it
	Relation     *graph.Relation     `json:"relation,omitempty"`
	SemanticType *graph.SemanticType `json:"semanticType,omitempty"`
	TypeRelation *graph.TypeRelation `json:"typeRelation,omitempty"`
}

// Diff gives what must be done to an older knowledge base to make it the newer
// one: changes of semantic types and their relations, then of concepts, in order
// of CUI, then of relations, in order of head, tail and label. It holds one entry
// of each at a time.
func Diff(ctx context.Context, older, newer *Knowledge) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		d := differ{ctx, older, newer, yield}
		if err := d.all(); err != nil && !errors.Is(err, errStopped) {
			yield(Change{}, fmt.Errorf("comparing knowledge bases: %w", err))
		}
	}
}

// errStopped ends a comparison that nobody listens to any more.
var errStopped = errors.New("stopped")

type differ struct {
	ctx          context.Context
	older, newer *Knowledge
	yield        func(Change, error) bool
}

func (d *differ) all() error {
	if d.ctx.Err() != nil {
		return context.Cause(d.ctx)
	}
	if err := d.network(d.older, d.newer); err != nil {
		return err
	}
	err := compareSorted(d.older.Concepts(d.ctx), d.newer.Concepts(d.ctx), compareCUIs, equalConcepts, d.concept)
	if err != nil {
		return err
	}
	return compareSorted(d.older.Relations(d.ctx), d.newer.Relations(d.ctx), graph.Relation.CompareEnds, equalRelations,
		func(kind ChangeKind, r graph.Relation) error { return d.tell(Change{Kind: kind, Relation: &r}) })
}

func (d *differ) tell(c Change) error {
	if !d.yield(c, nil) {
		return errStopped
	}
	return nil
}

func (d *differ) concept(kind ChangeKind, c graph.Concept) error {
	change := Change{Kind: kind, Concept: &c}
	if kind == Removed {
		r, err := d.newer.Successor(d.ctx, c.CUI)
		switch {
		case err == nil:
			change.Retired = &r
		case !errors.Is(err, graph.ErrNotFound):
			return err
		}
	}
	return d.tell(change)
}

// compareSorted tells the differences between two sequences, which are in order.
func compareSorted[T any](older, newer iter.Seq2[T, error], order func(a, b T) int, equal func(a, b T) bool, tell func(ChangeKind, T) error) error {
	for p, err := range align.Sorted(older, newer, order) {
		if err != nil {
			return err
		}
		switch {
		case !p.InSecond:
			err = tell(Removed, p.First)
		case !p.InFirst:
			err = tell(Added, p.Second)
		case !equal(p.First, p.Second):
			err = tell(Changed, p.Second)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func compareCUIs(a, b graph.Concept) int { return cmp.Compare(a.CUI, b.CUI) }

func equalConcepts(a, b graph.Concept) bool {
	return a.Name == b.Name && a.Definition == b.Definition &&
		slices.Equal(a.Synonyms, b.Synonyms) && slices.Equal(a.SemanticTypes, b.SemanticTypes) &&
		slices.Equal(a.Sources, b.Sources) && slices.Equal(a.Codes, b.Codes)
}

func equalRelations(a, b graph.Relation) bool {
	return a.Rel == b.Rel && slices.Equal(a.Sources, b.Sources)
}

// network compares the semantic types and their relations, which are few.
func (d *differ) network(older, newer *Knowledge) error {
	for _, tui := range sortedTypes(older, newer) {
		was, known := older.types[tui]
		is, stays := newer.types[tui]
		change := Change{Kind: Changed, SemanticType: &is}
		switch {
		case !stays:
			change = Change{Kind: Removed, SemanticType: &was}
		case !known:
			change.Kind = Added
		case was == is:
			continue
		}
		if err := d.tell(change); err != nil {
			return err
		}
	}
	if err := d.typeRelations(Removed, older, newer); err != nil {
		return err
	}
	return d.typeRelations(Added, newer, older)
}

// typeRelations tells of the relations that only the first one has.
func (d *differ) typeRelations(kind ChangeKind, first, second *Knowledge) error {
	for _, head := range sortedTypes(first) {
		others := map[graph.TypeRelation]bool{}
		for _, r := range second.typeRelations[head] {
			others[r] = true
		}
		for _, r := range first.typeRelations[head] {
			if others[r] {
				continue
			}
			if err := d.tell(Change{Kind: kind, TypeRelation: &r}); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedTypes(all ...*Knowledge) (list []graph.TUI) {
	for _, k := range all {
		for tui := range k.types {
			list = append(list, tui)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
