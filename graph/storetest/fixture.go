package storetest

import "github.com/keci-kg/keci/graph"

// Fixture is the knowledge base that a store under test must hold.
type Fixture struct {
	Info          graph.KnowledgeBaseInfo // name and digest; the counts follow from the rest
	Concepts      []graph.Concept
	SemanticTypes []graph.SemanticType
	Relations     []graph.Relation
	TypeRelations []graph.TypeRelation
	Retired       []graph.Retired // in order of CUI
}

// Small is a fixture of a handful of concepts around FK506 and its targets.
func Small() Fixture {
	return Fixture{
		Info: graph.KnowledgeBaseInfo{Name: "small", Digest: "sha256:51a11", FormatVersion: 1},
		Concepts: []graph.Concept{
			{CUI: "C0006686", Name: "Calcineurin", Synonyms: []string{"Protein phosphatase 2B"}, SemanticTypes: []graph.TUI{"T116", "T126"}},
			{CUI: "C0039246", Name: "FKBP12", Synonyms: []string{"FK506 binding protein 12", "Tacrolimus Binding Protein 1A"}, SemanticTypes: []graph.TUI{"T116"}},
			{CUI: "C0072980", Name: "Sirolimus", Synonyms: []string{"Rapamycin"}, SemanticTypes: []graph.TUI{"T121"}},
			{CUI: "C0085149", Name: "Tacrolimus", Synonyms: []string{"FK506"}, SemanticTypes: []graph.TUI{"T121"}, Definition: "A macrolide that suppresses the immune response.", Sources: []string{"TEST"}, Codes: []graph.Code{{Source: "TEST", Code: "1"}}},
			{CUI: "C0999999", Name: "Tacrolimus ointment", SemanticTypes: []graph.TUI{"T200"}},
		},
		SemanticTypes: []graph.SemanticType{
			{TUI: "T116", Abbreviation: "aapp", Name: "Amino Acid, Peptide, or Protein", Group: "CHEM", TreeNumber: "A1.4.1.2.1.7"},
			{TUI: "T121", Abbreviation: "phsu", Name: "Pharmacologic Substance", Group: "CHEM", TreeNumber: "A1.4.1.1.1"},
			{TUI: "T126", Abbreviation: "enzy", Name: "Enzyme", Group: "CHEM", TreeNumber: "A1.4.1.1.3.3"},
			{TUI: "T200", Abbreviation: "clnd", Name: "Clinical Drug", Group: "CHEM", TreeNumber: "A1.3.3"},
		},
		Relations: []graph.Relation{
			{Head: "C0085149", Label: "binds", Tail: "C0039246", Rel: "RO", Sources: []string{"TEST"}},
			{Head: "C0072980", Label: "binds", Tail: "C0039246", Rel: "RO", Sources: []string{"TEST"}},
			{Head: "C0085149", Label: "inhibits", Tail: "C0006686", Rel: "RO", Sources: []string{"TEST"}},
			{Head: "C0999999", Label: "has_ingredient", Tail: "C0085149", Rel: "RO", Sources: []string{"TEST"}},
		},
		TypeRelations: []graph.TypeRelation{
			{Head: "T121", Label: "interacts_with", Tail: "T116"},
			{Head: "T121", Label: "interacts_with", Tail: "T126"},
			{Head: "T126", Label: "isa", Tail: "T116"},
			{Head: "T200", Label: "interacts_with", Tail: "T121"},
		},
	}
}

// Newer is the release after Small: Tacrolimus was merged into a concept that is
// new, by way of another one; the ointment was deleted; FKBP12 has another name;
// Sirolimus and all types are as they were. One relation stays, one goes, and one comes.
func Newer() Fixture {
	f := Small()
	f.Info.Name, f.Info.Digest = "newer", "sha256:0e3e5"
	fkbp12, tacrolimus := f.Concepts[1], f.Concepts[3]
	fkbp12.Name, fkbp12.Synonyms = "FKBP1A", []string{"FKBP12"}
	tacrolimus.CUI = "C1000001"
	f.Concepts = []graph.Concept{f.Concepts[0], fkbp12, f.Concepts[2], tacrolimus}
	f.Relations = []graph.Relation{
		f.Relations[1],
		{Head: "C1000001", Label: "binds", Tail: "C0039246", Rel: "RO", Sources: []string{"TEST", "TEST2"}},
	}
	f.Retired = []graph.Retired{
		{CUI: "C0085149", Into: "C0085150", Release: "2025AB"},
		{CUI: "C0085150", Into: "C1000001", Release: "2025AB"},
		{CUI: "C0999999"},
	}
	return f
}
