package format

import (
	"encoding/xml"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/keci-kg/keci/graph"
)

// bioCOf gives a document as BioC has it. A title that the text begins with, on a
// line of its own, is a passage; another title is an infon of the document.
func bioCOf(d graph.Document) bioCDocument {
	title, rest, separator := cutTitle(d)
	out := bioCDocument{ID: bioCString(d.ID), Infons: bioCInfons{}, Relations: bioCRelations(d)}
	if separator != '\n' {
		if d.Title != "" {
			out.Infons[titleType] = d.Title
		}
		out.Passages = []bioCPassage{newBioCPassage("", 0, d.Text, d.Mentions)}
		return out
	}
	start := utf8.RuneCountInString(title) + 1
	var in, behind []graph.Mention
	for _, m := range d.Mentions {
		if m.Start < start {
			in = append(in, m)
		} else {
			behind = append(behind, m)
		}
	}
	out.Passages = []bioCPassage{newBioCPassage(titleType, 0, title, in), newBioCPassage("abstract", start, rest, behind)}
	return out
}

// newBioCPassage has all the lists that BioC asks for, also empty ones.
func newBioCPassage(kind string, offset int, text string, mentions []graph.Mention) bioCPassage {
	infons := bioCInfons{}
	infons.set("type", kind)
	return bioCPassage{Infons: infons, Offset: offset, Text: text, Sentences: []bioCPassage{},
		Annotations: bioCAnnotations(mentions), Relations: []bioCRelation{}}
}

func bioCAnnotations(mentions []graph.Mention) []bioCAnnotation {
	annotations := make([]bioCAnnotation, len(mentions))
	for i, m := range mentions {
		infons := bioCInfons{}
		infons.set("type", m.Type)
		infons.set(conceptInfons[0], identifiers(m))
		infons.set(scoreInfon, number(m.Score))
		if concepts := m.Denoted(); len(concepts) == 1 {
			infons.set("name", concepts[0].Name)
			infons.set(confidenceInfon, number(concepts[0].Confidence))
		}
		if m.Final {
			infons[finalInfon] = "true"
		}
		if m.Negated {
			infons[negatedInfon] = "true"
		}
		annotations[i] = bioCAnnotation{ID: bioCString(m.ID), Infons: infons, Text: m.Text,
			Locations: []bioCLocation{{Offset: m.Start, Length: m.End - m.Start}}}
	}
	return annotations
}

// bioCRelations gives relations between mentions, and behind them those between
// concepts under ids that are not taken.
func bioCRelations(d graph.Document) []bioCRelation {
	relations := []bioCRelation{}
	taken := map[string]bool{}
	for _, r := range d.Relations {
		taken[r.ID] = true
		infons := bioCInfons{"type": r.Label, directedInfon: strconv.FormatBool(r.Directed)}
		infons.set(scoreInfon, number(r.Score))
		head, tail := "", ""
		if r.Directed {
			head, tail = "head", "tail"
		}
		relations = append(relations, bioCRelation{ID: bioCString(r.ID), Infons: infons,
			Nodes: []bioCNode{{bioCString(r.Head), head}, {bioCString(r.Tail), tail}}})
	}
	next := 0
	for _, r := range d.ConceptRelations {
		infons := bioCInfons{}
		maps.Copy(infons, r.Attributes)
		infons["type"], infons[headInfons[0]], infons[tailInfons[0]] = r.Label, string(r.Head), string(r.Tail)
		var id string
		id, next = freeID("R", next, taken)
		relations = append(relations, bioCRelation{ID: bioCString(id), Infons: infons, Nodes: []bioCNode{}})
	}
	return relations
}

// set sets what is not empty.
func (i bioCInfons) set(key, value string) {
	if value != "" {
		i[key] = value
	}
}

// number is empty for 0, which says that there is no score.
func number(score float64) string {
	if score == 0 {
		return ""
	}
	return strconv.FormatFloat(score, 'g', -1, 64)
}

// MarshalXML implements xml.Marshaler: an element for each key, sorted.
func (i bioCInfons) MarshalXML(encoder *xml.Encoder, start xml.StartElement) error {
	for _, key := range slices.Sorted(maps.Keys(i)) {
		start.Attr = []xml.Attr{{Name: xml.Name{Local: "key"}, Value: key}}
		if err := encoder.EncodeElement(i[key], start); err != nil {
			return err
		}
	}
	return nil
}

// bioCSource is what collections name as their source.
const bioCSource = "keci"

// bioCJSONWriter writes a collection with a document on each line.
type bioCJSONWriter struct {
	out   io.Writer
	count int
}

// Write implements Writer.
func (w *bioCJSONWriter) Write(d graph.Document) error {
	before := ",\n"
	if w.count == 0 {
		before = bioCJSONHead
	}
	content, err := encode(bioCOf(d), "")
	if err != nil {
		return err
	}
	w.count++
	_, err = io.WriteString(w.out, before+strings.TrimSuffix(string(content), "\n"))
	return err
}

const bioCJSONHead = `{"source":"` + bioCSource + `","date":"","key":"","infons":{},"documents":[` + "\n"

// Close implements Writer.
func (w *bioCJSONWriter) Close() error {
	end := "\n]}\n"
	if w.count == 0 {
		end = bioCJSONHead + "]}\n"
	}
	_, err := io.WriteString(w.out, end)
	return err
}

// bioCXMLWriter writes a collection.
type bioCXMLWriter struct {
	out   io.Writer
	begun bool
}

const bioCXMLHead = xml.Header + `<!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>` + bioCSource + `</source><date></date><key></key>
`

func (w *bioCXMLWriter) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	_, err := io.WriteString(w.out, bioCXMLHead)
	return err
}

// Write implements Writer.
func (w *bioCXMLWriter) Write(d graph.Document) error {
	if err := w.begin(); err != nil {
		return err
	}
	content, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"document"`
		bioCDocument
	}{bioCDocument: bioCOf(forXML(d))})
	if err != nil {
		return err
	}
	_, err = w.out.Write(append(content, '\n'))
	return err
}

// xmlBlanks puts blanks for the white space that XML has no way to say. Offsets stay true.
var xmlBlanks = strings.NewReplacer("\f", " ", "\v", " ")

// forXML gives the document with a text that XML can say.
func forXML(d graph.Document) graph.Document {
	d.Title, d.Text = xmlBlanks.Replace(d.Title), xmlBlanks.Replace(d.Text)
	d.Mentions = slices.Clone(d.Mentions)
	for i := range d.Mentions {
		d.Mentions[i].Text = xmlBlanks.Replace(d.Mentions[i].Text)
	}
	return d
}

// Close implements Writer.
func (w *bioCXMLWriter) Close() error {
	if err := w.begin(); err != nil {
		return err
	}
	_, err := io.WriteString(w.out, "</collection>\n")
	return err
}
