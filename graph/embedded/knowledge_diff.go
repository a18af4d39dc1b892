package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
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
		err := older.view(ctx, func(from *badger.Txn) error {
			return newer.view(ctx, func(to *badger.Txn) error {
				d := differ{ctx, from, to, yield}
				return d.all(older, newer)
			})
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(Change{}, fmt.Errorf("comparing knowledge bases: %w", err))
		}
	}
}

// errStopped ends a comparison that nobody listens to any more.
var errStopped = errors.New("stopped")

type differ struct {
	ctx      context.Context
	from, to *badger.Txn
	yield    func(Change, error) bool
}

func (d *differ) all(older, newer *Knowledge) error {
	if err := d.network(older, newer); err != nil {
		return err
	}
	if err := d.entries(conceptTag, d.concept); err != nil {
		return err
	}
	return d.entries(outTag, d.relation)
}

func (d *differ) tell(c Change) error {
	if !d.yield(c, nil) {
		return errStopped
	}
	return nil
}

// entries walks through the entries with a tag of both, which are in order of
// key, side by side.
func (d *differ) entries(tag string, tell func(kind ChangeKind, key, value []byte) error) error {
	from, to := newKeyIterator(d.from, []byte(tag)), newKeyIterator(d.to, []byte(tag))
	defer from.Close()
	defer to.Close()
	from.Rewind()
	to.Rewind()
	for n := 0; from.Valid() || to.Valid(); n++ {
		if n%4096 == 0 && d.ctx.Err() != nil {
			return context.Cause(d.ctx)
		}
		order := 0
		switch {
		case !from.Valid():
			order = 1
		case !to.Valid():
			order = -1
		default:
			order = bytes.Compare(from.Item().Key(), to.Item().Key())
		}
		if err := tellEntry(order, from, to, tell); err != nil {
			return err
		}
		if order <= 0 {
			from.Next()
		}
		if order >= 0 {
			to.Next()
		}
	}
	return nil
}

// tellEntry tells of the entry that comes first, or that both have.
func tellEntry(order int, from, to *badger.Iterator, tell func(kind ChangeKind, key, value []byte) error) error {
	item, kind := to.Item, Added
	if order < 0 {
		item, kind = from.Item, Removed
	}
	return item().Value(func(value []byte) error {
		if order != 0 {
			return tell(kind, item().Key(), value)
		}
		return from.Item().Value(func(old []byte) error {
			if bytes.Equal(old, value) {
				return nil
			}
			return tell(Changed, to.Item().Key(), value)
		})
	})
}

func (d *differ) concept(kind ChangeKind, key, value []byte) error {
	c, err := decodeConcept(graph.CUI(key[len(conceptTag):]), value)
	if err != nil {
		return fmt.Errorf("concept %s: %w", c.CUI, err)
	}
	change := Change{Kind: kind, Concept: &c}
	if kind == Removed {
		if r, err := readRetired(d.to, c.CUI); err == nil {
			change.Retired = &r
		}
	}
	return d.tell(change)
}

func (d *differ) relation(kind ChangeKind, key, value []byte) error {
	head, rest, found := bytes.Cut(key[len(outTag):], []byte(nul))
	if !found {
		return errDamagedEntry
	}
	r := graph.Relation{Head: graph.CUI(head)}
	var err error
	if r.Tail, r.Label, err = splitRelationKey(rest); err != nil {
		return err
	}
	if err := decodeRelation(&r, value); err != nil {
		return fmt.Errorf("relation %s –%s→ %s: %w", r.Head, r.Label, r.Tail, err)
	}
	return d.tell(Change{Kind: kind, Relation: &r})
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
