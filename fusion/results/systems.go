package results

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/keci-kg/keci/fusion/score"
)

// unknown stands in tables for what older runs did not record.
const unknown = "–"

// WriteSystems writes a Markdown table with a row for each group, of whatever
// system: precision, recall and F1 as the corpus reports them, the speed and the
// size. What systems reach by the rules of their own authors follows in a second
// table, if there is some, and at the end the commands of each row.
func WriteSystems(out io.Writer, groups []Group) error {
	t := table{"#", "corpus", "variant", "encoder", "knowledge base", "epochs", "seeds", "measured on", "runs",
		"entities: P / R / F1", "relations: P / R / F1", "sentences/s", "engine, processors", "parameters"}
	var rows [][]string
	for i, g := range groups {
		speed, machine := g.reading()
		rows = append(rows, []string{fmt.Sprint(i + 1), g.Corpus, g.Variant, g.Encoder, g.KB, g.schedule(), g.Seeds(), g.Splits(), fmt.Sprint(len(g.Runs)),
			g.measures(entityMeasures), g.measures(relationMeasures), speed, machine, g.parameters()})
	}
	if err := t.write(out, rows); err != nil {
		return err
	}
	if err := writeProtocols(out, groups); err != nil {
		return err
	}
	return writeCommands(out, groups)
}

func entityMeasures(r Run) score.Measures {
	entities, _ := score.Reported(r.Corpus, r.Scores)
	return entities
}

func relationMeasures(r Run) score.Measures {
	_, relations := score.Reported(r.Corpus, r.Scores)
	return relations
}

// measures writes "P / R / F1".
func (g Group) measures(of func(Run) score.Measures) string {
	return strings.Join([]string{
		g.Of(func(r Run) float64 { return of(r).Precision }).String(),
		g.Of(func(r Run) float64 { return of(r).Recall }).String(),
		g.Of(func(r Run) float64 { return of(r).F1 }).String(),
	}, " / ")
}

// reading tells the sentences in a second, over the runs that recorded it, and what
// read them.
func (g Group) reading() (speed, machine string) {
	timed := g.only(func(r Run) bool { return r.Reading != nil })
	if len(timed.Runs) == 0 {
		return unknown, unknown
	}
	s := timed.Of(func(r Run) float64 { return r.Reading.Rate() })
	speed = fmt.Sprintf("%.1f", s.Mean)
	if s.N > 1 {
		speed = fmt.Sprintf("%.1f ± %.1f", s.Mean, s.Deviation)
	}
	return speed, timed.list(func(r Run) string { return fmt.Sprintf("%s, %d", r.Reading.Engine, r.Reading.Processors) })
}

// parameters is the size of the models, as a rule one.
func (g Group) parameters() string {
	known := g.only(func(r Run) bool { return r.Parameters > 0 })
	if len(known.Runs) == 0 {
		return unknown
	}
	return known.list(func(r Run) string { return millions(r.Parameters) })
}

// only is the group with those of its runs that serve.
func (g Group) only(serves func(Run) bool) Group {
	g.Runs = slices.DeleteFunc(slices.Clone(g.Runs), func(r Run) bool { return !serves(r) })
	return g
}

// writeProtocols writes a table with a row for each figure of each group.
func writeProtocols(out io.Writer, groups []Group) error {
	var rows [][]string
	for i, g := range groups {
		for _, name := range g.figureNames() {
			measured := g.only(func(r Run) bool { _, ok := r.figure(name); return ok })
			value := measured.Of(func(r Run) float64 { value, _ := r.figure(name); return value })
			rows = append(rows, []string{fmt.Sprint(i + 1), g.Corpus, g.Variant, measured.Splits(), name, value.String()})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := fmt.Fprint(out, "\nBy the rules of their authors:\n\n"); err != nil {
		return err
	}
	return table{"#", "corpus", "variant", "measured on", "figure", "× 100"}.write(out, rows)
}

// figureNames are the names of the figures of the runs' protocols, in their order.
func (g Group) figureNames() []string {
	var names []string
	for _, r := range g.Runs {
		for _, f := range r.figures() {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// figures are those of the run's protocol, if it has one.
func (r Run) figures() []Figure {
	if r.Protocol == nil {
		return nil
	}
	return r.Protocol.Figures
}

// figure finds a figure of the run's protocol.
func (r Run) figure(name string) (value float64, ok bool) {
	i := slices.IndexFunc(r.figures(), func(f Figure) bool { return f.Name == name })
	if i < 0 {
		return 0, false
	}
	return r.Protocol.Figures[i].Value, true
}

// writeCommands writes the different commands of each group, to be pasted into a shell,
// with the day on which each was done, and by which commit.
func writeCommands(out io.Writer, groups []Group) error {
	var text strings.Builder
	text.WriteString("\nThe commands of each row:\n\n")
	for i, g := range groups {
		fmt.Fprintf(&text, "    # %d: %s, %s\n", i+1, g.Corpus, g.Variant)
		var told []string
		for _, r := range g.Runs {
			for _, line := range []string{commandLine(r.Command, r.Finished, r.Program), commandLine(r.Testing.Command, r.Testing.Finished, r.Testing.Program)} {
				if line != "" && !slices.Contains(told, line) {
					told = append(told, line)
					text.WriteString(line)
				}
			}
		}
	}
	text.WriteString("\n")
	_, err := io.WriteString(out, text.String())
	return err
}

// commandLine is a command with a comment that says when and by what it was done.
func commandLine(command, day string, by Program) string {
	if command == "" {
		return ""
	}
	var about []string
	for _, known := range []string{day, shortRevision(by)} {
		if known != "" {
			about = append(about, known)
		}
	}
	if len(about) > 0 {
		command += " # " + strings.Join(about, ", ")
	}
	return "    " + command + "\n"
}

// shortRevision names the commit of a program as git does in short.
func shortRevision(p Program) string {
	if p.Revision == "" {
		return ""
	}
	short := "commit " + p.Revision[:min(7, len(p.Revision))]
	if p.Modified {
		short += " with changes"
	}
	return short
}
