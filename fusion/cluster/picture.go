package cluster

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette/brewer"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/keci-kg/keci/internal/panels"
)

// Labelled are the vectors of labelled things, under a title.
type Labelled struct {
	Title  string
	Points [][]float64
	Labels []string
}

// ErrTooFew is returned, wrapped, for fewer than three vectors, or vectors of one
// number: they lie on no plane.
var ErrTooFew = errors.New("too few relations for a picture")

// Project gives the first two principal components of points, centred.
func Project(points [][]float64) (plotter.XYs, error) {
	if len(points) < 3 || len(points[0]) < 2 {
		return nil, ErrTooFew
	}
	n, d := len(points), len(points[0])
	m := mat.NewDense(n, d, slices.Concat(points...))
	var pc stat.PC
	if !pc.PrincipalComponents(m, nil) {
		return nil, errors.New("the principal components cannot be computed")
	}
	var directions, flat mat.Dense
	pc.VectorsTo(&directions)
	for j := range d {
		mean := stat.Mean(mat.Col(nil, j, m), nil)
		for i := range n {
			m.Set(i, j, m.At(i, j)-mean)
		}
	}
	flat.Mul(m, directions.Slice(0, d, 0, 2))
	projected := make(plotter.XYs, n)
	for i := range projected {
		projected[i] = plotter.XY{X: flat.At(i, 0), Y: flat.At(i, 1)}
	}
	return projected, nil
}

// Draw writes a PNG with a panel for each set of vectors: its first two principal
// components, coloured by label. A label has the same colour in all panels.
func Draw(path string, sets ...Labelled) error {
	var labels []string
	for _, s := range sets {
		labels = append(labels, s.Labels...)
	}
	slices.Sort(labels)
	labels = slices.Compact(labels)
	var plots []*plot.Plot
	for _, s := range sets {
		p, err := s.plot(labels)
		if err != nil {
			return fmt.Errorf("draw the clusters of %s: %w", s.Title, err)
		}
		plots = append(plots, p)
	}
	if err := panels.Save(path, 14*vg.Centimeter, nil, plots...); err != nil {
		return fmt.Errorf("draw the clusters: %w", err)
	}
	return nil
}

// plot is the panel of a set.
func (s Labelled) plot(labels []string) (*plot.Plot, error) {
	projected, err := Project(s.Points)
	if err != nil {
		return nil, err
	}
	palette, err := brewer.GetPalette(brewer.TypeQualitative, "Set1", 9)
	if err != nil {
		return nil, err
	}
	p := plot.New()
	p.Title.Text = s.Title
	p.X.Label.Text, p.Y.Label.Text = "first principal component", "second"
	p.Legend.Top = true
	for l, label := range labels {
		var points plotter.XYs
		for i, xy := range projected {
			if s.Labels[i] == label {
				points = append(points, xy)
			}
		}
		if len(points) == 0 {
			continue
		}
		dots, err := plotter.NewScatter(points)
		if err != nil {
			return nil, err
		}
		dots.Color, dots.Radius, dots.Shape = palette.Colors()[l%len(palette.Colors())], vg.Points(1.8), draw.CircleGlyph{}
		p.Add(dots)
		p.Legend.Add(label, dots)
	}
	return p, nil
}
