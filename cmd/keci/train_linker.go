package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/internal/wholefile"
	"github.com/keci-kg/keci/linker"
	"github.com/keci-kg/keci/linker/eval"
)

type trainLinkerOptions struct {
	data, out, kb string
	share         float64
}

func newTrainLinkerCommand() *cobra.Command {
	var o trainLinkerOptions
	cmd := &cobra.Command{
		Use:   "linker",
		Short: "Learn the ranking of the linker from texts with linked concepts",
		Long: `Learns from MedMentions what keci link ranks candidates by: names under which
people mentioned the concepts of the knowledge base, and the weights of a
log-linear model. The same texts and knowledge base give the same file.`,
		Example: `  keci train linker --data train.jsonl --share 0.8 --kb open-kb --out linker.tsv.gz
  keci evaluate --corpus medmentions --data train.jsonl --skip 0.8 --kb open-kb --link-model linker.tsv.gz`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.data, "data", "", "JSONL `FILE` of MedMentions")
	flags.StringVar(&o.out, "out", "", "`FILE` to write the model to")
	flags.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	flags.Float64Var(&o.share, "share", 1, "learn from the first `SHARE` of the documents only, 0 to 1")
	return cmd
}

func (o trainLinkerOptions) run(cmd *cobra.Command) error {
	if err := checkNeeded(cmd.CommandPath(), needed{"data", o.data}, needed{"out", o.out}); err != nil {
		return err
	}
	if !(o.share > 0 && o.share <= 1) {
		return usageError("--share is %g: use more than 0 and at most 1", o.share)
	}
	file, err := wholefile.Create(o.out, partialSuffix) // that it can be written is seen before minutes of work
	if err != nil {
		return fmt.Errorf("making the output: %w", err)
	}
	if err := o.learn(cmd.Context(), file); err != nil {
		return errors.Join(err, file.Discard())
	}
	return file.Commit()
}

// learn writes what is learned of the texts.
func (o trainLinkerOptions) learn(ctx context.Context, out io.Writer) error {
	texts, err := eval.ReadMedMentions(o.data)
	if err != nil {
		return err
	}
	if texts, _ = eval.Split(texts, o.share); len(texts) == 0 {
		return fmt.Errorf("--share %g of %s is no text to learn from", o.share, o.data)
	}
	kb, err := openKnowledgeBase(ctx, o.kb, linker.Learned(new(linker.Model)))
	if err != nil {
		return err
	}
	defer kb.Close()
	model, err := linker.Train(ctx, kb.Linker, eval.Written(texts), eval.Linkable)
	if err != nil {
		return err
	}
	if err := model.Write(out); err != nil {
		return fmt.Errorf("write linker model: %w", err)
	}
	return nil
}
