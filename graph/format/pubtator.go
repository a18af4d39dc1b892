package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// A document of PubTator is a group of lines that begin with its id:
//
//	ID|t|TITLE
//	ID|a|ABSTRACT
//	ID<tab>START<tab>END<tab>TEXT<tab>TYPE<tab>CONCEPTS
//	ID<tab>RELATION<tab>CONCEPT<tab>CONCEPT
//
// and an empty line ends it. Offsets count from the title, with one character
// between title and abstract. Some corpora leave out an empty abstract, add a
// column with the parts of a coordinated mention, which is passed over, or add
// one to relations that says whether they are novel.

// pubTatorRecord is a document in the making.
type pubTatorRecord struct {
	id              string
	line            int // where it begins
	title, abstract string
	parts           string // "t" and "a", as they came
	annotations     annotations
	size            int   // bytes so far
	err             error // the first
}

func readPubTator(r io.Reader, annotated bool) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		var record *pubTatorRecord
		deliver := func() bool {
			if record == nil {
				return true
			}
			document, err := record.document(annotated)
			line := record.line
			record = nil
			return yield(Placed{Document: document, Line: line}, err)
		}
		for line, err := range readLines(r) {
			if err != nil && !errors.Is(err, errTooLong) {
				if deliver() {
					yield(Placed{}, err)
				}
				return
			}
			if err == nil && len(bytes.TrimSpace(line.content)) == 0 {
				if !deliver() {
					return
				}
				continue
			}
			id := pubTatorID(line.content)
			if record != nil && err == nil && id != record.id && isTitle(line.content) && !deliver() {
				return
			}
			if record == nil {
				record = &pubTatorRecord{id: id, line: line.number}
			}
			record.add(line, annotated, err)
		}
		deliver()
	}
}

// pubTatorID is what a line begins with, up to a bar or a tab.
func pubTatorID(line []byte) string {
	if end := bytes.IndexAny(line, "|\t"); end >= 0 {
		return string(line[:end])
	}
	return ""
}

func isTitle(line []byte) bool {
	_, rest, found := bytes.Cut(line, []byte("|"))
	return found && bytes.HasPrefix(rest, []byte("t|"))
}

// add reads a line of the document.
func (p *pubTatorRecord) add(line textLine, annotated bool, err error) {
	if p.err != nil {
		return
	}
	if p.size += len(line.content); p.size > MaxDocumentBytes {
		err = errTooLong
	}
	if err == nil {
		err = p.parse(line, annotated)
	}
	if err != nil {
		p.err = &errAt{line.number, err}
	}
}

func (p *pubTatorRecord) parse(line textLine, annotated bool) error {
	if at := graph.FirstInvalid(line.content); at >= 0 {
		return fmt.Errorf("byte %d of the line is not UTF-8: convert the file", at+1)
	}
	content := string(line.content)
	if id := pubTatorID(line.content); id != p.id || id == "" {
		return fmt.Errorf("the line begins with %.40q, within document %q: it must begin with the id of the document, and an empty line must end one", content, p.id)
	}
	rest := content[len(p.id):]
	switch {
	case strings.HasPrefix(rest, "|t|"):
		return p.part("t", &p.title, rest[3:])
	case strings.HasPrefix(rest, "|a|"):
		return p.part("a", &p.abstract, rest[3:])
	case rest[0] == '|':
		return fmt.Errorf("the line has neither |t| nor |a| behind the id: %.40q", content)
	case !annotated:
		return nil
	}
	return p.annotation(strings.Split(rest[1:], "\t"), line.number)
}

func (p *pubTatorRecord) part(name string, to *string, text string) error {
	if strings.Contains(p.parts, name) {
		return fmt.Errorf("document %q has |%s| twice: is an empty line missing before?", p.id, name)
	}
	p.parts += name
	*to = text
	return nil
}

// annotation reads the columns behind the id.
func (p *pubTatorRecord) annotation(columns []string, line int) error {
	start, err := strconv.Atoi(columns[0])
	if err != nil {
		return p.relation(columns)
	}
	if len(columns) < 4 {
		return fmt.Errorf("a mention has at least 5 columns (id, start, end, text, type), not %d", len(columns)+1)
	}
	end, err := strconv.Atoi(columns[1])
	if err != nil {
		return fmt.Errorf("the end of a mention is %q: it must be a number", columns[1])
	}
	m := annotation{start: start, end: end, line: line}
	m.Text, m.Type = columns[2], columns[3]
	if len(columns) > 4 {
		m.Concepts = conceptsOf(columns[4])
	}
	p.annotations.addMention(m)
	return nil
}

// relation reads the columns of a relation between concepts.
func (p *pubTatorRecord) relation(columns []string) error {
	if len(columns) < 3 || columns[0] == "" || columns[1] == "" || columns[2] == "" {
		return errors.New("the line is neither a mention (id, start, end, text, type, concepts) nor a relation (id, relation, concept, concept)")
	}
	r := graph.ConceptRelation{Label: columns[0], Head: graph.CUI(columns[1]), Tail: graph.CUI(columns[2])}
	if len(columns) > 3 && columns[3] != "" {
		r.Attributes = map[string]string{novelAttribute: columns[3]}
	}
	p.annotations.concepts = append(p.annotations.concepts, r)
	return nil
}

// novelAttribute is what the fifth column of a relation says, and BioC too.
const novelAttribute = "novel"

// document gives what was read. Without an abstract, the title is the text.
func (p *pubTatorRecord) document(annotated bool) (graph.Document, error) {
	document := graph.Document{ID: p.id, Text: p.title}
	if p.abstract != "" {
		document.Title, document.Text = p.title, p.title+"\n"+p.abstract
	}
	switch {
	case p.err != nil:
	case p.parts == "":
		p.err = errors.New("the document has no |t| and no |a|")
	case annotated:
		place := func(graph.OffsetUnit) (string, []int) { return document.Text, []int{0} }
		document, p.err = p.annotations.annotate(document, place)
	}
	return document, documentError(p.id, p.line, p.err)
}
