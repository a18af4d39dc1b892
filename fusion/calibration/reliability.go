package calibration

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/keci-kg/keci/internal/panels"
)

// Scored is a finding with the score that users see.
type Scored struct {
	Score float64
	Right bool
}

// bins is how many intervals of scores are told apart.
const bins = 10

// bin is an interval of scores.
type bin struct {
	n     int
	score float64 // mean
	right float64 // share
}

// binned divides findings into intervals of the same width; those without a
// finding are left out.
func binned(findings []Scored) []bin {
	all := make([]bin, bins)
	for _, f := range findings {
		b := &all[max(0, min(bins-1, int(f.Score*bins)))]
		b.n++
		b.score += f.Score
		if f.Right {
			b.right++
		}
	}
	var filled []bin
	for _, b := range all {
		if b.n > 0 {
			filled = append(filled, bin{b.n, b.score / float64(b.n), b.right / float64(b.n)})
		}
	}
	return filled
}

// ECE is the expected calibration error over ten intervals: how far, on average
// over the findings, the mean score of an interval is from the share of its
// findings that is right (Naeini et al. 2015). It is 0 for no findings.
func ECE(findings []Scored) float64 {
	sum := 0.0
	for _, b := range binned(findings) {
		sum += float64(b.n) * math.Abs(b.score-b.right)
	}
	return sum / math.Max(1, float64(len(findings)))
}

// Reliability sums up how far scores can be believed.
type Reliability struct {
	Findings int     `json:"findings"`
	ECE      float64 `json:"ece"`
	Before   float64 `json:"eceBefore"` // with the model's own probabilities
}

// Reliability of the findings of a diagram.
func (d Diagram) Reliability() Reliability {
	return Reliability{len(d.After), ECE(d.After), ECE(d.Before)}
}

// Diagram is one reliability diagram.
type Diagram struct {
	Title         string
	Before, After []Scored // with the model's own probabilities, and calibrated
}

// Draw writes diagrams side by side as a PNG, which is there whole or not at all.
func Draw(path string, diagrams ...Diagram) error {
	var plots []*plot.Plot
	for _, d := range diagrams {
		p, err := d.plot()
		if err != nil {
			return fmt.Errorf("draw the reliability diagram: %w", err)
		}
		plots = append(plots, p)
	}
	if err := panels.Save(path, 11*vg.Centimeter, nil, plots...); err != nil {
		return fmt.Errorf("draw the reliability diagram: %w", err)
	}
	return nil
}

func (d Diagram) plot() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = d.Title
	p.X.Label.Text, p.Y.Label.Text = "score", "share that is right"
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Legend.Top, p.Legend.Left = true, true
	ideal, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
	if err != nil {
		return nil, err
	}
	ideal.Color, ideal.Dashes = color.Gray{Y: 0xa0}, []vg.Length{vg.Points(4), vg.Points(3)}
	p.Add(plotter.NewGrid(), ideal)
	for _, series := range []struct {
		name     string
		findings []Scored
		color    color.Color
	}{
		{"before", d.Before, color.RGBA{R: 0xc7, G: 0x51, B: 0x1b, A: 0xff}},
		{"calibrated", d.After, color.RGBA{R: 0x1f, G: 0x5f, B: 0xbf, A: 0xff}},
	} {
		var points plotter.XYs
		for _, b := range binned(series.findings) {
			points = append(points, plotter.XY{X: b.score, Y: b.right})
		}
		if len(points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width, dots.Color, dots.Shape = series.color, vg.Points(1.5), series.color, draw.CircleGlyph{}
		p.Add(line, dots)
		p.Legend.Add(fmt.Sprintf("%s, ECE %.3f", series.name, ECE(series.findings)), line, dots)
	}
	return p, nil
}
