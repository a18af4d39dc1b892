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
// which is there whole or not at all.
func Save(path string, side vg.Length, plots ...*plot.Plot) error {
	canvas := vgimg.New(vg.Length(len(plots))*side, side)
	tiles := draw.Tiles{Rows: 1, Cols: len(plots), PadX: 4 * vg.Millimeter}
	for i, on := range plot.Align([][]*plot.Plot{plots}, tiles, draw.New(canvas))[0] {
		plots[i].Draw(on)
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
