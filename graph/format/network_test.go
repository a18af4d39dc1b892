package format_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
)

// graphML is a graph as tools read it.
type graphML struct {
	Keys []struct {
		ID string `xml:"id,attr"`
	} `xml:"key"`
	Nodes []struct {
		ID   string        `xml:"id,attr"`
		Data []graphMLData `xml:"data"`
	} `xml:"graph>node"`
	Edges []struct {
		ID     string        `xml:"id,attr"`
		Source string        `xml:"source,attr"`
		Target string        `xml:"target,attr"`
		Data   []graphMLData `xml:"data"`
	} `xml:"graph>edge"`
}

type graphMLData struct {
	Key   string `xml:"key,attr"`
	Value string `xml:",chardata"`
}

// lines are the nodes and edges, one a line, and the properties that are not declared.
func (g graphML) lines() (lines []string) {
	declared := map[string]bool{}
	for _, key := range g.Keys {
		declared[key.ID] = true
	}
	tell := func(what string, data []graphMLData) {
		for _, d := range data {
			if !declared[d.Key] {
				what += " UNDECLARED"
			}
			what += " " + d.Key + "=" + d.Value
		}
		lines = append(lines, what)
	}
	for _, node := range g.Nodes {
		tell(node.ID, node.Data)
	}
	for _, edge := range g.Edges {
		tell(edge.Source+"->"+edge.Target, edge.Data)
	}
	return lines
}

func TestNetworkAsGraphML(t *testing.T) {
	protein := graph.ConceptName{CUI: "C1", Name: `a "<protein>" & more`, SemanticTypes: []graph.TUI{"T116", "T123"}}
	drug, other := graph.ConceptName{CUI: "C2", Name: "drug"}, graph.ConceptName{CUI: "C3", Name: "other"}
	fact := func(head graph.ConceptName, label string, tail graph.ConceptName, directed bool) graph.Fact {
		f := graph.Fact{Head: head, Label: label, Tail: tail, Directed: directed, Documents: 2, Mentions: 3, MaxScore: 0.5, NoisyOr: 0.75}
		f.ID = f.Key().String()
		return f
	}
	var network format.Network
	network.AddConcept(graph.SeenConcept{ConceptName: protein, Documents: 7, Mentions: 9})
	network.AddFact(fact(protein, "bind", drug, false))
	network.AddFact(fact(protein, "bind", drug, false)) // again
	network.AddFact(fact(other, "inhibit", drug, true))
	var out strings.Builder
	if err := network.WriteGraphML(&out); err != nil {
		t.Fatal(err)
	}
	var read graphML
	if err := xml.Unmarshal([]byte(out.String()), &read); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	want := []string{
		`C1 label=a "<protein>" & more semanticTypes=T116;T123 seenIn=7 seen=9`,
		"C2 label=drug",
		"C3 label=other",
		"C1->C2 relation=bind directed=false documents=2 mentions=3 maxScore=0.5 weight=0.75",
		"C3->C2 relation=inhibit directed=true documents=2 mentions=3 maxScore=0.5 weight=0.75",
	}
	if diff := cmp.Diff(want, read.lines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
