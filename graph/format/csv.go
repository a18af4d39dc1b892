package format

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/keci-kg/keci/graph"
)

// csvColumns are those of the header. The offsets count code points; concepts are
// joined with semicolons.
var csvColumns = []string{"document", "relation",
	"head", "head_start", "head_end", "head_text", "head_type", "head_concept", "head_name",
	"label", "directed",
	"tail", "tail_start", "tail_end", "tail_text", "tail_type", "tail_concept", "tail_name",
	"score", "initial_score", "head_negated", "tail_negated"}

// csvWriter writes a row for each relation (RFC 4180).
type csvWriter struct {
	rows  *csv.Writer
	begun bool
}

func newCSVWriter(out io.Writer) *csvWriter { return &csvWriter{rows: csv.NewWriter(out)} }

// Write implements Writer.
func (w *csvWriter) Write(d graph.Document) error {
	if err := w.begin(); err != nil {
		return err
	}
	mentions := map[string]graph.Mention{}
	for _, m := range d.Mentions {
		mentions[m.ID] = m
	}
	for _, r := range d.Relations {
		head, tail := mentions[r.Head], mentions[r.Tail]
		row := append([]string{d.ID, r.ID}, csvMention(head)...)
		row = append(row, r.Label, strconv.FormatBool(r.Directed))
		row = append(row, csvMention(tail)...)
		row = append(row, number(r.Score), number(r.Initial.Score), strconv.FormatBool(head.Negated), strconv.FormatBool(tail.Negated))
		if err := w.rows.Write(row); err != nil {
			return err
		}
	}
	w.rows.Flush()
	return w.rows.Error()
}

func csvMention(m graph.Mention) []string {
	name := ""
	if concepts := m.Denoted(); len(concepts) == 1 {
		name = concepts[0].Name
	}
	return []string{m.ID, strconv.Itoa(m.Start), strconv.Itoa(m.End), m.Text, m.Type, identifiers(m), name}
}

func (w *csvWriter) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.rows.Write(csvColumns)
}

// Close implements Writer.
func (w *csvWriter) Close() error {
	if err := w.begin(); err != nil {
		return err
	}
	w.rows.Flush()
	return w.rows.Error()
}
