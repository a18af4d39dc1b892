package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/linker"
	"github.com/keci-kg/keci/linker/eval"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// medMentions names the corpus that measures the linker.
const medMentions = "medmentions"

// linkerResult are the measures of all mentions, which are for readers of the
// candidates, and of the final mapping.
type linkerResult struct {
	All   eval.Measures `json:"all"`
	Final eval.Measures `json:"final"`
}

// runLinker measures the linker on MedMentions.
func (o evaluateOptions) runLinker(cmd *cobra.Command) error {
	texts, err := eval.ReadMedMentions(o.data)
	if err != nil {
		return err
	}
	if _, texts = eval.Split(texts, o.skip); len(texts) == 0 {
		return fmt.Errorf("%s holds no text to measure on", o.data)
	}
	options, err := learnedOption(o.linkModel)
	if err != nil {
		return err
	}
	kb, err := openKnowledgeBase(cmd.Context(), o.kb, options...)
	if err != nil {
		return err
	}
	defer kb.Close()
	result, err := measureLinker(cmd.Context(), kb, texts, newTextProgress(cmd.ErrOrStderr(), o.quiet))
	if err != nil {
		return err
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}

// measureLinker links texts and compares with what people linked in them.
func measureLinker(ctx context.Context, kb *knowledgebase.KnowledgeBase, texts []linker.Annotated, p *progress) (linkerResult, error) {
	read, end := p.texts(len(texts))
	defer end()
	all, final := eval.NewJudge(kb.Knowledge), eval.NewJudge(kb.Knowledge)
	for _, text := range texts {
		mentions, err := kb.Linker.Link(ctx, text.Text)
		if err != nil {
			return linkerResult{}, err
		}
		if err := all.Add(ctx, text, mentions); err != nil {
			return linkerResult{}, err
		}
		if err := final.Add(ctx, text, eval.Final(mentions)); err != nil {
			return linkerResult{}, err
		}
		read()
	}
	return linkerResult{all.Measures(), final.Measures()}, nil
}

// learnedOption reads a model of the linker; without a path that in the program is taken.
func learnedOption(path string) ([]linker.Option, error) {
	if path == "" {
		return nil, nil
	}
	model, err := linker.ReadModel(path)
	if err != nil {
		return nil, err
	}
	return []linker.Option{linker.Learned(model)}, nil
}
