package train

import (
	"fmt"
	"image/color"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// CurveFile is the picture of a run's learning curve in its output directory.
const CurveFile = "curve.png"

// saveCurve draws the held-out scores and the loss measured so far.
func (r *run) saveCurve() error {
	p := plot.New()
	p.Title.Text = "Held-out scores and training loss"
	p.X.Label.Text = "step"
	p.Y.Min, p.Y.Max = 0, 1
	p.Legend.Top = false
	p.Add(plotter.NewGrid())
	highest, kind := 0.0, Score{}
	for _, e := range r.history.Epochs {
		highest = max(highest, e.Loss)
		kind = Score{kind.Entity + e.Score.Entity, kind.Relation + e.Score.Relation, kind.Likelihood + e.Score.Likelihood, e.Score.EntitiesGiven}
	}
	for _, c := range []struct {
		name  string
		color color.Color
		shown bool
		value func(Epoch) float64
	}{
		{"entity F1", color.RGBA{R: 0x1f, G: 0x5f, B: 0xbf, A: 0xff}, kind.Likelihood == 0 && !kind.EntitiesGiven, func(e Epoch) float64 { return e.Score.Entity }},
		{"relation F1", color.RGBA{R: 0xc7, G: 0x51, B: 0x1b, A: 0xff}, kind.Likelihood == 0, func(e Epoch) float64 { return e.Score.Relation }},
		{"1 / perplexity", color.RGBA{R: 0x2e, G: 0x7d, B: 0x32, A: 0xff}, kind.Likelihood > 0, func(e Epoch) float64 { return e.Score.Likelihood }},
		{fmt.Sprintf("loss / %.2f", highest), color.Gray{Y: 0x80}, highest > 0, func(e Epoch) float64 { return e.Loss / highest }},
	} {
		if !c.shown {
			continue // another kind of model is measured by it
		}
		line, points, err := plotter.NewLinePoints(r.points(c.value))
		if err != nil {
			return fmt.Errorf("draw the learning curve: %w", err)
		}
		line.Color, line.Width = c.color, vg.Points(1.5)
		points.Shape, points.Color, points.Radius = draw.CircleGlyph{}, c.color, vg.Points(2)
		p.Add(line, points)
		p.Legend.Add(c.name, line)
	}
	next := filepath.Join(r.out, "next-"+CurveFile) // the ending says which form
	if err := p.Save(16*vg.Centimeter, 10*vg.Centimeter, next); err != nil {
		return fmt.Errorf("draw the learning curve: %w", err)
	}
	return os.Rename(next, filepath.Join(r.out, CurveFile))
}

// points are the values that were measured.
func (r *run) points(value func(Epoch) float64) plotter.XYs {
	points := make(plotter.XYs, len(r.history.Epochs))
	for i, e := range r.history.Epochs {
		points[i] = plotter.XY{X: float64(e.Steps), Y: value(e)}
	}
	return points
}
