package ontology

import (
	"strings"

	"github.com/keci-kg/keci/graph"
)

// Scope says how a synonym relates to its term.
type Scope string

// The scopes of OBO.
const (
	Exact   Scope = "EXACT"
	Related Scope = "RELATED"
	Broad   Scope = "BROAD"
	Narrow  Scope = "NARROW"
)

// term is a class of an ontology as its file gives it.
type term struct {
	id         string // "CHEBI:15365"
	name       string
	definition string
	synonyms   []synonym
	altIDs     []string
	xrefs      []xref
	replacedBy string
	obsolete   bool
	line       int
}

type synonym struct {
	text  string
	scope Scope
}

type xref struct {
	id         string // "UMLS:C0004057"
	equivalent bool   // said to be of the same meaning, where the ontology tells that apart
	at         place
}

// relation is a statement between two terms.
type relation struct {
	head, label, tail string
	at                place
}

// place is where something is said in a file; column 0 is the whole line.
type place struct{ line, column int32 }

// property is a kind of relation.
type property struct {
	id, name string
	metadata bool // says something about the ontology, not the world
}

// header says what a file is.
type header struct {
	ontology, version, title, licence string
}

// content takes what a file holds. Errors of the methods end the reading.
type content interface {
	header(header)
	property(property)
	term(*term) error
	relation(relation) error
}

// isA is the label of the relation to a more general term, as UMLS writes it.
const isA = "isa"

// prefix is what an identifier begins with, in capitals: "CL" of "CL:0000000".
func prefix(id string) string {
	before, _, found := strings.Cut(id, ":")
	if !found {
		return ""
	}
	return strings.ToUpper(before)
}

// umlsConcept is the concept that a cross-reference names, if it names one of UMLS.
func umlsConcept(id string) (cui graph.CUI, isUMLS bool) {
	before, after, _ := strings.Cut(id, ":")
	switch strings.ToUpper(before) {
	case "UMLS", "UMLS_CUI", "UMLSCUI", "UMLS CUI":
		return graph.CUI(strings.ToUpper(strings.TrimSpace(after))), true
	}
	return "", false
}

// isCUI reports whether an identifier has the shape of those of UMLS: C and seven digits.
func isCUI(cui graph.CUI) bool {
	return len(cui) == 8 && cui[0] == 'C' && strings.Trim(string(cui[1:]), "0123456789") == ""
}

// localCUI is the identifier, in a knowledge base, of a term that names no
// concept of UMLS: its own, in capitals.
func localCUI(id string) graph.CUI { return graph.CUI(strings.ToUpper(id)) }

// relationLabel makes a label of the name of a relation, as UMLS writes them.
func relationLabel(name string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '_' }), "_"))
}
