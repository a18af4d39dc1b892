package results

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/keci-kg/keci/fusion/score"
)

// Group are runs that differ in nothing but the seed and, in cross-validation, the
// fold.
type Group struct {
	Corpus, Variant, Encoder string
	KB                       string // name of the knowledge base of training; empty without
	Epochs, MaxSteps         int    // of the schedule
	Part                     string // what was measured: a split such as "dev", or "10 folds"
	Runs                     []Run
}

// Statistic is a mean over runs with the sample standard deviation.
type Statistic struct {
	Mean, Deviation float64 // the deviation is 0 for one run
	N               int
}

// String writes percent: "87.06 ± 0.41", or the mean alone for one run.
func (s Statistic) String() string {
	if s.N < 2 {
		return fmt.Sprintf("%.2f", 100*s.Mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", 100*s.Mean, 100*s.Deviation)
}

// GroupRuns divides runs into groups, sorted by corpus, variant, encoder,
// knowledge base, schedule and what was measured.
func GroupRuns(runs []Run) []Group {
	var groups []Group
	for _, r := range runs {
		g := groupOf(r)
		i := slices.IndexFunc(groups, func(other Group) bool { return g.compare(other) == 0 })
		if i < 0 {
			i, groups = len(groups), append(groups, g)
		}
		groups[i].Runs = append(groups[i].Runs, r)
	}
	slices.SortFunc(groups, Group.compare)
	return groups
}

func groupOf(r Run) Group {
	g := Group{Corpus: r.Corpus, Variant: r.system(), Encoder: r.Encoder, Epochs: r.Options.Epochs, MaxSteps: r.Options.MaxSteps, Part: partOf(r.Split)}
	if r.KB != nil {
		g.KB = r.KB.Name
	}
	return g
}

// foldForm is how a fold is called, with its number and how many there are.
const foldForm = "fold %d of %d"

// Fold names a fold of cross-validation as a split; folds count from 0.
func Fold(number, count int) string { return fmt.Sprintf(foldForm, number, count) }

// partOf takes all folds of a division together.
func partOf(split string) string {
	var number, count int
	if _, err := fmt.Sscanf(split, foldForm, &number, &count); err == nil {
		return fmt.Sprintf("%d folds", count)
	}
	return split
}

func (g Group) compare(h Group) int {
	return cmp.Or(
		cmp.Compare(g.Corpus, h.Corpus), cmp.Compare(variantRank(g.Variant), variantRank(h.Variant)), cmp.Compare(g.Variant, h.Variant),
		cmp.Compare(g.Encoder, h.Encoder), cmp.Compare(g.KB, h.KB), cmp.Compare(g.Epochs, h.Epochs), cmp.Compare(g.MaxSteps, h.MaxSteps),
		cmp.Compare(g.Part, h.Part))
}

// Of is the statistic of a measure over the runs.
func (g Group) Of(measure func(Run) float64) Statistic {
	s := Statistic{N: len(g.Runs)}
	for _, r := range g.Runs {
		s.Mean += measure(r)
	}
	s.Mean /= float64(s.N)
	if s.N < 2 {
		return s
	}
	for _, r := range g.Runs {
		s.Deviation += math.Pow(measure(r)-s.Mean, 2)
	}
	s.Deviation = math.Sqrt(s.Deviation / float64(s.N-1))
	return s
}

// EntityF1 and RelationF1 are the figures of the benchmark.
func EntityF1(r Run) float64   { return r.Scores.EntityF1 }
func RelationF1(r Run) float64 { return r.Scores.RelationF1 }

// Seeds lists the seeds of the runs, Splits what they were measured on.
func (g Group) Seeds() string {
	return g.list(func(r Run) string { return fmt.Sprint(r.Seed) })
}

// Splits lists what the runs were measured on.
func (g Group) Splits() string {
	return g.list(func(r Run) string { return r.Split })
}

func (g Group) list(of func(Run) string) string {
	var all []string
	for _, r := range g.Runs {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// Types and Labels sum the counts of the runs per entity type and relation label.
func (g Group) Types() score.ByLabel {
	return g.sum(func(r Run) score.ByLabel { return r.Scores.EntityTypes })
}

// Labels sums the counts of the runs per relation label.
func (g Group) Labels() score.ByLabel {
	return g.sum(func(r Run) score.ByLabel { return r.Scores.RelationLabels })
}

func (g Group) sum(of func(Run) score.ByLabel) score.ByLabel {
	sum := score.ByLabel{}
	for _, r := range g.Runs {
		for label, counts := range of(r) {
			sum[label] = sum[label].Add(counts)
		}
	}
	return sum
}
