package multitask

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/keci-kg/keci/fusion/tagging"
	"github.com/keci-kg/keci/graph"
)

// TestDecodePlaces reads mentions word by word, whatever the tags of other pieces.
func TestDecodePlaces(t *testing.T) {
	cfg := tinyConfig()
	r := newTestReader(t, cfg)
	text, err := r.read(t.Context(), "Ibalin gave liver pain.")
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]int{"Ibal": tagging.Begin(0), "liver": tagging.Begin(1), "pain": tagging.Inside(1)}
	p := make([]float32, len(text.pieces)*5)
	for i, piece := range text.pieces {
		for tag := range 5 {
			p[i*5+tag] = 0.025
		}
		p[i*5+wanted[text.text[piece.Start:piece.End]]] = 0.9
	}
	places, odds := cfg.decodePlaces(text, p)
	var got []string
	for _, at := range places {
		got = append(got, fmt.Sprintf("%s %s", cfg.EntityTypes[at.typ], text.text[text.pieces[at.first].Start:text.pieces[at.last].End]))
	}
	if want := []string{"Chemical Ibalin", "Disease liver pain"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, o := range odds {
		if math.Abs(o-math.Log(9)) > 1e-4 {
			t.Errorf("log-odds %g, want those of 0.9", o)
		}
	}
}

// TestDocument tells a relation of two concepts of all mentions that share a
// sentence, or else of the nearest.
func TestDocument(t *testing.T) {
	cfg := tinyConfig()
	text, err := newTestReader(t, cfg).read(t.Context(), "Ibalin gave rash. Itch, and Ibalin or ibalin by rash.")
	if err != nil {
		t.Fatal(err)
	}
	f := found{pairsOf: pairsOf{text: text}}
	for _, name := range []struct {
		text string
		typ  int
	}{{"Ibalin", 0}, {"rash", 1}, {"Itch", 1}, {"Ibalin", 0}, {"ibalin", 0}, {"rash", 1}} {
		from := 0
		if len(f.places) > 0 {
			from = text.pieces[f.places[len(f.places)-1].last].End
		}
		f.places = append(f.places, text.placeOf(t, name.text, from, name.typ))
		f.odds = append(f.odds, 2)
	}
	f.entities = cfg.entitiesOf(text, f.places)
	f.pairs = cfg.pairs(text, f.places, f.entities)
	if len(f.entities) != 3 || len(f.pairs) != 2 {
		t.Fatalf("%d entities and %d pairs, want ibalin, rash and itch", len(f.entities), len(f.pairs))
	}
	f.labels = []float64{1, -1, -1, -1} // of two labels each
	relations := func() (list []string) {
		doc := cfg.findings(graph.Document{Text: text.text}, f).Document
		for _, r := range doc.Relations {
			list = append(list, r.Head+" "+r.Tail)
		}
		return list
	}
	if got, want := relations(), []string{"T1 T2", "T4 T6", "T5 T6"}; !slices.Equal(got, want) {
		t.Errorf("within sentences %v, want %v", got, want)
	}
	for i, at := range f.places { // no two of a sentence
		text.sentence[at.first] = i
	}
	if got, want := relations(), []string{"T1 T2"}; !slices.Equal(got, want) {
		t.Errorf("nearest %v, want %v", got, want)
	}
}
