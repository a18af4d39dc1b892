package results

import (
	"cmp"
	"fmt"
	"maps"
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
	Part                     string // what was measured: a split such as "dev", or "folds of 10"
	Runs                     []Run

	settings map[string]string // the rest of the recipe, but for the knowledge base: rates, shares, texts, …
	kb       string            // digests of the knowledge bases of training and of measuring
	apart    string            // what of these tells the group from others, as tables say it: "EMA 0.998"
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
func GroupRuns(runs []Run) ([]Group, error) {
	var groups []Group
	for _, r := range runs {
		g, err := groupOf(r)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(groups, func(other Group) bool { return g.compare(other) == 0 })
		if i < 0 {
			i, groups = len(groups), append(groups, g)
		}
		groups[i].Runs = append(groups[i].Runs, r)
	}
	slices.SortFunc(groups, Group.compare)
	tellApart(groups)
	return groups, nil
}

func groupOf(r Run) (Group, error) {
	g := Group{Corpus: r.Corpus, Variant: r.system(), Encoder: r.Encoder, Epochs: r.Options.Epochs, MaxSteps: r.Options.MaxSteps, Part: partOf(r.Split)}
	if r.KB != nil {
		g.KB, g.kb = r.KB.Name, r.KB.Digest
	}
	if r.Testing.KB != nil {
		g.kb += " " + r.Testing.KB.Digest
	}
	recipe, err := r.recipe()
	if err != nil {
		return g, err
	}
	named := []string{"corpus", "variant", "encoder", "encoderDigest", "embeddings", "kb", "testing", "seed", "options.seed", "options.epochs", "options.maxSteps", "options.patience", "split"}
	if g.Part != r.Split { // each fold has texts of its own
		named = append(named, "data", "test")
	}
	if len(r.Sweep) > 0 {
		named = append(named, rates...)
	}
	leaveOut(recipe, named)
	if r.From != nil { // each seed goes on from a model of its own
		recipe[fromKey] = r.From.Name
	}
	g.settings = recipe
	return g, nil
}

// tellApart notes what tells groups apart that have the same corpus and variant.
func tellApart(groups []Group) {
	for i, g := range groups {
		names := map[string]bool{}
		for _, other := range groups {
			if other.Corpus == g.Corpus && other.Variant == g.Variant && other.Part == g.Part {
				for name := range settingsApart(g.settings, other.settings) {
					names[name] = true
				}
			}
		}
		var told []string
		for _, name := range slices.Sorted(maps.Keys(names)) {
			short := name[strings.LastIndex(name, ".")+1:]
			if strings.HasSuffix(name, ".sha256") {
				short = strings.TrimSuffix(name, ".sha256")
			}
			told = append(told, fmt.Sprintf("%s %.12s", short, orNone(g.settings[name])))
		}
		groups[i].apart = strings.Join(told, ", ")
	}
}

// settingsApart are the names of what two recipes have otherwise.
func settingsApart(a, b map[string]string) map[string]bool {
	apart := map[string]bool{}
	for name := range a {
		apart[name] = a[name] != b[name]
	}
	for name := range b {
		apart[name] = a[name] != b[name]
	}
	maps.DeleteFunc(apart, func(_ string, differs bool) bool { return !differs })
	return apart
}

// settingsKey writes settings so that they can be compared.
func settingsKey(settings map[string]string) string {
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&key, "%s=%s\n", name, settings[name])
	}
	return key.String()
}

// foldForm is how a fold is called, with its number and how many there are.
const foldForm = "fold %d of %d"

// Fold names a fold of cross-validation as a split; folds count from 0.
func Fold(number, count int) string { return fmt.Sprintf(foldForm, number, count) }

// partOf takes all folds of a division together.
func partOf(split string) string {
	var number, count int
	if _, err := fmt.Sscanf(split, foldForm, &number, &count); err == nil {
		return fmt.Sprintf("folds of %d", count)
	}
	return split
}

func (g Group) compare(h Group) int {
	return cmp.Or(
		cmp.Compare(g.Corpus, h.Corpus), cmp.Compare(variantRank(g.Variant), variantRank(h.Variant)), cmp.Compare(g.Variant, h.Variant),
		cmp.Compare(g.Encoder, h.Encoder), cmp.Compare(g.KB, h.KB), cmp.Compare(g.Epochs, h.Epochs), cmp.Compare(g.MaxSteps, h.MaxSteps),
		cmp.Compare(g.Part, h.Part), cmp.Compare(settingsKey(g.settings), settingsKey(h.settings)), cmp.Compare(g.kb, h.kb))
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
