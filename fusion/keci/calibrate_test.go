package keci

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// extractAll reads every example of a corpus.
func extractAll(t *testing.T, m *Model, c corpus.Corpus) []graph.Document {
	t.Helper()
	var documents []graph.Document
	for _, e := range c.Examples {
		doc, err := m.Extract(t.Context(), graph.Document{ID: e.ID, Text: e.Text})
		if err != nil {
			t.Fatal(err)
		}
		doc.Model = nil // its digest covers the maps
		documents = append(documents, doc)
	}
	return documents
}

// TestCalibrate: the same is found, in the same order of scores, and the scores
// are nearer to how often findings are right.
func TestCalibrate(t *testing.T) {
	o, out := learnOptions(), t.TempDir()
	o.Epochs = 8
	learn(t, newLearner(t, learnable(), o), o, out)
	dir := filepath.Join(out, train.BestDir)
	cfg, err := modeldir.ReadConfig[Config](dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg = cfg.uncalibrated()
	cfg.EntityThreshold, cfg.OverlapThreshold, cfg.RelationThreshold = 0.02, 0.3, 0.02 // much of what is found is wrong
	if err := modeldir.WriteConfig(dir, cfg); err != nil {
		t.Fatal(err)
	}
	c := tinyCorpus(t)
	for _, e := range tinyCorpus(t).Examples { // enough to fit a map to
		for range 3 {
			e.ID += "'"
			c.Examples = append(c.Examples, e)
		}
	}
	before := openModel(t, dir, newFakeKnowledge().base())
	found := extractAll(t, before, c)

	to := filepath.Join(t.TempDir(), "calibrated")
	got, err := before.Calibrate(t.Context(), dir, to, c)
	if err != nil {
		t.Fatal(err)
	}
	if got.EntityCalibration == (calibration.Map{}) {
		t.Fatal("no map was fitted")
	}
	after := openModel(t, to, newFakeKnowledge().base())
	again := extractAll(t, after, c)
	scores := cmp.Options{cmpopts.IgnoreFields(graph.Mention{}, "Score", "Initial"), cmpopts.IgnoreFields(graph.Extraction{}, "Score", "Initial")}
	if diff := cmp.Diff(found, again, scores); diff != "" {
		t.Errorf("something else is found (-before +after):\n%s", diff)
	}
	for i, doc := range again {
		for k, m := range doc.Mentions {
			raw := found[i].Mentions[k].Score
			if want := got.EntityCalibration.Probability(calibration.Odds(raw)); math.Abs(m.Score-want) > 2e-3 {
				t.Errorf("%s has the score %g, was %g, want %g", m.Text, m.Score, raw, want)
			}
			if initial := found[i].Mentions[k].Initial; m.Initial.Type != initial.Type {
				t.Errorf("%s was %s at first, now %s", m.Text, initial.Type, m.Initial.Type)
			}
		}
	}
	if back := got.uncalibrated(); math.Abs(back.EntityThreshold-0.02) > 1e-9 || math.Abs(back.OverlapThreshold-0.3) > 1e-9 || math.Abs(back.RelationThreshold-0.02) > 1e-9 {
		t.Errorf("thresholds %g, %g and %g, want those of before", back.EntityThreshold, back.OverlapThreshold, back.RelationThreshold)
	}
	if _, err := before.Calibrate(t.Context(), dir, to, c); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("into a directory that is there: %v", err)
	}
}

// TestLogOdds: they are exact where 1 − p has no digits left.
func TestLogOdds(t *testing.T) {
	for _, test := range []struct {
		probabilities []float32
		class         int
		want          float64
	}{
		{[]float32{0.5, 0.25, 0.25}, 0, 0},
		{[]float32{0.2, 0.8}, 1, math.Log(4)},
		{[]float32{1e-12, 1, 1e-12}, 1, math.Log(1 / 2e-12)},
		{[]float32{0, 1}, 1, math.Inf(1)},
	} {
		if got := logOdds(test.probabilities, test.class); got != test.want && math.Abs(got-test.want) > 1e-6 {
			t.Errorf("logOdds(%v, %d) = %g, want %g", test.probabilities, test.class, got, test.want)
		}
	}
	m := calibration.Map{Temperature: 2, Bias: 0.5}
	p := []float32{0.9, 0.1}
	if none, other := calibrated(m, p, 0), calibrated(m, p, 1); math.Abs(none+other-1) > 1e-12 || none > 0.9 {
		t.Errorf("none %g and anything else %g, want them to sum to 1", none, other)
	}
}
