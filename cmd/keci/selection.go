package main

import (
	"github.com/spf13/pflag"

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
