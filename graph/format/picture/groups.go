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

// edge is what is drawn once: the relations of one label between two nodes.
type edge struct {
	from, to int // places in nodes
	label    string
	directed bool
	score    float64 // the highest
}

// network is the graph of a document as it is drawn.
type network struct {
	nodes []node
	edges []edge
}

func newNetwork(doc graph.Document) network {
	var (
		drawn   network
		byKey   = map[string]int{}
		byID    = map[string]int{}
		edgeKey = map[edge]int{}
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
		e := edge{from: from, to: to, label: r.Label, directed: r.Directed}
		place, known := edgeKey[e]
		if !known {
			place = len(drawn.edges)
			edgeKey[e] = place
			drawn.edges = append(drawn.edges, e)
		}
		drawn.edges[place].score = max(drawn.edges[place].score, r.Score)
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
