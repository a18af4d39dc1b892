package main

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph/embedded"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

func newKBDiffCommand() *cobra.Command {
	var list bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "What changed from knowledge base A to B",
		Long: `Compares two knowledge base folders and prints, as JSON, how many concepts,
relations, semantic types and relations between those were added, removed and
changed from A to B, and how many of the removed concepts another one replaces.
With --list, a line for each change comes before.`,
		Example: "  keci kb diff kb-2025AB kb-2026AA",
		Args:    exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return diffKnowledgeBases(cmd, args[0], args[1], list)
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "print each change as a line of JSON")
	return cmd
}

// diffCounts counts changes.
type diffCounts struct {
	Added    int `json:"added"`
	Removed  int `json:"removed"`
	Changed  int `json:"changed"`
	Replaced int `json:"replaced,omitempty"` // of the removed, by another
}

type diffSummary struct {
	Concepts      diffCounts `json:"concepts"`
	Relations     diffCounts `json:"relations"`
	SemanticTypes diffCounts `json:"semanticTypes"`
	TypeRelations diffCounts `json:"typeRelations"`
}

func diffKnowledgeBases(cmd *cobra.Command, older, newer string, list bool) error {
	lines := json.NewEncoder(io.Discard)
	if list {
		lines = json.NewEncoder(cmd.OutOrStdout())
	}
	lines.SetEscapeHTML(false)
	var summary diffSummary
	for change, err := range knowledgebase.Diff(cmd.Context(), older, newer) {
		if err != nil {
			return err
		}
		summary.count(change)
		if err := lines.Encode(change); err != nil {
			return err
		}
	}
	out := json.NewEncoder(cmd.OutOrStdout())
	if !list {
		out.SetIndent("", "  ")
	}
	return out.Encode(summary)
}

func (s *diffSummary) count(c embedded.Change) {
	counts := &s.TypeRelations
	switch {
	case c.Concept != nil:
		counts = &s.Concepts
	case c.Relation != nil:
		counts = &s.Relations
	case c.SemanticType != nil:
		counts = &s.SemanticTypes
	}
	switch c.Kind {
	case embedded.Added:
		counts.Added++
	case embedded.Removed:
		counts.Removed++
	case embedded.Changed:
		counts.Changed++
	}
	if c.Retired != nil && c.Retired.Into != "" {
		counts.Replaced++
	}
}
