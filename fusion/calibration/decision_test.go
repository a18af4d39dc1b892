package calibration

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// TestCalibrated: the odds of each mention and relation are held against what is
// annotated there, and the thresholds leave as much.
func TestCalibrated(t *testing.T) {
	gold := corpus.Corpus{}
	var found []Findings
	for i := range 30 {
		id := fmt.Sprint(i)
		e := corpus.Example{ID: id, Text: "a b c"}
		f := Findings{Document: graph.Document{ID: id, Text: e.Text, Offsets: graph.OffsetByte}}
		for k, name := range []string{"a", "b", "c"} {
			f.Mentions = append(f.Mentions, graph.Mention{ID: name, Start: 2 * k, End: 2*k + 1, Text: name, Type: "x"})
		}
		e.Entities = []corpus.Entity{{Start: 0, End: 1, Type: "x"}, {Start: 4, End: 5, Type: "x"}}
		f.MentionOdds = []float64{2 - float64(i%3), 0.5, 3}
		f.Relations = []graph.Extraction{{ID: "R1", Head: "a", Tail: "c", Label: "y"}}
		f.RelationOdds = []float64{float64(i % 10)}
		if i%10 > 4 {
			e.Relations = []corpus.Relation{{Head: 0, Tail: 1, Label: "y"}}
		}
		gold.Examples, found = append(gold.Examples, e), append(found, f)
	}
	before := Decision{EntityThreshold: 0.4, RelationThreshold: 0.6}
	after, err := before.Calibrated(gold, found)
	if err != nil {
		t.Fatal(err)
	}
	if after.EntityCalibration == (Map{}) || after.RelationCalibration == (Map{}) || after.Validate() != nil {
		t.Fatalf("calibrated %+v", after)
	}
	for _, odds := range []float64{-2, -0.41, -0.4, 0, 0.4, 0.41, 2} {
		if was, is := (Map{}).Probability(odds) >= 0.4, after.EntityCalibration.Probability(odds) >= after.EntityThreshold; was != is {
			t.Errorf("a mention with the odds %g: found %t before, %t now", odds, was, is)
		}
		if was, is := (Map{}).Probability(odds) >= 0.6, after.RelationCalibration.Probability(odds) >= after.RelationThreshold; was != is {
			t.Errorf("a relation with the odds %g: found %t before, %t now", odds, was, is)
		}
	}
	found[3].ID = "unknown"
	if _, err := before.Calibrated(gold, found); err == nil || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("a document of no text: %v", err)
	}
}

func TestDecisionValidate(t *testing.T) {
	for want, d := range map[string]Decision{
		"entityThreshold":     {EntityThreshold: -1},
		"relationThreshold":   {RelationThreshold: math.NaN()},
		"entityCalibration":   {EntityCalibration: Map{Temperature: -1}},
		"relationCalibration": {RelationCalibration: Map{Bias: 1}},
	} {
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want an error about %s", d, err, want)
		}
	}
}
