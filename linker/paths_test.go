package linker

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keci-kg/keci/graph"
)

// phraseModel keeps every phrase and prefers nothing.
var phraseModel = &Model{weights: []weight{{"b:", 1}}, spans: []weight{{"b:", 5}}}

// candidateOf links a text and gives the candidate with a CUI of the mention that is all of it.
func candidateOf(t *testing.T, l *Linker, text string, cui graph.CUI) graph.Candidate {
	t.Helper()
	mentions, err := l.Link(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mentions {
		if m.Text != text {
			continue
		}
		for _, c := range m.Concepts {
			if c.CUI == cui {
				return c
			}
		}
	}
	t.Fatalf("%q is not linked to %s: %v", text, cui, brief(mentions))
	return graph.Candidate{}
}

// The scores of MetaMap for a part of a phrase: "lung cancer" gives the concept
// Cancer 861, and with a derivation of a synonym, of distance 5, it is 768,
// truncated (Aronson 2001).
func TestKnownScoresOfPhrases(t *testing.T) {
	l := buildTest(t, []graph.Concept{{CUI: "C1", Name: "cancer"}, {CUI: "C2", Name: "liver"}}, Learned(phraseModel))
	for _, test := range []struct {
		text string
		cui  graph.CUI
		want int
	}{{"lung cancer", "C1", 861}, {"solitary hepatical", "C2", 768}} {
		c := candidateOf(t, l, test.text, test.cui)
		if c.Score != test.want || c.Variant != "part" || c.Centrality != 1 {
			t.Errorf("%q has %+v, want score %d", test.text, c, test.want)
		}
	}
}

// A candidate explains each word that is another in its name.
func TestPath(t *testing.T) {
	l := buildTest(t, []graph.Concept{
		{CUI: "C1", Name: "neoplasm of liver", Synonyms: []string{"liver neoplasm"}},
		{CUI: "C2", Name: "Crohn disease"},
		{CUI: "C3", Name: "hepatocellular carcinoma"},
		{CUI: "C4", Name: "CDC6"},
		{CUI: "C5", Name: "EGFR"},
		{CUI: "C6", Name: "edema"},
	}, Learned(&Model{aliases: map[alias]int{{"regional ileitis", "C2"}: 3}}))
	for _, test := range []struct {
		text    string
		cui     graph.CUI
		variant string
		want    []graph.VariantStep
	}{
		{"liver neoplasm", "C1", "", nil},
		{"Liver neoplasms", "C1", "", []graph.VariantStep{{Text: "neoplasms", Name: "neoplasm", Kind: "inflection", Distance: 1}}},
		{"hepatic neoplasm", "C1", "variant", []graph.VariantStep{{Text: "hepatic", Name: "liver", Kind: "synonym", Distance: 2}}},
		{"regional ileitis", "C2", "learned", []graph.VariantStep{{Text: "regional ileitis", Name: "Crohn disease", Kind: "learned", Distance: 2}}},
		{"hepatocelular carcinoma", "C3", "misspelled", []graph.VariantStep{{Text: "hepatocelular", Name: "hepatocellular", Kind: "misspelling", Distance: 24. / 13}}},
		{"Cdc6p", "C4", "variant", []graph.VariantStep{{Text: "Cdc6p", Name: "CDC6", Kind: "affix", Distance: 2}}},
		{"EGF-R", "C5", "variant", []graph.VariantStep{{Text: "EGF-R", Name: "EGFR", Kind: "joined", Distance: 2}}},
		{"oedema", "C6", "variant", []graph.VariantStep{{Text: "oedema", Name: "edema", Kind: "spelling", Distance: 0}}},
	} {
		c := candidateOf(t, l, test.text, test.cui)
		if diff := cmp.Diff(test.want, c.Path, cmpopts.EquateApprox(0, 1e-9)); diff != "" || c.Variant != test.variant {
			t.Errorf("%q is %q, path want - got +:\n%s", test.text, c.Variant, diff)
		}
	}
}

// All single edits but those of the first letter.
func TestEdits(t *testing.T) {
	got := map[string]bool{}
	for word := range edits([]byte("abcd")) {
		got[string(word)] = true
	}
	for _, want := range []string{"acbd", "abdc", "acd", "abd", "abc", "axcd", "abxd", "abcx", "axbcd", "abxcd", "abcdx"} {
		if !got[want] {
			t.Errorf("%s is not there", want)
		}
	}
	// 2 exchanges, 3 letters less, 3·25 others, 4·26 more of which 3 are twice there
	if len(got) != 2+3+3*25+4*26-3 || got["abcd"] || got["bcd"] {
		t.Errorf("%d edits", len(got))
	}
}

// A misspelling counts less in a longer word, and ranks below the right name.
func TestMisspellings(t *testing.T) {
	l := buildTest(t, []graph.Concept{
		{CUI: "C1", Name: "thrombocytopenia"}, {CUI: "C2", Name: "psoriasis"}, {CUI: "C3", Name: "psoriasin"}, {CUI: "C4", Name: "sepsis"},
	})
	for text, want := range map[string][]string{
		"thrombocyotpenia": {"thrombocyotpenia=C1"}, // exchanged
		"thrombocytpenia":  {"thrombocytpenia=C1"},  // one too few
		"thrombocytopxnia": {"thrombocytopxnia=C1"}, // another
		"thrombocytopenia": {"thrombocytopenia=C1"},
		"xhrombocytopenia": {},                // the first letter
		"thrombccytopxnia": {},                // two
		"sepsos":           {},                // short
		"psoriasis":        {"psoriasis=C2"},  // right, and no misspelling of the other
		"thrombocytopena2": {},                // no word of letters
		"psorriasis":       {"psorriasis=C2"}, // of the likelier edit
	} {
		mentions, err := l.Link(context.Background(), text)
		if err != nil {
			t.Fatal(err)
		}
		if got := brief(mentions); !slices.Equal(got, want) {
			t.Errorf("Link(%q) = %q, want %q", text, got, want)
		}
	}
	long, short := candidateOf(t, l, "thrombocyotpenia", "C1"), candidateOf(t, l, "psorriasis", "C2")
	if !(short.Variation < long.Variation && long.Variation < 1) || math.Abs(long.Variation-4/(4+24./16)) > 1e-9 {
		t.Errorf("variations are %v and %v", short.Variation, long.Variation)
	}
}
