package format

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/keci-kg/keci/graph"
)

// bioCDocument is a document of BioC, the same in JSON and in XML.
type bioCDocument struct {
	ID       bioCString    `json:"id" xml:"id"`
	Infons   bioCInfons    `json:"infons" xml:"infon"`
	Passages []bioCPassage `json:"passages" xml:"passage"`
	// Annotations are those that some programs give to the document as a whole.
	Annotations []bioCAnnotation `json:"annotations,omitempty" xml:"annotation"`
	Relations   []bioCRelation   `json:"relations" xml:"relation"`
}

// bioCPassage is a part of a document, or of another one, that has either a text
// or sentences.
type bioCPassage struct {
	Infons      bioCInfons       `json:"infons" xml:"infon"`
	Offset      int              `json:"offset" xml:"offset"`
	Text        string           `json:"text" xml:"text"`
	Sentences   []bioCPassage    `json:"sentences" xml:"sentence"`
	Annotations []bioCAnnotation `json:"annotations" xml:"annotation"`
	Relations   []bioCRelation   `json:"relations" xml:"relation"`
}

type bioCAnnotation struct {
	ID        bioCString     `json:"id" xml:"id,attr"`
	Infons    bioCInfons     `json:"infons" xml:"infon"`
	Locations []bioCLocation `json:"locations" xml:"location"`
	Text      string         `json:"text" xml:"text"`
}

type bioCLocation struct {
	Offset int `json:"offset" xml:"offset,attr"`
	Length int `json:"length" xml:"length,attr"`
}

type bioCRelation struct {
	ID     bioCString `json:"id" xml:"id,attr"`
	Infons bioCInfons `json:"infons" xml:"infon"`
	Nodes  []bioCNode `json:"nodes" xml:"node"`
}

type bioCNode struct {
	RefID bioCString `json:"refid" xml:"refid,attr"`
	Role  string     `json:"role" xml:"role,attr"`
}

// Keys of infons. Those of several names are looked for in this order.
var (
	typeInfons    = []string{"type"}
	conceptInfons = []string{"identifier", "Identifier", "MESH", "MeSH", "NCBI GENE", "CUI", "cui"}
	headInfons    = []string{"entity1", "role1"}
	tailInfons    = []string{"entity2", "role2"}
)

const (
	directedInfon   = "directed"
	negatedInfon    = "negated"
	scoreInfon      = "score"
	finalInfon      = "final"      // see graph.Mention.Final
	confidenceInfon = "confidence" // of the linker in the concept
	titleType       = "title"
)

// readBioC reads BioC, in XML or in JSON as the first character tells.
func readBioC(r io.Reader, annotated bool) iter.Seq2[Placed, error] {
	in := bufio.NewReaderSize(r, 1<<16)
	head, _ := in.Peek(512) // an error will come again
	head = bytes.TrimSpace(head)
	switch {
	case bytes.HasPrefix(head, []byte("<")):
		return readBioCXML(in, annotated)
	case len(head) == 0, head[0] == '{', head[0] == '[':
		return readBioCJSON(in, annotated)
	}
	return func(yield func(Placed, error) bool) {
		yield(Placed{}, fmt.Errorf("neither JSON nor XML of BioC: it begins with %.20q", head))
	}
}

// document converts a document that begins on a line.
func (d bioCDocument) document(annotated bool, line int) (graph.Document, error) {
	segments := d.segments()
	document := graph.Document{ID: string(d.ID)}
	if len(segments) == 0 {
		return document, documentError(document.ID, line, errors.New("the document has no passage with a text"))
	}
	document.Title = d.title()
	if !annotated {
		document.Text, _ = placeSegments(segments, graph.OffsetCodepoint)
		return document, nil
	}
	said, err := d.annotations(segments)
	if err == nil {
		place := func(unit graph.OffsetUnit) (string, []int) { return placeSegments(segments, unit) }
		document, err = said.annotate(document, place)
	}
	return document, documentError(document.ID, line, err)
}

// segments are the parts that have a text, in order of their offsets.
func (d bioCDocument) segments() (segments []bioCPassage) {
	for _, p := range d.Passages {
		if p.Text == "" {
			for _, s := range p.Sentences {
				if s.Text != "" {
					segments = append(segments, s)
				}
			}
		} else {
			segments = append(segments, p)
		}
	}
	slices.SortStableFunc(segments, func(a, b bioCPassage) int { return cmp.Compare(a.Offset, b.Offset) })
	return segments
}

// title is an infon, or the text of the first passage, if others follow and it
// says that it is the title, or nothing is said and it is the first of two.
func (d bioCDocument) title() string {
	if title := d.Infons[titleType]; title != "" || len(d.Passages) < 2 {
		return title
	}
	first := d.Passages[0]
	kind := first.Infons.get([]string{"type", "section_type"})
	if strings.EqualFold(kind, titleType) || kind == "" && len(d.Passages) == 2 {
		return first.Text
	}
	return ""
}

// maxGap is the longest gap between passages that is filled. Beyond it text was
// left out, and the passages come one after the other.
const maxGap = 1024

// maxGaps bounds what is filled in a document, lest a short file with many passages
// becomes a long text.
const maxGaps = 64 << 10

// placeSegments joins the segments with line feeds, so that each begins as far behind the
// first as it says, counted in unit. One that says a place inside the segment
// before, or far behind, begins on a line of its own, and so do all when enough was
// filled.
func placeSegments(segments []bioCPassage, unit graph.OffsetUnit) (text string, starts []int) {
	var b strings.Builder
	at, filled := 0, 0
	for _, s := range segments {
		gap := s.Offset - segments[0].Offset - at
		if gap < 0 || gap > maxGap || filled+gap > maxGaps {
			gap = 1
		}
		filled += gap
		b.WriteString(strings.Repeat("\n", gap))
		at += gap
		starts = append(starts, at)
		b.WriteString(s.Text)
		at += length(s.Text, unit)
	}
	return b.String(), starts
}

// length is the number of units in a text.
func length(text string, unit graph.OffsetUnit) int {
	switch unit {
	case graph.OffsetByte:
		return len(text)
	case graph.OffsetUTF16:
		n := 0
		for _, r := range text {
			n += utf16.RuneLen(r)
		}
		return n
	}
	return utf8.RuneCountInString(text)
}

// annotations gathers what passages and sentences are annotated with. Each
// annotation counts from the segment that it lies in by its offset.
func (d bioCDocument) annotations(segments []bioCPassage) (*annotations, error) {
	said := &annotations{}
	found, relations := slices.Clone(d.Annotations), slices.Clone(d.Relations)
	for _, p := range d.Passages {
		found, relations = append(found, p.Annotations...), append(relations, p.Relations...)
		for _, s := range p.Sentences {
			found, relations = append(found, s.Annotations...), append(relations, s.Relations...)
		}
	}
	for i, a := range found {
		m, err := a.annotation(segments)
		if err != nil {
			return nil, fmt.Errorf("annotation %d (id %q): %w", i+1, a.ID, err)
		}
		said.addMention(m)
	}
	for i, r := range relations {
		if err := r.addTo(said); err != nil {
			return nil, fmt.Errorf("relation %d (id %q): %w", i+1, r.ID, err)
		}
	}
	return said, nil
}

func (a bioCAnnotation) annotation(segments []bioCPassage) (annotation, error) {
	if len(a.Locations) == 0 {
		return annotation{}, errors.New("it has no location")
	}
	start, end := a.Locations[0].Offset, a.Locations[0].Offset
	for _, l := range a.Locations {
		start, end = min(start, l.Offset), max(end, l.Offset+l.Length)
	}
	segment := 0
	for i, s := range segments {
		if s.Offset <= start {
			segment = i
		}
	}
	m := annotation{segment: segment, joined: len(a.Locations) > 1,
		start: start - segments[segment].Offset, end: end - segments[segment].Offset}
	m.ID, m.Text, m.Type = string(a.ID), a.Text, a.Infons.get(typeInfons)
	m.Concepts = conceptsOf(a.Infons.get(conceptInfons))
	m.Negated, m.Final, m.Score = a.Infons[negatedInfon] == "true", a.Infons[finalInfon] == "true", a.Infons.number(scoreInfon)
	if len(m.Concepts) == 1 {
		m.Concepts[0].Confidence = a.Infons.number(confidenceInfon)
	}
	return m, nil
}

// addTo adds the relation: between mentions if it has nodes, between concepts if
// it names them in its infons.
func (r bioCRelation) addTo(said *annotations) error {
	label := r.Infons.get(typeInfons)
	head, tail := r.Infons.get(headInfons), r.Infons.get(tailInfons)
	switch {
	case label == "":
		return errors.New(`it has no infon "type"`)
	case head != "" && tail != "":
		said.concepts = append(said.concepts, graph.ConceptRelation{
			Head: graph.CUI(head), Tail: graph.CUI(tail), Label: label, Attributes: r.Infons.others()})
	case len(r.Nodes) == 2:
		a, b := r.Nodes[0], r.Nodes[1]
		directed := r.Infons[directedInfon] == "true" || r.Infons[directedInfon] == "" && a.Role != b.Role
		said.addRelation(graph.Extraction{ID: string(r.ID), Head: string(a.RefID), Tail: string(b.RefID), Label: label,
			Directed: directed, Score: r.Infons.number(scoreInfon)}, 0)
	default:
		return fmt.Errorf("it has %d nodes: relations of two can be read, and those that name two concepts in infons", len(r.Nodes))
	}
	return nil
}

// bioCInfons are what BioC says of something, by key.
type bioCInfons map[string]string

// get gives the first that there is.
func (i bioCInfons) get(keys []string) string {
	for _, key := range keys {
		if value := i[key]; value != "" {
			return value
		}
	}
	return ""
}

// number is 0 where there is none.
func (i bioCInfons) number(key string) float64 {
	number, _ := strconv.ParseFloat(i[key], 64)
	return number
}

// others are those of a relation that do not make it.
func (i bioCInfons) others() map[string]string {
	var others map[string]string
	for key, value := range i {
		if !slices.Contains(slices.Concat(typeInfons, headInfons, tailInfons), key) {
			if others == nil {
				others = map[string]string{}
			}
			others[key] = value
		}
	}
	return others
}
