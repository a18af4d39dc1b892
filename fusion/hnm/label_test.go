package hnm

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
)

func TestLearnLabels(t *testing.T) {
	cfg := known(t)
	if diff := cmp.Diff([]string{"causes", "cures"}, cfg.RelationLabels); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]corpus.TypePair{{Head: "Chemical", Tail: "Disease"}}, cfg.Pairs); diff != "" { // in one order
		t.Error(diff)
	}
	unknown := abstracts()
	unknown.Examples[3].ConceptRelations[0] = corpus.ConceptRelation{Head: "ibalin", Tail: "gout", Label: "worsens"}
	if err := cfg.learnLabels(unknown); err != nil || len(cfg.RelationLabels) != 2 {
		t.Errorf("a relation of a concept that is not mentioned: %v, labels %v", err, cfg.RelationLabels)
	}
	for i := range unknown.Examples {
		unknown.Examples[i].ConceptRelations = nil
	}
	if err := new(Config).learnLabels(unknown); !errors.Is(err, errNoConcepts) {
		t.Errorf("without relations: %v", err)
	}
}

// TestLabel names the class of each pair of a text.
func TestLabel(t *testing.T) {
	cfg, tokenizer := known(t), newTokenizer(t)
	for name, test := range map[string]struct {
		relations []string
		want      []string
		missed    int
	}{
		"either order":            {[]string{"ibalin causes rash", "itch cures zedol"}, []string{"ibalin causes rash", "ibalin - itch", "zedol - rash", "zedol cures itch"}, 0},
		"twice":                   {[]string{"ibalin causes rash", "rash causes ibalin"}, []string{"ibalin causes rash", "ibalin - itch", "zedol - rash", "zedol - itch"}, 0},
		"two labels":              {[]string{"ibalin causes rash", "ibalin cures rash"}, []string{"ibalin causes rash", "ibalin - itch", "zedol - rash", "zedol - itch"}, 1},
		"types never related":     {[]string{"ibalin causes zedol"}, []string{"ibalin - rash", "ibalin - itch", "zedol - rash", "zedol - itch"}, 1},
		"a label never heard of":  {[]string{"ibalin eats rash"}, []string{"ibalin - rash", "ibalin - itch", "zedol - rash", "zedol - itch"}, 1},
		"a concept not mentioned": {[]string{"ibalin causes fever"}, []string{"ibalin - rash", "ibalin - itch", "zedol - rash", "zedol - itch"}, 1},
	} {
		x := cfg.label(tokenizer, annotated("x", "{Ibalin} causes {rash}. {zedol} and {ibalin} cured {itch}.", test.relations...))
		var got []string
		for i, p := range x.pairs {
			label := "-"
			if x.classes[i] != none {
				label = cfg.RelationLabels[x.classes[i]-1]
			}
			got = append(got, x.concepts[p.head].id+" "+label+" "+x.concepts[p.tail].id)
		}
		if diff := cmp.Diff(test.want, got); diff != "" || len(x.missed) != test.missed {
			t.Errorf("%s: missed %d, want %d (-want +got):\n%s", name, len(x.missed), test.missed, diff)
		}
	}
}

// TestCountOfUnknownLabels: what is annotated with a label that the model never heard
// of is not found.
func TestCountOfUnknownLabels(t *testing.T) {
	cfg := known(t)
	x := cfg.label(newTokenizer(t), annotated("x", "{Ibalin} causes {rash}.", "ibalin eats rash"))
	unrelated := make([]judgement, len(x.pairs))
	for i := range unrelated {
		unrelated[i].probabilities = []float32{1, 0, 0}
	}
	got := cfg.count([]reading{{example: x, judged: unrelated}}, 0.5)
	if diff := cmp.Diff(score.ByLabel{"eats": {FN: 1}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSemanticTypes takes the type that most of what is linked is annotated with.
func TestSemanticTypes(t *testing.T) {
	c := abstracts()
	var linked [][]graph.Mention
	for _, e := range c.Examples {
		found, err := fakeLinker{}.Link(t.Context(), e.Text)
		if err != nil {
			t.Fatal(err)
		}
		linked = append(linked, found)
	}
	want := map[graph.TUI]string{"T121": "Chemical", "T047": "Disease"} // "men" is never annotated
	if diff := cmp.Diff(want, semanticTypes(c, linked)); diff != "" {
		t.Error(diff)
	}
}

// spell writes a row with | where marks were found.
func spell(tokenizer *encoder.Tokenizer, r row, of string) string {
	var words []string
	at := tokenizer.Tokenize("@")[0].ID
	hash := tokenizer.Tokenize("#")[0].ID
	for i, p := range r.pieces {
		word := of[p.Start:p.End]
		switch {
		case p.ID == at:
			word = "@"
		case p.ID == hash:
			word = "#"
		}
		if slices.Contains(r.heads, i) || slices.Contains(r.tails, i) {
			word = "|" + word
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// TestRow marks all mentions of a pair, and cuts out the nearest two.
func TestRow(t *testing.T) {
	cfg, tokenizer := known(t), newTokenizer(t)
	filler := strings.Repeat("the ", 30)
	for name, test := range map[string]struct{ text, want string }{
		"whole": {"{Rash} and {itch}. {zedol} cured {rash}.", "|# Rash # and itch . |@ zed ol @ cured |# rash # ."},
		"one window": {filler + "{zedol} cured {rash} " + filler + "{rash}",
			strings.Repeat("the ", 17) + "|@ zed ol @ cured |# rash # " + strings.TrimSpace(strings.Repeat("the ", 13))},
		"two windows": {filler + "{zedol} in men " + filler + filler + "{rash} was",
			strings.TrimSpace(strings.Repeat("the ", 9)+"|@ zed ol @ in men "+strings.Repeat("the ", 4)) + " " + strings.Repeat("the ", 15) + "|# rash # was"},
	} {
		x := cfg.label(tokenizer, annotated("x", test.text))
		at := slices.IndexFunc(x.pairs, func(p pair) bool { return x.concepts[p.tail].id == "rash" })
		text := annotated("x", test.text).Text
		r := cfg.row(x.text, x.pairs[at], newMarks(tokenizer))
		if got := spell(tokenizer, r, text); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, test.want)
		}
		if len(r.pieces) > cfg.Row-2 || len(r.heads) == 0 || len(r.tails) == 0 {
			t.Errorf("%s: %d pieces, marks at %v and %v", name, len(r.pieces), r.heads, r.tails)
		}
	}
}

// TestRowsAreMarked: wherever the mentions are, both ends are marked in what is read.
func TestRowsAreMarked(t *testing.T) {
	for _, length := range []int{2, 21, 22, 33, 45} {
		for head := range length {
			for tail := range length {
				r := row{pieces: make([]encoder.Piece, length), heads: []int{head}, tails: []int{tail}}
				for i := range r.pieces {
					r.pieces[i].ID = int32(i)
				}
				got := r.cut(21)
				if len(got.pieces) > 21 || len(got.heads) != 1 || len(got.tails) != 1 ||
					got.pieces[got.heads[0]].ID != int32(head) || got.pieces[got.tails[0]].ID != int32(tail) {
					t.Fatalf("%d pieces, marks at %d and %d: %d are read, marks at %v and %v", length, head, tail, len(got.pieces), got.heads, got.tails)
				}
			}
		}
	}
}

// TestOneMentionOfTwo: a coordination that denotes both concepts is marked as both.
func TestOneMentionOfTwo(t *testing.T) {
	cfg, tokenizer := known(t), newTokenizer(t)
	e := corpus.Example{Text: "zedol cured.", Entities: []corpus.Entity{{Start: 0, End: 5, Type: "Chemical", Concepts: []string{"a"}}, {Start: 0, End: 5, Type: "Disease", Concepts: []string{"b"}}}}
	x := cfg.label(tokenizer, e)
	if got := spell(tokenizer, cfg.row(x.text, x.pairs[0], newMarks(tokenizer)), e.Text); got != "|@ |# zed ol # @ cured ." {
		t.Error(got)
	}
}
