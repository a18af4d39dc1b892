package picture_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format/picture"
)

func mention(id, text, kind string, cui graph.CUI) graph.Mention {
	return graph.Mention{ID: id, Text: text, Type: kind, Concepts: []graph.Candidate{{CUI: cui, Score: 1000}}}
}

var example = graph.Document{
	Text: "…",
	Mentions: []graph.Mention{
		mention("T1", "FKBP12", "protein", "C1"),
		mention("T2", "FK506", "chemical", "C2"),
		mention("T3", "FK506-binding protein", "protein", "C1"), // the same concept as T1
		mention("T4", "fk506", "chemical", "C3"),
		mention("T5", `a "b" \n <c> & &lt;`, "gene", "C4"),
	},
	Relations: []graph.Extraction{
		{ID: "R1", Head: "T1", Tail: "T2", Label: "bind", Score: 0.91},
		{ID: "R2", Head: "T2", Tail: "T3", Label: "bind", Score: 0.95}, // the same pair of nodes
		{Head: "T4", Tail: "T5", Label: "inhibit", Directed: true, Score: 0.5},
		{Head: "T1", Tail: "T9", Label: "lost", Score: 1}, // no such mention
	},
}

func draw(t *testing.T, doc graph.Document) string {
	t.Helper()
	var out bytes.Buffer
	if err := picture.WriteSVG(t.Context(), &out, doc); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWriteSVG(t *testing.T) {
	texts, classes := read(t, draw(t, example))
	for _, want := range []string{"FKBP12", "protein", "chemical", "bind 0.95", "inhibit 0.50", `a "b" \n <c> & &lt;`, "Graph of 4 entities and 2 relations"} {
		if !strings.Contains(texts, want+"\n") {
			t.Errorf("the picture does not say %q; it says\n%s", want, texts)
		}
	}
	for _, unwanted := range []string{"FK506-binding protein", "bind 0.91", "lost"} {
		if strings.Contains(texts, unwanted) {
			t.Errorf("the picture says %q", unwanted)
		}
	}
	for _, want := range []string{fmt.Sprintf("node tone-%d mention-T1 mention-T3\n", picture.Tone("protein")), "edge relation-R1 relation-R2\n"} {
		if !strings.Contains(classes, want) {
			t.Errorf("no element has the classes %q; there are\n%s", want, classes)
		}
	}
}

// TestBoxesSayWhatTheyStandFor: a mention is not drawn as a concept that only a part of
// it names; a box has the words of most of its mentions, and is dashed where all of them
// are denied.
func TestBoxesSayWhatTheyStandFor(t *testing.T) {
	part, denied := mention("T1", "FKBP12-TGFBR1", "protein", "C1"), mention("T5", "TP53BP1", "protein", "C2")
	part.Concepts[0].Variant, denied.Negated = "part", true
	half := mention("T6", "BARD1", "protein", "C3")
	half.Negated = true
	doc := graph.Document{Text: "…", Mentions: []graph.Mention{
		part, mention("T2", "type I receptor", "protein", "C1"), mention("T3", "TGFBR1", "protein", "C1"),
		mention("T4", "TGFBR1", "protein", "C1"), denied, half, mention("T7", "BARD1", "protein", "C3"),
	}}
	svg := draw(t, doc)
	texts, _ := read(t, svg)
	for _, want := range []string{"FKBP12-TGFBR1", "TGFBR1", "TP53BP1", "Graph of 4 entities and 0 relations"} {
		if !strings.Contains(texts, want+"\n") {
			t.Errorf("the picture does not say %q; it says\n%s", want, texts)
		}
	}
	if strings.Contains(texts, "type I receptor") || strings.Count(svg, "stroke-dasharray") != 1 {
		t.Errorf("%d boxes are dashed, want 1; the picture says\n%s", strings.Count(svg, "stroke-dasharray"), texts)
	}
}

// read gives what an SVG picture says and the classes in it, a line each.
func read(t *testing.T, svg string) (texts, classes string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts, classes
		}
		if err != nil {
			t.Fatalf("the picture is not XML: %v\n%s", err, svg)
		}
		switch token := token.(type) {
		case xml.CharData:
			texts += string(token) + "\n"
		case xml.StartElement:
			for _, attribute := range token.Attr {
				if attribute.Name.Local == "class" {
					classes += attribute.Value + "\n"
				}
			}
		}
	}
}

func TestWriteSVGIsDeterministicAndConcurrent(t *testing.T) {
	want := draw(t, example)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			var out bytes.Buffer
			if err := picture.WriteSVG(t.Context(), &out, example); err != nil || out.String() != want {
				t.Errorf("another picture came out (error %v)", err)
			}
		})
	}
	group.Wait()
}

func TestWriteSVGOfNothing(t *testing.T) {
	texts, _ := read(t, draw(t, graph.Document{Text: "…"}))
	if !strings.Contains(texts, "Graph of 0 entities and 0 relations") {
		t.Errorf("the picture says\n%s", texts)
	}
}

func TestWriteSVGTooLarge(t *testing.T) {
	var doc graph.Document
	for i := range picture.MaxNodes + 1 {
		doc.Mentions = append(doc.Mentions, graph.Mention{ID: fmt.Sprint(i), Text: fmt.Sprint(i)})
	}
	err := picture.WriteSVG(t.Context(), io.Discard, doc)
	if !errors.Is(err, picture.ErrTooLarge) || !strings.Contains(err.Error(), "401 entities") {
		t.Errorf("error = %v, want one that tells the size", err)
	}
}

// Of many entities, those are drawn that have a relation.
func TestWriteSVGOfMany(t *testing.T) {
	var doc graph.Document
	for i := range picture.MaxNodes + 1 {
		doc.Mentions = append(doc.Mentions, graph.Mention{ID: fmt.Sprint("T", i), Text: fmt.Sprint("number ", i)})
	}
	doc.Relations = []graph.Extraction{{ID: "R1", Head: "T7", Tail: "T400", Label: "bind"}, {ID: "R2", Head: "T400", Tail: "T3", Label: "cleave"}}
	texts, classes := read(t, draw(t, doc))
	for _, want := range []string{"Graph of 3 entities and 2 relations, without 398 entities that have none", "number 3", "number 7", "number 400", "bind", "cleave"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the picture lacks %q:\n%s", want, texts)
		}
	}
	if strings.Contains(classes, "mention-T8") || !strings.Contains(classes, "relation-R2") {
		t.Errorf("the picture has the classes %s", classes)
	}
}

func TestWriteSVGOfTooManyRelations(t *testing.T) {
	doc := graph.Document{Mentions: []graph.Mention{{ID: "T1", Text: "one"}, {ID: "T2", Text: "two"}}}
	for i := range picture.MaxEdges + 1 {
		doc.Relations = append(doc.Relations, graph.Extraction{Head: "T1", Tail: "T2", Label: fmt.Sprint(i)})
	}
	err := picture.WriteSVG(t.Context(), io.Discard, doc)
	if !errors.Is(err, picture.ErrTooLarge) || !strings.Contains(err.Error(), "401 relations") {
		t.Errorf("error = %v, want one that tells the size", err)
	}
}

func TestToneTellsFrequentTypesApart(t *testing.T) {
	seen := map[int]string{0: "no type"}
	for _, kind := range []string{"protein", "protein-family", "chemical", "DNA", "protein-complex", "protein-domain",
		"RNA", "cell", "experimental-construct", "experiment-tag", "reagent", "protein-motif"} {
		tone := picture.Tone(kind)
		if other, taken := seen[tone]; taken {
			t.Errorf("%s and %s share tone %d", kind, other, tone)
		}
		seen[tone] = kind
	}
	if picture.Tone("Protein") != picture.Tone("protein") || picture.Tone("") != 0 {
		t.Error("tones depend on the case, or no type has one")
	}
}

func BenchmarkWriteSVG(b *testing.B) {
	var doc graph.Document
	for i := range 40 {
		doc.Mentions = append(doc.Mentions, graph.Mention{ID: fmt.Sprintf("T%d", i), Text: fmt.Sprintf("entity %d", i), Type: "protein"})
	}
	for i := range 40 {
		doc.Relations = append(doc.Relations, graph.Extraction{Head: fmt.Sprintf("T%d", i), Tail: fmt.Sprintf("T%d", i*7%40), Label: "bind", Score: 0.9})
	}
	for b.Loop() {
		if err := picture.WriteSVG(b.Context(), io.Discard, doc); err != nil {
			b.Fatal(err)
		}
	}
}
