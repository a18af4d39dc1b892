package multitask

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/tagging"
)

func newTestReader(t testing.TB, cfg Config) *reader {
	t.Helper()
	tokenizer, err := encoder.LoadTokenizer(newEncoder(t))
	if err != nil {
		t.Fatal(err)
	}
	return newReader(cfg, tokenizer, fakeKnowledge{})
}

// placeOf finds the first mention of a name from an offset on.
func (t *reading) placeOf(tb testing.TB, name string, from, typ int) place {
	tb.Helper()
	start := from + strings.Index(t.text[from:], name)
	first, last := t.piecesOf(start, start+len(name))
	if !t.isRun(first, last, start, start+len(name)) {
		tb.Fatalf("%q is no run of words", name)
	}
	return place{first, last, typ}
}

// TestLabel gives words their tags and pairs their labels: of concepts, wherever
// they are mentioned.
func TestLabel(t *testing.T) {
	e := annotated("1", "{Ibalin} gave {rash}. {Liver pain} and {rash} by {ibalin} or {zedol}.", [3]string{"ibalin", "liver pain", "CID"}, [3]string{"zedol", "rash", "CID"}, [3]string{"zedol", "rash", "cure"})
	e.Entities = append(e.Entities, corpus.Entity{Start: e.Entities[2].Start, End: e.Entities[2].Start + 5, Type: "Disease"}, // inside a longer one
		corpus.Entity{Start: e.Entities[0].Start, End: 4, Type: "Chemical"}) // half a word
	for _, directed := range []bool{false, true} {
		cfg := tinyConfig()
		cfg.Directed = directed
		text, err := newTestReader(t, cfg).read(t.Context(), e.Text)
		if err != nil {
			t.Fatal(err)
		}
		x := cfg.label(text, e)
		var tags []string
		for _, piece := range text.words {
			if tag := int(x.tags[piece]); tag != tagging.Outside {
				kind := "B"
				if tagging.IsInside(tag) {
					kind = "I"
				}
				tags = append(tags, kind+" "+cfg.EntityTypes[tagging.TypeOf(tag)]+" "+text.text[text.pieces[piece].Start:text.pieces[piece].End])
			}
		}
		if want := []string{"B Chemical Ibal", "B Disease rash", "B Disease Liver", "I Disease pain", "B Disease rash", "B Chemical ibal", "B Chemical zed"}; !slices.Equal(tags, want) {
			t.Errorf("tags %q, want %q", tags, want)
		}
		var related []string
		for k, p := range x.pairs {
			name := func(i int) string {
				at := x.places[x.entities[i].places[0]]
				return strings.ToLower(text.text[text.pieces[at.first].Start:text.pieces[at.last].End])
			}
			related = append(related, fmt.Sprintf("%s %s %v", name(p.head), name(p.tail), x.labels[k]))
		}
		want := []string{"ibalin rash [0 0]", "ibalin liver pain [1 0]", "zedol rash [1 1]", "zedol liver pain [0 0]"}
		if diff := cmp.Diff(want, related); diff != "" {
			t.Errorf("directed %v: pairs (-want +got):\n%s", directed, diff)
		}
	}
}

// TestLabelMentions relates mentions, not concepts, where the corpus does.
func TestLabelMentions(t *testing.T) {
	e := annotated("1", "{Ibalin} gave {rash}. {Itch} by {ibalin}.")
	e.Relations, e.ConceptRelations = []corpus.Relation{{Head: 2, Tail: 3, Label: "CID"}}, nil
	cfg := tinyConfig()
	cfg.OfConcepts = false
	text, err := newTestReader(t, cfg).read(t.Context(), e.Text)
	if err != nil {
		t.Fatal(err)
	}
	x := cfg.label(text, e)
	want := []pair{{0, 1, 0}, {3, 2, 0}}
	if diff := cmp.Diff(want, x.pairs, cmp.AllowUnexported(pair{})); diff != "" || x.labels[0][0] != 0 || x.labels[1][0] != 1 {
		t.Errorf("labels %v, pairs (-want +got):\n%s", x.labels, diff)
	}
}

// TestTypePairs leaves out what is too rare, and the direction where there is none.
func TestTypePairs(t *testing.T) {
	c := abstracts()
	for range 20 {
		c.Examples = append(c.Examples, abstracts().Examples...)
	}
	odd := annotated("odd", "{rash} {itch}", [3]string{"rash", "itch", "CID"})
	c.Examples = append(c.Examples, odd)
	for i := range c.Examples[:30] {
		for k, r := range c.Examples[i].ConceptRelations {
			c.Examples[i].ConceptRelations[k].Head, c.Examples[i].ConceptRelations[k].Tail = r.Tail, r.Head
		}
	}
	if got, want := typePairs(c), []corpus.TypePair{{Head: "Chemical", Tail: "Disease"}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	c.Directed = true
	if got, want := typePairs(c), []corpus.TypePair{{Head: "Chemical", Tail: "Disease"}, {Head: "Disease", Tail: "Chemical"}}; !slices.Equal(got, want) {
		t.Errorf("directed %v, want %v", got, want)
	}
}

// TestRelationsOfUnknownConcepts: a relation that names what no mention denotes, such
// as one id for two concepts, is passed over, however many there are.
func TestRelationsOfUnknownConcepts(t *testing.T) {
	c := abstracts()
	for i := range c.Examples {
		e := &c.Examples[i]
		first := e.ConceptRelations[0]
		e.ConceptRelations = append(e.ConceptRelations, corpus.ConceptRelation{Head: first.Head, Tail: "M:rash|M:itch", Label: "CID"},
			corpus.ConceptRelation{Head: "-1", Tail: first.Tail, Label: "CID"})
	}
	want := []corpus.TypePair{{Head: "Chemical", Tail: "Disease"}}
	for _, directed := range []bool{false, true} {
		c.Directed = directed
		if got := typePairs(c); !slices.Equal(got, want) {
			t.Errorf("directed %v: %v, want %v", directed, got, want)
		}
	}
	c.Directed = false
	if l := newTestLearner(t, newEncoder(t), c, false); !slices.Equal(l.model.cfg.Pairs, want) {
		t.Errorf("learned %v, want %v", l.model.cfg.Pairs, want)
	}
}

// TestAugment keeps the text around mentions and all that is annotated.
func TestAugment(t *testing.T) {
	c := abstracts()
	known := namesOf(c)
	e := annotated("1", "In {ibalin} men, {rash}, {rash} and {zedol}.", [3]string{"ibalin", "rash", "CID"})
	e.Entities = append(e.Entities, corpus.Entity{Start: 3, End: 13, Type: "Disease", Concepts: []string{"M:x"}}) // "ibalin men"
	slices.SortStableFunc(e.Entities, func(a, b corpus.Entity) int { return a.Start - b.Start })
	changed := map[string]int{}
	for seed := range uint64(40) {
		got := known.augment(e, rand.New(rand.NewPCG(seed, 0)))
		if again := known.augment(e, rand.New(rand.NewPCG(seed, 0))); cmp.Diff(got, again) != "" {
			t.Fatal("the same random numbers give another text")
		}
		rest, before := got.Text, e.Text
		for i := len(got.Entities) - 1; i >= 0; i-- { // from the end, so that offsets hold
			m, old := got.Entities[i], e.Entities[i]
			name := strings.ToLower(got.Text[m.Start:m.End])
			if m.Type == "Chemical" && !slices.Contains(drugs, name) || m.Type == "Disease" && old.End-old.Start < 10 && !slices.Contains(diseases, name) {
				t.Errorf("%s %q in %q", m.Type, name, got.Text)
			}
			if got.Text[m.Start:m.End] != e.Text[old.Start:old.End] {
				changed[e.Text[old.Start:old.End]]++
			}
			if i > 1 { // those that overlap
				rest, before = rest[:m.Start]+"{}"+rest[m.End:], before[:old.Start]+"{}"+before[old.End:]
			}
		}
		if rest != before {
			t.Errorf("%q, want %q around the mentions", rest, before)
		}
		if len(got.ConceptRelations) != 1 || len(got.Entities) != len(e.Entities) {
			t.Errorf("relations %v, %d entities", got.ConceptRelations, len(got.Entities))
		}
	}
	if changed["rash"] < 10 || changed["zedol"] < 5 || changed["ibalin"]+changed["ibalin men"] > 0 {
		t.Errorf("changed %v: rash and zedol should often be, what overlaps never", changed)
	}
}
