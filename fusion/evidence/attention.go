// Package evidence looks at what background knowledge did to the answers of a
// model: which concepts it attended to, and which findings it changed.
package evidence

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/keci-kg/keci/graph"
)

// Attention is how much the fusion attended to the concepts that mentions may
// denote (KECI §2.5), on average over documents.
type Attention struct {
	Mentions int // mentions with at least one concept
	Sentinel float64
	Types    []TypeAttention // the least attended first
}

// TypeAttention is the average attention to the concepts of a semantic type.
type TypeAttention struct {
	Type     graph.TUI
	Concepts int     // how often one was a candidate
	Weight   float64 // 0…1
}

// Average takes the mean of the attention to each candidate of each mention by
// its semantic types; a concept of several types counts for each. Types that were
// seen less than least times are left out.
func Average(documents []graph.Document, least int) Attention {
	var a Attention
	byType := map[graph.TUI]TypeAttention{}
	for _, doc := range documents {
		for _, m := range doc.Mentions {
			if m.Sentinel == nil || len(m.Concepts) == 0 {
				continue
			}
			a.Mentions++
			a.Sentinel += *m.Sentinel
			for _, c := range m.Concepts {
				for _, tui := range c.SemanticTypes {
					t := byType[tui]
					byType[tui] = TypeAttention{tui, t.Concepts + 1, t.Weight + *c.Weight}
				}
			}
		}
	}
	a.Sentinel /= float64(max(1, a.Mentions))
	for _, t := range byType {
		if t.Concepts >= least {
			t.Weight /= float64(t.Concepts)
			a.Types = append(a.Types, t)
		}
	}
	slices.SortFunc(a.Types, func(s, t TypeAttention) int {
		return cmp.Or(cmp.Compare(s.Weight, t.Weight), cmp.Compare(s.Type, t.Type))
	})
	return a
}

// Extremes keeps the n least and the n most attended types.
func (a Attention) Extremes(n int) Attention {
	if len(a.Types) > 2*n {
		a.Types = slices.Concat(a.Types[:n], a.Types[len(a.Types)-n:])
	}
	return a
}

// Write writes a Markdown table; name gives the name of a semantic type.
func (a Attention) Write(out io.Writer, name func(graph.TUI) string) error {
	_, err := fmt.Fprintf(out, "%d mentions with candidates; average attention to none of them %.3f\n\n"+
		"| semantic type | candidates | average attention |\n| --- | --- | --- |\n", a.Mentions, a.Sentinel)
	for _, t := range a.Types {
		if err == nil {
			_, err = fmt.Fprintf(out, "| %s (%s) | %d | %.3f |\n", name(t.Type), t.Type, t.Concepts, t.Weight)
		}
	}
	return err
}
