package picture

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/color"
	"io"
	"strconv"
	"sync"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/keci-kg/keci/graph"
)

// pngDPI is the resolution of pictures as PNG: twice that of a screen, since they
// are enlarged on slides. Large ones have less, so that no side has more than
// maxPixels.
const (
	pngDPI    = 144
	maxPixels = 4000
)

// pngMargin, 8 points, is left free around what is drawn.
const pngMargin = 8 * vg.Inch / 72

// WritePNG draws the picture of WriteSVG as an image on white. Graphviz lays it out
// and tells by its drawing operations (see xdot in its manual) what is to be drawn;
// its own images, in the build that comes with the program, lack the lines.
func WritePNG(ctx context.Context, out io.Writer, doc graph.Document) error {
	var laidOut bytes.Buffer
	if err := render(ctx, &laidOut, doc, "json"); err != nil {
		return err
	}
	var picture drawing
	if err := json.Unmarshal(laidOut.Bytes(), &picture); err != nil {
		return fmt.Errorf("reading the layout of a picture: %w", err)
	}
	canvas, err := picture.paint()
	if err != nil {
		return fmt.Errorf("painting a picture: %w", err)
	}
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(out); err != nil {
		return fmt.Errorf("writing a picture: %w", err)
	}
	return nil
}

// drawing is a graph as Graphviz tells it in JSON. Lengths are points; y goes up.
type drawing struct {
	Bounds string  `json:"bb"` // left, bottom, right, top
	Nodes  []shape `json:"objects"`
	Edges  []shape `json:"edges"`
}

// shape is a node or an edge: its outline, the heads of its arrows and its label.
type shape struct {
	Lines []operation `json:"_draw_"`
	Head  []operation `json:"_hdraw_"`
	Label []operation `json:"_ldraw_"`
}

// operation is a step of drawing.
type operation struct {
	Op     string       `json:"op"`
	Color  string       `json:"color"`
	Style  string       `json:"style"`
	Points [][2]float64 `json:"points"`
	Size   float64      `json:"size"`
	At     [2]float64   `json:"pt"`
	Align  string       `json:"align"`
	Text   string       `json:"text"`
}

func (d drawing) paint() (*vgimg.Canvas, error) {
	var left, bottom, right, top float64
	if _, err := fmt.Sscanf(d.Bounds, "%g,%g,%g,%g", &left, &bottom, &right, &top); err != nil {
		return nil, fmt.Errorf("bounds %q: %w", d.Bounds, err)
	}
	width, height := vg.Length(right-left)+2*pngMargin, vg.Length(top-bottom)+2*pngMargin
	dpi := max(1, min(pngDPI, int(maxPixels*vg.Inch/max(width, height))))
	canvas := vgimg.NewWith(vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White), vgimg.UseWH(width, height))
	canvas.Translate(vg.Point{X: pngMargin - vg.Length(left), Y: pngMargin - vg.Length(bottom)})
	b := brush{canvas: canvas}
	var all [][]operation
	for _, line := range d.Edges { // lie below boxes
		all = append(all, line.Lines, line.Head)
	}
	for _, box := range d.Nodes {
		all = append(all, box.Lines, box.Label)
	}
	for _, line := range d.Edges { // nothing hides what is said
		all = append(all, line.Label)
	}
	for _, operations := range all {
		b.canvas.SetLineDash(nil, 0)
		for _, o := range operations {
			if err := b.do(o); err != nil {
				return nil, err
			}
		}
	}
	return canvas, nil
}

// brush paints operations one after the other.
type brush struct {
	canvas     vg.Canvas
	line, fill color.Color
	size       vg.Length // of letters
}

func (b *brush) do(o operation) (err error) {
	switch o.Op {
	case "c":
		b.line, err = parseColor(o.Color)
	case "C":
		b.fill, err = parseColor(o.Color)
	case "S":
		if o.Style == "dashed" {
			b.canvas.SetLineDash([]vg.Length{4, 3}, 0)
		}
		var width float64
		if _, err := fmt.Sscanf(o.Style, "setlinewidth(%g)", &width); err == nil {
			b.canvas.SetLineWidth(vg.Points(width))
		}
	case "F":
		b.size = vg.Points(o.Size)
	case "b", "B":
		b.outline(curve(o.Points), o.Op == "B")
	case "p", "P":
		b.outline(polygon(o.Points), o.Op == "P")
	case "T":
		b.write(o)
	default:
		err = fmt.Errorf("operation %q of the layout engine is not known", o.Op)
	}
	return err
}

func (b *brush) outline(path vg.Path, filled bool) {
	if filled {
		b.canvas.SetColor(b.fill)
		b.canvas.Fill(path)
	}
	b.canvas.SetColor(b.line)
	b.canvas.Stroke(path)
}

// letters are those of a typeface with the widths that the layout engine reckons
// with, Helvetica's.
var letters = sync.OnceValue(func() *font.Cache { return font.NewCache(liberation.Collection()) })

// typeface is that of all letters.
var typeface = font.Font{Typeface: "Liberation", Variant: "Sans"}

func (b *brush) write(o operation) {
	face := letters().Lookup(typeface, b.size)
	at := point(o.At)
	switch width := face.Width(o.Text); o.Align {
	case "c":
		at.X -= width / 2
	case "r":
		at.X -= width
	}
	b.canvas.SetColor(b.line)
	b.canvas.FillString(face, at, o.Text)
}

func point(p [2]float64) vg.Point { return vg.Point{X: vg.Length(p[0]), Y: vg.Length(p[1])} }

// curve is a line of cubic Bézier curves: a point, and three more for each.
func curve(points [][2]float64) (path vg.Path) {
	for i, p := range points {
		switch {
		case i == 0:
			path.Move(point(p))
		case i%3 == 0:
			path.CubeTo(point(points[i-2]), point(points[i-1]), point(p))
		}
	}
	return path
}

func polygon(points [][2]float64) (path vg.Path) {
	for i, p := range points {
		if i == 0 {
			path.Move(point(p))
		} else {
			path.Line(point(p))
		}
	}
	path.Close()
	return path
}

// parseColor reads "#rrggbb" and "#rrggbbaa".
func parseColor(text string) (color.Color, error) {
	if len(text) == len("#rrggbb") {
		text += "ff"
	}
	value, err := strconv.ParseUint(text[min(1, len(text)):], 16, 32)
	if err != nil || len(text) != len("#rrggbbaa") || text[0] != '#' {
		return nil, fmt.Errorf("colour %q of the layout engine is not known", text)
	}
	return color.NRGBA{R: uint8(value >> 24), G: uint8(value >> 16), B: uint8(value >> 8), A: uint8(value)}, nil
}
