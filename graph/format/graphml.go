package format

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// graphMLWriter writes one graph: a node for each mention, whose id is that of the
// document and its own, and an edge for each relation. Every edge has a direction,
// since tools refuse graphs that mix both; whether it means one is a property. A
// document that comes again is passed over, for ids of nodes must be unique.
type graphMLWriter struct {
	out     io.Writer
	begun   bool
	written written
}

// graphMLKey is a property, with what it is set on and its type.
type graphMLKey struct{ id, on, kind string }

// documentKeys are the properties of graphs of documents.
var documentKeys = []graphMLKey{
	{"label", "node", "string"}, {"type", "node", "string"}, {"concept", "node", "string"}, {"name", "node", "string"},
	{"document", "node", "string"}, {"start", "node", "int"}, {"end", "node", "int"}, {"score", "node", "double"}, {"negated", "node", "boolean"},
	{"final", "node", "boolean"}, {"confidence", "node", "double"},
	{"relation", "edge", "string"}, {"directed", "edge", "boolean"}, {"weight", "edge", "double"},
}

func (w *graphMLWriter) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	var b strings.Builder
	graphMLBegin(&b, documentKeys)
	_, err := io.WriteString(w.out, b.String())
	return err
}

const graphMLEnd = "</graph>\n</graphml>\n"

func graphMLBegin(b *strings.Builder, keys []graphMLKey) {
	b.WriteString(xml.Header + `<graphml xmlns="http://graphml.graphdrawing.org/xmlns">` + "\n")
	for _, key := range keys {
		fmt.Fprintf(b, `<key id="%[1]s" for="%[2]s" attr.name="%[1]s" attr.type="%[3]s"/>`+"\n", key.id, key.on, key.kind)
	}
	b.WriteString(`<graph id="keci" edgedefault="directed">` + "\n")
}

// Write implements Writer.
func (w *graphMLWriter) Write(d graph.Document) error {
	if err := w.begin(); err != nil {
		return err
	}
	if again, err := w.written.again(d.ID, d); again || err != nil {
		return err
	}
	var b strings.Builder
	id := func(mention string) string { return escapeXML(d.ID + "/" + mention) }
	for _, m := range d.Mentions {
		row, final, confidence := csvMention(m), "", ""
		if m.Final {
			final = "true"
		}
		if concepts := m.Denoted(); len(concepts) == 1 {
			confidence = number(concepts[0].Confidence)
		}
		fmt.Fprintf(&b, `<node id="%s">`, id(m.ID))
		graphMLProperties(&b, "label", m.Text, "type", m.Type, "concept", row[5], "name", row[6], "document", d.ID,
			"start", row[1], "end", row[2], "score", number(m.Score), "negated", strconv.FormatBool(m.Negated),
			"final", final, "confidence", confidence)
		b.WriteString("</node>\n")
	}
	for _, r := range d.Relations {
		fmt.Fprintf(&b, `<edge id="%s" source="%s" target="%s">`, id(r.ID), id(r.Head), id(r.Tail))
		graphMLProperties(&b, "relation", r.Label, "directed", strconv.FormatBool(r.Directed), "weight", number(r.Score))
		b.WriteString("</edge>\n")
	}
	_, err := io.WriteString(w.out, b.String())
	return err
}

// graphMLProperties writes properties, of which keys and values take turns; those
// without a value are left out.
func graphMLProperties(b *strings.Builder, list ...string) {
	for i := 0; i+1 < len(list); i += 2 {
		if list[i+1] != "" {
			fmt.Fprintf(b, `<data key="%s">%s</data>`, list[i], escapeXML(list[i+1]))
		}
	}
}

func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(xmlBlanks.Replace(text))) // a Builder does not fail
	return b.String()
}

// Close implements Writer.
func (w *graphMLWriter) Close() error {
	if err := w.begin(); err != nil {
		return err
	}
	_, err := io.WriteString(w.out, graphMLEnd)
	return err
}
