package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/graph"
)

var (
	aspirin = graph.Concept{
		CUI: "C01", Name: "Aspirin", Synonyms: []string{"acetylsalicylic acid", "ASA"}, SemanticTypes: []graph.TUI{"T109", "T121"},
		Definition: "Ein Salicylat – häufig.", Sources: []string{"CHEBI", "MSH"}, Codes: []graph.Code{{Source: "MSH", Code: "D001241"}},
	}
	cox1 = graph.Concept{CUI: "C02", Name: "COX-1", Synonyms: []string{"prostaglandin synthase 1"}, SemanticTypes: []graph.TUI{"T126"}}
	cox2 = graph.Concept{CUI: "C03", Name: "COX-2", Synonyms: []string{"prostaglandin synthase 2"}, SemanticTypes: []graph.TUI{"T126"}}
	odd  = graph.Concept{CUI: "C04", Name: "Odd one", SemanticTypes: []graph.TUI{}}

	inhibits   = graph.Relation{Head: "C01", Label: "inhibits", Tail: "C02", Rel: "RO", Sources: []string{"CHEBI", "MSH"}}
	inhibited  = graph.Relation{Head: "C02", Label: "inhibited_by", Tail: "C01", Rel: "RO"}
	sibling    = graph.Relation{Head: "C02", Label: "SIB", Tail: "C03", Rel: "SIB"}
	dangling   = graph.Relation{Head: "C02", Label: "RO", Tail: "C99", Rel: "RO"}
	chemical   = graph.SemanticType{TUI: "T109", Abbreviation: "orch", Name: "Organic Chemical", TreeNumber: "A1.4.1.2.1", Definition: "Carbon."}
	enzyme     = graph.SemanticType{TUI: "T126", Abbreviation: "enzy", Name: "Enzyme", Group: "CHEM"}
	affects    = graph.TypeRelation{Head: "T109", Label: "affects", Tail: "T126"}
	selfAffect = graph.TypeRelation{Head: "T126", Label: "affects", Tail: "T126"}
)

// buildSmall writes the knowledge base above and returns its folder.
func buildSmall(t *testing.T) (string, graph.KnowledgeBaseInfo) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	b, err := NewKnowledgeBuilder(dir)
	if err != nil {
		t.Fatal(err)
	}
	b.AddSemanticType(enzyme)
	b.AddSemanticType(chemical)
	b.AddTypeRelation(selfAffect)
	b.AddTypeRelation(affects)
	for _, c := range []graph.Concept{aspirin, cox1, cox2, odd} {
		if err := b.AddConcept(c); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []graph.Relation{inhibits, inhibited, sibling, dangling} {
		if err := b.AddRelation(r); err != nil {
			t.Fatal(err)
		}
	}
	info, err := b.Finish(t.Context(), "small", []graph.SourceInfo{{Abbreviation: "MSH"}})
	if err != nil {
		t.Fatal(err)
	}
	return dir, info
}

func openSmall(t *testing.T) *Knowledge {
	t.Helper()
	dir, _ := buildSmall(t)
	return openKnowledge(t, dir)
}

func openKnowledge(t testing.TB, dir string) *Knowledge {
	t.Helper()
	k, err := OpenKnowledge(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func same[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}
}

func TestKnowledgeInfo(t *testing.T) {
	dir, info := buildSmall(t)
	same(t, graph.KnowledgeBaseInfo{
		Name: "small", Digest: info.Digest, FormatVersion: KnowledgeFormat, Concepts: 4, Names: 8, Definitions: 1,
		Relations: 3, SemanticTypes: 2, TypeRelations: 2, Sources: []graph.SourceInfo{{Abbreviation: "MSH"}},
	}, info)
	got, err := openKnowledge(t, dir).Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, info, got)

	_, again := buildSmall(t)
	if again.Digest != info.Digest || !strings.HasPrefix(info.Digest, "sha256:") {
		t.Errorf("digests %s and %s", info.Digest, again.Digest)
	}
}

func TestKnowledgeLookUp(t *testing.T) {
	k := openSmall(t)
	for _, want := range []graph.Concept{aspirin, cox1, odd} {
		got, err := k.Concept(t.Context(), want.CUI)
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
	}
	got, err := k.SemanticType(t.Context(), "T126")
	if err != nil {
		t.Fatal(err)
	}
	same(t, enzyme, got)

	if _, err := k.Concept(t.Context(), "C0"); !errors.Is(err, graph.ErrNotFound) {
		t.Errorf("unknown concept: %v", err)
	}
	if _, err := k.SemanticType(t.Context(), "T000"); !errors.Is(err, graph.ErrNotFound) {
		t.Errorf("unknown type: %v", err)
	}
}

func TestKnowledgeNeighbors(t *testing.T) {
	k := openSmall(t)
	for _, tc := range []struct {
		cui   graph.CUI
		limit int
		want  []graph.Relation
	}{
		{"C02", 10, []graph.Relation{sibling, inhibited, inhibits}},
		{"C02", 2, []graph.Relation{sibling, inhibited}},
		{"C02", 0, nil},
		{"C03", 10, []graph.Relation{sibling}},
		{"C04", 10, nil},
		{"C0", 10, nil}, // the beginning of other ids
	} {
		got, err := k.Neighbors(t.Context(), tc.cui, tc.limit)
		if err != nil {
			t.Fatal(err)
		}
		same(t, tc.want, got)
	}
}

func TestKnowledgeSubgraph(t *testing.T) {
	k := openSmall(t)
	got, err := k.Subgraph(t.Context(), []graph.CUI{"C02", "C77", "C01", "C02", "C04"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, graph.Subgraph{
		Concepts:      []graph.Concept{aspirin, cox1, odd},
		SemanticTypes: []graph.SemanticType{chemical, enzyme},
		Relations:     []graph.Relation{inhibits, inhibited},
		TypeRelations: []graph.TypeRelation{affects, selfAffect},
	}, got)

	got, err = k.Subgraph(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, graph.Subgraph{
		Concepts: []graph.Concept{}, SemanticTypes: []graph.SemanticType{},
		Relations: []graph.Relation{}, TypeRelations: []graph.TypeRelation{},
	}, got)
}

// A concept with many relations must give the few that are asked for, wherever
// they lie among the others.
func TestKnowledgeSubgraphOfHub(t *testing.T) {
	const spokes = 500
	for name, spoke := range map[string]func(i int) graph.CUI{
		"numbers": func(i int) graph.CUI { return graph.CUI(fmt.Sprintf("S%07d", i*i)) },
		"others":  func(i int) graph.CUI { return graph.CUI(fmt.Sprintf("SO:%d", 1000+i)) },
		"both":    func(i int) graph.CUI { return graph.CUI(fmt.Sprintf("S%07d%.*s", i, i%2, "x")) },
	} {
		t.Run(name, func(t *testing.T) {
			c := content{concepts: []graph.Concept{{CUI: "HUB"}}}
			for i := range spokes {
				c.concepts = append(c.concepts, graph.Concept{CUI: spoke(i)})
				for _, label := range []string{"along", "b"} {
					c.relations = append(c.relations, graph.Relation{Head: "HUB", Label: label, Tail: spoke(i)})
				}
			}
			c.concepts = append(c.concepts, graph.Concept{CUI: "Z"})
			k := build(t, c)
			got, err := k.Subgraph(t.Context(), []graph.CUI{"HUB", spoke(0), spoke(1), spoke(250), spoke(499), "Z"})
			if err != nil {
				t.Fatal(err)
			}
			var want []graph.Relation
			for _, label := range []string{"along", "b"} {
				for _, i := range []int{0, 1, 250, 499} {
					want = append(want, graph.Relation{Head: "HUB", Label: label, Tail: spoke(i)})
				}
			}
			same(t, want, got.Relations)
			var all []graph.Relation
			for r, err := range k.Relations(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, r)
			}
			same(t, c.relations, all)
			neighbors, err := k.Neighbors(t.Context(), spoke(250), 10)
			if err != nil {
				t.Fatal(err)
			}
			same(t, c.relations[500:502], neighbors)
		})
	}
}

func list(n int, item func(int) graph.CUI) []graph.CUI {
	items := make([]graph.CUI, n)
	for i := range items {
		items[i] = item(i)
	}
	return items
}

func TestKnowledgeSearch(t *testing.T) {
	k := openSmall(t)
	for _, tc := range []struct {
		query string
		limit int
		want  []graph.CUI
	}{
		{"aspirin", 10, []graph.CUI{"C01"}},
		{"Acetylsalicylic ac", 10, []graph.CUI{"C01"}},            // the last word may be begun
		{"acetyl acid", 10, nil},                                  // the others may not
		{"cox", 10, []graph.CUI{"C02", "C03"}},                    // ties by CUI
		{"COX 2", 10, []graph.CUI{"C03"}},                         // hyphens part words
		{"Áspirín", 10, []graph.CUI{"C01"}},                       // marks do not count
		{"synthase prostaglandin", 1, []graph.CUI{"C02"}},         // any order
		{"o", 10, []graph.CUI{"C04"}},                             // the beginning of a word
		{"2", 10, []graph.CUI{"C03"}},                             //
		{"nothing like it", 10, nil},                              //
		{" - ", 10, nil},                                          //
		{"aspirin", 0, nil},                                       //
		{strings.Repeat("x", 100_000), 10, nil},                   // longer than any key
		{"as", 10, []graph.CUI{"C01"}},                            // ASA and Aspirin: once
		{"prostaglandin synthase", 10, []graph.CUI{"C02", "C03"}}, //
	} {
		got, err := k.Search(t.Context(), tc.query, tc.limit)
		if err != nil {
			t.Fatal(err)
		}
		var cuis []graph.CUI
		for _, c := range got {
			cuis = append(cuis, c.CUI)
		}
		if !cmp.Equal(tc.want, cuis) {
			t.Errorf("%.40q: %v, want %v", tc.query, cuis, tc.want)
		}
	}
}

func TestRetired(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	b, err := NewKnowledgeBuilder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.AddConcept(aspirin); err != nil {
		t.Fatal(err)
	}
	for _, r := range []graph.Retired{
		{CUI: "C09", Into: "C99"}, {CUI: "C07", Into: aspirin.CUI, Release: "2019AB"}, {CUI: "C08"}, {CUI: aspirin.CUI},
		{CUI: "C10", Into: "C07"}, {CUI: "C11", Into: "C12"}, {CUI: "C12", Into: "C11"}, {CUI: "C07", Into: "C08"},
	} {
		if err := b.AddRetired(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.AddRetired(graph.Retired{CUI: "a\x00b"}); err == nil {
		t.Error("a NUL: no error")
	}
	if _, err := b.Finish(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	k := openKnowledge(t, dir)
	want := []graph.Retired{
		{CUI: "C07", Into: aspirin.CUI, Release: "2019AB"}, {CUI: "C08"}, {CUI: "C09"},
		{CUI: "C10", Into: aspirin.CUI}, {CUI: "C11"}, {CUI: "C12"},
	}
	var all []graph.Retired
	for r, err := range k.Retired(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	same(t, want, all)
	for _, want := range want {
		got, err := k.Successor(t.Context(), want.CUI)
		if err != nil {
			t.Fatal(err)
		}
		same(t, want, got)
		c, err := k.Concept(t.Context(), want.CUI)
		if want.Into != "" && (err != nil || c.CUI != want.Into) {
			t.Errorf("concept %s: %v, %v", want.CUI, c, err)
		}
		if want.Into == "" && !(errors.Is(err, graph.ErrNotFound) && errors.Is(err, graph.ErrRetired)) {
			t.Errorf("concept %s: %v", want.CUI, err)
		}
	}
	predecessors, err := k.Predecessors(t.Context(), aspirin.CUI)
	if err != nil {
		t.Fatal(err)
	}
	same(t, []graph.CUI{"C07", "C10"}, predecessors)
	if _, err := k.Successor(t.Context(), aspirin.CUI); !errors.Is(err, graph.ErrNotFound) {
		t.Errorf("one that is there: %v", err)
	}
}

func TestKnowledgeAtOnce(t *testing.T) {
	k := openSmall(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if sub, err := k.Subgraph(t.Context(), []graph.CUI{"C01", "C02"}); err != nil || len(sub.Relations) != 2 {
					t.Errorf("%v, %v", sub, err)
				}
			}
		})
	}
	all.Wait()
}

func TestKnowledgeIsOnlyRead(t *testing.T) {
	dir, _ := buildSmall(t)
	before := listing(t, dir)
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	first, second := openKnowledge(t, dir), openKnowledge(t, dir)
	for _, k := range []*Knowledge{first, second} {
		if _, err := k.Concept(t.Context(), "C01"); err != nil {
			t.Error(err)
		}
	}
	same(t, before, listing(t, dir))
}

func listing(t *testing.T, dir string) (files []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, fmt.Sprint(e.Name(), " ", info.Size(), " ", info.ModTime()))
	}
	return files
}

func TestKnowledgeBuilderRefuses(t *testing.T) {
	b, err := NewKnowledgeBuilder(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.AddConcept(aspirin); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]graph.Concept{
		"the same again": aspirin,
		"one before":     {CUI: "C00", Name: "x"},
		"no id":          {Name: "x"},
		"a NUL":          {CUI: "C\x00", Name: "x"},
		"too large":      {CUI: "C9", Name: strings.Repeat("x ", maxEntry)},
	} {
		if err := b.AddConcept(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewKnowledgeBuilder(b.dir); !errors.Is(err, os.ErrExist) {
		t.Errorf("a folder with files: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Finish(ctx, "x", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestOpenKnowledgeRefuses(t *testing.T) {
	if _, err := OpenKnowledge(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no folder: no error")
	}
	empty := t.TempDir()
	if _, err := OpenKnowledge(empty); err == nil || !strings.Contains(err.Error(), empty) {
		t.Errorf("empty folder: %v", err)
	}
}

func TestDecodeDamage(t *testing.T) {
	var numbers numbering
	whole := appendConcept(nil, aspirin, func(to []byte, s string) []byte { return append(to, byte(numbers.of([]byte(s)))) })
	known := shared{strings: numbers.list}
	if c, err := known.decodeConcept("C01", whole); err != nil || !cmp.Equal(c, aspirin) {
		t.Errorf("whole: %+v, %v", c, err)
	}
	for cut := range whole {
		if _, err := known.decodeConcept("C01", whole[:cut]); !errors.Is(err, errDamagedEntry) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	if _, err := known.decodeConcept("C01", append(whole, 0)); !errors.Is(err, errDamagedEntry) {
		t.Errorf("a byte too many: %v", err)
	}
	if _, err := new(shared).decodeConcept("C01", whole); !errors.Is(err, errDamagedEntry) {
		t.Errorf("strings that are not there: %v", err)
	}
	network := encodeNetwork([]graph.SemanticType{chemical}, []graph.TypeRelation{affects})
	for cut := range network {
		if _, _, err := decodeNetwork(network[:cut]); !errors.Is(err, errDamagedEntry) {
			t.Errorf("network cut at %d: %v", cut, err)
		}
	}
}

// BenchmarkSubgraph reads the background knowledge graph of 150 concepts, as a
// document has, from a knowledge base of 50,000 with ten relations each.
func BenchmarkSubgraph(b *testing.B) {
	const concepts, asked, degree = 50_000, 150, 10
	id := func(i int) graph.CUI { return graph.CUI(fmt.Sprintf("C%07d", i%concepts)) }
	dir := filepath.Join(b.TempDir(), "store")
	builder, err := NewKnowledgeBuilder(dir)
	if err != nil {
		b.Fatal(err)
	}
	for i := range concepts {
		c := aspirin
		c.CUI = id(i)
		if err := builder.AddConcept(c); err != nil {
			b.Fatal(err)
		}
	}
	for i := range concepts {
		for step := range degree {
			if err := builder.AddRelation(graph.Relation{Head: id(i), Label: "has", Tail: id(i + 300*(step+1)), Rel: "RO"}); err != nil {
				b.Fatal(err)
			}
		}
	}
	if _, err := builder.Finish(b.Context(), "bench", nil); err != nil {
		b.Fatal(err)
	}
	k := openKnowledge(b, dir)
	for n := 0; b.Loop(); n++ {
		cuis := list(asked, func(i int) graph.CUI { return id(n*7919 + i*300) })
		if sub, err := k.Subgraph(b.Context(), cuis); err != nil || len(sub.Relations) == 0 {
			b.Fatal(len(sub.Relations), err)
		}
	}
}
