package format

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// bratRecord is what an .ann file says of a text.
//
//	T1<tab>TYPE START END[;START END…]<tab>TEXT   a mention
//	R1<tab>LABEL Arg1:T1 Arg2:T2                  a relation
//	*<tab>LABEL T1 T2 …                           mentions that are the same
//	E1<tab>TYPE:T1 ROLE:T2 …                      an event
//	A1<tab>NAME T1 [VALUE]                        an attribute (M1 in old files)
//	N1<tab>Reference T1 VOCABULARY:ID<tab>NAME    a concept
//	#1<tab>…                                      a note
//
// An event is read as relations from its trigger to each of its arguments, under
// the name of the role; where an argument is an event, its trigger stands for it.
// Mentions that are the same are relations without a direction from the first to
// each other one. Of the attributes, Negation and Negated are read, of the notes
// that a relation is undirected; the others are passed over.
type bratRecord struct {
	annotations
	mentionAt map[string]int    // in annotations.mentions, by id
	triggers  map[string]string // mention of each event
}

// bratVocabulary stands for the vocabulary of concepts whose id names none.
const bratVocabulary = "KB"

// readAnn gives the document of a text and its annotations. Offsets of brat count
// code points.
func readAnn(document graph.Document, ann io.Reader) (graph.Document, error) {
	b := bratRecord{mentionAt: map[string]int{}, triggers: map[string]string{}}
	var lines []textLine
	for line, err := range readLines(ann) {
		if err != nil {
			return document, &errAt{line.number, err}
		}
		if at := graph.FirstInvalid(line.content); at >= 0 {
			return document, &errAt{line.number, fmt.Errorf("byte %d of the line is not UTF-8: convert the file", at+1)}
		}
		line.content = []byte(string(line.content))
		lines = append(lines, line)
	}
	// a line may name what only a later one says
	for _, pass := range []func(textLine) error{b.readMention, b.readEvent, b.readOther, b.readNote} {
		for _, line := range lines {
			if err := pass(line); err != nil {
				return document, &errAt{line.number, err}
			}
		}
	}
	place := func(graph.OffsetUnit) (string, []int) { return document.Text, []int{0} }
	return b.annotate(document, place)
}

// readMention reads lines that begin with T.
func (b *bratRecord) readMention(line textLine) error {
	if !strings.HasPrefix(string(line.content), "T") {
		return nil
	}
	columns := strings.SplitN(string(line.content), "\t", 3)
	if len(columns) < 2 {
		return errors.New("a mention has the columns id, type with offsets, and text")
	}
	label, offsets, _ := strings.Cut(columns[1], " ")
	if label == "" {
		return fmt.Errorf("mention %s has no type", columns[0])
	}
	m := annotation{line: line.number}
	m.ID, m.Type = columns[0], label
	for i, fragment := range strings.Split(offsets, ";") {
		from, to, _ := strings.Cut(strings.TrimSpace(fragment), " ")
		start, err := strconv.Atoi(from)
		end, err2 := strconv.Atoi(to)
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("the offsets of %s are %q: they must be two numbers, or several pairs with semicolons between", m.ID, offsets)
		}
		if i == 0 {
			m.start, m.end = start, end
		}
		m.start, m.end, m.joined = min(m.start, start), max(m.end, end), i > 0
	}
	if len(columns) > 2 {
		m.Text = columns[2]
	}
	if _, taken := b.mentionAt[m.ID]; taken {
		return fmt.Errorf("the id %s is taken by a line before", m.ID)
	}
	b.mentionAt[m.ID] = len(b.mentions)
	b.addMention(m)
	return nil
}

// readEvent notes the trigger of an event.
func (b *bratRecord) readEvent(line textLine) error {
	if !strings.HasPrefix(string(line.content), "E") {
		return nil
	}
	id, rest, _ := strings.Cut(string(line.content), "\t")
	trigger, _, _ := strings.Cut(rest, " ")
	_, mention, found := strings.Cut(trigger, ":")
	if !found {
		return fmt.Errorf("event %s names no trigger (TYPE:T1)", id)
	}
	b.triggers[id] = mention
	return nil
}

// readOther reads the lines that speak of mentions and events.
func (b *bratRecord) readOther(line textLine) error {
	if len(line.content) == 0 {
		return nil
	}
	id, rest, _ := strings.Cut(string(line.content), "\t")
	rest, _, _ = strings.Cut(rest, "\t")
	fields := strings.Fields(rest)
	kind := line.content[0]
	switch kind {
	case 'T', '#':
		return nil
	case 'R', '*', 'E', 'A', 'M', 'N':
		if len(fields) < 2 && kind != 'E' || len(fields) == 0 {
			return fmt.Errorf("%s names too little: %q", id, rest)
		}
	default:
		return fmt.Errorf("no annotation of brat begins like %.40q", line.content)
	}
	switch kind {
	case 'R':
		return b.addArguments(id, fields, line.number)
	case '*':
		for _, other := range fields[2:] {
			b.addRelation(graph.Extraction{Label: fields[0], Head: b.mentionOf(fields[1]), Tail: b.mentionOf(other)}, line.number)
		}
	case 'E':
		for _, argument := range fields[1:] {
			role, other, _ := strings.Cut(argument, ":")
			if role == "" {
				return fmt.Errorf("the argument %q of event %s has no role", argument, id)
			}
			b.addRelation(graph.Extraction{Label: role, Head: b.triggers[id], Tail: b.mentionOf(other), Directed: true}, line.number)
		}
	case 'A', 'M':
		m, err := b.mention(id, fields[1])
		if err == nil && (fields[0] == "Negation" || fields[0] == "Negated") {
			m.Negated = true
		}
		return err
	case 'N':
		return b.addConcept(id, fields)
	}
	return nil
}

// readNote looks for relations that are said to have no direction.
func (b *bratRecord) readNote(line textLine) error {
	columns := strings.Split(string(line.content), "\t")
	if columns[0] == "" || columns[0][0] != '#' || len(columns) != 3 || columns[2] != undirectedNote {
		return nil
	}
	_, id, _ := strings.Cut(columns[1], " ")
	for i := range b.relations {
		if b.relations[i].ID == id {
			b.relations[i].Directed = false
		}
	}
	return nil
}

// addArguments adds a relation of two named arguments.
func (b *bratRecord) addArguments(id string, fields []string, line int) error {
	if len(fields) != 3 {
		return fmt.Errorf("relation %s has %d arguments: it must have two", id, len(fields)-1)
	}
	_, head, headOK := strings.Cut(fields[1], ":")
	_, tail, tailOK := strings.Cut(fields[2], ":")
	if !headOK || !tailOK {
		return fmt.Errorf("the arguments of relation %s are %q and %q: they must be like Arg1:T1", id, fields[1], fields[2])
	}
	b.addRelation(graph.Extraction{ID: id, Label: fields[0], Head: b.mentionOf(head), Tail: b.mentionOf(tail), Directed: true}, line)
	return nil
}

// addConcept adds what a mention refers to.
func (b *bratRecord) addConcept(id string, fields []string) error {
	m, err := b.mention(id, fields[1])
	if err != nil || len(fields) < 3 {
		return errors.Join(err, fmt.Errorf("%s names no concept", id))
	}
	concept := strings.TrimPrefix(fields[2], bratVocabulary+":")
	m.Concepts = append(m.Concepts, graph.Candidate{CUI: graph.CUI(concept), SemanticTypes: []graph.TUI{}})
	return nil
}

// mentionOf is the id of a mention, or of the trigger of an event.
func (b *bratRecord) mentionOf(id string) string {
	if trigger, ok := b.triggers[id]; ok {
		return trigger
	}
	return id
}

// mention finds the mention that an annotation speaks of. That of a relation is
// not one; attributes of those are passed over, into the void.
func (b *bratRecord) mention(from, id string) (*graph.Mention, error) {
	if strings.HasPrefix(id, "R") {
		return &graph.Mention{}, nil
	}
	at, ok := b.mentionAt[b.mentionOf(id)]
	if !ok {
		return nil, fmt.Errorf("%s speaks of %q, which there is not", from, id)
	}
	return &b.mentions[at].Mention, nil
}
