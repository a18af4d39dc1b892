package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

type linkOptions struct {
	documents     documentFlags
	kb            string
	maxCandidates int
}

func newLinkCommand() *cobra.Command {
	var o linkOptions
	cmd := &cobra.Command{
		Use:   "link [FILE…]",
		Short: "Find the concepts of a knowledge base in documents",
		Long: `Finds every name of the knowledge base in documents, nested and overlapping ones
included, and writes the documents with these mentions and, for each of them, the
concepts that it may denote, best first.

` + documentInputHelp,
		Example: "  echo 'FKBP12 binds rapamycin.' | keci link",
		RunE:    func(cmd *cobra.Command, files []string) error { return o.run(cmd, files) },
	}
	o.documents.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	flags.IntVar(&o.maxCandidates, "max-candidates", 0, "keep only the best N candidates of a mention (default: all)")
	return cmd
}

func (o *linkOptions) run(cmd *cobra.Command, files []string) error {
	if o.maxCandidates < 0 {
		return usageError("--max-candidates is %d: use 0 for all, or more", o.maxCandidates)
	}
	if err := o.documents.check(); err != nil {
		return err
	}
	kb, err := openKnowledgeBase(cmd.Context(), o.kb, linker.MaxCandidates(o.maxCandidates))
	if err != nil {
		return err
	}
	defer kb.Close()
	return o.documents.run(cmd, files, func(ctx context.Context, d graph.Document) (graph.Document, error) {
		d.Offsets, d.KB = graph.OffsetByte, kb.Provenance()
		var err error
		d.Mentions, err = kb.Linker.Link(ctx, d.Text)
		return d, err
	})
}
