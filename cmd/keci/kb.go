package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

func newKBCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "kb",
		Short:   "Build and read knowledge bases",
		Example: "  keci kb search rapamycin",
	}
	cmd.AddCommand(
		newKBBuildCommand(),
		newKBEmbedCommand(),
		newKBTypesCommand(),
		newKBInfoCommand(),
		newKBVerifyCommand(),
		newKBSearchCommand(),
		newKBShowCommand(),
		newKBSubgraphCommand(),
		newKBDiffCommand(),
		newKBDefaultCommand(),
	)
	return cmd
}

// conceptIDs are the concepts that arguments name (see graph.KnownIDs).
func conceptIDs(arguments []string, known func(graph.CUI) error) ([]graph.CUI, error) {
	ids := make([]graph.CUI, len(arguments))
	for i, a := range arguments {
		ids[i] = graph.CUI(a)
	}
	ids, err := graph.KnownIDs(ids, known)
	if errors.Is(err, graph.ErrNotFound) {
		err = fmt.Errorf("%w (keci kb search NAME finds the ids of concepts)", err)
	}
	return ids, err
}

// knownIn tells conceptIDs of the concepts of a knowledge base.
func knownIn(ctx context.Context, knowledge graph.Knowledge) func(graph.CUI) error {
	return func(cui graph.CUI) error {
		_, err := knowledge.Concept(ctx, cui)
		return err
	}
}

func newKBInfoCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "info [DIR]",
		Short:   "What a knowledge base holds, as JSON (default: the one in the program)",
		Example: "  keci kb info kb-2026AA",
		Args:    maximumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := ""
			if len(args) > 0 {
				dir = args[0]
			}
			return readKB(cmd, dir, func(kb *knowledgebase.KnowledgeBase) (any, error) { return kb.Info, nil })
		},
	}
}

func newKBSearchCommand() *cobra.Command {
	var dir string
	var limit int
	cmd := &cobra.Command{
		Use:     "search QUERY",
		Short:   "Concepts with a name that begins with or holds the words, best first",
		Example: "  keci kb search --limit 3 mTOR complex",
		Args:    minimumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return usageError("--limit is %d: use 1 or more", limit)
			}
			return readKB(cmd, dir, func(kb *knowledgebase.KnowledgeBase) (any, error) {
				return kb.Knowledge.Search(cmd.Context(), strings.Join(args, " "), limit)
			})
		},
	}
	addKBFlag(cmd, &dir)
	cmd.Flags().IntVar(&limit, "limit", 10, "at most so many concepts, of the 2,000 likeliest")
	return cmd
}

// shownConcept is a concept with what surrounds it.
type shownConcept struct {
	graph.Concept
	Retired   *graph.Retired   `json:"retired,omitempty"` // what was asked for, when the concept took its place
	Neighbors []graph.Relation `json:"neighbors"`
}

func newKBShowCommand() *cobra.Command {
	var dir string
	var limit int
	cmd := &cobra.Command{
		Use:     "show CUI",
		Short:   "A concept, or the one that took its place, and its relations, as JSON",
		Example: "  keci kb show C0003873",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return usageError("--limit is %d: use 1 or more", limit)
			}
			return readKB(cmd, dir, func(kb *knowledgebase.KnowledgeBase) (any, error) {
				ids, err := conceptIDs(args, knownIn(cmd.Context(), kb.Knowledge))
				if err != nil {
					return nil, err
				}
				cui := ids[0]
				concept, err := kb.Knowledge.Concept(cmd.Context(), cui)
				if err != nil {
					return nil, err
				}
				shown := shownConcept{Concept: concept}
				if history, ok := kb.Knowledge.(graph.Succession); ok && concept.CUI != cui {
					r, err := history.Successor(cmd.Context(), cui)
					if err != nil {
						return nil, err
					}
					shown.Retired = &r
				}
				shown.Neighbors, err = kb.Knowledge.Neighbors(cmd.Context(), concept.CUI, limit)
				return shown, err
			})
		},
	}
	addKBFlag(cmd, &dir)
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many relations")
	return cmd
}

func newKBSubgraphCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "subgraph CUI…",
		Short:   "Concepts with their types and all relations among them, as JSON",
		Example: "  keci kb subgraph C0003873 C0004364",
		Args:    minimumArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return readKB(cmd, dir, func(kb *knowledgebase.KnowledgeBase) (any, error) {
				ids, err := conceptIDs(args, knownIn(cmd.Context(), kb.Knowledge))
				if err != nil {
					return nil, err
				}
				return kb.Knowledge.Subgraph(cmd.Context(), ids)
			})
		},
	}
	addKBFlag(cmd, &dir)
	return cmd
}

func addKBFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "kb", "", "knowledge base `DIR` (default: the one in the program)")
}

// readKB opens a knowledge base, reads something from it and prints that as JSON.
func readKB(cmd *cobra.Command, dir string, read func(*knowledgebase.KnowledgeBase) (any, error)) error {
	kb, err := openKnowledgeBase(cmd.Context(), dir)
	if err != nil {
		return err
	}
	defer kb.Close()
	answer, err := read(kb)
	if err != nil {
		return err
	}
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(answer)
}
