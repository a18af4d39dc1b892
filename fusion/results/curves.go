package results

import (
	"fmt"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// DrawCurves writes a PNG with the learning curves of all runs: held-out entity
// F1 beside relation F1, over the steps, a colour for each variant.
func DrawCurves(path string, groups []Group) error {
	var panels []*plot.Plot
	for _, panel := range []struct {
		title string
		value func(r Run, i int) float64
	}{
		{"entity F1, held out", func(r Run, i int) float64 { return r.Curve[i].Score.Entity }},
		{"relation F1, held out", func(r Run, i int) float64 { return r.Curve[i].Score.Relation }},
	} {
		p, err := curves(panel.title, groups, panel.value)
		if err != nil {
			return fmt.Errorf("draw learning curves: %w", err)
		}
		panels = append(panels, p)
	}
	return savePanels(path, panels)
}

func curves(title string, groups []Group, value func(r Run, i int) float64) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text = title, "step"
	p.Y.Min, p.Y.Max = 0, 1
	p.Legend.Top = false
	p.Add(plotter.NewGrid())
	for i, g := range groups {
		for n, r := range g.Runs {
			points := make(plotter.XYs, len(r.Curve))
			for k, e := range r.Curve {
				points[k] = plotter.XY{X: float64(e.Steps), Y: value(r, k)}
			}
			line, err := plotter.NewLine(points)
			if err != nil {
				return nil, err
			}
			line.Color, line.Width = plotutil.Color(i), vg.Points(1)
			p.Add(line)
			if n == 0 {
				p.Legend.Add(g.Corpus+", "+g.Variant, line)
			}
		}
	}
	return p, nil
}

// savePanels draws plots side by side, into a file that is there whole or not at all.
func savePanels(path string, panels []*plot.Plot) error {
	const width, height = 12 * vg.Centimeter, 10 * vg.Centimeter
	canvas := vgimg.New(vg.Length(len(panels))*width, height)
	tiles := draw.Tiles{Rows: 1, Cols: len(panels), PadX: vg.Millimeter * 4}
	canvases := plot.Align([][]*plot.Plot{panels}, tiles, draw.New(canvas))
	for i, p := range panels {
		p.Draw(canvases[0][i])
	}
	next := path + ".next"
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	file, err := os.Create(next)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(next)
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(file); err != nil {
		file.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(next, path)
}
