package ontology

import (
	"maps"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls"
)

// index is what is held in memory of all files.
type index struct {
	byID       map[string]int32 // in capitals → place in terms
	terms      []indexedTerm
	prefixes   map[string]bool // of the terms
	properties map[string]property
	headers    []header
	replaced   [][2]string // an id that is not used any more, and the one that is, if any
	edges      []edge      // is_a, until finish
	cyclic     map[[2]int32]bool
}

type indexedTerm struct {
	id      string
	cui     graph.CUI
	file    int32 // the last one that has it
	line    int32
	named   bool
	state   byte // of the walk through the hierarchy
	depth   int32
	parents []parent
	types   []graph.TUI
}

// parent is an is_a of a term.
type parent struct {
	term, file int32
	at         place
}

type edge struct {
	child, parent string
	file          int32
	at            place
}

func newIndex() *index {
	return &index{
		byID: map[string]int32{}, prefixes: map[string]bool{},
		properties: map[string]property{}, cyclic: map[[2]int32]bool{},
	}
}

// add gives the place of a term, and what is known of it. A new one has no file.
func (x *index) add(id string) (int32, *indexedTerm) {
	key := strings.ToUpper(id)
	at, known := x.byID[key]
	if !known {
		at = int32(len(x.terms))
		x.byID[key] = at
		x.terms = append(x.terms, indexedTerm{id: id, file: -1})
	}
	return at, &x.terms[at]
}

// find gives the place of a term that is a concept.
func (x *index) find(id string) (at int32, found bool) {
	at, found = x.byID[strings.ToUpper(id)]
	return at, found && x.terms[at].named
}

// end is the term at the end of a way of terms that took one another's place, from id.
func (x *index) end(id string, next map[string]string) (at int32, found bool) {
	for range len(next) + 1 { // a way in a circle has no end
		if at, found = x.find(id); found {
			return at, true
		}
		id = next[strings.ToUpper(id)]
	}
	return 0, false
}

// finish gives every term its concept and its semantic types.
func (x *index) finish(paths []string, types Types, report umls.Reporter) error {
	for i := range x.terms {
		if x.terms[i].cui == "" {
			x.terms[i].cui = localCUI(x.terms[i].id)
		}
	}
	for _, e := range x.edges {
		child, known := x.byID[strings.ToUpper(e.child)]
		up, upKnown := x.byID[strings.ToUpper(e.parent)]
		if known && upKnown {
			x.terms[child].parents = append(x.terms[child].parents, parent{up, e.file, e.at})
		}
	}
	x.edges = nil
	untyped := map[string]bool{}
	for i := range x.terms {
		if err := x.walk(int32(i), paths, types, report); err != nil {
			return err
		}
		if t := &x.terms[i]; t.types == nil && t.named && !untyped[prefix(t.id)] {
			untyped[prefix(t.id)] = true
			err := report.Tell(&umls.Problem{
				Kind: umls.NoType, File: paths[t.file], Line: int(t.line),
				Message: "the term " + t.id + ", and maybe others of its ontology, has no semantic type: give " + prefix(t.id) + " one in the mapping file",
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// States of a term in the walk.
const (
	unseen = iota
	onPath
	done
)

// walk goes up the hierarchy from a term, without recursion as it may be deep,
// and gives semantic types on the way back. An is_a that leads back to the path is
// told of and left out.
func (x *index) walk(from int32, paths []string, types Types, report umls.Reporter) error {
	type step struct{ term, next int32 }
	if x.terms[from].state == done {
		return nil
	}
	x.terms[from].state = onPath
	for stack := []step{{from, 0}}; len(stack) > 0; {
		top := &stack[len(stack)-1]
		t := &x.terms[top.term]
		if int(top.next) == len(t.parents) {
			x.settle(top.term, types)
			stack = stack[:len(stack)-1]
			continue
		}
		up := t.parents[top.next]
		top.next++
		switch x.terms[up.term].state {
		case unseen:
			x.terms[up.term].state = onPath
			stack = append(stack, step{up.term, 0})
		case onPath:
			x.cyclic[[2]int32{top.term, up.term}] = true
			if err := report.Tell(&umls.Problem{
				Kind: umls.Cycle, File: paths[up.file], Line: int(up.at.line), Column: int(up.at.column),
				Message: "that " + t.id + " is_a " + x.terms[up.term].id + " closes a circle",
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle gives a term the types that its own line says, or else those of the
// nearest terms above it that a line says something of, or else those of its prefix.
func (x *index) settle(at int32, types Types) {
	t := &x.terms[at]
	t.state = done
	if own := types[strings.ToUpper(t.id)]; own != nil {
		t.types, t.depth = own, 1
		return
	}
	for _, up := range t.parents {
		above := &x.terms[up.term]
		if above.depth == 0 || x.cyclic[[2]int32{at, up.term}] {
			continue
		}
		switch depth := above.depth + 1; {
		case t.depth == 0 || depth < t.depth:
			t.types, t.depth = above.types, depth
		case depth == t.depth:
			t.types = unionTypes(t.types, above.types)
		}
	}
	if t.depth == 0 {
		t.types = types[prefix(t.id)]
	}
}

func unionTypes(a, b []graph.TUI) []graph.TUI {
	if slices.Equal(a, b) {
		return a
	}
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// retired is what became of identifiers that are not those of concepts, in order:
// those of obsolete terms, further ones, and those of terms that name a concept of
// UMLS, which may not have done so when the ontology was read before.
func (x *index) retired() []graph.Retired {
	known := map[graph.CUI]graph.CUI{}
	for _, t := range x.terms {
		if own := localCUI(t.id); t.named && t.cui != own {
			known[own] = t.cui
		}
	}
	next := map[string]string{}
	for _, pair := range x.replaced {
		next[strings.ToUpper(pair[0])] = pair[1]
	}
	for _, pair := range x.replaced {
		if _, used := x.find(pair[0]); used {
			continue
		}
		cui := localCUI(pair[0])
		if at, found := x.end(pair[1], next); found {
			known[cui] = x.terms[at].cui
		} else if known[cui] == "" {
			known[cui] = ""
		}
	}
	list := make([]graph.Retired, 0, len(known))
	for _, cui := range slices.Sorted(maps.Keys(known)) {
		list = append(list, graph.Retired{CUI: cui, Into: known[cui]})
	}
	return list
}
