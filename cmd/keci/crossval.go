package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

type crossvalOptions struct {
	recipe
	data, test, out, results string
	folds, seeds             string
	count                    int // of folds, where they are not files
}

func newCrossvalCommand() *cobra.Command {
	var o crossvalOptions
	cmd := &cobra.Command{
		Use:   "crossval",
		Short: "Train and measure a model for each fold of a corpus and each seed",
		Long: `Trains a model for each fold of a corpus and each seed, measures it on the part
of the fold that it did not see, and writes what it reaches into the folder
--results, one small file each; keci report makes tables of them. Epochs and
thresholds are chosen on texts held out of each fold's training part.

The folds of ADE are files: --data is their folder, with ade_split_0_train.json,
ade_split_0_test.json and so on. Any other corpus is one file, which is divided
into --count folds, whole papers at a time where they are known. With --test the
corpus is not divided: all of --data is for training, and --test is measured.

Called again, it leaves out what is in --results, and goes on with the fold that
was interrupted.`,
		Example: `  keci crossval --corpus ade --data corpora/ade --folds 0-2 --task-rate 1e-4 --encoder encoders/minilm-l6 \
    --kb data/kb-open --out runs/ade --results doc/results
  keci crossval --corpus biorelex --data train.json --test dev.json --seeds 1-3 --encoder encoders/minilm-l6 \
    --kb data/kb-open --out runs/biorelex --results doc/results`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	o.addFlags(f)
	f.StringVar(&o.data, "data", "", "`PATH` of the corpus: a file, or the folder with the folds of ADE")
	f.StringVar(&o.test, "test", "", "`FILE` to measure on, instead of folds")
	f.StringVar(&o.out, "out", "", "`DIR` for the models, one folder for each fold and seed")
	f.StringVar(&o.results, "results", "", "`DIR` for what they reach")
	f.StringVar(&o.folds, "folds", "", "which folds, such as 0-2 or 0,5 (default: all)")
	f.StringVar(&o.seeds, "seeds", "1", "which seeds, such as 1-3 or 1,7")
	f.IntVar(&o.count, "count", 10, "how many folds there are")
	f.Bool("resume", true, "go on with what was interrupted, which this command always does")
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "seed" {
			name = "seeds"
		}
		return pflag.NormalizedName(name)
	})
	return cmd
}

func (o crossvalOptions) run(cmd *cobra.Command) error {
	if err := checkNeeded("keci crossval", needed{"corpus", o.corpus}, needed{"data", o.data}, needed{"encoder", o.encoder},
		needed{"out", o.out}, needed{"results", o.results}); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	if resume, err := cmd.Flags().GetBool("resume"); err != nil || !resume {
		return usageError("--resume=false: this command always goes on with what it finds; to begin anew, name another --out and --results")
	}
	seeds, err := parseNumbers(o.seeds)
	if err != nil {
		return usageError("--seeds: %w", err)
	}
	splits, err := o.splits(cmd)
	if err != nil {
		return err
	}
	kb, err := o.openKnowledge(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer kb.Close()
	var runs []results.Run
	for _, split := range splits {
		for _, seed := range seeds {
			o.train.Seed = int64(seed)
			r, err := o.measured(cmd, kb, split)
			if err != nil {
				return fmt.Errorf("%s, seed %d: %w", split.name, seed, err)
			}
			runs = append(runs, r)
		}
	}
	groups, err := results.GroupRuns(runs)
	if err != nil {
		return err
	}
	return results.WriteRuns(cmd.OutOrStdout(), groups)
}

// split is a part of a corpus to learn from and one to measure on.
type split struct {
	name        string // "dev", "fold 3 of 10"
	train, test corpus.Corpus
	data, from  results.File // that they were read from
}

func (s split) source() source { return source{all: s.train, data: s.data} }

// splits reads all that the command is to run on.
func (o crossvalOptions) splits(cmd *cobra.Command) ([]split, error) {
	info, err := os.Stat(o.data)
	switch {
	case err != nil:
		return nil, err
	case o.test != "" && o.folds != "":
		return nil, usageError("--test is measured as a whole: --folds does not go with it")
	case o.test != "" && cmd.Flags().Changed("count"):
		return nil, usageError("--test is measured as a whole: --count does not go with it")
	case o.test != "":
		s, err := o.readSplit(cmd, nameOfFile(o.test), o.data, o.test)
		return []split{s}, err
	}
	folds, err := o.chosenFolds()
	if err != nil {
		return nil, err
	}
	if info.IsDir() && o.corpus == corpus.ADE {
		if cmd.Flags().Changed("count") {
			return nil, usageError("--count divides a file: the folds in %s are files", o.data)
		}
		return o.foldFiles(cmd, folds)
	}
	return o.foldsOf(cmd, folds)
}

// chosenFolds are those that --folds names, or all.
func (o crossvalOptions) chosenFolds() ([]int, error) {
	if o.count < 2 {
		return nil, usageError("--count is %d: there must be at least 2 folds", o.count)
	}
	text := o.folds
	if text == "" {
		text = fmt.Sprintf("0-%d", o.count-1)
	}
	folds, err := parseNumbers(text)
	if err != nil {
		return nil, usageError("--folds: %w", err)
	}
	for _, fold := range folds {
		if fold >= o.count {
			return nil, usageError("--folds names fold %d: there are 0 to %d", fold, o.count-1)
		}
	}
	return folds, nil
}

// foldFiles reads folds that are files.
func (o crossvalOptions) foldFiles(cmd *cobra.Command, folds []int) ([]split, error) {
	var all []split
	for _, fold := range folds {
		path := filepath.Join(o.data, fmt.Sprintf("ade_split_%d_", fold))
		s, err := o.readSplit(cmd, results.Fold(fold, o.count), path+"train.json", path+"test.json")
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// foldsOf divides one corpus. How does not depend on the seed of the models.
func (o crossvalOptions) foldsOf(cmd *cobra.Command, folds []int) ([]split, error) {
	c, err := readCorpus(o.corpus, o.data, o.skipInvalid, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	file, err := results.Describe(o.data)
	if err != nil {
		return nil, err
	}
	var all []split
	for _, fold := range folds {
		s := split{name: results.Fold(fold, o.count), data: file, from: file}
		s.train, s.test = c.Fold(fold, o.count, 1)
		if len(s.test.Examples) == 0 {
			return nil, usageError("--count %d: fold %d of the %d texts is empty", o.count, fold, len(c.Examples))
		}
		all = append(all, s)
	}
	return all, nil
}

func (o crossvalOptions) readSplit(cmd *cobra.Command, name, learn, test string) (s split, err error) {
	s.name = name
	if s.train, err = readCorpus(o.corpus, learn, o.skipInvalid, cmd.ErrOrStderr()); err != nil {
		return s, err
	}
	if s.test, err = readCorpus(o.corpus, test, o.skipInvalid, cmd.ErrOrStderr()); err != nil {
		return s, err
	}
	if s.data, err = results.Describe(learn); err != nil {
		return s, err
	}
	s.from, err = results.Describe(test)
	return s, err
}

// measured gives what one model reaches: from the results if it is there,
// else by training and measuring it.
func (o crossvalOptions) measured(cmd *cobra.Command, kb *knowledgebase.KnowledgeBase, s split) (results.Run, error) {
	done, found, err := findRun(o.results, o.expected(kb, s))
	if err != nil || found {
		return done, err
	}
	if !o.quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s, seed %d: %d texts to learn from, %d to measure on\n", s.name, o.train.Seed, len(s.train.Examples), len(s.test.Examples))
	}
	out := filepath.Join(o.out, strings.TrimSuffix(o.expected(kb, s).FileName(), ".json"))
	o.train.Resume = true
	if _, err := o.learn(cmd.Context(), material{source: s.source(), kb: kb, out: out}, cmd.ErrOrStderr()); err != nil {
		return results.Run{}, err
	}
	run, err := o.measure(cmd, kb, s, filepath.Join(out, train.BestDir))
	if err != nil {
		return run, err
	}
	path, err := results.Write(o.results, run)
	if err == nil && !o.quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: entity F1 %.2f, relation F1 %.2f\n", path, 100*run.Scores.EntityF1, 100*run.Scores.RelationF1)
	}
	return run, err
}

// expected is what is known of the run before it begins.
func (o crossvalOptions) expected(kb *knowledgebase.KnowledgeBase, s split) results.Run {
	t := o.identity(material{source: s.source(), kb: kb})
	return results.Run{Training: t, Split: s.name, Test: s.from, Testing: results.Testing{KB: t.KB}}
}

// measure reads the texts to measure on with a model and scores what it gives.
func (o crossvalOptions) measure(cmd *cobra.Command, kb *knowledgebase.KnowledgeBase, s split, dir string) (results.Run, error) {
	model, err := openExtractor(dir, kb, o.engine)
	if err != nil {
		return results.Run{}, err
	}
	defer model.Close()
	run, err := runOf(cmd.Flags(), dir, model, kb, o.corpus, s.name, s.from)
	if err != nil {
		return run, err
	}
	m, err := measure(cmd.Context(), dir, model, kb, s.test, newTextProgress(cmd.ErrOrStderr(), o.quiet))
	if err != nil {
		return run, err
	}
	m.completes(&run)
	return run, nil
}

// parseNumbers reads a list such as "0-2,5" of numbers that are not negative. They come
// in order, each once.
func parseNumbers(text string) ([]int, error) {
	var numbers []int
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		first, err := strconv.ParseUint(from, 10, 31)
		last, err2 := strconv.ParseUint(to, 10, 31)
		if err != nil || err2 != nil || first > last || last-first > 1000 {
			return nil, fmt.Errorf("%q is no list of numbers such as 0-2,5", text)
		}
		for n := first; n <= last; n++ {
			numbers = append(numbers, int(n))
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}
