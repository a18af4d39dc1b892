package graph

import (
	"math"
	"time"
)

// OffsetUnit is what the offsets of a document count.
type OffsetUnit string

// The units in which offsets can be given. All are 0-based and end-exclusive.
const (
	OffsetCodepoint OffsetUnit = "codepoint" // Unicode code points; what users get unless they ask otherwise
	OffsetByte      OffsetUnit = "byte"      // bytes of the UTF-8 text; what the linker and the model use
	OffsetUTF16     OffsetUnit = "utf16"     // UTF-16 code units, as in JavaScript and Java
)

// Document is a text with what was linked or extracted in it.
type Document struct {
	ID        string      `json:"id"`
	Title     string      `json:"title,omitempty"`
	Text      string      `json:"text"`
	Offsets   OffsetUnit  `json:"offsets,omitempty"` // unit of every Start and End below
	Model     *Provenance `json:"model,omitempty"`   // absent when only linked
	KB        *Provenance `json:"kb,omitempty"`
	Submitted *time.Time  `json:"submittedAt,omitempty"` // set when stored
	Mentions  []Mention   `json:"mentions"`
	// Relations is nil when the document was linked but not extracted; then JSON
	// leaves it out. Extracted without a relation it is empty: [] in JSON.
	Relations []Extraction `json:"relations,omitzero"`
	// ConceptRelations are those that an annotated corpus states of concepts and
	// not of particular mentions. Nothing that keci extracts has them.
	ConceptRelations []ConceptRelation `json:"conceptRelations,omitempty"`
}

// Provenance names a model or a knowledge base so that a result can be repeated.
type Provenance struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // "sha256:…"
}

// Mention is a range of the text that denotes an entity.
type Mention struct {
	ID    string `json:"id"`    // "T1", "T2", … in order of the text
	Start int    `json:"start"` // in Document.Offsets units
	End   int    `json:"end"`   // exclusive
	Text  string `json:"text"`
	// Type and Score are the entity type of the final graph and its probability.
	Type  string  `json:"type,omitempty"`
	Score float64 `json:"score,omitempty"`
	// Initial is what the text alone said, before knowledge.
	Initial  *Judgement `json:"initial,omitempty"`
	Negated  bool       `json:"negated"`
	LongForm string     `json:"longForm,omitempty"` // id of the mention that spells an abbreviation out
	Sentinel *float64   `json:"sentinel,omitempty"` // attention to "none of the concepts"; with the Weights of Concepts it sums to 1
	// Final marks the mentions of the final mapping: the best set of mentions none
	// of which overlaps another. The others are kept for readers that choose themselves.
	Final bool `json:"final,omitempty"`
	// Concepts are in the order of the linker, the likeliest first: those that the long form
	// of an abbreviation names before others. What all mentions of a name and type that were
	// extracted from a document stand for comes first in each.
	Concepts []Candidate `json:"concepts"`
}

// PartVariant is the variant of a candidate that only a part of the mention names.
const PartVariant = "part"

// Denoted are the concepts that the mention stands for: the first of its candidates, unless
// only a part of the mention names it, or, where people annotated it, all. It is not the candidate that the fusion attends to
// most: attention was learned for types and relations, and says less of what is meant
// than the linker does (doc/results.md, "Which concept a mention stands for").
func (m Mention) Denoted() []Candidate {
	switch {
	case len(m.Concepts) == 0 || m.Concepts[0].Variant == PartVariant:
		return nil
	case m.Concepts[0].Score > 0:
		return m.Concepts[:1]
	}
	return m.Concepts
}

// Judgement is a label with its probability, as one stage of the model saw it.
type Judgement struct {
	Type  string  `json:"type,omitempty"`
	Score float64 `json:"score"`
}

// Candidate is a concept that a mention may denote.
type Candidate struct {
	CUI           CUI           `json:"cui"`
	Name          string        `json:"name"` // preferred name
	SemanticTypes []TUI         `json:"semanticTypes"`
	Weight        *float64      `json:"weight,omitempty"`  // attention of the fusion (KECI eq. 6–9); absent when only linked
	Score         int           `json:"score"`             // 0…1000, MetaMap's evaluation function (package linker)
	Confidence    float64       `json:"confidence"`        // 0…1, that people would link this range to this concept; what the linker's order goes by
	Variant       string        `json:"variant,omitempty"` // how Matched was found (package linker), such as PartVariant; empty when the text is that name
	Matched       string        `json:"matched"`           // the name of the knowledge base that matched
	Centrality    float64       `json:"centrality"`
	Variation     float64       `json:"variation"`
	Coverage      float64       `json:"coverage"`
	Cohesiveness  float64       `json:"cohesiveness"`
	Path          []VariantStep `json:"path,omitempty"`     // the words of the text that are others in Matched, in order of the text
	Codes         []Code        `json:"codes,omitempty"`    // identifiers in the sources, when asked for
	Synonyms      []string      `json:"synonyms,omitempty"` // other names, when asked for
}

// VariantStep tells by which variation a part of the text stands for a part of a name.
type VariantStep struct {
	Text     string  `json:"text"`
	Name     string  `json:"name"`
	Kind     string  `json:"kind"`     // spelling, inflection, synonym, derivation, misspelling, affix, joined or learned; several with ", " between them
	Distance float64 `json:"distance"` // D of MetaMap's evaluation function: 0 spelling, 1 inflection, 2 synonym, 3 derivation; summed for several
}

// Extraction is a relation between two mentions that the model found.
type Extraction struct {
	ID       string    `json:"id"`   // "R1", "R2", …
	Head     string    `json:"head"` // Mention.ID
	Tail     string    `json:"tail"` // Mention.ID
	Label    string    `json:"label"`
	Directed bool      `json:"directed"`
	Score    float64   `json:"score"`
	Initial  Judgement `json:"initial"` // what the text alone gave for the same label
}

// ConceptRelation is a relation between two concepts that a document is
// annotated with as a whole. Head and Tail are ids as its mentions have them.
type ConceptRelation struct {
	Head       CUI               `json:"head"`
	Tail       CUI               `json:"tail"`
	Label      string            `json:"label"`
	Attributes map[string]string `json:"attributes,omitempty"` // what else is said of it, for example "novel": "No"
}

// RoundScore cuts a probability to what is meaningful, and what users want to read.
func RoundScore(p float64) float64 { return math.Round(p*1e4) / 1e4 }
