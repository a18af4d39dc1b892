// Package picture draws document graphs. It stands apart from the other formats
// because it brings a layout engine (Graphviz compiled to WebAssembly) along.
package picture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-graphviz"
	"github.com/goccy/go-graphviz/cgraph"
	"gonum.org/v1/plot/vg"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/layoutcache"
)

func init() { layoutcache.Restore() } // the layout engine is compiled now

// MaxNodes and MaxEdges are the largest picture that is drawn, in entities and in
// relations; beyond it nobody sees anything, and the layout takes minutes.
const (
	MaxNodes = 400
	MaxEdges = 400
)

// ErrTooLarge is returned, wrapped, for a graph of more than MaxNodes entities with a
// relation, or without any, or of more than MaxEdges relations.
var ErrTooLarge = errors.New("the graph is too large to be drawn")

// ErrBusy is returned, wrapped, when the context ends while a picture waits for its turn.
var ErrBusy = errors.New("other pictures are being drawn")

// engine lays out one picture at a time, that of who has put something into drawer;
// it is made when the first is drawn.
var (
	engine = sync.OnceValues(newEngine)
	drawer = make(chan struct{}, 1)
)

// newEngine makes an engine that treats relations as springs: unlike layers,
// that keeps both stars and chains of entities compact.
func newEngine() (*graphviz.Graphviz, error) {
	layout, err := graphviz.New(context.Background())
	if err != nil {
		return nil, err
	}
	return layout.SetLayout(graphviz.NEATO), nil
}

// WriteSVG draws the graph of a document: a box for each entity, coloured by
// its type and dashed where the text denies it, and a line for each two that are related
// with labels and probabilities. The boxes
// carry the classes "tone-N" (see Tone) and "mention-T1", …, the lines "relation-R1",
// …, so that a page can style and select them. Of more than MaxNodes entities, those that
// have a relation are drawn, and the title tells how many are not. The same document gives
// the same picture.
// Pictures are drawn one at a time, and one whose turn has not come when ctx ends is not
// drawn.
func WriteSVG(ctx context.Context, out io.Writer, doc graph.Document) error {
	return render(ctx, out, doc, graphviz.SVG)
}

// render lays the graph of a document out and writes it in a form of Graphviz.
func render(ctx context.Context, out io.Writer, doc graph.Document, form graphviz.Format) error {
	drawn := newNetwork(doc)
	if len(drawn.nodes) > MaxNodes && len(drawn.edges) > 0 {
		drawn = drawn.related()
	}
	if err := drawn.check(); err != nil {
		return err
	}
	if err := takeTurn(ctx); err != nil {
		return err
	}
	defer func() { <-drawer }()
	layout, err := engine()
	if err != nil {
		return fmt.Errorf("starting the layout engine: %w", err)
	}
	picture, err := layout.Graph(graphviz.WithName(title(drawn)))
	if err != nil {
		return fmt.Errorf("starting a picture: %w", err)
	}
	defer picture.Close()
	if err := draw(picture, drawn); err != nil {
		return fmt.Errorf("drawing a document: %w", err)
	}
	return layout.Render(context.WithoutCancel(ctx), picture, form, out) // the engine cannot be broken off and used again
}

// check tells when there is too much to be drawn.
func (n network) check() error {
	switch {
	case len(n.nodes) > MaxNodes:
		return fmt.Errorf("%w: %d entities, at most %d are drawn", ErrTooLarge, len(n.nodes), MaxNodes)
	case n.relations() > MaxEdges:
		return fmt.Errorf("%w: %d relations, at most %d are drawn", ErrTooLarge, n.relations(), MaxEdges)
	}
	return nil
}

// takeTurn waits until the engine is free, which is given back by a receive from
// drawer, or until ctx ends.
func takeTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case drawer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
}

func title(drawn network) string {
	told := fmt.Sprintf("Graph of %s and %s", count(len(drawn.nodes), "entity", "entities"), count(drawn.relations(), "relation", "relations"))
	if drawn.alone > 0 {
		told += fmt.Sprintf(", without %s that have none", count(drawn.alone, "entity", "entities"))
	}
	return told
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}

// attributes are set on a graph, a node or an edge.
type attributes map[string]string

func (a attributes) set(on interface {
	SafeSet(name, value, unset string) error
}) error {
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if err := on.SafeSet(name, a[name], ""); err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return nil
}

// fontName is one whose widths the layout engine knows. Of any other, and of a list of
// several, it takes those of Times, which are smaller: labels would lie on one another.
const fontName = "Helvetica"

func draw(picture *cgraph.Graph, drawn network) error {
	layout := attributes{"bgcolor": "transparent", "pad": "0.1", "overlap": "false", "splines": "true", "sep": "+16", "esep": "+8",
		"start": "1"} // the seed of the places to begin with
	if err := layout.set(picture); err != nil {
		return err
	}
	boxes := make([]*cgraph.Node, len(drawn.nodes))
	for i, n := range drawn.nodes {
		box, err := picture.CreateNodeByName(n.name)
		if err != nil {
			return err
		}
		if err := nodeAttributes(n).set(box); err != nil {
			return err
		}
		boxes[i] = box
	}
	for i, e := range drawn.edges {
		line, err := picture.CreateEdgeByName(strconv.Itoa(i), boxes[e.from], boxes[e.to])
		if err != nil {
			return err
		}
		if err := edgeAttributes(e, drawn).set(line); err != nil {
			return err
		}
	}
	return nil
}

func nodeAttributes(n node) attributes {
	tone := Tone(n.kind)
	style := "rounded,filled"
	if n.negated {
		style += ",dashed"
	}
	return attributes{
		"label": lines(n.text()), "class": "tone-" + strconv.Itoa(tone) + classes("mention", n.mentions), "shape": "box", "style": style, "margin": "0.2,0.08", "height": "0.4",
		"fillcolor": tones[tone].fill, "color": tones[tone].line, "fontcolor": "#1b1f24", "fontname": fontName, "fontsize": strconv.Itoa(boxLetters),
	}
}

// classes are the classes that name what a shape stands for, each with a space before it.
func classes(kind string, ids []string) (all string) {
	for _, id := range ids {
		all += " " + kind + "-" + id
	}
	return all
}

// The sizes of letters, in points.
const (
	boxLetters  = 12
	lineLetters = 10
)

func edgeAttributes(e edge, drawn network) attributes {
	direction := "none"
	if e.directed {
		direction = "forward"
	}
	var relations []string
	most := 0.0
	for _, row := range e.rows {
		relations, most = append(relations, row.relations...), max(most, row.score)
	}
	return attributes{
		"len": fmt.Sprintf("%.2f", drawn.length(e)), "class": strings.TrimSpace(classes("relation", relations)), "label": lines(e.text()), "dir": direction, "penwidth": fmt.Sprintf("%.2f", 0.6+1.6*most),
		"color": "#57606a", "fontcolor": "#3d444d", "fontname": fontName, "fontsize": strconv.Itoa(lineLetters), "arrowsize": "0.7",
	}
}

// The shortest and the longest line between two boxes' middles that is asked for, and
// what is left free beside its label, in inches.
const (
	shortest, longest = 2.0, 4.5
	besideLabel       = 0.5
)

// length is how far apart the middles of the two boxes of a line stand so that there is
// room for what is said between them, on that line and its opposite, side by side.
func (n network) length(line edge) float64 {
	boxes := width(n.nodes[line.from].text(), boxLetters) + width(n.nodes[line.to].text(), boxLetters)
	said := 0.0
	for _, e := range n.edges {
		if min(e.from, e.to) == min(line.from, line.to) && max(e.from, e.to) == max(line.from, line.to) {
			said = max(said, width(e.text(), lineLetters))
		}
	}
	return min(longest, max(shortest, boxes/2+said+besideLabel))
}

// width is how wide lines of text are, in inches.
func width(text []string, size int) (most float64) {
	face := letters().Lookup(typeface, vg.Points(float64(size)))
	for _, line := range text {
		most = max(most, float64(face.Width(line)/vg.Inch))
	}
	return most
}

// lines is text as a label of Graphviz.
func lines(text []string) string {
	escaped := make([]string, len(text))
	for i, line := range text {
		escaped[i] = escape(line)
	}
	return strings.Join(escaped, `\n`)
}

// escape makes text stand for itself in a label of Graphviz.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "&", "&amp;", "\n", " ", "\r", " ", "\t", " ", "\f", " ", "\v", " ").Replace(text)
}

// shorten keeps boxes from growing over the whole picture.
func shorten(text string) string {
	const most = 40
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
