package results

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/internal/panels"
)

// curveSide is the width and the height of a panel.
const curveSide = 12 * vg.Centimeter

// DrawCurves writes a PNG with the learning curves of all runs: held-out entity
// F1 beside relation F1, over the steps, a colour or dashes for each group, which a
// legend below names. Where entities are given there is no curve of theirs. A model
// that is measured on several corpora has one curve.
func DrawCurves(path string, groups []Group) error {
	groups = distinctCurves(groups)
	entities, err := curves("entity F1, held out", groups, func(s train.Score) (float64, bool) { return s.Entity, !s.EntitiesGiven })
	if err != nil {
		return fmt.Errorf("draw learning curves: %w", err)
	}
	relations, err := curves("relation F1, held out", groups, func(s train.Score) (float64, bool) { return s.Relation, true })
	if err != nil {
		return fmt.Errorf("draw learning curves: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	legend := plot.NewLegend()
	legend.Left, legend.Top = true, true
	for i, g := range groups {
		legend.Add(g.name(), &plotter.Line{LineStyle: curveStyle(i)})
	}
	if err := panels.Save(path, curveSide, &legend, entities, relations); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// curves draws what value gives of each epoch, if it is measured.
func curves(title string, groups []Group, value func(train.Score) (float64, bool)) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text = title, "step"
	p.Y.Min, p.Y.Max = 0, 1
	p.X.Tick.Marker = plot.TickerFunc(wholeTicks)
	p.Add(plotter.NewGrid())
	for i, g := range groups {
		for _, r := range g.Runs {
			var points plotter.XYs
			for _, e := range r.Curve {
				if y, measured := value(e.Score); measured {
					points = append(points, plotter.XY{X: float64(e.Steps), Y: y})
				}
			}
			if len(points) == 0 {
				continue
			}
			line, marks, err := plotter.NewLinePoints(points)
			if err != nil {
				return nil, err
			}
			line.LineStyle = curveStyle(i)
			marks.Shape, marks.Color, marks.Radius = draw.CircleGlyph{}, line.Color, vg.Points(1.5)
			p.Add(line, marks)
		}
	}
	return p, nil
}

// distinctCurves leaves out each group whose runs learned as those of an earlier one.
func distinctCurves(groups []Group) []Group {
	var distinct []Group
	for _, g := range groups {
		if !slices.ContainsFunc(distinct, g.learnedAs) {
			distinct = append(distinct, g)
		}
	}
	return distinct
}

// learnedAs tells whether the runs of two groups have the same learning curves.
func (g Group) learnedAs(other Group) bool {
	return slices.EqualFunc(g.Runs, other.Runs, func(a, b Run) bool { return slices.Equal(a.Curve, b.Curve) })
}

// wholeTicks writes the numbers of steps without decimals.
func wholeTicks(least, most float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(least, most)
	for i, t := range ticks {
		if !t.IsMinor() {
			ticks[i].Label = fmt.Sprintf("%.0f", t.Value)
		}
	}
	return ticks
}

// curveStyle is that of the lines of a group, by its place among them.
func curveStyle(i int) draw.LineStyle {
	return draw.LineStyle{Color: plotutil.Color(i), Width: vg.Points(1), Dashes: plotutil.Dashes(i / len(plotutil.DefaultColors))}
}

// name is what a legend calls a group.
func (g Group) name() string {
	name := fmt.Sprintf("%s, %s, %s epochs", g.Corpus, g.Variant, g.schedule())
	if len(g.Runs[0].Curve) > 0 && g.Runs[0].Curve[0].Score.EntitiesGiven {
		name += ", entities given"
	}
	return name
}
