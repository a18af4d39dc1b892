package picture

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"gonum.org/v1/plot/vg"

	"github.com/keci-kg/keci/graph"
)

// TestLabelsHaveTheirWidth: the layout leaves each label the room that it takes when it
// is painted, so that labels of relations between the same two boxes do not lie on one
// another.
func TestLabelsHaveTheirWidth(t *testing.T) {
	doc := graph.Document{
		Mentions: []graph.Mention{{ID: "T1", Text: "lithium carbonate", Type: "chemical"}, {ID: "T2", Text: "tremor", Type: "disease"}},
		Relations: []graph.Extraction{
			{Head: "T1", Tail: "T2", Label: "chem_disease:marker/mechanism", Directed: true, Score: 0.5},
			{Head: "T1", Tail: "T2", Label: "CID", Directed: true, Score: 0.6},
			{Head: "T1", Tail: "T2", Label: "Positive_Correlation", Score: 0.7},
		},
	}
	var out bytes.Buffer
	if err := render(t.Context(), &out, doc, "json"); err != nil {
		t.Fatal(err)
	}
	type labelled struct {
		Label []struct {
			Op, Text    string
			Size, Width float64
		} `json:"_ldraw_"`
	}
	var layout struct {
		Objects, Edges []labelled
	}
	if err := json.Unmarshal(out.Bytes(), &layout); err != nil {
		t.Fatal(err)
	}
	seen, size := 0, 0.0
	for _, item := range append(layout.Objects, layout.Edges...) {
		for _, o := range item.Label {
			switch o.Op {
			case "F":
				size = o.Size
			case "T":
				seen++
				face := letters().Lookup(typeface, vg.Points(size))
				painted := face.Width(o.Text).Points()
				if math.Abs(painted-o.Width) > 0.05*painted {
					t.Errorf("%q is painted %.1f points wide and laid out with %.1f", o.Text, painted, o.Width)
				}
			}
		}
	}
	if seen != 7 {
		t.Errorf("%d lines of text, want 7", seen)
	}
}
