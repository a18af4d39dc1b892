package linker

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func normalForm(text string) string {
	var t tokens
	t.scan(text)
	return string(t.appendKey(nil))
}

func TestNormalForm(t *testing.T) {
	for want, names := range map[string][]string{
		"":                       {"", " ", "()", "+", "'", "\xff", "\u0301", "😀", "\u200B"},
		"il2":                    {"IL-2", "IL 2", "il2", "IL‐2", "IL–2", "IL₂", "ＩＬ２", "(IL)-2", "IL\u00AD2"},
		"long term":              {"long-term", "Long Term", "long - term", "LONG_TERM"},
		"longterm":               {"longterm"},
		"tnfalpha":               {"TNF-α", "TNFα", "TNF alpha", "TNF-alpha", "TNFalpha", "TNF Α"},
		"nfkappab":               {"NF-κB", "NF-kappaB", "NF-kappa B", "NF kappa-B", "NFκB"},
		"muopioid":               {"μ-opioid", "µ-opioid", "mu opioid", "mu-opioids"},
		"crohn disease":          {"Crohn's disease", "Crohn’s diseases", "Crohn disease", "Crohn 's disease", "Crohn ' s disease"},
		"the s protein":          {"the 'S protein'", "the “S protein”"},
		"meniere disease":        {"Ménière's disease", "Me\u0301nie\u0300re disease", "MENIERE DISEASE"},
		"ca2+":                   {"Ca2+", "Ca(2+)", "CA²+", "Ca²⁺"},
		"na+k+atpase":            {"Na+/K+-ATPase", "Na(+)/K(+)-ATPase"},
		"coeur":                  {"cœur"},
		"strasse":                {"Straße", "STRASSE"},
		"fibrosi":                {"ﬁbrosi"},
		"1 25dihydroxyvitamin d": {"1,25-dihydroxyvitamin D", "1, 25 dihydroxyvitamin D"},
		"s adenosylmethionine":   {"S-adenosylmethionine"},
		"5s rrna":                {"5S rRNA"},
	} {
		for _, name := range names {
			if got := normalForm(name); got != want {
				t.Errorf("%q: %q, want %q", name, got, want)
			}
		}
	}
}

func TestPlurals(t *testing.T) {
	for plural, want := range map[string]string{
		"diseases": "disease", "Cells": "cell", "bodies": "body", "abscesses": "abscess", "branches": "branch",
		"metastases": "metastasis", "analyses": "analysis", "diagnoses": "diagnosis", "PKCs": "pkc", "TNFs": "tnf",
		"kinases": "kinase", "CELLS": "cells", "TUMOURS": "tumour", "boxes": "box",
		// no plurals
		"virus": "virus", "mass": "mass", "analysis": "analysis", "gas": "gas", "AIDS": "aids", "SARS": "sars", "Fas": "fas", "is": "is",
	} {
		if got := normalForm(plural); got != want {
			t.Errorf("%q: %q, want %q", plural, got, want)
		}
	}
}

// TestTokens checks where tokens are: each is its range of the text, and marks
// begin and end of a word.
func TestTokens(t *testing.T) {
	for text, want := range map[string][]string{
		"FK506-binding":      {"<FK", "506>", "<binding>"},
		"Cdc6p":              {"<Cdc", "6", "p>"},
		"TNFα,":              {"<TNF", "α>"},
		" (Na+) ":            {"<Na>", "+>"},
		"Me\u0301n's x":      {"<Me\u0301n>", "<x>"},
		"a\u00ADb c\u00AD":   {"<a\u00ADb>", "<c>"},
		"a. b abc. d":        {"<a>", "<b>", "<abc>", "|<d>"},
		"a; b: c\n\nd\ne":    {"<a>", "|<b>", "|<c>", "|<d>", "<e>"},
		"a ........... b":    {"<a>", "|<b>"},
		"\xf0\x9f\xff1\xe2x": {"<1>", "<x>"},
	} {
		var tokens tokens
		tokens.scan(text)
		var got []string
		for _, token := range tokens.list {
			s := text[token.start:token.end]
			if token.starts {
				s = "<" + s
			}
			if token.ends {
				s += ">"
			}
			if token.broken {
				s = "|" + s
			}
			got = append(got, s)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q, want - got +:\n%s", text, diff)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{"", "IL-2's Ca(2+)", "TNF-α κB", "\xff\u0301ﬁ½", "A\u200B\u00AD'S s'", strings.Repeat("a1", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var tokens tokens
		tokens.scan(text)
		end := 0
		for i, token := range tokens.list {
			if token.start < end || token.end <= token.start || token.end > len(text) {
				t.Fatalf("token %d is %d to %d after %d", i, token.start, token.end, end)
			}
			if !onBorder(text, token.start) || !onBorder(text, token.end) {
				t.Fatalf("token %d, %d to %d, cuts a character", i, token.start, token.end)
			}
			end = token.end
		}
	})
}

// onBorder reports whether no character of text goes over byte i.
func onBorder(text string, i int) bool {
	for k := max(0, i-utf8.UTFMax+1); k < i; k++ {
		if _, size := utf8.DecodeRuneInString(text[k:]); utf8.RuneStart(text[k]) && k+size > i {
			return false
		}
	}
	return true
}
