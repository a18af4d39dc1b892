package knowledgebase

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"testing"

	"github.com/keci-kg/keci/graph"
)

// other shares C02 and a relation with small.
func other() *Facts {
	return &Facts{
		SourceInfos: []graph.SourceInfo{{Abbreviation: "CHEBI", Name: "another"}, {Abbreviation: "PR"}},
		Types:       []graph.SemanticType{{TUI: "T116", Name: "Protein"}, {TUI: "T126", Name: "another"}},
		TypeFacts:   []graph.TypeRelation{{Head: "T109", Label: "affects", Tail: "T126"}, {Head: "T116", Label: "isa", Tail: "T126"}},
		ConceptFacts: []graph.Concept{
			{CUI: "C00", Name: "calcium", SemanticTypes: []graph.TUI{"T109"}, Sources: []string{"PR"}},
			{
				CUI: "C02", Name: "FKBP1A", Synonyms: []string{"FKBP12", "calstabin"}, SemanticTypes: []graph.TUI{"T116"},
				Definition: "An isomerase.", Sources: []string{"PR"}, Codes: []graph.Code{{Source: "PR", Code: "1"}},
			},
			{CUI: "C04", Name: "tacrolimus", SemanticTypes: []graph.TUI{"T109"}, Sources: []string{"PR"}},
		},
		RelationFacts: []graph.Relation{
			{Head: "C04", Label: "binds", Tail: "C00", Rel: "RO", Sources: []string{"PR"}},
			{Head: "C01", Label: "binds", Tail: "C02", Rel: "RO", Sources: []string{"PR"}},
			{Head: "C04", Label: "binds", Tail: "C02", Rel: "RO", Sources: []string{"PR"}},
		},
	}
}

func gather[T any](t *testing.T, seq iter.Seq2[T, error]) (list []T) {
	t.Helper()
	for item, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, item)
	}
	return list
}

func TestMerge(t *testing.T) {
	m := Merge(small(), other())
	a, b := small(), other()
	both := graph.Concept{
		CUI: "C02", Name: "FKBP12", Synonyms: []string{"FKBP1A", "calstabin"}, SemanticTypes: []graph.TUI{"T126"},
		Definition: "An isomerase.", Sources: []string{"CHEBI", "PR"}, Codes: []graph.Code{{Source: "PR", Code: "1"}},
	}
	same(t, []graph.Concept{b.ConceptFacts[0], a.ConceptFacts[0], both, a.ConceptFacts[2], b.ConceptFacts[2]}, gather(t, m.Concepts(t.Context())))
	binds := a.RelationFacts[0]
	binds.Sources = []string{"CHEBI", "PR"}
	same(t, []graph.Relation{b.RelationFacts[0], binds, b.RelationFacts[2], a.RelationFacts[1]}, gather(t, m.Relations(t.Context())))
	same(t, []graph.SemanticType{a.Types[0], b.Types[0], a.Types[1]}, gather(t, m.SemanticTypes(t.Context())))
	same(t, b.TypeFacts, gather(t, m.TypeRelations(t.Context())))
	sources, err := m.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, []graph.SourceInfo{a.SourceInfos[0], b.SourceInfos[1], a.SourceInfos[1]}, sources)

	info, err := Build(t.Context(), filepath.Join(t.TempDir(), "kb"), m, Options{})
	if err != nil || info.Concepts != 5 || info.Relations != 3 {
		t.Errorf("%+v, %v", info, err)
	}
}

// historic is a source that remembers.
type historic struct {
	*Facts
	list []graph.Retired
}

func (h historic) Retired(ctx context.Context) iter.Seq2[graph.Retired, error] {
	return each(ctx, h.list)
}

func TestRetired(t *testing.T) {
	first := historic{small(), []graph.Retired{{CUI: "C70", Into: "C01"}}}
	second := historic{other(), []graph.Retired{{CUI: "C71"}, {CUI: "C70"}}}
	source, err := WithDefaultNetwork(Merge(first, Merge(&Facts{}, second)))
	if err != nil {
		t.Fatal(err)
	}
	same(t, []graph.Retired{{CUI: "C70", Into: "C01"}, {CUI: "C71"}}, gather(t, retired(t.Context(), source)))
	out := filepath.Join(t.TempDir(), "kb")
	if _, err := Build(t.Context(), out, source, Options{}); err != nil {
		t.Fatal(err)
	}
	kb, err := Open(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	defer kb.Close()
	if c, err := kb.Knowledge.Concept(t.Context(), "C70"); err != nil || c.CUI != "C01" {
		t.Errorf("a retired concept: %+v, %v", c, err)
	}
	if _, err := kb.Knowledge.Concept(t.Context(), "C71"); !errors.Is(err, graph.ErrNotFound) || !errors.Is(err, graph.ErrRetired) {
		t.Errorf("one retired for good: %v", err)
	}
}

func TestMergeStops(t *testing.T) {
	for c := range Merge(small(), other()).Concepts(t.Context()) {
		if c.CUI != "C00" {
			t.Error(c.CUI)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for _, err := range Merge(small(), other()).Concepts(ctx) {
		if n++; !errors.Is(err, context.Canceled) || n > 1 {
			t.Error(n, err)
		}
	}
}

func TestNothingToBuild(t *testing.T) {
	parent := t.TempDir()
	if _, err := Build(t.Context(), filepath.Join(parent, "kb"), &Facts{}, Options{}); !errors.Is(err, ErrNoConcepts) {
		t.Error(err)
	}
	same(t, nil, filesIn(t, parent))
}
