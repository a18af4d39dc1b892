package umls

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// Relations gives the relations of MRREL between two different concepts, each
// once with all its sources, in ascending order of tail, then head, then label.
// A row reads CUI2 –RELA→ CUI1, or CUI2 –REL→ CUI1 when it has no RELA; one whose
// REL says that they are not related is passed over. Ends may be concepts that
// Concepts passes over. MRREL must be sorted by CUI1.
func (r *Release) Relations(ctx context.Context) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		group := relationGroup{}
		concepts, err := r.knownConcepts(ctx)
		if err != nil {
			yield(graph.Relation{}, err)
			return
		}
		for row, err := range r.rows(ctx, mrrel) {
			if err != nil {
				yield(graph.Relation{}, err)
				return
			}
			if tail := row.fields[relCUI1]; string(group.tail) != string(tail) {
				if err := checkOrder(row, string(group.tail), string(tail)); err != nil {
					yield(graph.Relation{}, err)
					return
				}
				if !group.emit(yield) {
					return
				}
				group.reset(graph.CUI(tail))
			}
			if problem := cmp.Or(noLabel(row), danglingEnd(row, concepts)); problem != nil {
				if err := r.report(problem); err != nil {
					yield(graph.Relation{}, err)
					return
				}
				continue
			}
			group.add(row, &r.options)
		}
		group.emit(yield)
	}
}

// knownConcepts is every CUI of MRCONSO, wanted or not, or nil when nobody asks
// for problems.
func (r *Release) knownConcepts(ctx context.Context) (*graph.CUISet, error) {
	if r.cuis != nil || r.options.Report == nil {
		return r.cuis, nil
	}
	cuis := &graph.CUISet{}
	for row, err := range r.rows(ctx, mrconso) {
		if err != nil {
			return nil, err
		}
		cuis.Add(graph.CUI(row.fields[colCUI]))
	}
	r.cuis = cuis
	return cuis, nil
}

// noLabel is the problem of a row that does not say what the relation is.
func noLabel(r *row) *Problem {
	if len(r.fields[relREL]) == 0 && len(r.fields[relRELA]) == 0 {
		return r.problem(BadValue, relREL, "REL and RELA are empty")
	}
	return nil
}

// danglingEnd is the problem of a row whose ends are not both in MRCONSO, if that is known.
func danglingEnd(r *row, concepts *graph.CUISet) *Problem {
	if concepts == nil {
		return nil
	}
	for _, column := range []int{relCUI1, relCUI2} {
		if cui := graph.CUI(r.fields[column]); !concepts.Has(cui) {
			return r.problem(Dangling, column, "the concept %s is not in MRCONSO", cui)
		}
	}
	return nil
}

// The columns of MRREL that are used.
var (
	relCUI1     = mrrel.column("CUI1")
	relREL      = mrrel.column("REL")
	relCUI2     = mrrel.column("CUI2")
	relRELA     = mrrel.column("RELA")
	relSAB      = mrrel.column("SAB")
	relSUPPRESS = mrrel.column("SUPPRESS")
)

// notRelated is the REL of a row that a source has to say that there is no mapping.
const notRelated = "XR"

// relationGroup gathers the relations that have one concept as tail.
type relationGroup struct {
	tail  graph.CUI
	index map[relationKey]int // in list
	list  []graph.Relation
}

type relationKey struct {
	head  graph.CUI
	label string
}

func (g *relationGroup) reset(tail graph.CUI) {
	g.tail = tail
	g.index = map[relationKey]int{}
	g.list = g.list[:0]
}

func (g *relationGroup) add(r *row, o *Options) {
	head := r.fields[relCUI2]
	if suppressed(r.fields[relSUPPRESS]) || !o.source(r.fields[relSAB]) || bytes.Equal(head, r.fields[relCUI1]) {
		return
	}
	rel := string(r.fields[relREL])
	if rel == notRelated {
		return
	}
	label := strings.ToLower(string(r.fields[relRELA]))
	if label == "" {
		label = rel
	}
	key := relationKey{graph.CUI(head), label}
	at, known := g.index[key]
	if !known {
		at = len(g.list)
		g.index[key] = at
		g.list = append(g.list, graph.Relation{Head: key.head, Label: label, Tail: g.tail, Rel: rel})
	}
	if source := string(r.fields[relSAB]); !slices.Contains(g.list[at].Sources, source) {
		g.list[at].Sources = append(g.list[at].Sources, source)
	}
}

// emit yields the relations and reports whether to go on.
func (g *relationGroup) emit(yield func(graph.Relation, error) bool) bool {
	slices.SortFunc(g.list, func(a, b graph.Relation) int {
		return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Label, b.Label))
	})
	for _, relation := range g.list {
		slices.Sort(relation.Sources)
		if !yield(relation, nil) {
			return false
		}
	}
	return true
}
