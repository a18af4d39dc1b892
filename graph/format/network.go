package format

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// Network is a graph of concepts and of what documents say of them, for graph tools.
type Network struct {
	nodes []graph.SeenConcept
	edges []graph.Fact
	known map[string]bool // ids of nodes and edges
}

// add reports whether what has the id is new.
func (n *Network) add(id string) bool {
	if n.known == nil {
		n.known = map[string]bool{}
	}
	isNew := !n.known[id]
	n.known[id] = true
	return isNew
}

// AddConcept adds a concept, unless it is there, with how many documents name it.
func (n *Network) AddConcept(concept graph.SeenConcept) {
	if n.add("concept " + string(concept.CUI)) {
		n.nodes = append(n.nodes, concept)
	}
}

// AddFact adds a fact with its two concepts, unless it is there.
func (n *Network) AddFact(fact graph.Fact) {
	n.AddConcept(graph.SeenConcept{ConceptName: fact.Head})
	n.AddConcept(graph.SeenConcept{ConceptName: fact.Tail})
	if n.add("relation " + fact.ID) {
		n.edges = append(n.edges, fact)
	}
}

// count is a number of what there is; nothing when there is none.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

var networkKeys = []graphMLKey{
	{"label", "node", "string"}, {"semanticTypes", "node", "string"}, {"seenIn", "node", "int"}, {"seen", "node", "int"},
	{"relation", "edge", "string"}, {"directed", "edge", "boolean"}, {"documents", "edge", "int"}, {"mentions", "edge", "int"},
	{"maxScore", "edge", "double"}, {"weight", "edge", "double"},
}

// WriteGraphML writes the network as GraphML: a node for each concept, whose id is
// its CUI, and an edge for each fact, whose weight is the probability that at least
// one of the relations behind it holds. Every edge has a direction, since tools
// refuse graphs that mix both; whether it means one is a property.
func (n *Network) WriteGraphML(out io.Writer) error {
	var b strings.Builder
	graphMLBegin(&b, networkKeys)
	for _, node := range n.nodes {
		types := make([]string, len(node.SemanticTypes))
		for i, tui := range node.SemanticTypes {
			types[i] = string(tui)
		}
		fmt.Fprintf(&b, `<node id="%s">`, escapeXML(string(node.CUI)))
		graphMLProperties(&b, "label", node.Name, "semanticTypes", strings.Join(types, ";"), "seenIn", count(node.Documents), "seen", count(node.Mentions))
		b.WriteString("</node>\n")
	}
	for _, edge := range n.edges {
		fmt.Fprintf(&b, `<edge id="%s" source="%s" target="%s">`, escapeXML(edge.ID), escapeXML(string(edge.Head.CUI)), escapeXML(string(edge.Tail.CUI)))
		graphMLProperties(&b, "relation", edge.Label, "directed", strconv.FormatBool(edge.Directed), "documents", count(edge.Documents),
			"mentions", count(edge.Mentions), "maxScore", number(edge.MaxScore), "weight", number(edge.NoisyOr))
		b.WriteString("</edge>\n")
	}
	b.WriteString(graphMLEnd)
	_, err := io.WriteString(out, b.String())
	return err
}
