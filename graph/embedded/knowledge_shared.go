package embedded

import (
	"encoding/binary"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"github.com/keci-kg/keci/graph"
)

// shared is what many entries of a knowledge base would repeat, each told by its
// number: semantic types and sources of concepts, and the kinds of relations. A
// whole UMLS has some thousands of them.
type shared struct {
	strings []string
	kinds   []relationKind
}

// relationKind is all of a relation but its ends.
type relationKind struct {
	label, rel string
	sources    []string
}

func (k relationKind) between(head, tail graph.CUI) graph.Relation {
	return graph.Relation{Head: head, Label: k.label, Tail: tail, Rel: k.rel, Sources: k.sources}
}

// numbering gives numbers to encoded things, in the order in which they come.
type numbering struct {
	numbers map[string]uint32
	list    []string
}

func (n *numbering) of(thing []byte) uint32 {
	number, known := n.numbers[string(thing)]
	if !known {
		if n.numbers == nil {
			n.numbers = map[string]uint32{}
		}
		number = uint32(len(n.list))
		n.list = append(n.list, string(thing))
		n.numbers[string(thing)] = number
	}
	return number
}

// write writes the things under their numbers.
func (n *numbering) write(tag string, put func(key, value []byte) error) error {
	for number, thing := range n.list {
		if err := put(numberKey(tag, uint32(number)), []byte(thing)); err != nil {
			return err
		}
	}
	return nil
}

// readShared reads all numbered things.
func readShared(txn *badger.Txn) (s shared, err error) {
	err = eachNumbered(txn, stringTag, func(value []byte) error {
		s.strings = append(s.strings, string(value))
		return nil
	})
	if err != nil {
		return s, err
	}
	return s, eachNumbered(txn, kindTag, func(value []byte) error {
		d := decoder{rest: string(value)}
		s.kinds = append(s.kinds, relationKind{label: d.string(), rel: d.string(), sources: decodeStrings[string](&d)})
		return d.err()
	})
}

func eachNumbered(txn *badger.Txn, tag string, each func(value []byte) error) error {
	it := newKeyIterator(txn, []byte(tag))
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if err := it.Item().Value(each); err != nil {
			return fmt.Errorf("reading the entry %q: %w", it.Item().Key(), err)
		}
	}
	return nil
}

// string is the string with a number that d reads.
func (s *shared) string(d *decoder) string {
	n := d.number()
	if n < 0 || n >= len(s.strings) {
		d.failed = true
		return ""
	}
	return s.strings[n]
}

func (s *shared) kind(d *decoder) relationKind {
	n := d.number()
	if n < 0 || n >= len(s.kinds) {
		d.failed = true
		return relationKind{}
	}
	return s.kinds[n]
}

// appendKind encodes a kind by its content.
func appendKind(to []byte, r graph.Relation) []byte {
	return appendStrings(appendString(appendString(to, r.Label), r.Rel), r.Sources)
}

// appendConcept encodes a concept. Strings that concepts share are appended by share.
func appendConcept(to []byte, c graph.Concept, share func(to []byte, s string) []byte) []byte {
	to = appendString(to, c.Name)
	to = appendStrings(to, c.Synonyms)
	to = binary.AppendUvarint(to, uint64(len(c.SemanticTypes)))
	for _, tui := range c.SemanticTypes {
		to = share(to, string(tui))
	}
	to = appendString(to, c.Definition)
	to = binary.AppendUvarint(to, uint64(len(c.Sources)))
	for _, source := range c.Sources {
		to = share(to, source)
	}
	to = binary.AppendUvarint(to, uint64(len(c.Codes)))
	for _, code := range c.Codes {
		to = appendString(share(to, code.Source), code.Code)
	}
	return to
}

// decodeConcept reads what appendConcept wrote with strings as numbers.
func (s *shared) decodeConcept(cui graph.CUI, value []byte) (graph.Concept, error) {
	d := decoder{rest: string(value)}
	c := graph.Concept{CUI: cui, Name: d.string(), Synonyms: decodeStrings[string](&d)}
	c.SemanticTypes = make([]graph.TUI, d.count())
	for i := range c.SemanticTypes {
		c.SemanticTypes[i] = graph.TUI(s.string(&d))
	}
	c.Definition = d.string()
	for range d.count() {
		c.Sources = append(c.Sources, s.string(&d))
	}
	for range d.count() {
		c.Codes = append(c.Codes, graph.Code{Source: s.string(&d), Code: d.string()})
	}
	return c, d.err()
}
