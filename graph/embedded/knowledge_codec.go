package embedded

import (
	"encoding/binary"
	"errors"

	"github.com/keci-kg/keci/graph"
)

// A knowledge base is a Badger database with these entries:
//
//	c cui              → a concept
//	i tail NUL head    → relations to tail, of which the last has that head
//	k number           → label, REL and sources that relations share
//	n                  → graph.KnowledgeBaseInfo as JSON
//	o head NUL tail    → relations from head, of which the last has that tail
//	p into NUL cui     → nothing: the concept into took the place of cui
//	r cui              → what became of a concept of earlier releases
//	s number           → a string that concepts share: a semantic type or source
//	t                  → semantic types and their relations
//	w word NUL chunk   → the concepts with a name that holds the word
//
// Values are sequences of numbers, of strings, each after its length, and of
// lists, each after its count, so that a concept is decoded with few allocations.
// Numbers are unsigned varints, in keys four bytes. Identifiers in the lists of
// relations and words are told by their distance from the one before.
//
// That takes about six bytes for a relation in each of its directions, so that a whole
// UMLS with its sixty million fits beside everything else.
const (
	conceptTag     = "c"
	inTag          = "i"
	kindTag        = "k"
	infoKey        = "n"
	outTag         = "o"
	predecessorTag = "p"
	retiredTag     = "r"
	stringTag      = "s"
	networkKey     = "t"
	wordTag        = "w"

	nul = "\x00" // not in a CUI, label or word
)

// KnowledgeFormat is the version of the format above; it is raised with every change.
const KnowledgeFormat = 2

var errDamagedEntry = errors.New("an entry is damaged: build the knowledge base again")

func conceptKey(cui graph.CUI) []byte { return []byte(conceptTag + string(cui)) }

func retiredKey(cui graph.CUI) []byte { return []byte(retiredTag + string(cui)) }

func predecessorKey(into, cui graph.CUI) []byte {
	return []byte(predecessorTag + string(into) + nul + string(cui))
}

func numberKey(tag string, number uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte(tag), number)
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

// reference is an identifier in a list: its number where it is of the usual
// shape, otherwise itself.
type reference struct {
	number uint32
	other  graph.CUI
}

func referenceTo(cui graph.CUI) reference {
	if n, usual := cui.Number(); usual {
		return reference{number: n}
	}
	return reference{other: cui}
}

func (r reference) cui() graph.CUI {
	if r.other != "" {
		return r.other
	}
	return graph.NumberedCUI(r.number)
}

// appendReference appends r to a list whose last number was last, which becomes
// that of r. The lowest bit tells numbers from others.
func appendReference(to []byte, r reference, last *uint32) []byte {
	if r.other != "" {
		to = binary.AppendUvarint(to, uint64(len(r.other))<<1|1)
		return append(to, r.other...)
	}
	step := int64(r.number) - int64(*last)
	*last = r.number
	return binary.AppendUvarint(to, uint64(step<<1^step>>63)<<1) // small for small steps in both directions
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

func (d *decoder) string() string { return d.bytes(d.number()) }

// bytes is a string of n bytes.
func (d *decoder) bytes(n int) string {
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

// reference reads an identifier of a list; see appendReference.
func (d *decoder) reference(last *uint32) reference {
	head := d.number()
	if head&1 == 1 {
		return reference{other: graph.CUI(d.bytes(head >> 1))}
	}
	folded := uint64(head) >> 1
	*last += uint32(int64(folded>>1) ^ -int64(folded&1))
	return reference{number: *last}
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
