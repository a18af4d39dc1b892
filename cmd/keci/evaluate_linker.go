package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/linker"
	"github.com/keci-kg/keci/linker/eval"
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
	if o.skip > 0 {
		_, texts = eval.Split(texts, o.skip)
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
	all, final := eval.NewJudge(kb.Knowledge), eval.NewJudge(kb.Knowledge)
	for _, text := range texts {
		mentions, err := kb.Linker.Link(cmd.Context(), text.Text)
		if err != nil {
			return err
		}
		if err := all.Add(cmd.Context(), text, mentions); err != nil {
			return err
		}
		if err := final.Add(cmd.Context(), text, eval.Final(mentions)); err != nil {
			return err
		}
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	return enc.Encode(linkerResult{all.Measures(), final.Measures()})
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
