package neo4j

import (
	"cmp"
	"context"
	"iter"
	"reflect"
	"slices"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/align"
)

// replace makes the database hold the release instead of another one, by writing
// what differs. It reads what is there, so it can be cut off and begun again.
// Concepts are there before others give way to them, and types as long as
// concepts have them.
func (l *load) replace(ctx context.Context) error {
	types, typeRelations := l.release.Network()
	written, removed := &l.report.Written, &l.report.Removed
	typeChanges := changes[graph.SemanticType]{was: l.storedTypes(ctx), is: sorted(types, compareTypes), order: compareTypes, row: semanticTypeRow}
	typeRelationChanges := changes[graph.TypeRelation]{
		was: l.storedTypeRelations(ctx), is: sorted(typeRelations, compareTypeRelations), order: compareTypeRelations, row: typeRelationRow}
	conceptChanges := changes[graph.Concept]{was: l.storedConcepts(ctx), is: l.release.Concepts(ctx), order: compareConcepts, row: conceptRow}
	relationChanges := changes[graph.Relation]{was: l.storedRelations(ctx), is: l.release.Relations(ctx), order: graph.Relation.CompareEnds, row: relationRow}
	retiredChanges := changes[graph.Retired]{was: l.storedRetired(ctx), is: l.release.Retired(ctx), order: compareRetired, row: retiredRow, undo: true}
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"semantic types", func() error { return typeChanges.apply(ctx, l, writeTypes, &written.SemanticTypes, nil, nil) }},
		{"relations of semantic types", func() error {
			return typeRelationChanges.apply(ctx, l, writeTypeRelations, &written.TypeRelations, removeTypeRelations, &removed.TypeRelations)
		}},
		{"concepts that came back", func() error { return retiredChanges.apply(ctx, l, nil, nil, restore, new(int)) }},
		{"concepts", func() error {
			return conceptChanges.apply(ctx, l, rewriteConcepts, &written.Concepts, unlist, &removed.Concepts)
		}},
		{"retired concepts", func() error { return retiredChanges.apply(ctx, l, retire, &l.report.Retired, nil, nil) }},
		{"relations", func() error {
			return relationChanges.apply(ctx, l, writeRelations, &written.Relations, removeRelations, &removed.Relations)
		}},
		{"removed semantic types", func() error { return typeChanges.apply(ctx, l, nil, nil, removeTypes, &removed.SemanticTypes) }},
	} {
		l.step = step.name
		if err := step.run(); err != nil {
			return err
		}
	}
	return nil
}

// rewriteConcepts writes concepts of which some are there with other types.
func rewriteConcepts(ctx context.Context, tx driver.ManagedTransaction, rows []map[string]any) error {
	err := run(ctx, tx, `
		UNWIND $rows AS row
		MATCH (:Concept {cui: row.cui})-[h:HAS_TYPE]->(t:SemanticType)
		WHERE NOT t.tui IN coalesce(row.semanticTypes, [])
		DELETE h`, map[string]any{"rows": rows})
	if err != nil {
		return err
	}
	return writeConcepts(ctx, tx, rows)
}

var (
	removeTypes         = statement("UNWIND $rows AS row MATCH (t:SemanticType {tui: row.tui}) DETACH DELETE t")
	removeTypeRelations = statement(`
		UNWIND $rows AS row
		MATCH (:SemanticType {tui: row.head})-[r {label: row.label}]->(:SemanticType {tui: row.tail})
		DELETE r`)
	removeRelations = statement(`
		UNWIND $rows AS row
		MATCH (:Concept {cui: row.head})-[r {label: row.label}]->(:Concept {cui: row.tail})
		WHERE type(r) <> 'EXTRACTED'
		DELETE r`)
)

// changes is what a release has otherwise than the database, for one kind of thing.
type changes[T any] struct {
	was, is iter.Seq2[T, error]    // both in order
	order   func(a, b T) int       // 0: the same thing, which may have changed
	row     func(T) map[string]any // all that is stored of it
	undo    bool                   // what changed is removed before it is written anew
}

// apply writes what is there otherwise, or not at all, and removes what is not
// there any more, each where there is a writer for it, and counts both.
func (c changes[T]) apply(ctx context.Context, l *load, write rowWriter, written *int, remove rowWriter, removed *int) error {
	writing, removing := l.batches(write), l.batches(remove)
	compared := 0
	tell := func() {
		if compared++; compared%l.options.BatchRows == 0 && write != nil {
			l.advance(l.options.BatchRows)
		}
	}
	for d, err := range c.differences(tell) {
		if err != nil {
			return err
		}
		if d.InSecond && write != nil {
			*written++
			err = writing.add(ctx, c.row(d.Second))
		}
		if d.InFirst && (!d.InSecond || c.undo) && remove != nil {
			*removed++
			err = removing.add(ctx, c.row(d.First))
		}
		if err != nil {
			return err
		}
	}
	if err := writing.flush(ctx); err != nil {
		return err
	}
	return removing.flush(ctx)
}

// differences goes through both lists and gives what only one of them has, or both
// otherwise. tell is called for each thing that is there now.
func (c changes[T]) differences(tell func()) iter.Seq2[align.Pair[T], error] {
	return func(yield func(align.Pair[T], error) bool) {
		for p, err := range align.Sorted(c.was, c.is, c.order) {
			if err != nil {
				yield(p, err)
				return
			}
			same := p.InFirst && p.InSecond && reflect.DeepEqual(c.row(p.First), c.row(p.Second))
			if !same && !yield(p, nil) {
				return
			}
			if p.InSecond {
				tell()
			}
		}
	}
}

func compareTypes(a, b graph.SemanticType) int { return cmp.Compare(a.TUI, b.TUI) }

func compareConcepts(a, b graph.Concept) int { return cmp.Compare(a.CUI, b.CUI) }

func compareRetired(a, b graph.Retired) int { return cmp.Compare(a.CUI, b.CUI) }

func compareTypeRelations(a, b graph.TypeRelation) int {
	return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Tail, b.Tail), cmp.Compare(a.Label, b.Label))
}

func sorted[T any](items []T, order func(a, b T) int) iter.Seq2[T, error] {
	return listed(slices.SortedFunc(slices.Values(items), order))
}
