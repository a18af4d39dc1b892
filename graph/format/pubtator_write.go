package format

import (
	"fmt"
	"io"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// pubTatorWriter writes documents with an empty line behind each.
type pubTatorWriter struct {
	out     io.Writer
	written written
}

// oneLine puts spaces for what would end a line or a column, for readers in Python
// too. Offsets stay true.
var oneLine = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ", "\f", " ", "\v", " ", "\u0085", " ")

// Write implements Writer. Where the text does not begin with the title, its first line
// stands for one: an empty title would shift the offsets. A
// relation joins concepts; those of mentions that denote none are left out. Two
// documents whose ids differ in what PubTator does not allow are an error.
func (w *pubTatorWriter) Write(d graph.Document) error {
	id := pubTatorIDs.Replace(d.ID)
	if _, err := w.written.again(id, d); err != nil {
		return err
	}
	title, rest, separator := cutTitle(d)
	if separator == 0 {
		title, rest, _ = strings.Cut(strings.TrimRight(d.Text, "\n"), "\n")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s|t|%s\n%s|a|%s\n", id, oneLine.Replace(title), id, oneLine.Replace(rest))
	concepts := map[string]string{}
	for _, m := range d.Mentions {
		concept := identifiers(m)
		concepts[m.ID] = concept
		if concept == "" {
			concept = unknownConcept
		}
		fmt.Fprintf(&b, "%s\t%d\t%d\t%s\t%s\t%s\n", id, m.Start, m.End, oneLine.Replace(m.Text), oneLine.Replace(m.Type), oneLine.Replace(concept))
	}
	written := map[string]bool{}
	for _, r := range d.Relations {
		head, tail := concepts[r.Head], concepts[r.Tail]
		if !r.Directed && tail < head {
			head, tail = tail, head
		}
		line := fmt.Sprintf("%s\t%s\t%s\t%s\n", id, oneLine.Replace(r.Label), head, tail)
		if head != "" && tail != "" && !written[line] {
			written[line] = true
			b.WriteString(line)
		}
	}
	for _, r := range d.ConceptRelations {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s", id, r.Label, r.Head, r.Tail)
		if novel := r.Attributes[novelAttribute]; novel != "" {
			b.WriteString("\t" + novel)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	_, err := io.WriteString(w.out, b.String())
	return err
}

// pubTatorIDs keeps the bar, which ends an id, out of it.
var pubTatorIDs = strings.NewReplacer("|", "_", "\n", "_", "\r", "_", "\t", "_")

// Close implements Writer.
func (w *pubTatorWriter) Close() error { return nil }
