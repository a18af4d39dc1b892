package keci

import (
	"slices"

	"github.com/keci-kg/keci/graph"
)

// The relation names of a background knowledge graph that are not in a
// knowledge base.
const (
	relationHasType = "has_semantic_type" // concept → its semantic type
	inverseSuffix   = "⁻¹"                // the same edge, read from tail to head
)

// background is the knowledge graph of one text (KECI §2.4): a node for each
// candidate concept and each of their semantic types; edges in both directions.
type background struct {
	Nodes []node
	Edges []edge
	index map[graph.CUI]int

	products products // among the concepts
}

// node is a concept or a semantic type.
type node struct {
	TUI        graph.TUI // of a semantic type; empty for a concept
	Name       string
	Types      []graph.TUI // of a concept, its semantic types; of a semantic type, itself
	Definition string
	defined    *definition // of the definition, see definitions.ensure; nil without one
}

// edge is a directed edge between two nodes, by index.
type edge struct {
	From, To int
	Relation string
}

// newBackground lays a subgraph out as nodes and edges. Each relation gives two
// edges, one for each direction, so that both ends hear of the other.
func newBackground(sub graph.Subgraph) *background {
	bg := &background{index: make(map[graph.CUI]int, len(sub.Concepts)), products: products{}}
	for _, c := range sub.Concepts {
		bg.index[c.CUI] = len(bg.Nodes)
		bg.Nodes = append(bg.Nodes, node{Name: c.Name, Types: c.SemanticTypes, Definition: c.Definition})
	}
	types := make(map[graph.TUI]int, len(sub.SemanticTypes))
	for _, t := range sub.SemanticTypes {
		types[t.TUI] = len(bg.Nodes)
		bg.Nodes = append(bg.Nodes, node{TUI: t.TUI, Name: t.Name, Types: []graph.TUI{t.TUI}})
	}
	for i, c := range sub.Concepts {
		for _, t := range c.SemanticTypes {
			if j, ok := types[t]; ok {
				bg.link(i, relationHasType, j)
			}
		}
	}
	for _, r := range sub.Relations {
		bg.link(bg.index[r.Head], r.Label, bg.index[r.Tail])
		if r.Label == encodes || r.Label == encodedBy {
			bg.products[[2]graph.CUI{r.Head, r.Tail}], bg.products[[2]graph.CUI{r.Tail, r.Head}] = true, true
		}
	}
	for _, r := range sub.TypeRelations {
		bg.link(types[r.Head], r.Label, types[r.Tail])
	}
	return bg
}

func (bg *background) link(head int, relation string, tail int) {
	bg.Edges = append(bg.Edges,
		edge{From: head, To: tail, Relation: relation},
		edge{From: tail, To: head, Relation: relation + inverseSuffix})
}

// vocabulary maps names that training has seen to the rows of a table. Row 0 is
// for every other name.
type vocabulary map[string]int32

// newVocabulary numbers sorted names from 1.
func newVocabulary[S ~string](names []S) vocabulary {
	v := make(vocabulary, len(names))
	for i, name := range names {
		v[string(name)] = int32(i + 1)
	}
	return v
}

// vocabularyOf collects the semantic types and relation names of the graphs of
// a training set, sorted.
func vocabularyOf(graphs []*background) (types []graph.TUI, relations []string) {
	seenTypes, seenRelations := map[graph.TUI]bool{}, map[string]bool{}
	for _, bg := range graphs {
		for _, n := range bg.Nodes {
			if n.TUI != "" {
				seenTypes[n.TUI] = true
			}
		}
		for _, e := range bg.Edges {
			seenRelations[e.Relation] = true
		}
	}
	return sortedKeys(seenTypes), sortedKeys(seenRelations)
}

func sortedKeys[K ~string](set map[K]bool) []K {
	keys := make([]K, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
