package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/cluster"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/hnm"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

type clustersOptions struct {
	modelOnCorpus
	before, out string
}

func newReportClustersCommand() *cobra.Command {
	var o clustersOptions
	cmd := &cobra.Command{
		Use:   "clusters",
		Short: "Picture of how the relations of a corpus cluster in a model, before and after",
		Long: `Draws the vectors that a model of the variants hnm or hnm-baseline has for the
annotated relations of a corpus, in two dimensions (principal components), coloured by
label, and beside them those of another one (--before), such as the baseline. The titles
tell the adjusted Rand index of the clusters that k-means finds, as many as labels:
1 where they are the labels, 0 for chance.`,
		Example: `  keci report clusters --corpus bioc --data Dev.BioC.JSON \
    --before runs/hnm-baseline/best --model runs/hnm/best --out clusters.png`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&o.before, "before", "", "model `DIR` to draw first")
	cmd.Flags().StringVar(&o.out, "out", "clusters.png", "`FILE` to draw to")
	return cmd
}

func (o clustersOptions) run(cmd *cobra.Command) error {
	var sets []cluster.Labelled
	on := o.modelOnCorpus
	models := []string{o.model}
	if o.before != "" {
		models = []string{o.before, o.model}
	}
	for _, on.model = range models {
		err := on.use(cmd, func(model extractor, _ *knowledgebase.KnowledgeBase, c corpus.Corpus) error {
			classifier, ok := model.Extractor.(*hnm.Model)
			if !ok {
				return usageError("the model %s is of the variant %s: relations have vectors in models of %s and %s", model.Info().Name, model.Info().Variant, hnm.Variant, hnm.Baseline)
			}
			vectors, err := classifier.Vectors(cmd.Context(), c)
			sets = append(sets, vectors)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := cluster.Draw(o.out, sets...); err != nil {
		return err
	}
	for _, s := range sets {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %d relations\n", s.Title, len(s.Points))
	}
	return nil
}
