// Package panels writes plots side by side into one picture.
package panels

import (
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Save writes square plots, each of the given side, next to one another as a PNG,
// which is there whole or not at all.
func Save(path string, side vg.Length, plots ...*plot.Plot) error {
	canvas := vgimg.New(vg.Length(len(plots))*side, side)
	tiles := draw.Tiles{Rows: 1, Cols: len(plots), PadX: 4 * vg.Millimeter}
	for i, on := range plot.Align([][]*plot.Plot{plots}, tiles, draw.New(canvas))[0] {
		plots[i].Draw(on)
	}
	next := path + ".next"
	file, err := os.Create(next)
	if err != nil {
		return err
	}
	defer os.Remove(next)
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(file); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(next, path)
}
