package picture_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format/picture"
)

func paint(t *testing.T, doc graph.Document) (image.Image, []byte) {
	t.Helper()
	var out bytes.Buffer
	if err := picture.WritePNG(t.Context(), &out, doc); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return picture, out.Bytes()
}

// pixels counts those of each colour.
func pixels(picture image.Image) map[string]int {
	counts := map[string]int{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			c := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			counts[fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)]++
		}
	}
	return counts
}

// TestWritePNG looks for what must be seen: boxes in the colours of their types,
// letters in them, and the lines between them.
func TestWritePNG(t *testing.T) {
	two := graph.Document{
		Mentions:  []graph.Mention{mention("T1", "β-catenin", "protein", "C1"), mention("T2", "DNA", "DNA", "C2")},
		Relations: []graph.Extraction{{Head: "T1", Tail: "T2", Label: "bind", Directed: true, Score: 0.91}},
	}
	drawn, first := paint(t, two)
	if _, again := paint(t, two); !bytes.Equal(first, again) {
		t.Error("the same document gives another picture")
	}
	joined := pixels(drawn)
	for what, colour := range map[string]string{"boxes of proteins": "#d6e8ff", "their outline": "#1d5fbf", "boxes of DNA": "#d9f2d9", "letters": "#1b1f24", "lines": "#57606a"} {
		if joined[colour] < 50 {
			t.Errorf("%s (%s) cover %d pixels", what, colour, joined[colour])
		}
	}
	two.Relations = nil
	apart, _ := paint(t, two)
	if lines := pixels(apart)["#57606a"]; lines > joined["#57606a"]/20 { // some edges of letters have that colour
		t.Errorf("without relations %d pixels are of lines, with one %d", lines, joined["#57606a"])
	}
}

func TestWritePNGOfNothing(t *testing.T) {
	if drawn, _ := paint(t, graph.Document{}); drawn.Bounds().Empty() {
		t.Error("a picture without a pixel")
	}
}

func TestWritePNGBounded(t *testing.T) {
	doc := graph.Document{}
	for i := range picture.MaxNodes + 1 {
		doc.Mentions = append(doc.Mentions, mention(fmt.Sprintf("T%d", i), fmt.Sprintf("a protein of number %d", i), "protein", graph.CUI(fmt.Sprintf("C%d", i))))
		if i > 0 {
			doc.Relations = append(doc.Relations, graph.Extraction{Head: "T0", Tail: doc.Mentions[i].ID, Label: "bind"})
		}
	}
	if err := picture.WritePNG(t.Context(), io.Discard, doc); !errors.Is(err, picture.ErrTooLarge) {
		t.Errorf("too many: %v", err)
	}
	doc.Mentions = doc.Mentions[:100]
	drawn, _ := paint(t, doc)
	if size := drawn.Bounds().Size(); max(size.X, size.Y) > 4000 || max(size.X, size.Y) < 2000 {
		t.Errorf("100 nodes make %v pixels", size)
	}
}
