package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format"
	"github.com/keci-kg/keci/linker"
)

type linkOptions struct {
	documents      documentFlags
	selection      selectionFlags
	maxCandidates  int
	details        graph.Details
	printStopWords bool
	final          bool
}

func newLinkCommand() *cobra.Command {
	var o linkOptions
	cmd := &cobra.Command{
		Use:   "link [FILE…]",
		Short: "Find the concepts of a knowledge base in documents",
		Long: `Finds every name of the knowledge base in documents, nested and overlapping ones
included, and writes the documents with these mentions and, for each of them, the
concepts that it may denote, best first. The best mentions of which none overlaps
another are marked as final, where the form has a place for that; with --final only
these are written.

` + documentInputHelp,
		Example: `  echo 'FKBP12 binds rapamycin.' | keci link
  printf 'XY-7\tX1\tT109\n' >own.tsv && echo 'XY-7 binds FKBP12.' | keci link --terms own.tsv
  keci link --print-stop-words >stop.txt   # edit it, then: keci link --stop-words stop.txt`,
		RunE: func(cmd *cobra.Command, files []string) error { return o.run(cmd, files) },
	}
	o.documents.register(cmd)
	flags := cmd.Flags()
	o.selection.register(flags)
	flags.IntVar(&o.maxCandidates, "max-candidates", 0, "keep only the best N candidates of a mention (default: all)")
	flags.BoolVar(&o.details.Codes, "codes", false, "tell the identifiers of each candidate in its sources")
	flags.BoolVar(&o.details.Synonyms, "synonyms", false, "tell all names of each candidate")
	flags.BoolVar(&o.final, "final", false, "write only the final mentions: the best of which none overlaps another")
	flags.BoolVar(&o.printStopWords, "print-stop-words", false, "print the built-in stop words, and do nothing else")
	return cmd
}

func (o *linkOptions) run(cmd *cobra.Command, files []string) error {
	if o.printStopWords {
		_, err := io.WriteString(cmd.OutOrStdout(), linker.DefaultStopWords())
		return err
	}
	if o.maxCandidates < 0 {
		return usageError("--max-candidates is %d: use 0 for all, or more", o.maxCandidates)
	}
	if err := o.documents.check(); err != nil {
		return err
	}
	if o.documents.output.out == string(format.CSV) {
		return usageError("--out csv has a row for each relation, and link finds none: choose another form, or keci extract")
	}
	if err := o.documents.checkFiles(files); err != nil {
		return err
	}
	kb, err := o.selection.Open(cmd.Context(), linker.MaxCandidates(o.maxCandidates))
	if err != nil {
		return err
	}
	defer kb.Close()
	return o.documents.run(cmd, files, func(ctx context.Context, d graph.Document) (graph.Document, error) {
		d.Offsets, d.KB = graph.OffsetByte, kb.Provenance()
		var err error
		if d.Mentions, err = kb.Linker.Link(ctx, d.Text); err != nil {
			return d, err
		}
		if o.final {
			d.Mentions = finalMapping(d.Mentions)
		}
		return d, graph.Describe(ctx, kb.Knowledge, d.Mentions, o.details)
	})
}

// finalMapping are the mentions that the linker marked as final. One whose long form is
// not among them loses it.
func finalMapping(mentions []graph.Mention) []graph.Mention {
	kept, ids := []graph.Mention{}, map[string]bool{}
	for _, m := range mentions {
		if m.Final {
			kept, ids[m.ID] = append(kept, m), true
		}
	}
	for i := range kept {
		if !ids[kept[i].LongForm] {
			kept[i].LongForm = ""
		}
	}
	return kept
}
