// Package panels writes plots side by side into one picture.
package panels

import (
	"errors"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/keci-kg/keci/internal/wholefile"
)

// Save writes square plots, each of the given side, next to one another as a PNG,
// which is there whole or not at all. A legend, if not nil, stands below them all.
func Save(path string, side vg.Length, legend *plot.Legend, plots ...*plot.Plot) error {
	width, below := vg.Length(len(plots))*side, vg.Length(0)
	if legend != nil {
		below = legend.Rectangle(draw.New(vgimg.New(width, side))).Size().Y + 4*vg.Millimeter
	}
	canvas := vgimg.New(width, side+below)
	tiles := draw.Tiles{Rows: 1, Cols: len(plots), PadX: 4 * vg.Millimeter}
	all := draw.New(canvas)
	for i, on := range plot.Align([][]*plot.Plot{plots}, tiles, draw.Crop(all, 0, 0, below, 0))[0] {
		plots[i].Draw(on)
	}
	if legend != nil {
		legend.Draw(draw.Crop(all, 4*vg.Millimeter, 0, 2*vg.Millimeter, -side))
	}
	file, err := wholefile.Create(path, ".next")
	if err != nil {
		return err
	}
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(file); err != nil {
		return errors.Join(err, file.Discard())
	}
	return file.Commit()
}
