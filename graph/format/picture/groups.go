package picture

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// node is what is drawn once: mentions of the same type that denote the same
// concept or, where they denote none, have the same text.
type node struct {
	name     string // unique in the picture
	words    string // that most of the mentions have, the first of several
	kind     string // entity type; empty when only linked
	negated  bool   // whether all mentions are
	mentions []string
}

// text is what the box says, line by line.
func (n node) text() []string {
	if n.kind == "" {
		return []string{shorten(n.words)}
	}
	return []string{shorten(n.words), n.kind}
}

// link is what the relations share that are drawn as one line: two nodes.
type link struct {
	from, to int // places in nodes
	directed bool
}

// edge is a link as it is drawn, with a row for each label.
type edge struct {
	link
	rows []row
}

// row is what the relations of a line say that have the same label.
type row struct {
	label     string
	score     float64 // the highest
	relations []string
}

// network is the graph of a document as it is drawn.
type network struct {
	nodes []node
	edges []edge
	alone int // nodes without an edge that are left out
}

// related is the network without the nodes that have no edge.
func (n network) related() network {
	places := make([]int, len(n.nodes)) // of the nodes that stay, from 1
	for _, e := range n.edges {
		places[e.from], places[e.to] = 1, 1
	}
	kept := network{edges: slices.Clone(n.edges)}
	for i, stays := range places {
		if stays == 1 {
			kept.nodes = append(kept.nodes, n.nodes[i])
			places[i] = len(kept.nodes)
		}
	}
	for i, e := range kept.edges {
		kept.edges[i].from, kept.edges[i].to = places[e.from]-1, places[e.to]-1
	}
	kept.alone = len(n.nodes) - len(kept.nodes)
	return kept
}

func newNetwork(doc graph.Document) network {
	var (
		drawn  network
		byKey  = map[string]int{}
		byID   = map[string]int{}
		byLink = map[link]int{}
		texts  []map[string]int // of each node, how many mentions have them
	)
	for _, m := range doc.Mentions {
		key := m.Type + "\x00" + identity(m)
		place, known := byKey[key]
		if !known {
			place = len(drawn.nodes)
			byKey[key] = place
			drawn.nodes = append(drawn.nodes, node{name: m.ID, words: m.Text, kind: m.Type, negated: true})
			texts = append(texts, map[string]int{})
		}
		n := &drawn.nodes[place]
		n.mentions, n.negated = append(n.mentions, m.ID), n.negated && m.Negated
		if texts[place][m.Text]++; texts[place][m.Text] > texts[place][n.words] {
			n.words = m.Text
		}
		byID[m.ID] = place
	}
	for _, r := range doc.Relations {
		from, fromOK := byID[r.Head]
		to, toOK := byID[r.Tail]
		if !fromOK || !toOK {
			continue
		}
		if !r.Directed && from > to {
			from, to = to, from
		}
		l := link{from: from, to: to, directed: r.Directed}
		place, known := byLink[l]
		if !known {
			place = len(drawn.edges)
			byLink[l] = place
			drawn.edges = append(drawn.edges, edge{link: l})
		}
		drawn.edges[place].add(r)
	}
	return drawn
}

// text is what the line says, row by row.
func (e edge) text() []string {
	said := make([]string, len(e.rows))
	for i, row := range e.rows {
		said[i] = fmt.Sprintf("%s %.2f", row.label, row.score)
	}
	return said
}

// add says a relation on the line.
func (e *edge) add(r graph.Extraction) {
	at := slices.IndexFunc(e.rows, func(row row) bool { return row.label == r.Label })
	if at < 0 {
		at = len(e.rows)
		e.rows = append(e.rows, row{label: r.Label})
	}
	row := &e.rows[at]
	row.score, row.relations = max(row.score, r.Score), append(row.relations, r.ID)
}

// relations counts the labels on all lines.
func (n network) relations() (count int) {
	for _, e := range n.edges {
		count += len(e.rows)
	}
	return count
}

// identity is what two mentions share that are drawn as one: the concepts that they
// stand for, or else the text.
func identity(m graph.Mention) string {
	var ids []string
	for _, c := range m.Denoted() {
		ids = append(ids, string(c.CUI))
	}
	if len(ids) == 0 {
		return strings.ToLower(m.Text)
	}
	return strings.Join(ids, " ")
}
