package picture

import (
	"strings"

	"github.com/keci-kg/keci/graph"
)

// node is what is drawn once: mentions of the same type that denote the same
// concept or, where no concept is held likely, have the same text.
type node struct {
	name     string // unique in the picture
	text     string
	kind     string // entity type; empty when only linked
	mentions []string
}

// link is what the relations share that are drawn as one: two nodes and a label.
type link struct {
	from, to int // places in nodes
	label    string
	directed bool
}

// edge is a link as it is drawn.
type edge struct {
	link
	score     float64 // the highest
	relations []string
}

// network is the graph of a document as it is drawn.
type network struct {
	nodes []node
	edges []edge
}

func newNetwork(doc graph.Document) network {
	var (
		drawn  network
		byKey  = map[string]int{}
		byID   = map[string]int{}
		byLink = map[link]int{}
	)
	for _, m := range doc.Mentions {
		key := m.Type + "\x00" + identity(m)
		place, known := byKey[key]
		if !known {
			place = len(drawn.nodes)
			byKey[key] = place
			drawn.nodes = append(drawn.nodes, node{name: m.ID, text: m.Text, kind: m.Type})
		}
		drawn.nodes[place].mentions = append(drawn.nodes[place].mentions, m.ID)
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
		l := link{from: from, to: to, label: r.Label, directed: r.Directed}
		place, known := byLink[l]
		if !known {
			place = len(drawn.edges)
			byLink[l] = place
			drawn.edges = append(drawn.edges, edge{link: l})
		}
		e := &drawn.edges[place]
		e.score, e.relations = max(e.score, r.Score), append(e.relations, r.ID)
	}
	return drawn
}

// identity is what two mentions share that are drawn as one: the concept with
// the most attention when it has more than "none of them", else the text.
func identity(m graph.Mention) string {
	var likeliest graph.CUI
	most := 0.0
	if m.Sentinel != nil {
		most = *m.Sentinel
	}
	for _, candidate := range m.Concepts {
		if candidate.Weight != nil && *candidate.Weight > most {
			likeliest, most = candidate.CUI, *candidate.Weight
		}
	}
	if likeliest != "" {
		return string(likeliest)
	}
	return strings.ToLower(m.Text)
}
