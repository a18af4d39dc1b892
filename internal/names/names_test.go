package names_test

import (
	"slices"
	"testing"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/names"
)

func TestWords(t *testing.T) {
	if got, want := names.Words("COX-2 (β form), 5'"), []string{"cox", "2", "β", "form", "5"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"TNF-α": "tnf-alpha", "Ménière": "meniere", "Me\u0301nie\u0300re": "meniere", "IL-1Β": "il-1beta", "5 µg": "5 mug", "Ά": "alpha", "CD8⁺": "cd8+", "ς": "sigma", "": "",
	} {
		if got := names.Fold(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string][]string{
		"tnf": {"tnf"}, "TNF-α": {"tnf-α", "tnf-alpha"}, "Me\u0301nie\u0300re": {"me\u0301nie\u0300re", "ménière", "meniere"},
	} {
		if got := names.Spellings(text); !slices.Equal(got, want) {
			t.Errorf("spellings of %q: got %q, want %q", text, got, want)
		}
	}
}

func TestRank(t *testing.T) {
	concepts := []graph.Concept{
		{CUI: "holds", Name: "Ointment of tacrolimus"},
		{CUI: "begins", Name: "Tacrolimus ointment"},
		{CUI: "b-equal", Name: "TACROLIMUS"},
		{CUI: "a-equal", Name: "tacrolimus"},
		{CUI: "synonym", Name: "Another", Synonyms: []string{"Tacrolimus"}},
		{CUI: "shorter", Name: "Tacrolimus gel"},
	}
	names.Rank(concepts, "tácrolimus ")
	var got []graph.CUI
	for _, c := range concepts {
		got = append(got, c.CUI)
	}
	want := []graph.CUI{"a-equal", "b-equal", "synonym", "shorter", "begins", "holds"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
