// Package graph holds the nouns that every room of keci shares: concepts and
// semantic types of a knowledge base, documents with their mentions, candidates
// and extracted relations, and the stores that keep them. It knows nothing of
// HTTP, tensors or the files of a UMLS release.
package graph

// CUI is a concept unique identifier of a knowledge base, for example
// "C0079419". Local knowledge bases may use other prefixes of the same shape.
type CUI string

// TUI is the unique identifier of a semantic type, for example "T116".
type TUI string

// Concept is one concept of a knowledge base.
type Concept struct {
	CUI           CUI      `json:"cui"`
	Name          string   `json:"name"`                 // preferred name
	Synonyms      []string `json:"synonyms,omitempty"`   // other distinct names, in the order of the release
	SemanticTypes []TUI    `json:"semanticTypes"`        // sorted
	Definition    string   `json:"definition,omitempty"` // the first definition by source rank, empty when there is none
	Sources       []string `json:"sources,omitempty"`    // source abbreviations (SAB), sorted
	Codes         []Code   `json:"codes,omitempty"`      // identifiers in the sources, sorted
}

// Code is the identifier of a concept in one source vocabulary.
type Code struct {
	Source string `json:"source"` // SAB, for example "MSH2015"
	Code   string `json:"code"`
}

// SemanticType is a node of the UMLS Semantic Network.
type SemanticType struct {
	TUI          TUI    `json:"tui"`
	Abbreviation string `json:"abbreviation,omitempty"` // for example "aapp"
	Name         string `json:"name"`
	Group        string `json:"group,omitempty"`      // semantic group, for example "CHEM"
	TreeNumber   string `json:"treeNumber,omitempty"` // for example "A1.4.1.2.1.7"
	Definition   string `json:"definition,omitempty"`
}

// Relation is a curated relation between two concepts of a knowledge base, in
// reading direction: Head –Label→ Tail. (An MRREL row reads CUI2 –RELA→ CUI1.)
type Relation struct {
	Head    CUI      `json:"head"`
	Label   string   `json:"label"`         // RELA in lower case where the row has one, else REL
	Tail    CUI      `json:"tail"`          //
	Rel     string   `json:"rel,omitempty"` // REL: PAR, CHD, RB, RN, RO, SY, …
	Sources []string `json:"sources,omitempty"`
}

// TypeRelation is a relation of the Semantic Network between two semantic
// types (a row of SRSTRE1, or an isa row of SRSTR).
type TypeRelation struct {
	Head  TUI    `json:"head"`
	Label string `json:"label"` // for example "interacts_with"
	Tail  TUI    `json:"tail"`
}

// Retired is a concept that earlier releases of a knowledge base had.
type Retired struct {
	CUI     CUI    `json:"cui"`
	Into    CUI    `json:"into,omitempty"`    // the concept of the same meaning that took its place, if there is one
	Release string `json:"release,omitempty"` // the last one that had it, for example "2019AB", where that is known
}

// KnowledgeBaseInfo says what a knowledge base is and holds.
type KnowledgeBaseInfo struct {
	Name          string       `json:"name"`
	Digest        string       `json:"digest"` // "sha256:…" over the content, the same for the same input
	FormatVersion int          `json:"formatVersion"`
	Concepts      int          `json:"concepts"`
	Names         int          `json:"names"`
	Definitions   int          `json:"definitions"`
	Relations     int          `json:"relations"`
	SemanticTypes int          `json:"semanticTypes"`
	TypeRelations int          `json:"typeRelations"`
	Sources       []SourceInfo `json:"sources,omitempty"`
}

// SourceInfo is a source vocabulary of a knowledge base (a row of MRSAB).
type SourceInfo struct {
	Abbreviation string `json:"abbreviation"`
	Name         string `json:"name,omitempty"`
	Version      string `json:"version,omitempty"`
	Licence      string `json:"licence,omitempty"`
	Contact      string `json:"contact,omitempty"` // home page, or whom to ask about the content
	Attribution  string `json:"attribution,omitempty"`
}

// Subgraph is the background knowledge graph of a set of concepts: the concepts,
// their semantic types, the relations among the concepts and the Semantic
// Network relations among the types (Lai et al. 2021, §2.4). Every list is sorted, so that
// the same concepts give the same subgraph.
type Subgraph struct {
	Concepts      []Concept      `json:"concepts"`
	SemanticTypes []SemanticType `json:"semanticTypes"`
	Relations     []Relation     `json:"relations"`
	TypeRelations []TypeRelation `json:"typeRelations"`
}
