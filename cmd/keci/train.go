package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/train"
)

type trainOptions struct {
	recipe
	data, out string
	also      []string // CORPUS=PATH
	unseen    []string // CORPUS=PATH
	names     []string // CORPUS.LABEL=NAME
	kinds     []string // KIND=TYPE,TYPE
}

func newTrainCommand() *cobra.Command {
	var o trainOptions
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a model on an annotated corpus",
		Long: `Trains a model on an annotated corpus with a knowledge base: a KECI model, or with
--variant one of another system. Entity types and relation labels are those of the corpus. Epochs are compared on texts held
out of the training data, whole papers at a time where they are known; the best
one is left in OUT/best as a model directory with a card (README.md) and a record
of how it came about (training.json), the history of all epochs in
OUT/history.json and OUT/curve.png. Ctrl-C stops after the step under way and leaves
nothing half-written; --resume goes on from there.

Most systems learn from documents sentence by sentence, and a relation between
concepts, as PubTator has them, from all their mentions within a sentence; multitask
learns from whole documents.

With --also one KECI model learns from several corpora at once: encoder and graphs are
shared, and each corpus has labels and thresholds of its own, so that nothing is learned
from what a corpus does not annotate. Such a model finds the entities and relations of all
of them in a text; keci evaluate looks at those of the corpus that is measured. Corpora
are often chosen from the same papers: with --unseen no text is learned from that shares
a sentence with one of a test set.

With --from a KECI model goes on from the weights of another one instead of those of an
encoder: to learn a corpus of yours from fewer texts, or the same corpora for longer.
Labels that both have of the same form of corpus keep what they know.`,
		Example: `  keci train --corpus biorelex --data train.json --encoder encoders/minilm-l6 \
    --kb data/kb-open --seed 1 --out runs/biorelex
  keci train --corpus biorelex --data train.json --also ade=ade_split_0_train.json \
    --also bc5cdr=CDR_TrainingSet.PubTator.txt --encoder encoders/minilm-l6 --kb data/kb-open --out runs/many
  keci train --from runs/many/best --corpus jsonl --data mine.jsonl --kb data/kb-open --out runs/mine
  keci train --config train.yaml --sweep --patience 4 --out runs/mine`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	o.addFlags(f)
	f.StringVar(&o.data, "data", "", "`FILE` of the corpus to learn from, or a folder of such files")
	f.StringVar(&o.origin.dir, "from", "", "model `DIR` to go on from, instead of --encoder; default is the one in the program")
	f.StringArrayVar(&o.also, "also", nil, "`CORPUS=FILE` of another corpus to learn from, with labels of its own; may be given several times")
	f.StringArrayVar(&o.unseen, "unseen", nil, "`CORPUS=FILE` to be measured on: texts that share a sentence with one of it are left out; may be given several times")
	f.StringArrayVar(&o.names, "name-label", nil, "`CORPUS.LABEL=NAME`: with --also, what a type or label is told as, so that those of several corpora may be one")
	f.StringArrayVar(&o.kinds, "kind", nil, "`KIND=TYPE,TYPE`: with --also, types (as they are told) of one kind: things of different kinds are different things; may be given several times")
	f.StringVar(&o.out, "out", "", "`DIR` for the model, the history and the checkpoints")
	f.Int64Var(&o.train.Seed, "seed", o.train.Seed, "of the initial weights, what is held out, the order of the data and dropout")
	f.BoolVar(&o.train.Resume, "resume", false, "go on from the checkpoint in --out")
	cmd.AddCommand(newTrainLinkerCommand())
	return cmd
}

func (o trainOptions) run(cmd *cobra.Command) error {
	if err := checkNeeded("keci train", needed{"corpus", o.corpus}, needed{"data", o.data},
		needed{"encoder", cmp.Or(o.encoder, o.origin.dir)}, needed{"out", o.out}); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	if err := o.checkCorpora(); err != nil {
		return err
	}
	m := material{out: o.out}
	var err error
	if m.source, err = readSource(o.corpus, o.data, o.skipInvalid, cmd.ErrOrStderr()); err != nil {
		return err
	}
	if m.also, err = o.readOthers(cmd.ErrOrStderr()); err != nil {
		return err
	}
	if m.unseen, err = readUnseen(o.unseen, o.skipInvalid, cmd.ErrOrStderr()); err != nil {
		return err
	}
	if err := o.nameLabels(&m); err != nil {
		return err
	}
	if err := o.readKinds(&m); err != nil {
		return err
	}
	if m.kb, err = o.openKnowledge(cmd.Context(), cmd.ErrOrStderr()); err != nil {
		return err
	}
	defer m.kb.Close()
	t, err := o.learn(cmd.Context(), m, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	return reportBest(cmd.OutOrStdout(), t, o.out)
}

// checkCorpora looks at the flags that are of several corpora before any is read.
func (o trainOptions) checkCorpora() error {
	if len(o.also) > 0 && !o.settings.Traits().ManyCorpora {
		return usageError("--also: the variant %s learns from one corpus", o.variant)
	}
	for _, flag := range []struct {
		name   string
		values []string
	}{{"also", o.also}, {"unseen", o.unseen}} {
		for _, value := range flag.values {
			name, _, err := cutSource(flag.name, value)
			if err == nil {
				err = checkCorpus(flag.name, name)
			}
			if err != nil {
				return err
			}
		}
	}
	switch {
	case len(o.also) > 0:
	case len(o.names) > 0:
		return usageError("--name-label is for models of several corpora: see --also")
	case len(o.kinds) > 0:
		return usageError("--kind is for models of several corpora: see --also")
	}
	for _, value := range o.kinds {
		if kind, types, ok := strings.Cut(value, "="); !ok || kind == "" || types == "" {
			return usageError("--kind is %q: write KIND=TYPE,TYPE, such as gene=gene,protein", value)
		}
	}
	return nil
}

// readOthers reads the corpora of --also.
func (o trainOptions) readOthers(stderr io.Writer) ([]source, error) {
	known := []string{o.corpus}
	var others []source
	for _, also := range o.also {
		name, path, err := cutSource("also", also)
		if err != nil {
			return nil, err
		}
		if slices.Contains(known, name) {
			return nil, usageError("--also names the corpus %s twice: each form of corpus has one set of labels", name)
		}
		s, err := readSource(name, path, o.skipInvalid, stderr)
		if err != nil {
			return nil, err
		}
		known, others = append(known, name), append(others, s)
	}
	return others, nil
}

// readUnseen reads the corpora of --unseen.
func readUnseen(unseen []string, skipInvalid bool, stderr io.Writer) (sources []source, err error) {
	for _, value := range unseen {
		name, path, err := cutSource("unseen", value)
		if err != nil {
			return nil, err
		}
		s, err := readSource(name, path, skipInvalid, stderr)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	slices.SortFunc(sources, func(a, b source) int { return cmp.Compare(a.data.SHA256, b.data.SHA256) })
	return sources, nil
}

// cutSource divides CORPUS=FILE, the value of a flag.
func cutSource(flag, value string) (name, path string, err error) {
	name, path, ok := strings.Cut(value, "=")
	if !ok {
		return "", "", usageError("--%s is %q: write CORPUS=FILE, such as %s=train.json", flag, value, corpus.ADE)
	}
	return name, path, nil
}

// nameLabels reads --name-label.
func (o trainOptions) nameLabels(m *material) error {
	for _, text := range o.names {
		label, name, named := strings.Cut(text, "=")
		of, label, dotted := strings.Cut(label, ".")
		if !named || !dotted || name == "" {
			return usageError("--name-label is %q: write CORPUS.LABEL=NAME, such as %s.Chemical=chemical", text, corpus.BC5CDR)
		}
		s := m.of(of)
		if s == nil {
			return usageError("--name-label %s: the model does not learn from %s", text, of)
		}
		if known := slices.Concat(s.all.EntityTypes, s.all.RelationLabels); !slices.Contains(known, label) {
			return usageError("--name-label %s: %s has no label %q, it has %s", text, of, label, strings.Join(known, ", "))
		}
		if s.names == nil {
			s.names = map[string]string{}
		}
		s.names[label] = name
	}
	return nil
}

// readKinds reads --kind.
func (o trainOptions) readKinds(m *material) error {
	told := m.toldTypes()
	for _, text := range o.kinds {
		kind, types, _ := strings.Cut(text, "=")
		if m.kinds == nil {
			m.kinds = map[string][]string{}
		}
		for t := range strings.SplitSeq(types, ",") {
			if !slices.Contains(told, t) {
				return usageError("--kind %s: no corpus has the type %q, there are %s", text, t, strings.Join(told, ", "))
			}
			m.kinds[kind] = append(m.kinds[kind], t)
		}
		slices.Sort(m.kinds[kind])
		m.kinds[kind] = slices.Compact(m.kinds[kind])
	}
	return nil
}

// toldTypes are the entity types of all corpora as users are told them, sorted.
func (m *material) toldTypes() []string {
	var all []string
	for _, s := range m.sources() {
		for _, t := range s.all.EntityTypes {
			if name, ok := s.names[t]; ok {
				t = name
			}
			all = append(all, t)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func reportBest(out io.Writer, t results.Training, dir string) error {
	e := t.Best
	if e.Score == (train.Score{}) && t.HeldOut == 0 {
		_, err := fmt.Fprintf(out, "%s; model in %s/%s\n", english.Plural(e.Epoch, "epoch", ""), dir, train.BestDir)
		return err
	}
	_, err := fmt.Fprintf(out, "best epoch %d of %d: %s on held-out texts; model in %s/%s\n",
		e.Epoch, t.Curve[len(t.Curve)-1].Epoch, e.Score, dir, train.BestDir)
	return err
}
