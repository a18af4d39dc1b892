package embedded

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
)

// Facts implements graph.Extracted.
func (s *Store) Facts(ctx context.Context, query graph.FactQuery) ([]graph.Fact, error) {
	found := newPage(query.Limit, query.After, func(f graph.Fact) graph.Cursor { return query.Order.CursorOf(f) }, graph.Cursor.Compare)
	names := s.newNames(ctx)
	visit := func(fact graph.Fact) (more bool, err error) {
		if query.SemanticType != "" {
			ok, err := names.haveType(query.SemanticType, fact.Head.CUI, fact.Tail.CUI)
			if err != nil || !ok {
				return true, err
			}
		}
		return found.add(fact) || ranked(query.Order), nil
	}
	present, err := s.Present(ctx, append(slices.Clone(query.Concepts), query.Other)...)
	if err != nil {
		return nil, fmt.Errorf("looking for facts: %w", err)
	}
	query.Other = present.Of(query.Other)
	err = s.db.View(func(txn *badger.Txn) error {
		if len(query.Concepts) == 0 {
			return allFacts(ctx, txn, query, visit)
		}
		return factsOf(ctx, txn, query, present, visit)
	})
	facts := found.list()
	if err == nil {
		err = names.fill(facts)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for facts: %w", err)
	}
	return facts, nil
}

// ranked reports whether an order goes by more than the keys, so that the first
// facts are not known before all were seen.
func ranked(order graph.Order) bool { return order == graph.ByScore || order == graph.ByDocuments }

// allFacts visits the facts in order of their keys.
func allFacts(ctx context.Context, txn *badger.Txn, query graph.FactQuery, visit func(graph.Fact) (more bool, err error)) error {
	start := []byte(factPrefix)
	if query.After != nil && !ranked(query.Order) {
		start = []byte(factKeyPrefix(query.After.Key))
	}
	sum, going := tally{}, true
	flush := func() (err error) {
		if fact := sum.fact(); fact.Mentions > 0 && going {
			going, err = visit(fact)
		}
		return err
	}
	err := scan(ctx, txn, []byte(factPrefix), start, func(item *badger.Item) (more bool, err error) {
		key, id, err := parseFactEntry(item.Key())
		if err != nil {
			return false, err
		}
		if key != sum.key {
			if err := flush(); err != nil {
				return false, err
			}
			sum = newTally(key)
		}
		if query.Label != "" && query.Label != key.Label {
			return going, nil
		}
		return going, sum.add(item, id, query.Filter)
	})
	if err != nil {
		return err
	}
	return flush()
}

// factsOf visits the facts of some concepts in order of their keys.
func factsOf(ctx context.Context, txn *badger.Txn, query graph.FactQuery, present graph.Presence, visit func(graph.Fact) (more bool, err error)) error {
	keys := map[graph.FactKey]bool{}
	for _, cui := range query.Concepts {
		for _, kind := range []string{factPrefix, tailPrefix} {
			err := scanKeys(ctx, txn, kind+string(present.Of(cui))+separator, func(entry []byte) error {
				key, _, err := parseFactEntry(entry)
				other := key.Tail
				if kind == tailPrefix {
					other = key.Head
				}
				if (query.Other == "" || query.Other == other) && (query.Label == "" || query.Label == key.Label) {
					keys[key] = true
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(keys), graph.FactKey.Compare) {
		sum, prefix := newTally(key), []byte(factKeyPrefix(key))
		err := scan(ctx, txn, prefix, prefix, func(item *badger.Item) (more bool, err error) {
			return true, sum.add(item, string(item.Key()[len(prefix):]), query.Filter)
		})
		if err != nil {
			return err
		}
		if fact := sum.fact(); fact.Mentions > 0 {
			if more, err := visit(fact); err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// scanKeys visits the keys with a prefix.
func scanKeys(ctx context.Context, txn *badger.Txn, prefix string, visit func(key []byte) error) error {
	entries := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefix)})
	defer entries.Close()
	for entries.Seek([]byte(prefix)); entries.ValidForPrefix([]byte(prefix)); entries.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(entries.Item().Key()); err != nil {
			return err
		}
	}
	return nil
}

// tally sums up what documents, one after the other, say of a fact.
type tally struct {
	key                 graph.FactKey
	documents, mentions int
	highest, noneHolds  float64
}

func newTally(key graph.FactKey) tally { return tally{key: key, noneHolds: 1} }

// add counts what of an entry a filter lets count.
func (t *tally) add(item *badger.Item, id string, filter graph.Filter) error {
	relations, err := readTold(item, id, filter)
	if err != nil || len(relations) == 0 {
		return err
	}
	best := 0.0
	for _, relation := range relations {
		best = max(best, relation.Score)
	}
	t.documents++
	t.mentions += len(relations)
	t.highest = max(t.highest, best)
	t.noneHolds *= 1 - best
	return nil
}

func (t *tally) fact() graph.Fact {
	return graph.Fact{
		ID: t.key.String(), Head: graph.ConceptName{CUI: t.key.Head}, Label: t.key.Label, Tail: graph.ConceptName{CUI: t.key.Tail},
		Directed: t.key.Directed, Documents: t.documents, Mentions: t.mentions, MaxScore: t.highest, NoisyOr: 1 - t.noneHolds,
	}
}

// readTold gives the relations of an entry that a filter lets count.
func readTold(item *badger.Item, id string, filter graph.Filter) ([]toldRelation, error) {
	var entry told
	if err := item.Value(func(value []byte) error { return json.Unmarshal(value, &entry) }); err != nil {
		return nil, fmt.Errorf("reading the entry %q: %w", item.Key(), err)
	}
	if !filter.LetsDocument(id, entry.Submitted) {
		return nil, nil
	}
	return slices.DeleteFunc(entry.Relations, func(r toldRelation) bool {
		return r.Score < filter.MinScore || filter.Type != "" && r.HeadType != filter.Type && r.TailType != filter.Type
	}), nil
}

// Evidence implements graph.Extracted.
func (s *Store) Evidence(ctx context.Context, query graph.EvidenceQuery) (evidence []graph.Evidence, err error) {
	found := newPage(query.Limit, query.After, func(c graph.EvidenceCursor) graph.EvidenceCursor { return c }, graph.EvidenceCursor.Compare)
	present, err := s.Present(ctx, query.Key.Head, query.Key.Tail)
	if err != nil {
		return nil, fmt.Errorf("looking for evidence of %s: %w", query.Key, err)
	}
	err = s.db.View(func(txn *badger.Txn) error {
		prefix := []byte(factKeyPrefix(query.Key.Present(present)))
		err := scan(ctx, txn, prefix, prefix, func(item *badger.Item) (more bool, err error) {
			id := string(item.Key()[len(prefix):])
			relations, err := readTold(item, id, query.Filter)
			for _, relation := range relations {
				found.add(graph.EvidenceCursor{Score: relation.Score, Document: id, Place: relation.Place})
			}
			return true, err
		})
		if err != nil {
			return err
		}
		evidence, err = readEvidence(ctx, txn, found.list())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for evidence of %s: %w", query.Key, err)
	}
	return evidence, nil
}

// readEvidence reads the relations at some places, each document once.
func readEvidence(ctx context.Context, txn *badger.Txn, places []graph.EvidenceCursor) ([]graph.Evidence, error) {
	told := map[string][]int{} // in places, by document
	for i, at := range places {
		told[at.Document] = append(told[at.Document], i)
	}
	evidence := make([]graph.Evidence, len(places))
	for id, lines := range told {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		doc, err := readDocument(txn, id)
		if err != nil {
			return nil, err
		}
		for _, i := range lines {
			if evidence[i], err = graph.EvidenceAt(doc, places[i].Place); err != nil {
				return nil, err
			}
		}
	}
	return evidence, nil
}

// SeenConcepts implements graph.Extracted.
func (s *Store) SeenConcepts(ctx context.Context, query graph.SeenQuery) ([]graph.SeenConcept, error) {
	found := newPage(query.Limit, query.After, query.Order.SeenCursorOf, graph.SeenCursor.Compare)
	names := s.newNames(ctx)
	var sum graph.SeenConcept
	flush := func() error {
		if sum.Mentions == 0 {
			return nil
		}
		if query.SemanticType != "" {
			if ok, err := names.haveType(query.SemanticType, sum.CUI); err != nil || !ok {
				return err
			}
		}
		found.add(sum)
		return nil
	}
	err := s.db.View(func(txn *badger.Txn) error {
		prefix := []byte(conceptsOfDoc)
		err := scan(ctx, txn, prefix, prefix, func(item *badger.Item) (more bool, err error) {
			cui, id, entry, err := readNamed(item)
			if err != nil {
				return false, err
			}
			if cui != sum.CUI {
				if err := flush(); err != nil {
					return false, err
				}
				sum = graph.SeenConcept{ConceptName: graph.ConceptName{CUI: cui}}
			}
			if count := countNamed(entry, id, query.Filter); count > 0 {
				sum.Documents++
				sum.Mentions += count
			}
			return true, nil
		})
		if err != nil {
			return err
		}
		return flush()
	})
	seen := found.list()
	for i := range seen {
		if err == nil {
			seen[i].ConceptName, err = names.of(seen[i].CUI)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the concepts that documents name: %w", err)
	}
	return seen, nil
}

func readNamed(item *badger.Item) (cui graph.CUI, id string, entry named, err error) {
	concept, id, _ := strings.Cut(string(item.Key()[1:]), separator)
	err = item.Value(func(value []byte) error { return json.Unmarshal(value, &entry) })
	if err != nil {
		err = fmt.Errorf("reading the entry %q: %w", item.Key(), err)
	}
	return graph.CUI(concept), id, entry, err
}

// countNamed counts the mentions of an entry that a filter lets count.
func countNamed(entry named, id string, filter graph.Filter) (count int) {
	if !filter.LetsDocument(id, entry.Submitted) {
		return 0
	}
	for _, mention := range entry.Mentions {
		if mention.Score >= filter.MinScore && (filter.Type == "" || mention.Type == filter.Type) {
			count++
		}
	}
	return count
}

// page is the part of an ordered list behind a place: the first items of it. It
// holds up to twice as many before it drops those that have no place, since putting
// each where it belongs would move the others every time.
type page[T, C any] struct {
	items   []T // those before the last cut in order, then those added since
	last    *C  // of the last item of a full page, when items were cut
	limit   int
	after   *C
	cursor  func(T) C
	compare func(C, C) int
}

func newPage[T, C any](limit int, after *C, cursor func(T) C, compare func(C, C) int) *page[T, C] {
	return &page[T, C]{limit: limit, after: after, cursor: cursor, compare: compare}
}

// add adds an item. It is false when the page is full, so that no item that comes in
// order finds a place any more.
func (p *page[T, C]) add(item T) (more bool) {
	place := p.cursor(item)
	if p.limit <= 0 || p.after != nil && p.compare(place, *p.after) <= 0 {
		return p.limit > 0
	}
	if p.last != nil && p.compare(place, *p.last) >= 0 {
		return false
	}
	if p.items = append(p.items, item); len(p.items) >= 2*p.limit {
		p.cut()
	}
	return len(p.items) < p.limit
}

// cut puts the items in order and drops those that have no place.
func (p *page[T, C]) cut() {
	slices.SortFunc(p.items, func(a, b T) int { return p.compare(p.cursor(a), p.cursor(b)) })
	if len(p.items) >= p.limit && p.limit > 0 {
		p.items = p.items[:p.limit]
		p.last = new(p.cursor(p.items[p.limit-1]))
	}
}

// list is what is on the page, in order.
func (p *page[T, C]) list() []T {
	p.cut()
	return p.items
}

// conceptNames looks up how concepts are called, each once.
type conceptNames struct {
	ctx   context.Context
	store *Store
	known map[graph.CUI]graph.ConceptName
}

func (s *Store) newNames(ctx context.Context) *conceptNames {
	return &conceptNames{ctx, s, map[graph.CUI]graph.ConceptName{}}
}

// of gives the name of a concept; one that the knowledge base lacks is called as a
// document calls it, and has no semantic types.
func (n *conceptNames) of(cui graph.CUI) (graph.ConceptName, error) {
	if name, known := n.known[cui]; known {
		return name, nil
	}
	name := graph.ConceptName{CUI: cui, SemanticTypes: []graph.TUI{}}
	concept, err := n.store.Concept(n.ctx, cui)
	switch {
	case err == nil:
		name.Name, name.SemanticTypes = concept.Name, append(name.SemanticTypes, concept.SemanticTypes...)
	case errors.Is(err, graph.ErrNotFound):
		if name.Name, err = n.store.nameInDocuments(n.ctx, cui); err != nil {
			return name, err
		}
	default:
		return name, err
	}
	n.known[cui] = name
	return name, nil
}

// haveType reports whether one of some concepts has a semantic type.
func (n *conceptNames) haveType(tui graph.TUI, cuis ...graph.CUI) (bool, error) {
	for _, cui := range cuis {
		name, err := n.of(cui)
		if err != nil || slices.Contains(name.SemanticTypes, tui) {
			return err == nil, err
		}
	}
	return false, nil
}

// fill writes into facts how their concepts are called.
func (n *conceptNames) fill(facts []graph.Fact) (err error) {
	for i := range facts {
		var headErr, tailErr error
		facts[i].Head, headErr = n.of(facts[i].Head.CUI)
		facts[i].Tail, tailErr = n.of(facts[i].Tail.CUI)
		if err := cmp.Or(headErr, tailErr); err != nil {
			return err
		}
	}
	return nil
}

// nameInDocuments is what the first document that names a concept calls it.
func (s *documents) nameInDocuments(ctx context.Context, cui graph.CUI) (name string, err error) {
	prefix := []byte(conceptsOfDoc + string(cui) + separator)
	err = s.db.View(func(txn *badger.Txn) error {
		return scan(ctx, txn, prefix, prefix, func(item *badger.Item) (more bool, err error) {
			_, _, entry, err := readNamed(item)
			name = entry.Name
			return false, err
		})
	})
	return name, err
}
