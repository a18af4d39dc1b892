package calibration

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// drawn makes findings that are right with the probability that the map gives
// their odds.
func drawn(m Map, n int) []Finding {
	random := rand.New(rand.NewPCG(1, 2))
	findings := make([]Finding, n)
	for i := range findings {
		odds := random.NormFloat64() * 6
		findings[i] = Finding{odds, random.Float64() < m.Probability(odds)}
	}
	return findings
}

func TestFitFindsTheMap(t *testing.T) {
	for _, want := range []Map{{1, 0}, {5, -0.75}, {0.5, 0.3}, {2, 1}} {
		got := Fit(drawn(want, 20000))
		if math.Abs(got.Temperature/want.Temperature-1) > 0.06 || math.Abs(got.Bias-want.Bias) > 0.12 {
			t.Errorf("Fit = %+v, want about %+v", got, want)
		}
	}
}

func TestFitOfLittle(t *testing.T) {
	same := make([]Finding, 40)
	reversed := make([]Finding, 40)
	divided := make([]Finding, 40)
	for i := range same {
		same[i] = Finding{2, i%4 != 0}
		reversed[i] = Finding{float64(i), i < 20}
		divided[i] = Finding{float64(i) - 19.5, i >= 20}
	}
	divided[39].Odds, divided[0].Odds = math.Inf(1), math.Inf(-1)
	for name, findings := range map[string][]Finding{"none": nil, "few": divided[15:25], "only right": divided[20:], "reversed": reversed} {
		if got := Fit(findings); got != (Map{}) {
			t.Errorf("%s: %+v, want no map", name, got)
		}
	}
	if m := Fit(same); m != (Map{}) && math.Abs(m.Probability(2)-0.75) > 0.03 {
		t.Errorf("all the same: %+v gives %g, want about 0.75", m, m.Probability(2))
	}
	m := Fit(divided)
	if m.Validate() != nil || m == (Map{}) || m.Probability(10) < 0.9 || m.Probability(-10) > 0.1 {
		t.Errorf("divided without fault: %+v", m)
	}
}

// TestFitKeepsTheOrder: findings whose odds say nothing of what is right, but for what
// rounding leaves, give no map that takes all of them for the same.
func TestFitKeepsTheOrder(t *testing.T) {
	for n := 11; n < 200; n++ {
		findings := make([]Finding, 4*n)
		for i := range findings {
			findings[i] = Finding{Odds: 0.1 * float64(i/4), Right: i%2 == 0}
		}
		m := Fit(findings)
		if least, most := m.Probability(-5), m.Probability(5); !(least < most) {
			t.Fatalf("%d findings: %+v gives %g and %g", 4*n, m, least, most)
		}
	}
}

func TestMap(t *testing.T) {
	for _, m := range []Map{{}, {1, 0}, {5, -0.75}, {0.2, 2}} {
		before := -1.0
		for _, odds := range []float64{-20, -3, 0, 0.1, 3, 8} {
			p := m.Probability(odds)
			if !(p > before) {
				t.Errorf("%+v: the order of scores is lost at %g", m, odds)
			}
			before = p
			if p > 1e-9 && p < 1-1e-9 && math.Abs(m.Odds(p)-odds) > 1e-4*(1+math.Abs(odds)) {
				t.Errorf("%+v: Odds(Probability(%g)) = %g", m, odds, m.Odds(p))
			}
		}
	}
	if p := (Map{}).Probability(Odds(0.3)); math.Abs(p-0.3) > 1e-12 {
		t.Errorf("the zero map gives %g for 0.3", p)
	}
	for _, m := range []Map{{-1, 0}, {0, 1}, {math.Inf(1), 0}, {1, math.NaN()}} {
		if m.Validate() == nil {
			t.Errorf("%+v is valid", m)
		}
	}
}

func TestECE(t *testing.T) {
	findings := []Scored{{0.95, true}, {0.95, false}, {0.25, false}, {0.25, false}, {1, true}}
	// 3 in the last interval: mean score 2.9/3, 2/3 right; 2 in the third: 0.25, none right.
	want := (3*(2.9/3-2.0/3) + 2*0.25) / 5
	if got := ECE(findings); math.Abs(got-want) > 1e-12 {
		t.Errorf("ECE = %g, want %g", got, want)
	}
	if got := ECE(nil); got != 0 {
		t.Errorf("ECE of nothing = %g", got)
	}
}

func TestDraw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reliability.png")
	err := Draw(path, Diagram{"entities", []Scored{{0.9, true}, {0.2, false}}, []Scored{{0.8, true}}}, Diagram{Title: "nothing"})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(data, []byte("\x89PNG")) {
		t.Errorf("%v, %d bytes, want a PNG", err, len(data))
	}
	if err := Draw(filepath.Join(t.TempDir(), "absent", "x.png"), Diagram{}); err == nil {
		t.Error("no error where nothing can be written")
	}
}
