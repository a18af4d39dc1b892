package results

import (
	"errors"
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

// schedule tells the length of the runs, and what else tells them from others.
func (g Group) schedule() string {
	text := fmt.Sprint(g.Epochs)
	if g.MaxSteps > 0 {
		text += fmt.Sprintf(", at most %d steps", g.MaxSteps)
	}
	if g.apart != "" {
		text += "; " + g.apart
	}
	return text
}

// WriteAblations writes a Markdown table for each corpus, what was measured of it,
// encoder, schedule and settings: what each variant of the paper reaches, how far that
// is from the full model, and what the paper gives. Differences are taken over the
// seeds and splits that both have, as many as the last column says. The commands of
// each row follow. Other systems are left out, see [WriteSystems]; nothing but such is
// an error.
func WriteAblations(out io.Writer, groups []Group) error {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g Group) bool { return !isOfPaper(g.Variant) })
	if len(groups) == 0 {
		return errors.New("there is no run of a variant of the paper: keci crossval --variant and keci evaluate --results make them")
	}
	for _, family := range families(groups) {
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
		corpus, encoder, part, settings string
		epochs, maxSteps                int
	}
	var order []key
	byKey := map[key][]Group{}
	for _, g := range groups {
		settings := maps.Clone(g.settings)
		delete(settings, fromKey) // each variant goes on from one of its own
		k := key{g.Corpus, g.Encoder, g.Part, settingsKey(settings), g.Epochs, g.MaxSteps}
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
	t := table{"#", "variant", "knowledge base", "measured on", "seeds", "entity F1", "Δ", "paper", "relation F1", "Δ", "paper", "runs beside keci"}
	var rows [][]string
	for i, g := range family {
		p, ok := InPaper(g.Corpus, g.Variant)
		entity, relation := unknown, unknown
		if ok {
			entity, relation = fmt.Sprintf("%.2f", p.Entity), fmt.Sprintf("%.2f", p.Relation)
		}
		full := fullBeside(family, g)
		rows = append(rows, []string{fmt.Sprint(i + 1), g.Variant, g.KB, g.Splits(), g.Seeds(), g.Of(EntityF1).String(), difference(full, g, EntityF1), entity,
			g.Of(RelationF1).String(), difference(full, g, RelationF1), relation, beside(full, g)})
	}
	if err := t.write(out, rows); err != nil {
		return err
	}
	return writeCommands(out, family)
}

// fullBeside is the full model that a group is compared with: that with its knowledge
// base, or the only one. It is nil where there is none, or several.
func fullBeside(family []Group, g Group) *Group {
	var full *Group
	for i, other := range family {
		switch {
		case other.Variant != fullModel || g.Variant == fullModel || g.KB != "" && other.kb != g.kb:
		case full != nil:
			return nil
		default:
			full = &family[i]
		}
	}
	return full
}

// pairs are the runs of the full model and of a group that have the same seed and split.
func pairs(full *Group, g Group) [][2]Run {
	var both [][2]Run
	if full == nil {
		return nil
	}
	for _, r := range g.Runs {
		i := slices.IndexFunc(full.Runs, func(f Run) bool { return f.Seed == r.Seed && f.Split == r.Split })
		if i >= 0 {
			both = append(both, [2]Run{full.Runs[i], r})
		}
	}
	return both
}

// beside tells how many runs a difference is taken over.
func beside(full *Group, g Group) string {
	if g.Variant == fullModel {
		return unknown
	}
	return fmt.Sprint(len(pairs(full, g)))
}

// difference is how far a group is from the full model on the seeds and splits
// that both have, in points.
func difference(full *Group, g Group, measure func(Run) float64) string {
	both := pairs(full, g)
	if len(both) == 0 {
		return unknown
	}
	sum := 0.0
	for _, pair := range both {
		sum += measure(pair[1]) - measure(pair[0])
	}
	return fmt.Sprintf("%+.2f", 100*sum/float64(len(both)))
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
