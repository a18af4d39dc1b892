package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/system"
)

// heldOutOptions say which texts were held out when a KECI model was trained, and
// what it is to be tried with on them.
type heldOutOptions struct {
	corpus, data, kb, engine string
	heldOut                  float64
	seed                     int64
}

func (o *heldOutOptions) addFlags(f *pflag.FlagSet, heldOut float64) {
	f.StringVar(&o.corpus, "corpus", "", corpusHelp)
	f.StringVar(&o.data, "data", "", "`FILE` of the corpus")
	f.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	engineFlag(f, &o.engine)
	f.Float64Var(&o.heldOut, "held-out", heldOut, "share of the texts that is taken")
	f.Int64Var(&o.seed, "seed", 1, "of what is held out")
}

// with reads the texts, and opens the model in the directory dir while do runs.
func (o heldOutOptions) with(cmd *cobra.Command, dir string, do func(m *keci.Model, set system.Set) error) error {
	if o.corpus == "" || o.data == "" {
		return usageError("--corpus and --data are needed")
	}
	if s, err := systems.At(dir); err != nil {
		return err
	} else if s != system.System(keci.System{}) {
		return usageError("%s is no KECI model, and no other can be changed so", dir)
	}
	all, err := readCorpus(o.corpus, o.data, false, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	var set system.Set
	set.Train, set.HeldOut = all.Split(o.heldOut, o.seed)
	kb, err := openKnowledgeBase(cmd.Context(), o.kb)
	if err != nil {
		return err
	}
	defer kb.Close()
	backend, err := openEngine(o.engine, engine.Sentences)
	if err != nil {
		return err
	}
	defer backend.Finalize()
	m, err := keci.Open(backend, dir, modelKnowledge(kb))
	if err != nil {
		return err
	}
	return do(m, set)
}
