// Package storetest is the one suite that every graph.Store must pass.
package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keci-kg/keci/graph"
)

// Open gives an empty store that holds the fixture's knowledge. It registers
// with t whatever has to be closed or removed afterwards.
type Open func(t *testing.T, fixture Fixture) graph.Store

// Run tests the stores that open gives against the contract of graph.Store.
func Run(t *testing.T, open Open) {
	t.Run("knowledge", func(t *testing.T) { runKnowledge(t, open(t, Small())) })
	t.Run("many names", func(t *testing.T) { testSearchPages(t, open(t, manyNames())) })
	for name, test := range map[string]func(*testing.T, graph.Store){
		"facts":               testFacts,
		"facts in pages":      testFactPages,
		"facts change":        testFactsChange,
		"evidence":            testEvidence,
		"seen concepts":       testSeenConcepts,
		"paths":               testPaths,
		"save and read":       testSaveAndRead,
		"save twice":          testSaveTwice,
		"conflict":            testConflict,
		"replace":             testReplace,
		"delete":              testDelete,
		"list":                testList,
		"concept mentions":    testConceptMentions,
		"refused ids":         testRefusedIDs,
		"cancelled":           testCancelled,
		"concurrent saves":    testConcurrentSaves,
		"read while replaced": testReadWhileReplaced,
		"replace and delete":  testReplaceAndDelete,
		"many mentions":       testManyMentions,
		"offsets are unified": testOffsets,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, Small())) })
	}
}

func runKnowledge(t *testing.T, store graph.Store) {
	ctx, fixture := t.Context(), Small()
	t.Run("info", func(t *testing.T) {
		info, err := store.Info(ctx)
		check(t, err)
		if info.Name != fixture.Info.Name || info.Digest == "" {
			t.Errorf("Info names %q with digest %q", info.Name, info.Digest)
		}
		if info.Concepts != 5 || info.Names != 10 || info.Definitions != 1 || info.Relations != 4 || info.SemanticTypes != 4 || info.TypeRelations != 4 {
			t.Errorf("Info counts wrongly: %+v", info)
		}
	})
	t.Run("concept", func(t *testing.T) {
		for _, want := range fixture.Concepts {
			got, err := store.Concept(ctx, want.CUI)
			check(t, err)
			same(t, got, want)
		}
		_, err := store.Concept(ctx, "C0000000")
		mustBe(t, err, graph.ErrNotFound)
	})
	t.Run("semantic type", func(t *testing.T) {
		for _, want := range fixture.SemanticTypes {
			got, err := store.SemanticType(ctx, want.TUI)
			check(t, err)
			same(t, got, want)
		}
		_, err := store.SemanticType(ctx, "T000")
		mustBe(t, err, graph.ErrNotFound)
	})
	t.Run("search", func(t *testing.T) { testSearch(t, store) })
	t.Run("neighbors", func(t *testing.T) {
		all, err := store.Neighbors(ctx, "C0085149", 10)
		check(t, err)
		same(t, all, []graph.Relation{fixture.Relations[0], fixture.Relations[3], fixture.Relations[2]})
		first, err := store.Neighbors(ctx, "C0085149", 1)
		check(t, err)
		same(t, first, all[:1])
		none, err := store.Neighbors(ctx, "C0000000", 10)
		check(t, err)
		same(t, none, nil)
	})
	t.Run("subgraph", func(t *testing.T) { testSubgraph(t, store) })
}

func testSearch(t *testing.T, store graph.Store) {
	for _, test := range []struct {
		query string
		limit int
		want  []graph.CUI // the best first, the others by CUI, since which of them is better is a matter of taste
	}{
		{"tacrolimus", 10, []graph.CUI{"C0085149", "C0039246", "C0999999"}}, // the whole name before names that begin so
		{"TACROLIMUS", 1, []graph.CUI{"C0085149"}},
		{"rapamycin", 10, []graph.CUI{"C0072980"}},
		{"protein binding", 10, []graph.CUI{"C0039246"}},    // the words in any order
		{"Tácrolimus bindíng", 10, []graph.CUI{"C0039246"}}, // marks do not count, composed
		{"Rapa\u0301mycin", 10, []graph.CUI{"C0072980"}},    // or not
		{"no such name", 10, nil},
	} {
		found, err := store.Search(t.Context(), test.query, test.limit)
		check(t, err)
		var got []graph.CUI
		for _, concept := range found {
			got = append(got, concept.CUI)
		}
		if len(got) > 1 {
			slices.Sort(got[1:])
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("Search(%q, %d) = %v, want %v", test.query, test.limit, got, test.want)
		}
	}
}

// manyNames is a world of more concepts with a word than any store looks at in full.
// Those whose names answer best are not those that are likeliest at first sight.
func manyNames() Fixture {
	fixture := Small()
	for i := range 2500 {
		name := fmt.Sprintf("no%d protein", i)
		if i%50 == 0 {
			name = fmt.Sprintf("protein of a kind no%d", i)
		}
		fixture.Concepts = append(fixture.Concepts, graph.Concept{CUI: graph.CUI(fmt.Sprintf("C1%06d", i)), Name: name, SemanticTypes: []graph.TUI{"T116"}})
	}
	return fixture
}

// Pages put together are one large page: what is found first does not depend on
// how much is asked for.
func testSearchPages(t *testing.T, store graph.Store) {
	search := func(limit int) (ids []graph.CUI) {
		found, err := store.Search(t.Context(), "protein", limit)
		check(t, err)
		for _, concept := range found {
			ids = append(ids, concept.CUI)
		}
		return ids
	}
	all := search(3000)
	if sorted := slices.Sorted(slices.Values(all)); len(slices.Compact(sorted)) != len(all) {
		t.Error("a concept was found twice")
	}
	for _, limit := range []int{1, 100, 501, 1001, 2001, 2400} {
		if got, want := search(limit), all[:min(limit, len(all))]; !slices.Equal(got, want) {
			t.Errorf("the first %d of %d are not what a search for %d gives (%d)", limit, len(all), limit, len(got))
		}
	}
}

func testSubgraph(t *testing.T, store graph.Store) {
	fixture := Small()
	got, err := store.Subgraph(t.Context(), []graph.CUI{"C0085149", "C0039246", "C0000000", "C0085149"})
	check(t, err)
	want := graph.Subgraph{
		Concepts:      []graph.Concept{fixture.Concepts[1], fixture.Concepts[3]},
		SemanticTypes: []graph.SemanticType{fixture.SemanticTypes[0], fixture.SemanticTypes[1]},
		Relations:     fixture.Relations[:1],
		TypeRelations: fixture.TypeRelations[:1],
	}
	same(t, got, want)
	turned, err := store.Subgraph(t.Context(), []graph.CUI{"C0039246", "C0085149"})
	check(t, err)
	same(t, turned, want)
	none, err := store.Subgraph(t.Context(), nil)
	check(t, err)
	same(t, none, graph.Subgraph{})
}

func testSaveAndRead(t *testing.T, store graph.Store) {
	doc := example("PMID:1")
	sameList(t, "what the example leaves out", unset(doc), "Document.ConceptRelations", "Document.Submitted") // never kept, and set by the store
	before := time.Now().Add(-time.Second)
	if created := save(t, store, doc, false); !created {
		t.Error("a new id was not reported as created")
	}
	got := read(t, store, doc.ID)
	if got.Submitted == nil || got.Submitted.Before(before) || got.Submitted.After(time.Now().Add(time.Second)) {
		t.Errorf("Submitted = %v, want about now", got.Submitted)
	}
	got.Submitted = nil
	same(t, got, doc)

	timed := example("PMID:2")
	at := time.Date(2024, 2, 29, 12, 30, 0, 0, time.UTC)
	timed.Submitted = &at
	save(t, store, timed, false)
	same(t, read(t, store, timed.ID), timed)

	east := example("PMID:4")
	there := at.In(time.FixedZone("", 2*60*60))
	east.Submitted = &there
	save(t, store, east, false)
	got = read(t, store, east.ID)
	if *got.Submitted != at {
		t.Errorf("Submitted = %v of %v, want it in UTC", got.Submitted, there)
	}

	_, err := store.Document(t.Context(), "PMID:3")
	mustBe(t, err, graph.ErrNotFound)
}

func testSaveTwice(t *testing.T, store graph.Store) {
	doc := example("twice")
	save(t, store, doc, false)
	first := read(t, store, doc.ID)
	doc.Relations, doc.Mentions = nil, doc.Mentions[:1]
	if created := save(t, store, doc, false); created {
		t.Error("a known id was reported as created")
	}
	same(t, read(t, store, doc.ID), first)
}

func testConflict(t *testing.T, store graph.Store) {
	doc := example("conflict")
	save(t, store, doc, false)
	first := read(t, store, doc.ID)
	for name, other := range map[string]graph.Document{
		"text":  {ID: doc.ID, Title: doc.Title, Text: "other", Offsets: graph.OffsetCodepoint},
		"title": {ID: doc.ID, Title: "other", Text: doc.Text, Offsets: graph.OffsetCodepoint},
	} {
		_, err := store.SaveDocument(t.Context(), other, false)
		mustBe(t, err, graph.ErrConflict)
		if err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("the conflict does not name the %s: %v", name, err)
		}
	}
	same(t, read(t, store, doc.ID), first)
}

func testReplace(t *testing.T, store graph.Store) {
	doc := example("replace")
	if created := save(t, store, doc, true); !created {
		t.Error("a new id was not reported as created")
	}
	other := graph.Document{ID: doc.ID, Text: "Calcineurin", Offsets: graph.OffsetCodepoint,
		Mentions: []graph.Mention{mention("T1", 0, 11, "Calcineurin", "C0006686")}}
	if created := save(t, store, other, true); created {
		t.Error("a known id was reported as created")
	}
	got := read(t, store, doc.ID)
	got.Submitted = nil
	same(t, got, other)
	sameSeen(t, store, "C0085149", 10)
	sameSeen(t, store, "C0006686", 10, "replace T1")
}

func testDelete(t *testing.T, store graph.Store) {
	save(t, store, example("a"), false)
	save(t, store, example("b"), false)
	check(t, store.DeleteDocument(t.Context(), "a"))
	_, err := store.Document(t.Context(), "a")
	mustBe(t, err, graph.ErrNotFound)
	mustBe(t, store.DeleteDocument(t.Context(), "a"), graph.ErrNotFound)
	sameSeen(t, store, "C0085149", 10, "b T2")
	if created := save(t, store, example("a"), false); !created {
		t.Error("a deleted id was not reported as created")
	}
}

func testList(t *testing.T, store graph.Store) {
	for _, id := range []string{"b", "a", "a/2", "ab", "β"} {
		save(t, store, example(id), false)
	}
	for _, test := range []struct {
		after string
		limit int
		want  []string
	}{
		{"", 10, []string{"a", "a/2", "ab", "b", "β"}},
		{"", 2, []string{"a", "a/2"}},
		{"a/2", 2, []string{"ab", "b"}},
		{"aa", 1, []string{"ab"}}, // an id that is not there
		{"β", 10, nil},
		{"", 0, nil},
	} {
		docs, err := store.Documents(t.Context(), test.after, test.limit)
		check(t, err)
		var got []string
		for _, doc := range docs {
			got = append(got, doc.ID)
			if doc.Text == "" || doc.Submitted == nil || doc.Mentions != nil || doc.Relations != nil {
				t.Errorf("listed document %q has the wrong parts", doc.ID)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("Documents(%q, %d) = %v, want %v", test.after, test.limit, got, test.want)
		}
	}
}

func testConceptMentions(t *testing.T, store graph.Store) {
	save(t, store, example("b"), false)
	save(t, store, example("a"), false)
	twice := graph.Document{ID: "c", Text: "FK506, FK506", Offsets: graph.OffsetCodepoint, Mentions: []graph.Mention{
		mention("T1", 0, 5, "FK506", "C0085149"), mention("T2", 7, 12, "FK506", "C0085149", "C0999999"),
	}}
	save(t, store, twice, false)
	sameSeen(t, store, "C0085149", 10, "a T2", "b T2", "c T1", "c T2")
	sameSeen(t, store, "C0085149", 3, "a T2", "b T2", "c T1")
	sameSeen(t, store, "C0999999", 10, "c T2")
	sameSeen(t, store, "C0000000", 10)
	sameSeen(t, store, "C008514", 10) // the beginning of an id is not the id
	seen, err := store.ConceptMentions(t.Context(), "C0999999", 1)
	check(t, err)
	same(t, seen, []graph.Seen{{DocumentID: "c", Mention: twice.Mentions[1]}})
}

func testRefusedIDs(t *testing.T, store graph.Store) {
	for _, id := range []string{"", "a\x00b", strings.Repeat("x", graph.MaxIDBytes+1)} {
		doc := example(id)
		if _, err := store.SaveDocument(t.Context(), doc, false); err == nil {
			t.Errorf("the id %.20q was accepted", id)
		}
	}
	docs, err := store.Documents(t.Context(), "", 10)
	check(t, err)
	same(t, docs, nil)
}

func testCancelled(t *testing.T, store graph.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.SaveDocument(ctx, example("late"), false)
	mustBe(t, err, context.Canceled)
	_, err = store.Document(t.Context(), "late")
	mustBe(t, err, graph.ErrNotFound)
	_, err = store.Search(ctx, "tacrolimus", 1)
	mustBe(t, err, context.Canceled)
	if err != nil && strings.Contains(err.Error(), "tacrolimus") {
		t.Errorf("the error, which may be logged, tells what was searched: %v", err)
	}
}

func testConcurrentSaves(t *testing.T, store graph.Store) {
	const savers, ids = 8, 4
	var (
		group   sync.WaitGroup
		lock    sync.Mutex
		created = map[string]int{}
	)
	for range savers {
		group.Go(func() {
			for i := range ids {
				id := fmt.Sprintf("doc-%d", i)
				isNew, err := store.SaveDocument(t.Context(), example(id), false)
				if err != nil {
					t.Errorf("saving %s: %v", id, err)
				}
				if isNew {
					lock.Lock()
					created[id]++
					lock.Unlock()
				}
			}
		})
	}
	group.Wait()
	for i := range ids {
		if id := fmt.Sprintf("doc-%d", i); created[id] != 1 {
			t.Errorf("%s was created %d times", id, created[id])
		}
	}
}

// twoVersions are two documents of one id. The release lacks their concepts, which come
// and go with them.
func twoVersions() []graph.Document {
	versions := make([]graph.Document, 2)
	for v, name := range []string{"a", "b"} {
		versions[v] = graph.Document{ID: "doc", Text: strings.Repeat(name, 40), Offsets: graph.OffsetCodepoint, Relations: []graph.Extraction{}}
		for i := range 20 {
			versions[v].Mentions = append(versions[v].Mentions,
				mention(fmt.Sprintf("%s%d", name, i), 2*i, 2*i+2, name+name, "K0000001", graph.CUI(fmt.Sprintf("K00001%02d", i))))
		}
	}
	return versions
}

// testReadWhileReplaced reads a document that others replace: it comes as one of them
// or as the other, never as a part of each.
func testReadWhileReplaced(t *testing.T, store graph.Store) {
	var saving, reading sync.WaitGroup
	versions, done := twoVersions(), make(chan struct{})
	save(t, store, versions[0], false)
	for _, doc := range versions {
		saving.Go(func() {
			for range 60 {
				if _, err := store.SaveDocument(t.Context(), doc, true); err != nil {
					t.Errorf("replacing: %v", err)
				}
			}
		})
	}
	for range 2 {
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got, err := store.Document(t.Context(), "doc")
				if err != nil {
					t.Errorf("reading: %v", err)
					return
				}
				want := versions[0]
				if got.Text != want.Text {
					want = versions[1]
				}
				if got.Submitted = nil; !gocmp.Equal(got, want, cmpopts.EquateEmpty()) {
					t.Errorf("the document of %q comes with %d mentions, the first of %q", got.Text, len(got.Mentions), firstText(got))
					return
				}
			}
		})
	}
	saving.Wait()
	close(done)
	reading.Wait()
}

func firstText(doc graph.Document) string {
	if len(doc.Mentions) == 0 {
		return ""
	}
	return doc.Mentions[0].Text
}

// testReplaceAndDelete replaces and deletes a document from two sides, and then, each
// for itself, documents that name the same concepts: nobody fails, and what was saved is
// there as a whole.
func testReplaceAndDelete(t *testing.T, store graph.Store) {
	var group sync.WaitGroup
	for _, doc := range twoVersions() {
		own := doc
		own.ID = doc.Text
		group.Go(func() {
			for range 40 {
				if _, err := store.SaveDocument(t.Context(), doc, true); err != nil {
					t.Errorf("replacing: %v", err)
				}
				if err := store.DeleteDocument(t.Context(), doc.ID); err != nil && !errors.Is(err, graph.ErrNotFound) {
					t.Errorf("deleting: %v", err)
				}
			}
			for range 40 {
				_, err := store.SaveDocument(t.Context(), own, false)
				if err != nil {
					t.Errorf("saving: %v", err)
				}
				got, err := store.Document(t.Context(), own.ID)
				if got.Submitted = nil; err != nil || !gocmp.Equal(got, own, cmpopts.EquateEmpty()) {
					t.Errorf("error %v, and what was saved comes otherwise:\n%s", err, gocmp.Diff(own, got))
				}
				if err := store.DeleteDocument(t.Context(), own.ID); err != nil {
					t.Errorf("deleting: %v", err)
				}
			}
		})
	}
	group.Wait()
}

// testManyMentions saves what a long article gives: it must go in one piece.
func testManyMentions(t *testing.T, store graph.Store) {
	const mentions = 3000
	doc := graph.Document{ID: "long", Text: strings.Repeat("FK506 ", mentions), Offsets: graph.OffsetCodepoint}
	for i := range mentions {
		unique := graph.CUI(fmt.Sprintf("K%07d", i))
		doc.Mentions = append(doc.Mentions, mention(fmt.Sprintf("T%d", i+1), 6*i, 6*i+5, "FK506", "C0085149", unique))
	}
	save(t, store, doc, false)
	if got := read(t, store, "long"); len(got.Mentions) != mentions {
		t.Errorf("%d mentions came back, want %d", len(got.Mentions), mentions)
	}
	sameSeen(t, store, "K0002999", 10, "long T3000")
	check(t, store.DeleteDocument(t.Context(), "long"))
	sameSeen(t, store, "C0085149", 10)
}

func testOffsets(t *testing.T, store graph.Store) {
	const text = "β𝛂 FK506"
	save(t, store, graph.Document{ID: "bytes", Text: text, Offsets: graph.OffsetByte,
		Mentions: []graph.Mention{mention("T1", 7, 12, "FK506", "C0085149")}}, false)
	got := read(t, store, "bytes")
	if got.Offsets != graph.OffsetCodepoint || got.Mentions[0].Start != 3 || got.Mentions[0].End != 8 {
		t.Errorf("stored as %d–%d %s, want 3–8 codepoint", got.Mentions[0].Start, got.Mentions[0].End, got.Offsets)
	}
}

// example is a document with everything that an extraction can give, and a linker
// that is asked for all; see unset.
func example(id string) graph.Document {
	sentinel, weight := 0.31, 0.69
	fkbp12 := mention("T1", 0, 6, "FKBP12", "C0039246")
	fkbp12.Type, fkbp12.Score = "protein", 0.97
	fkbp12.Initial = &graph.Judgement{Type: "protein-complex", Score: 0.71}
	fkbp12.Sentinel, fkbp12.Concepts[0].Weight = &sentinel, &weight
	fkbp12.LongForm, fkbp12.Final = "T2", true
	best := &fkbp12.Concepts[0]
	best.Variant, best.Path = "inflection, synonym", []graph.VariantStep{
		{Text: "FKBP12", Name: "it's \"FKBP\"", Kind: "inflection", Distance: 1}, {Text: "12", Name: "β", Kind: "synonym", Distance: 2.5}}
	best.Codes, best.Synonyms = []graph.Code{{Source: "TEST", Code: "a:1"}, {Source: "TEST", Code: "2"}}, []string{"FK506 binding protein 12", "FKBP"}
	return graph.Document{
		ID: id, Title: "A title", Text: "FKBP12 binds FK506", Offsets: graph.OffsetCodepoint,
		Model:    &graph.Provenance{Name: "model", Digest: "sha256:1"},
		KB:       &graph.Provenance{Name: "small", Digest: "sha256:51a11"},
		Mentions: []graph.Mention{fkbp12, mention("T2", 13, 18, "FK506", "C0085149")},
		Relations: []graph.Extraction{{ID: "R1", Head: "T1", Tail: "T2", Label: "bind", Directed: true,
			Score: 0.91, Initial: graph.Judgement{Type: "affect", Score: 0.44}}},
	}
}

// unset names the fields that are empty wherever they stand in a value: what is
// never set is never seen to be kept.
func unset(value any) []string {
	set := map[string]bool{}
	noteFields(reflect.ValueOf(value), set)
	maps.DeleteFunc(set, func(_ string, isSet bool) bool { return isSet })
	return slices.Sorted(maps.Keys(set))
}

// noteFields notes for each field of a value, and of all in it, whether it is set.
func noteFields(value reflect.Value, set map[string]bool) {
	switch value.Kind() {
	case reflect.Pointer:
		noteFields(value.Elem(), set)
	case reflect.Slice:
		for i := range value.Len() {
			noteFields(value.Index(i), set)
		}
	case reflect.Struct:
		for i := range value.NumField() {
			if field := value.Type().Field(i); field.IsExported() {
				name := value.Type().Name() + "." + field.Name
				set[name] = set[name] || !value.Field(i).IsZero()
				noteFields(value.Field(i), set)
			}
		}
	}
}

func mention(id string, start, end int, text string, cuis ...graph.CUI) graph.Mention {
	m := graph.Mention{ID: id, Start: start, End: end, Text: text, Negated: id == "T2"}
	for i, cui := range cuis {
		m.Concepts = append(m.Concepts, graph.Candidate{CUI: cui, Name: text, SemanticTypes: []graph.TUI{"T116"},
			Score: 1000 - i, Confidence: 0.75 / float64(i+1), Matched: text, Centrality: 1, Variation: 1, Coverage: 0.67, Cohesiveness: 0.5})
	}
	return m
}

func save(t *testing.T, store graph.Store, doc graph.Document, replace bool) (created bool) {
	t.Helper()
	created, err := store.SaveDocument(t.Context(), doc, replace)
	check(t, err)
	return created
}

func read(t *testing.T, store graph.Store, id string) graph.Document {
	t.Helper()
	doc, err := store.Document(t.Context(), id)
	check(t, err)
	return doc
}

// sameSeen compares where a concept was seen with "document mention" pairs.
func sameSeen(t *testing.T, store graph.Store, cui graph.CUI, limit int, want ...string) {
	t.Helper()
	seen, err := store.ConceptMentions(t.Context(), cui, limit)
	check(t, err)
	var got []string
	for _, s := range seen {
		got = append(got, s.DocumentID+" "+s.Mention.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("ConceptMentions(%s, %d) = %v, want %v", cui, limit, got, want)
	}
}

func same[T any](t *testing.T, got, want T) {
	t.Helper()
	anyOrder := cmpopts.SortSlices(func(a, b graph.TypeRelation) bool {
		return cmp.Or(cmp.Compare(a.Head, b.Head), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Tail, b.Tail)) < 0
	})
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty(), anyOrder); diff != "" {
		t.Errorf("the store differs (-want +got):\n%s", diff)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error = %v, want one that wraps %q", err, want)
	}
}
