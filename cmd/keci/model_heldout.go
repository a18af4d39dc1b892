package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion/engine"
	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/system"
)

// heldOutOptions say which texts were held out when a KECI model was trained, and
// what it is to be tried with on them.
type heldOutOptions struct {
	corpus, data, kb, engine string
	unseen                   []string // CORPUS=PATH, as in training
	heldOut                  float64
	seed                     int64
}

func (o *heldOutOptions) addFlags(f *pflag.FlagSet, heldOut float64) {
	f.StringVar(&o.corpus, "corpus", "", corpusHelp)
	f.StringVar(&o.data, "data", "", "`FILE` of the corpus")
	f.StringArrayVar(&o.unseen, "unseen", nil, "`CORPUS=FILE` as in training, where that was told of some; may be given several times")
	f.StringVar(&o.kb, "kb", "", "knowledge base `DIR` (default: the one in the program)")
	engineFlag(f, &o.engine)
	f.Float64Var(&o.heldOut, "held-out", heldOut, "share of the texts that is taken")
	f.Int64Var(&o.seed, "seed", 1, "of what is held out")
}

// with reads the texts, and opens the model in the directory dir while do runs.
func (o heldOutOptions) with(cmd *cobra.Command, dir string, do func(m *keci.Model, set system.Set) error) error {
	if err := checkNeeded(cmd.CommandPath(), needed{"corpus", o.corpus}, needed{"data", o.data}); err != nil {
		return err
	}
	if s, err := systems.At(dir); err != nil {
		return err
	} else if s != system.System(keci.System{}) {
		return usageError("%s is no KECI model, and no other can be changed so", dir)
	}
	if !(o.heldOut > 0 && o.heldOut <= 1) {
		return usageError("--held-out is %g: it is a share of the texts, more than 0 and at most 1", o.heldOut)
	}
	unseen, err := readUnseen(o.unseen, false, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if err := o.checkHeldOut(dir, filesOf(unseen)); err != nil {
		return err
	}
	all, err := readCorpus(o.corpus, o.data, false, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	all, _ = all.Without(corporaOf(unseen)...)
	var set system.Set
	set.Train, set.HeldOut = all.Split(o.heldOut, o.seed)
	if len(set.HeldOut.Examples) == 0 {
		return usageError("--held-out %g of the %d texts in %s is none", o.heldOut, len(all.Examples), o.data)
	}
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

// checkHeldOut refuses texts that the model in dir learned from, or that had to stay
// unseen, as far as it knows what it did.
func (o heldOutOptions) checkHeldOut(dir string, unseen []results.File) error {
	model, data, err := historyAndFile(dir, o.data)
	if err != nil {
		return err
	}
	for at := range model.All() {
		if !at.LearnedFrom(data) || at.HeldOut(o.heldOut, o.seed, unseen) {
			continue
		}
		if at.HeldOut(o.heldOut, o.seed, at.Unseen) {
			return usageError("the model in %s was trained with %s to stay unseen: give the same --unseen", dir, cmp.Or(fileNames(at.Unseen), "no texts"))
		}
		return usageError("the model in %s learned from texts that are taken so: it was trained with --held-out %g --seed %d", dir, at.HeldOutShare, at.Seed)
	}
	return nil
}

func fileNames(files []results.File) string {
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
