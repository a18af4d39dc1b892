package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/evidence"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// modelOnCorpus is a model that reads a corpus with a knowledge base.
type modelOnCorpus struct {
	corpus, data, model, kb, engine string
}

func (o *modelOnCorpus) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.corpus, "corpus", "", corpusHelp)
	f.StringVar(&o.data, "data", "", "`FILE` of the corpus, or a folder of such files")
	f.StringVar(&o.model, "model", "", "model `DIR` (default: the one in the program)")
	f.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	engineFlag(f, &o.engine)
}

// use opens model and knowledge base and reads the corpus.
func (o modelOnCorpus) use(cmd *cobra.Command, do func(extractor, *knowledgebase.KnowledgeBase, corpus.Corpus) error) error {
	if err := checkNeeded(cmd.CommandPath(), needed{"corpus", o.corpus}, needed{"data", o.data}); err != nil {
		return err
	}
	c, err := readCorpus(o.corpus, o.data, false, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	return useExtractor(cmd.Context(), o.model, o.kb, o.engine, func(model extractor, kb *knowledgebase.KnowledgeBase) error {
		return do(model.of(c.Name), kb, c)
	})
}

type attentionOptions struct {
	modelOnCorpus
	least, most int
	quiet       bool
}

func newReportAttentionCommand() *cobra.Command {
	var o attentionOptions
	cmd := &cobra.Command{
		Use:   "attention",
		Short: "Average attention to concepts by semantic type, over a corpus",
		Long: `Reads a corpus with a model and takes the mean of the attention to the candidate
concepts of its mentions, by semantic type; a concept of several types counts for
each. The least and the most attended types are written as a Markdown table.

Where the corpus says which concepts of MeSH, NCBI Gene, NCBI Taxonomy or Cellosaurus its
mentions are, it also tells how often that is the first candidate, and how often the one
with the most attention.`,
		Example: "  keci report attention --corpus biorelex --data dev.json\n" +
			"  keci report attention --corpus bc5cdr --data CDR_DevelopmentSet.PubTator.txt --kb data/kb-open",
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.addFlags(cmd.Flags())
	cmd.Flags().IntVar(&o.least, "least", 20, "leave out types with fewer candidates")
	cmd.Flags().IntVar(&o.most, "most", 3, "how many types at each end")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "tell no progress")
	return cmd
}

func (o attentionOptions) run(cmd *cobra.Command) error {
	if o.least < 1 || o.most < 1 {
		return usageError("--least and --most must be at least 1")
	}
	return o.use(cmd, func(model extractor, kb *knowledgebase.KnowledgeBase, c corpus.Corpus) error {
		documents, err := extractCorpus(cmd.Context(), model, c, newTextProgress(cmd.ErrOrStderr(), o.quiet))
		if err != nil {
			return err
		}
		a := evidence.Average(documents, o.least)
		if a.Mentions == 0 {
			return noAttention(model)
		}
		if err := a.Extremes(o.most).Write(cmd.OutOrStdout(), func(tui graph.TUI) string {
			t, err := kb.Knowledge.SemanticType(cmd.Context(), tui)
			if err != nil {
				return "unknown"
			}
			return t.Name
		}); err != nil {
			return err
		}
		if err := tellCodes(cmd.Context(), kb, documents); err != nil {
			return err
		}
		return evidence.CompareLinking(c, documents).Write(cmd.OutOrStdout())
	})
}

// noAttention says why knowledge has no part in what a model finds.
func noAttention(model extractor) error {
	return fmt.Errorf("the model %s attends to no concept: the variant %s has no fusion, or nothing in the corpus has a candidate", model.Info().Name, model.Info().Variant)
}
