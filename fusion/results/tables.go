package results

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/keci-kg/keci/fusion/score"
)

// fullModel is the variant that the others are compared with.
const fullModel = "keci"

// WriteRuns writes a Markdown table of the groups: mean and standard deviation
// of both F1, over seeds and folds together.
func WriteRuns(out io.Writer, groups []Group) error {
	t := table{"corpus", "variant", "encoder", "knowledge base", "epochs", "seeds", "measured on", "runs", "entity F1", "relation F1"}
	var rows [][]string
	for _, g := range groups {
		rows = append(rows, []string{g.Corpus, g.Variant, g.Encoder, g.KB, g.schedule(), g.Seeds(), g.Splits(),
			fmt.Sprint(len(g.Runs)), g.Of(EntityF1).String(), g.Of(RelationF1).String()})
	}
	return t.write(out, rows)
}

// schedule tells the length of the runs.
func (g Group) schedule() string {
	if g.MaxSteps > 0 {
		return fmt.Sprintf("%d, at most %d steps", g.Epochs, g.MaxSteps)
	}
	return fmt.Sprint(g.Epochs)
}

// WriteAblations writes a Markdown table for each corpus, what was measured of it,
// encoder and schedule: what each variant of the paper reaches, how far that is from
// the full model, and what the paper gives. Differences are taken over the seeds and
// splits that both have. Other systems are left out, see WriteSystems.
func WriteAblations(out io.Writer, groups []Group) error {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g Group) bool { return !isOfPaper(g.Variant) })
	for i, family := range families(groups) {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if err := writeFamily(out, family); err != nil {
			return err
		}
	}
	return nil
}

// families are groups that differ in nothing but the variant (and with it the
// knowledge base), in the order of the groups.
func families(groups []Group) [][]Group {
	type key struct {
		corpus, encoder, part string
		epochs, maxSteps      int
	}
	var order []key
	byKey := map[key][]Group{}
	for _, g := range groups {
		k := key{g.Corpus, g.Encoder, g.Part, g.Epochs, g.MaxSteps}
		if byKey[k] == nil {
			order = append(order, k)
		}
		byKey[k] = append(byKey[k], g)
	}
	var all [][]Group
	for _, k := range order {
		all = append(all, byKey[k])
	}
	return all
}

func writeFamily(out io.Writer, family []Group) error {
	first := family[0]
	if _, err := fmt.Fprintf(out, "%s, %s, %s, %s epochs\n\n", first.Corpus, first.Part, first.Encoder, first.schedule()); err != nil {
		return err
	}
	t := table{"variant", "knowledge base", "runs", "entity F1", "Δ", "paper", "relation F1", "Δ", "paper"}
	var rows [][]string
	for _, g := range family {
		row := []string{g.Variant, g.KB, fmt.Sprint(len(g.Runs)), g.Of(EntityF1).String(), difference(family, g, EntityF1)}
		p, ok := InPaper(g.Corpus, g.Variant)
		entity, relation := "–", "–"
		if ok {
			entity, relation = fmt.Sprintf("%.2f", p.Entity), fmt.Sprintf("%.2f", p.Relation)
		}
		rows = append(rows, append(row, entity, g.Of(RelationF1).String(), difference(family, g, RelationF1), relation))
	}
	return t.write(out, rows)
}

// difference is how far a group is from the full model on the seeds and splits
// that both have, in points.
func difference(family []Group, g Group, measure func(Run) float64) string {
	if g.Variant == fullModel {
		return "–"
	}
	type place struct {
		split string
		seed  int64
	}
	full := map[place]float64{}
	for _, other := range family {
		if other.Variant == fullModel && (g.KB == "" || other.KB == g.KB) {
			for _, r := range other.Runs {
				full[place{r.Split, r.Seed}] = measure(r)
			}
		}
	}
	sum, n := 0.0, 0
	for _, r := range g.Runs {
		if value, ok := full[place{r.Split, r.Seed}]; ok {
			sum, n = sum+measure(r)-value, n+1
		}
	}
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%+.2f", 100*sum/float64(n))
}

// WriteTypes writes a Markdown table of each group with precision, recall and F1
// of every entity type and relation label, from the counts of all its runs.
func WriteTypes(out io.Writer, groups []Group) error {
	for i, g := range groups {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if _, err := fmt.Fprintf(out, "%s, %s, %s, seeds %s, %s\n\n", g.Corpus, g.Variant, g.Encoder, g.Seeds(), g.Splits()); err != nil {
			return err
		}
		t := table{"type or label", "annotated", "precision", "recall", "F1"}
		rows := append(countRows(g.Types()), countRows(g.Labels())...)
		if err := t.write(out, rows); err != nil {
			return err
		}
	}
	return nil
}

func countRows(counts score.ByLabel) [][]string {
	var rows [][]string
	for _, label := range slices.Sorted(maps.Keys(counts)) {
		c := counts[label]
		rows = append(rows, []string{label, fmt.Sprint(c.TP + c.FN),
			fmt.Sprintf("%.1f", 100*c.Precision()), fmt.Sprintf("%.1f", 100*c.Recall()), fmt.Sprintf("%.1f", 100*c.F1())})
	}
	return rows
}

// table is the head of a Markdown table.
type table []string

func (t table) write(out io.Writer, rows [][]string) error {
	lines := []string{row(t), row(slices.Repeat([]string{"---"}, len(t)))}
	for _, r := range rows {
		lines = append(lines, row(r))
	}
	_, err := io.WriteString(out, strings.Join(lines, "\n")+"\n")
	return err
}

func row(cells []string) string {
	return "| " + strings.Join(cells, " | ") + " |"
}
