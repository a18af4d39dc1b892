package linker

import (
	"context"
	"testing"

	"github.com/keci-kg/keci/graph"
)

// FuzzLinkInContext: with abbreviations, negation and a second dictionary, every
// mention is a range of its own in order of the text, and a long form is one too.
func FuzzLinkInContext(f *testing.F) {
	second := buildTest(f, []graph.Concept{{CUI: "D1", Name: "MS"}, {CUI: "D2", Name: "stenosis (MS)"}, {CUI: "D3", Name: "β-MD"}})
	l := buildTest(f, contextConcepts, Beside(second))
	for _, seed := range []string{
		"multiple sclerosis (MS), no MSs", "MS [mitral stenosis]", "Ménière's disease (MD): β-MD", "\xffmitral stenosis (MS)\u0301MS\u00ad",
		"fever was ruled out. calcium ion (CI);CI,", "tumor necrosis factor ( TNF ) but not TNF",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		mentions, err := l.Link(context.Background(), text)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]graph.Mention{}
		finalEnd := 0
		for i, m := range mentions {
			if m.Start < 0 || m.End <= m.Start || m.End > len(text) || m.Text != text[m.Start:m.End] || !onBorder(text, m.Start) || !onBorder(text, m.End) {
				t.Fatalf("%+v is no range of %q", m, text)
			}
			if i > 0 && compareRanges(mentions[i-1], m) >= 0 {
				t.Fatalf("%+v comes after %+v", m, mentions[i-1])
			}
			if m.Final && m.Start < finalEnd {
				t.Fatalf("%+v overlaps another of the final mapping in %q", m, text)
			} else if m.Final {
				finalEnd = m.End
			}
			seen := map[graph.CUI]bool{}
			for _, c := range m.Concepts {
				if seen[c.CUI] {
					t.Fatalf("%+v has %s twice", m, c.CUI)
				}
				seen[c.CUI] = true
			}
			if len(seen) == 0 {
				t.Fatalf("%+v has no candidate", m)
			}
			ids[m.ID] = m
		}
		for _, m := range mentions {
			long, known := ids[m.LongForm]
			if m.LongForm != "" && (!known || len(long.Text) <= len(m.Text)) {
				t.Fatalf("%+v has no long form in %q", m, text)
			}
		}
	})
}
