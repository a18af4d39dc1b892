package knowledgebase

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/keci-kg/keci/graph"
)

// Three releases, each of which tells only of its own steps: C01 became C04, which
// became C05; C02 went without a word, and C03 for good, and came back.
func TestFollow(t *testing.T) {
	concepts := func(cuis ...graph.CUI) *Facts {
		f := &Facts{}
		for _, cui := range cuis {
			f.ConceptFacts = append(f.ConceptFacts, graph.Concept{CUI: cui, Name: "name of " + string(cui), SemanticTypes: []graph.TUI{}})
		}
		return f
	}
	parent := t.TempDir()
	kb := func(name string) string { return filepath.Join(parent, name) }
	build := func(out, older string, source Source) {
		t.Helper()
		options := Options{Name: filepath.Base(out)}
		if older != "" {
			following, err := Follow(t.Context(), source, older)
			if err != nil {
				t.Fatal(err)
			}
			defer following.Close()
			source, options.Force = following, true
		}
		if _, err := Build(t.Context(), out, source, options); err != nil {
			t.Fatal(err)
		}
	}
	build(kb("first"), "", concepts("C01", "C02", "C03"))
	build(kb("second"), kb("first"), historic{concepts("C04"), []graph.Retired{{CUI: "C01", Into: "C04", Release: "1"}, {CUI: "C03"}}})
	build(kb("second"), kb("second"), historic{concepts("C03", "C05"), []graph.Retired{{CUI: "C04", Into: "C05", Release: "2"}}}) // in its own place

	store, err := openStore(t.Context(), kb("second"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	same(t, []graph.Retired{
		{CUI: "C01", Into: "C05", Release: "1"}, {CUI: "C02", Release: "first"}, {CUI: "C04", Into: "C05", Release: "2"},
	}, gather(t, store.Retired(t.Context())))
	if c, err := store.Concept(t.Context(), "C03"); err != nil || c.CUI != "C03" {
		t.Errorf("one that came back: %+v, %v", c, err)
	}
	if _, err := store.Concept(t.Context(), "C02"); !errors.Is(err, graph.ErrRetired) {
		t.Errorf("one that went: %v", err)
	}
	if _, err := Follow(t.Context(), &Facts{}, parent); err == nil {
		t.Error("no knowledge base to follow: no error")
	}
}
