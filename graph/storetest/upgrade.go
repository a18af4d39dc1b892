package storetest

import (
	"testing"

	"github.com/keci-kg/keci/graph"
)

// Upgrade puts a newer release in the place of the one that a store holds, and
// gives the store with all that was saved in it.
type Upgrade func(t *testing.T, store graph.Store, newer Fixture) graph.Store

// RunUpgrade tests that a store keeps what was extracted when a newer release
// takes the place of the one it was extracted with, that retired concepts lead to
// their successors, and that the result does not tell from a store that held the
// newer release from the beginning.
func RunUpgrade(t *testing.T, open Open, upgrade Upgrade) {
	store := open(t, Small())
	save(t, store, example("a"), false)
	ointment := graph.Document{ID: "b", Text: "FK506, FK506", Offsets: graph.OffsetCodepoint, Mentions: []graph.Mention{
		mention("T1", 0, 5, "FK506", "C0999999", "C0085149"), mention("T2", 7, 12, "FK506", "C0085149"),
	}, Relations: []graph.Extraction{says(1, "bind", 2, false, 0.5)}}
	ointment.Relations[0].ID = "R1"
	save(t, store, ointment, false)

	store = upgrade(t, store, Newer())
	t.Run("contents", func(t *testing.T) { testUpgraded(t, store) })
	t.Run("again", func(t *testing.T) { testUpgraded(t, upgrade(t, store, Newer())) })
	t.Run("from nothing", func(t *testing.T) {
		fresh := open(t, Newer())
		save(t, fresh, example("a"), false)
		save(t, fresh, ointment, false)
		testUpgraded(t, fresh)
	})
}

func testUpgraded(t *testing.T, store graph.Store) {
	fixture := Newer()
	t.Run("info", func(t *testing.T) {
		info, err := store.Info(t.Context())
		check(t, err)
		if info.Name != "newer" || info.Concepts != 4 || info.Names != 8 || info.Relations != 2 {
			t.Errorf("Info says %+v", info)
		}
	})
	t.Run("concepts", func(t *testing.T) {
		for _, want := range fixture.Concepts {
			got, err := store.Concept(t.Context(), want.CUI)
			check(t, err)
			same(t, got, want)
		}
	})
	t.Run("successor", func(t *testing.T) { testSuccessor(t, store) })
	t.Run("search", func(t *testing.T) {
		for query, want := range map[string]int{"ointment": 0, "FKBP1A": 1, "tacrolimus binding protein": 0, "FK506": 1} {
			found, err := store.Search(t.Context(), query, 10)
			check(t, err)
			if len(found) != want {
				t.Errorf("%q finds %v", query, found)
			}
		}
	})
	t.Run("mentions follow", func(t *testing.T) {
		for _, cui := range []graph.CUI{"C1000001", "C0085149", "C0085150"} {
			sameSeen(t, store, cui, 10, "a T2", "b T1", "b T2")
			sameSeen(t, store, cui, 2, "a T2", "b T1")
		}
		sameSeen(t, store, "C0039246", 10, "a T1")
		sameSeen(t, store, "C0999999", 10, "b T1") // for good, and was still seen
	})
	t.Run("relations follow", func(t *testing.T) {
		for _, cui := range []graph.CUI{"C1000001", "C0085149", "C0085150"} {
			testRelationsOf(t, store, cui)
		}
		sameList(t, "of two ids of one concept", facts(t, store, graph.FactQuery{Concepts: []graph.CUI{"C0085149", "C1000001"}, Other: "C0085150"}))
		sameList(t, "from a concept to itself", paths(t, store, graph.PathQuery{From: "C0085149", To: "C1000001", MaxSteps: 3, Limit: 10}))
		_, err := graph.FactWith(t.Context(), store, graph.FactKey{Head: "C0085149", Label: "inhibit", Tail: "C0039246"})
		mustBe(t, err, graph.ErrNotFound)
	})
	t.Run("documents stay", func(t *testing.T) {
		got := read(t, store, "a")
		got.Submitted = nil
		same(t, got, example("a"))
	})
	t.Run("delete", func(t *testing.T) {
		doc := read(t, store, "a")
		check(t, store.DeleteDocument(t.Context(), "a"))
		sameSeen(t, store, "C1000001", 10, "b T1", "b T2")
		save(t, store, doc, false)
		sameSeen(t, store, "C1000001", 10, "a T2", "b T1", "b T2")
	})
}

// testRelationsOf asks for what is told of Tacrolimus by one of the ids it had. The
// lesser end of a fact without a direction is another one than before.
func testRelationsOf(t *testing.T, store graph.Store, cui graph.CUI) {
	t.Helper()
	const (
		bindsFKBP     = "C0039246:bind:C1000001:directed"
		bindsOintment = "C0999999:bind:C1000001"
	)
	by := " by " + string(cui)
	sameList(t, "relations"+by, facts(t, store, graph.FactQuery{Concepts: []graph.CUI{cui}}), bindsFKBP+" 1/1 0.910 0.910", bindsOintment+" 1/1 0.500 0.500")
	sameList(t, "counted"+by, facts(t, store, graph.FactQuery{Concepts: []graph.CUI{cui}, Filter: graph.Filter{MinScore: 0.6}}), bindsFKBP+" 1/1 0.910 0.910")
	sameList(t, "at the other end"+by, facts(t, store, graph.FactQuery{Concepts: []graph.CUI{"C0999999"}, Other: cui}), bindsOintment+" 1/1 0.500 0.500")
	for _, test := range []struct {
		key        graph.FactKey
		want, line string
	}{
		{graph.FactKey{Head: "C0039246", Label: "bind", Tail: cui, Directed: true}, bindsFKBP, "a R1 T1-T2 0.9"},
		{graph.FactKey{Head: min(cui, "C0999999"), Label: "bind", Tail: max(cui, "C0999999")}, bindsOintment, "b R1 T1-T2 0.5"},
	} {
		fact, err := graph.FactWith(t.Context(), store, test.key)
		if err != nil || fact.ID != test.want {
			t.Errorf("%s is %s, %v, want %s", test.key, fact.ID, err, test.want)
		}
		sameList(t, "evidence of "+test.key.String(), evidence(t, store, graph.EvidenceQuery{Key: test.key, Limit: 10}), test.line)
	}
	sameList(t, "paths from it"+by, paths(t, store, graph.PathQuery{From: cui, To: "C0039246", MaxSteps: 3, Limit: 10}), "0.910 Tacrolimus "+bindsFKBP+" FKBP1A")
	sameList(t, "paths to it"+by, paths(t, store, graph.PathQuery{From: "C0039246", To: cui, MaxSteps: 3, Limit: 10}), "0.910 FKBP1A "+bindsFKBP+" Tacrolimus")
}

// testSuccessor asks for a concept that was merged into another, and for one that
// was deleted.
func testSuccessor(t *testing.T, store graph.Store) {
	fixture := Newer()
	for _, cui := range []graph.CUI{"C0085149", "C0085150"} {
		got, err := store.Concept(t.Context(), cui)
		check(t, err)
		same(t, got, fixture.Concepts[3])
		neighbors, err := store.Neighbors(t.Context(), cui, 10)
		check(t, err)
		same(t, neighbors, fixture.Relations[1:])
	}
	_, err := store.Concept(t.Context(), "C0999999")
	mustBe(t, err, graph.ErrNotFound)
	mustBe(t, err, graph.ErrRetired)
	neighbors, err := store.Neighbors(t.Context(), "C0999999", 10)
	check(t, err)
	same(t, neighbors, nil)

	sub, err := store.Subgraph(t.Context(), []graph.CUI{"C0085149", "C1000001", "C0999999", "C0039246"})
	check(t, err)
	same(t, sub, graph.Subgraph{
		Concepts:      []graph.Concept{fixture.Concepts[1], fixture.Concepts[3]},
		SemanticTypes: fixture.SemanticTypes[:2],
		Relations:     fixture.Relations[1:],
		TypeRelations: fixture.TypeRelations[:1],
	})
}
