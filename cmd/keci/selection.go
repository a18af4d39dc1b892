package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// selectionFlags say what to link with.
type selectionFlags struct{ knowledgebase.Selection }

func (s *selectionFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&s.Dirs, "kb", nil,
		"knowledge base `DIR` (default: the one in the program, which is also \"\"); give several times to use several at once")
	flags.StringVar(&s.Terms, "terms", "",
		"`FILE` with terms of your own, tab-separated: "+knowledgebase.TermColumns)
	flags.StringVar(&s.StopWords, "stop-words", "",
		"`FILE` with words, one a line, instead of those that keci link --print-stop-words prints")
}

// checkStore refuses what cannot be read beside a database, which holds one
// knowledge base.
func (s *selectionFlags) checkStore() error {
	switch {
	case len(s.Dirs) > 1:
		return usageError("--store with a database goes with one --kb, the one that was loaded there, and here are %d", len(s.Dirs))
	case s.Terms != "":
		return usageError("--terms does not go with --store and a database, which holds a knowledge base without them: keep the documents in --data")
	}
	return nil
}

// inStore is what a database must hold beside kb, which was opened from s: the same
// knowledge base, whatever the stop words, since they are for the linker alone.
func (s *selectionFlags) inStore(ctx context.Context, kb *knowledgebase.KnowledgeBase) (graph.KnowledgeBaseInfo, error) {
	if s.StopWords == "" {
		return kb.Info, nil
	}
	if len(s.Dirs) > 0 && s.Dirs[0] != "" {
		return knowledgebase.ReadInfo(s.Dirs[0])
	}
	plain, err := knowledgebase.OpenDefault(ctx)
	if err != nil {
		return graph.KnowledgeBaseInfo{}, err
	}
	return plain.Info, plain.Close()
}
