package ontology

import (
	"testing"

	"github.com/keci-kg/keci/graph"
)

// TestRetiredInTurn follows terms that took one another's place to the one that is
// there; ways without an end, or in a circle, lead nowhere.
func TestRetiredInTurn(t *testing.T) {
	x := newIndex()
	_, live := x.add("X:3")
	live.named, live.cui = true, "X:3"
	x.replaced = append(x.replaced, [][2]string{{"X:1", "X:2"}, {"X:2", "x:3"}, {"X:4", "X:5"}, {"X:5", "X:4"}, {"X:6", "X:9"}}...)
	check(t, []graph.Retired{
		{CUI: "X:1", Into: "X:3"}, {CUI: "X:2", Into: "X:3"}, {CUI: "X:4"}, {CUI: "X:5"}, {CUI: "X:6"},
	}, x.retired())
}
