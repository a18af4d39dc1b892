package embedded

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/keci-kg/keci/graph"
)

// A knowledge base is a Badger database with these entries:
//
//	c cui                → a concept
//	o head NUL tail NUL label → REL and sources of a relation, found from its head
//	i tail NUL head NUL label → the same, found from its tail
//	r cui                → what became of a concept of earlier releases
//	p into NUL cui       → nothing: the concept took the place of a retired one
//	w word NUL chunk     → the concepts with a name that holds the word
//	t                    → semantic types and their relations
//	n                    → graph.KnowledgeBaseInfo as JSON
//
// Values are sequences of strings, each after its length, and of lists, each
// after its count, so that a concept is decoded with few allocations.
const (
	conceptTag     = "c"
	outTag         = "o"
	inTag          = "i"
	retiredTag     = "r"
	predecessorTag = "p"
	wordTag        = "w"
	networkKey     = "t"
	infoKey        = "n"

	nul = "\x00" // not in a CUI, label or word
)

// KnowledgeFormat is the version of the format above; it is raised with every change.
const KnowledgeFormat = 1

var errDamagedEntry = errors.New("an entry is damaged: build the knowledge base again")

func conceptKey(cui graph.CUI) []byte { return []byte(conceptTag + string(cui)) }

func retiredKey(cui graph.CUI) []byte { return []byte(retiredTag + string(cui)) }

func predecessorKey(into, cui graph.CUI) []byte {
	return []byte(predecessorTag + string(into) + nul + string(cui))
}

func relationPrefix(tag string, end graph.CUI) []byte { return []byte(tag + string(end) + nul) }

func relationKey(tag string, end, other graph.CUI, label string) []byte {
	return []byte(tag + string(end) + nul + string(other) + nul + label)
}

// splitRelationKey takes apart what follows the prefix of a relation's key.
func splitRelationKey(rest []byte) (other graph.CUI, label string, err error) {
	before, after, found := strings.Cut(string(rest), nul)
	if !found {
		return "", "", errDamagedEntry
	}
	return graph.CUI(before), after, nil
}

func appendString[S ~string](to []byte, s S) []byte {
	to = binary.AppendUvarint(to, uint64(len(s)))
	return append(to, s...)
}

func appendStrings[S ~string](to []byte, list []S) []byte {
	to = binary.AppendUvarint(to, uint64(len(list)))
	for _, s := range list {
		to = appendString(to, s)
	}
	return to
}

// decoder reads what the append functions wrote. After damage it gives empty
// values, and failed is true.
type decoder struct {
	rest   string
	failed bool
}

func (d *decoder) number() int {
	var value uint64
	for i := 0; i < len(d.rest) && i < binary.MaxVarintLen64; i++ {
		value |= uint64(d.rest[i]&0x7f) << (7 * i)
		if d.rest[i] < 0x80 {
			d.rest = d.rest[i+1:]
			return int(value)
		}
	}
	d.failed = true
	return 0
}

func (d *decoder) string() string {
	n := d.number()
	if n < 0 || n > len(d.rest) {
		d.failed = true
		n = 0
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

// count is the length of a list, which cannot be more than the bytes left.
func (d *decoder) count() int {
	n := d.number()
	if n < 0 || n > len(d.rest) {
		d.failed = true
		return 0
	}
	return n
}

func decodeStrings[S ~string](d *decoder) []S {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]S, n)
	for i := range list {
		list[i] = S(d.string())
	}
	return list
}

func (d *decoder) err() error {
	if d.failed || d.rest != "" {
		return errDamagedEntry
	}
	return nil
}

func encodeConcept(c graph.Concept) []byte {
	var b []byte
	b = appendString(b, c.Name)
	b = appendStrings(b, c.Synonyms)
	b = appendStrings(b, c.SemanticTypes)
	b = appendString(b, c.Definition)
	b = appendStrings(b, c.Sources)
	b = binary.AppendUvarint(b, uint64(len(c.Codes)))
	for _, code := range c.Codes {
		b = appendString(b, code.Source)
		b = appendString(b, code.Code)
	}
	return b
}

func decodeConcept(cui graph.CUI, value []byte) (graph.Concept, error) {
	d := decoder{rest: string(value)}
	c := graph.Concept{
		CUI:           cui,
		Name:          d.string(),
		Synonyms:      decodeStrings[string](&d),
		SemanticTypes: decodeStrings[graph.TUI](&d),
		Definition:    d.string(),
		Sources:       decodeStrings[string](&d),
	}
	if c.SemanticTypes == nil {
		c.SemanticTypes = []graph.TUI{}
	}
	for range d.count() {
		c.Codes = append(c.Codes, graph.Code{Source: d.string(), Code: d.string()})
	}
	return c, d.err()
}

func encodeRelation(r graph.Relation) []byte {
	return appendStrings(appendString(nil, r.Rel), r.Sources)
}

// decodeRelation reads REL and sources into r.
func decodeRelation(r *graph.Relation, value []byte) error {
	d := decoder{rest: string(value)}
	r.Rel = d.string()
	r.Sources = decodeStrings[string](&d)
	return d.err()
}

func encodeRetired(r graph.Retired) []byte {
	return appendString(appendString(nil, r.Into), r.Release)
}

func decodeRetired(cui graph.CUI, value []byte) (graph.Retired, error) {
	d := decoder{rest: string(value)}
	r := graph.Retired{CUI: cui, Into: graph.CUI(d.string()), Release: d.string()}
	return r, d.err()
}

func encodeNetwork(types []graph.SemanticType, relations []graph.TypeRelation) []byte {
	b := binary.AppendUvarint(nil, uint64(len(types)))
	for _, t := range types {
		b = appendString(b, t.TUI)
		for _, field := range []string{t.Abbreviation, t.Name, t.Group, t.TreeNumber, t.Definition} {
			b = appendString(b, field)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(relations)))
	for _, r := range relations {
		b = appendString(b, r.Head)
		b = appendString(b, r.Label)
		b = appendString(b, r.Tail)
	}
	return b
}

func decodeNetwork(value []byte) (types []graph.SemanticType, relations []graph.TypeRelation, err error) {
	d := decoder{rest: string(value)}
	for range d.count() {
		types = append(types, graph.SemanticType{
			TUI:          graph.TUI(d.string()),
			Abbreviation: d.string(),
			Name:         d.string(),
			Group:        d.string(),
			TreeNumber:   d.string(),
			Definition:   d.string(),
		})
	}
	for range d.count() {
		relations = append(relations, graph.TypeRelation{
			Head: graph.TUI(d.string()), Label: d.string(), Tail: graph.TUI(d.string()),
		})
	}
	return types, relations, d.err()
}
