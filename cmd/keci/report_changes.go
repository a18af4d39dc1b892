package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/evidence"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/format/picture"
	"github.com/keci-kg/keci/internal/parallel"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

type changesOptions struct {
	modelOnCorpus
	out   string
	most  int
	quiet bool
}

func newReportChangesCommand() *cobra.Command {
	var o changesOptions
	cmd := &cobra.Command{
		Use:   "changes",
		Short: "Where knowledge changed the answer: pictures before and after",
		Long: `Reads a corpus with a model and compares, text by text, the graph that the text
alone gave with the final one, after the fusion with background knowledge. The
texts that won most are drawn, before and after, into the folder --out, with a
page (README.md) that says what changed and what of it is right.`,
		Example: "  keci report changes --corpus biorelex --data dev.json --out changes",
		Args:    exactArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&o.out, "out", "", "`DIR` for the page and the pictures")
	cmd.Flags().IntVar(&o.most, "most", 5, "how many texts are drawn")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "tell no progress")
	return cmd
}

func (o changesOptions) run(cmd *cobra.Command) error {
	if o.out == "" || o.most < 1 {
		return usageError("--out is needed, and --most must be at least 1")
	}
	return o.use(cmd, func(model extractor, _ *knowledgebase.KnowledgeBase, c corpus.Corpus) error {
		before, after, err := extractStages(cmd.Context(), model, c, newTextProgress(cmd.ErrOrStderr(), o.quiet))
		if err != nil {
			return err
		}
		changes, err := evidence.Changes(c, before, after)
		switch {
		case err != nil:
			return err
		case len(changes) == 0 && evidence.Average(after, 1).Mentions == 0:
			return noAttention(model)
		}
		if err := o.write(cmd.Context(), changes, len(c.Examples)); err != nil {
			return err
		}
		return summarizeChanges(cmd.OutOrStdout(), changes, len(c.Examples))
	})
}

// extractStages reads every example of a corpus with a model.
func extractStages(ctx context.Context, model extractor, c corpus.Corpus, p *progress) (before, after []graph.Document, err error) {
	stages, ok := model.Extractor.(fusion.Staged)
	if !ok {
		return nil, nil, fmt.Errorf("the model %s has no stages to compare", model.Info().Name)
	}
	read, end := p.texts(len(c.Examples))
	defer end()
	both, err := parallel.Map(ctx, c.Examples, func(ctx context.Context, e corpus.Example) ([2]graph.Document, error) {
		defer read()
		initial, final, err := stages.ExtractStages(ctx, graph.Document{ID: e.ID, Text: e.Text})
		return [2]graph.Document{initial, final}, err
	})
	for _, documents := range both {
		before, after = append(before, documents[0]), append(after, documents[1])
	}
	return before, after, err
}

// write draws the texts that won most and writes the page.
func (o changesOptions) write(ctx context.Context, changes []evidence.Change, texts int) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	var page strings.Builder
	fmt.Fprintf(&page, "# Where knowledge changed the answer\n\n")
	if err := summarizeChanges(&page, changes, texts); err != nil {
		return err
	}
	for i, change := range changes[:min(o.most, len(changes))] {
		if change.Gain <= 0 {
			break
		}
		name := fmt.Sprintf("%02d", i+1)
		for stage, doc := range map[string]graph.Document{"before": change.Before, "after": change.After} {
			if err := drawTo(ctx, filepath.Join(o.out, name+"-"+stage+".svg"), doc); err != nil {
				return err
			}
		}
		fmt.Fprintf(&page, "\n## %s\n\n> %s\n\n| the text alone | with knowledge |\n| --- | --- |\n| ![before](%s-before.svg) | ![after](%s-after.svg) |\n\n",
			change.Example.ID, strings.Join(strings.Fields(change.Example.Text), " "), name, name)
		writeFindings(&page, "won", change.Won)
		writeFindings(&page, "lost", change.Lost)
	}
	return os.WriteFile(filepath.Join(o.out, "README.md"), []byte(page.String()), 0o644)
}

func drawTo(ctx context.Context, path string, doc graph.Document) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := picture.WriteSVG(ctx, file, doc); err != nil {
		file.Close()
		return fmt.Errorf("draw %s: %w", path, err)
	}
	return file.Close()
}

func writeFindings(out io.Writer, what string, findings []evidence.Finding) {
	for _, f := range findings {
		verdict := "wrong"
		if f.Right {
			verdict = "right"
		}
		fmt.Fprintf(out, "- %s: %s (%s)\n", what, f.Text, verdict)
	}
}

// summarizeChanges counts the texts, and the findings that came and went.
func summarizeChanges(out io.Writer, changes []evidence.Change, texts int) error {
	better, worse := 0, 0
	counts := map[string]int{}
	for _, c := range changes {
		switch {
		case c.Gain > 0:
			better++
		case c.Gain < 0:
			worse++
		}
		for _, f := range c.Won {
			counts[fmt.Sprint("won ", f.Right)]++
		}
		for _, f := range c.Lost {
			counts[fmt.Sprint("lost ", f.Right)]++
		}
	}
	_, err := fmt.Fprintf(out, "Of %d texts the graph of %d changed: %d got better, %d worse, %d neither.\n"+
		"Findings that came: %d right, %d wrong; that went: %d right, %d wrong.\n",
		texts, len(changes), better, worse, len(changes)-better-worse, counts["won true"], counts["won false"], counts["lost true"], counts["lost false"])
	return err
}
