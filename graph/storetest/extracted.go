package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keci-kg/keci/graph"
)

// The concepts of the little world that the tests of graph.Extracted look into.
const (
	calcineurin = "C0006686"
	fkbp12      = "C0039246"
	sirolimus   = "C0072980"
	tacrolimus  = "C0085149"
	unlisted    = "C7777777" // no concept of the knowledge base
)

// tellMuch saves documents that tell facts of every kind.
func tellMuch(t *testing.T, store graph.Store) {
	t.Helper()
	day := func(n int) time.Time { return time.Date(2025, 1, n, 12, 0, 0, 0, time.UTC) }
	save(t, store, tell("PMID:1", day(1), []graph.CUI{tacrolimus, fkbp12, tacrolimus, calcineurin},
		says(1, "bind", 2, false, 0.5), says(2, "bind", 3, false, 0.8), // the same fact twice
		says(1, "inhibit", 4, true, 0.6), says(1, "bind", 3, false, 0.2)), false) // the last joins a concept with itself
	save(t, store, tell("PMID:2", day(2), []graph.CUI{tacrolimus, fkbp12, calcineurin, sirolimus, unlisted},
		says(1, "bind", 2, false, 0.9), says(3, "inhibit", 1, true, 0.3), // the other way round: another fact
		says(4, "bind", 2, false, 0.7), says(5, "bind", 4, false, 0.4)), false)
	save(t, store, tell("note", day(3), []graph.CUI{sirolimus, fkbp12, "", tacrolimus, ofPart + calcineurin},
		says(1, "bind", 2, false, 0.7), says(3, "bind", 4, false, 0.9), says(5, "bind", 4, false, 0.9)), false) // the last two join no concept
}

// ofPart marks, for tell, a concept that only a part of the mention names.
const ofPart = "part of "

// tell is a document of mentions, each of a best concept and of another one that
// must not count, and of relations among them.
func tell(id string, submitted time.Time, cuis []graph.CUI, relations ...graph.Extraction) graph.Document {
	doc := graph.Document{ID: id, Title: "Title of " + id, Offsets: graph.OffsetCodepoint, Submitted: &submitted}
	for i, cui := range cuis {
		doc.Text += "x "
		m := graph.Mention{ID: fmt.Sprintf("T%d", i+1), Start: 2 * i, End: 2*i + 1, Text: "x", Type: "chemical", Score: 0.9, Concepts: []graph.Candidate{}}
		if cui == fkbp12 || cui == calcineurin {
			m.Type, m.Score = "protein", 0.5
		}
		if cui != "" {
			m.Concepts = []graph.Candidate{{CUI: cui, Name: "name of " + string(cui), SemanticTypes: []graph.TUI{}}, {CUI: "C0999999", SemanticTypes: []graph.TUI{}}}
		}
		if whole, found := strings.CutPrefix(string(cui), ofPart); found {
			m.Concepts[0].CUI, m.Concepts[0].Variant = graph.CUI(whole), graph.PartVariant
		}
		doc.Mentions = append(doc.Mentions, m)
	}
	for i, relation := range relations {
		relation.ID = fmt.Sprintf("R%d", i+1)
		doc.Relations = append(doc.Relations, relation)
	}
	return doc
}

func says(head int, label string, tail int, directed bool, score float64) graph.Extraction {
	return graph.Extraction{Head: fmt.Sprintf("T%d", head), Tail: fmt.Sprintf("T%d", tail), Label: label, Directed: directed, Score: score}
}

// told writes a fact down: what it says, in how many documents and relations, the
// highest score and the probability that one of them holds.
func told(f graph.Fact) string {
	return fmt.Sprintf("%s %d/%d %.3f %.3f", f.ID, f.Documents, f.Mentions, f.MaxScore, f.NoisyOr)
}

func facts(t *testing.T, store graph.Store, query graph.FactQuery) (list []string) {
	t.Helper()
	if query.Limit == 0 {
		query.Limit = 100
	}
	found, err := store.Facts(t.Context(), query)
	check(t, err)
	for _, fact := range found {
		list = append(list, told(fact))
	}
	return list
}

func sameList(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// All that is told, in order of the keys.
const (
	calcineurinInhibits = "C0006686:inhibit:C0085149:directed 1/1 0.300 0.300"
	fkbp12Sirolimus     = "C0039246:bind:C0072980 2/2 0.700 0.910"
	fkbp12Tacrolimus    = "C0039246:bind:C0085149 2/3 0.900 0.980"
	sirolimusUnlisted   = "C0072980:bind:C7777777 1/1 0.400 0.400"
	tacrolimusInhibits  = "C0085149:inhibit:C0006686:directed 1/1 0.600 0.600"
	tacrolimusItself    = "C0085149:bind:C0085149 1/1 0.200 0.200"
)

func testFacts(t *testing.T, store graph.Store) {
	sameList(t, "of nothing", facts(t, store, graph.FactQuery{}))
	tellMuch(t, store)
	day := func(n int) time.Time { return time.Date(2025, 1, n, 0, 0, 0, 0, time.UTC) }
	west := func(n int) time.Time { return day(n).In(time.FixedZone("", -5*60*60)) } // as of a text with an offset
	for name, test := range map[string]struct {
		query graph.FactQuery
		want  []string
	}{
		"all":                    {graph.FactQuery{}, []string{calcineurinInhibits, fkbp12Sirolimus, fkbp12Tacrolimus, sirolimusUnlisted, tacrolimusInhibits, tacrolimusItself}},
		"the best first":         {graph.FactQuery{Order: graph.ByScore}, []string{fkbp12Tacrolimus, fkbp12Sirolimus, tacrolimusInhibits, sirolimusUnlisted, calcineurinInhibits, tacrolimusItself}},
		"the most told first":    {graph.FactQuery{Order: graph.ByDocuments}, []string{fkbp12Sirolimus, fkbp12Tacrolimus, calcineurinInhibits, sirolimusUnlisted, tacrolimusInhibits, tacrolimusItself}},
		"of a concept":           {graph.FactQuery{Concepts: []graph.CUI{sirolimus}}, []string{fkbp12Sirolimus, sirolimusUnlisted}},
		"of concepts":            {graph.FactQuery{Concepts: []graph.CUI{unlisted, calcineurin, "C0000000"}}, []string{calcineurinInhibits, sirolimusUnlisted, tacrolimusInhibits}},
		"of its own":             {graph.FactQuery{Concepts: []graph.CUI{tacrolimus}, Other: tacrolimus}, []string{tacrolimusItself}},
		"of a pair":              {graph.FactQuery{Concepts: []graph.CUI{tacrolimus}, Other: calcineurin}, []string{calcineurinInhibits, tacrolimusInhibits}},
		"of the beginning":       {graph.FactQuery{Concepts: []graph.CUI{"C008514"}}, nil},
		"with a label":           {graph.FactQuery{Label: "inhibit"}, []string{calcineurinInhibits, tacrolimusInhibits}},
		"of a concept, a label":  {graph.FactQuery{Concepts: []graph.CUI{tacrolimus}, Label: "inhibit", Order: graph.ByScore}, []string{tacrolimusInhibits, calcineurinInhibits}},
		"limited":                {graph.FactQuery{Limit: 2}, []string{calcineurinInhibits, fkbp12Sirolimus}},
		"of an entity type":      {graph.FactQuery{Filter: graph.Filter{Type: "protein"}, Label: "bind"}, []string{fkbp12Sirolimus, fkbp12Tacrolimus}},
		"of a semantic type":     {graph.FactQuery{Filter: graph.Filter{SemanticType: "T126"}}, []string{calcineurinInhibits, tacrolimusInhibits}},
		"with a score":           {graph.FactQuery{Filter: graph.Filter{MinScore: 0.6}}, []string{fkbp12Sirolimus, "C0039246:bind:C0085149 2/2 0.900 0.980", tacrolimusInhibits}},
		"in a document":          {graph.FactQuery{Filter: graph.Filter{Document: "note"}}, []string{"C0039246:bind:C0072980 1/1 0.700 0.700"}},
		"in a source":            {graph.FactQuery{Filter: graph.Filter{Source: "PMID"}, Concepts: []graph.CUI{sirolimus}}, []string{"C0039246:bind:C0072980 1/1 0.700 0.700", sirolimusUnlisted}},
		"in a part of a source":  {graph.FactQuery{Filter: graph.Filter{Source: "PM"}}, nil},
		"from a day":             {graph.FactQuery{Filter: graph.Filter{From: day(2)}, Label: "bind"}, []string{fkbp12Sirolimus, "C0039246:bind:C0085149 1/1 0.900 0.900", sirolimusUnlisted}},
		"before a day":           {graph.FactQuery{Filter: graph.Filter{To: day(2)}, Order: graph.ByScore}, []string{"C0039246:bind:C0085149 1/2 0.800 0.800", tacrolimusInhibits, tacrolimusItself}},
		"from a day, far off":    {graph.FactQuery{Filter: graph.Filter{From: west(2)}, Label: "bind"}, []string{fkbp12Sirolimus, "C0039246:bind:C0085149 1/1 0.900 0.900", sirolimusUnlisted}},
		"before a day, far off":  {graph.FactQuery{Filter: graph.Filter{To: west(2)}, Order: graph.ByScore}, []string{"C0039246:bind:C0085149 1/2 0.800 0.800", tacrolimusInhibits, tacrolimusItself}},
		"of a moment and a type": {graph.FactQuery{Filter: graph.Filter{From: day(3), To: day(4), Type: "chemical", SemanticType: "T121", MinScore: 0.1}}, []string{"C0039246:bind:C0072980 1/1 0.700 0.700"}},
	} {
		sameList(t, name, facts(t, store, test.query), test.want...)
	}
	found, err := store.Facts(t.Context(), graph.FactQuery{Concepts: []graph.CUI{unlisted}, Limit: 1})
	check(t, err)
	same(t, found, []graph.Fact{{ID: "C0072980:bind:C7777777", Label: "bind", Documents: 1, Mentions: 1, MaxScore: 0.4, NoisyOr: 0.4,
		Head: graph.ConceptName{CUI: sirolimus, Name: "Sirolimus", SemanticTypes: []graph.TUI{"T121"}},
		Tail: graph.ConceptName{CUI: unlisted, Name: "name of C7777777", SemanticTypes: []graph.TUI{}}}})
}

// Pages put together are the whole list.
func testFactPages(t *testing.T, store graph.Store) {
	tellMuch(t, store)
	for _, query := range []graph.FactQuery{
		{}, {Order: graph.ByScore}, {Order: graph.ByDocuments}, {Concepts: []graph.CUI{tacrolimus}},
		{Concepts: []graph.CUI{tacrolimus}, Order: graph.ByScore}, {Filter: graph.Filter{MinScore: 0.25}, Order: graph.ByDocuments},
	} {
		want := facts(t, store, query)
		var got []string
		query.Limit = 1
		for len(got) <= len(want) {
			found, err := store.Facts(t.Context(), query)
			check(t, err)
			if len(found) == 0 {
				break
			}
			got = append(got, told(found[0]))
			cursor := query.Order.CursorOf(found[0])
			query.After = &cursor
		}
		sameList(t, fmt.Sprintf("%+v", query), got, want...)
	}
}

// Facts follow the documents that are replaced and deleted.
func testFactsChange(t *testing.T, store graph.Store) {
	tellMuch(t, store)
	at := time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)
	save(t, store, tell("PMID:1", at, []graph.CUI{tacrolimus, calcineurin}, says(1, "inhibit", 2, true, 0.7)), true)
	sameList(t, "replaced", facts(t, store, graph.FactQuery{Concepts: []graph.CUI{tacrolimus}}),
		calcineurinInhibits, "C0039246:bind:C0085149 1/1 0.900 0.900", "C0085149:inhibit:C0006686:directed 1/1 0.700 0.700")
	for _, id := range []string{"PMID:1", "PMID:2", "note"} {
		check(t, store.DeleteDocument(t.Context(), id))
	}
	sameList(t, "deleted", facts(t, store, graph.FactQuery{}))
	seen, err := store.SeenConcepts(t.Context(), graph.SeenQuery{Limit: 10})
	check(t, err)
	same(t, seen, nil)
}

// evidence writes down what tells a fact: the document, the relation, its mentions
// and its score.
func evidence(t *testing.T, store graph.Store, query graph.EvidenceQuery) (list []string) {
	t.Helper()
	found, err := store.Evidence(t.Context(), query)
	check(t, err)
	for _, e := range found {
		list = append(list, fmt.Sprintf("%s %s %s-%s %.1f", e.Document.ID, e.Relation.ID, e.Head.ID, e.Tail.ID, e.Relation.Score))
	}
	return list
}

func testEvidence(t *testing.T, store graph.Store) {
	tellMuch(t, store)
	key := graph.FactKey{Head: fkbp12, Label: "bind", Tail: tacrolimus}
	evidence := func(query graph.EvidenceQuery) []string { t.Helper(); return evidence(t, store, query) }
	all := []string{"PMID:2 R1 T1-T2 0.9", "PMID:1 R2 T2-T3 0.8", "PMID:1 R1 T1-T2 0.5"}
	sameList(t, "all", evidence(graph.EvidenceQuery{Key: key, Limit: 10}), all...)
	sameList(t, "a score", evidence(graph.EvidenceQuery{Key: key, Limit: 10, Filter: graph.Filter{MinScore: 0.6}}), all[:2]...)
	sameList(t, "a document", evidence(graph.EvidenceQuery{Key: key, Limit: 10, Filter: graph.Filter{Document: "PMID:1"}}), all[1:]...)
	sameList(t, "itself", evidence(graph.EvidenceQuery{Key: graph.FactKey{Head: tacrolimus, Label: "bind", Tail: tacrolimus}, Limit: 10}), "PMID:1 R4 T1-T3 0.2")
	sameList(t, "a direction", evidence(graph.EvidenceQuery{Key: graph.FactKey{Head: calcineurin, Label: "inhibit", Tail: tacrolimus, Directed: true}, Limit: 10}), "PMID:2 R2 T3-T1 0.3")
	sameList(t, "of nothing", evidence(graph.EvidenceQuery{Key: graph.FactKey{Head: fkbp12, Label: "bind", Tail: tacrolimus, Directed: true}, Limit: 10}))
	sameList(t, "the other way round", evidence(graph.EvidenceQuery{Key: graph.FactKey{Head: tacrolimus, Label: "bind", Tail: fkbp12}, Limit: 10}))

	var got []string
	query := graph.EvidenceQuery{Key: key, Limit: 1}
	for range all {
		found, err := store.Evidence(t.Context(), query)
		check(t, err)
		if len(found) == 0 {
			break
		}
		got = append(got, evidence(query)...)
		cursor := found[0].Cursor()
		query.After = &cursor
	}
	sameList(t, "in pages", got, all...)

	found, err := store.Evidence(t.Context(), graph.EvidenceQuery{Key: key, Limit: 1})
	check(t, err)
	doc := read(t, store, "PMID:2")
	want, err := graph.EvidenceAt(doc, 0)
	check(t, err)
	same(t, found, []graph.Evidence{want})

	found, err = store.Evidence(t.Context(), graph.EvidenceQuery{Key: key, Limit: 10})
	check(t, err)
	if a, b := found[1].Document, found[2].Document; unsafe.StringData(a.Text) != unsafe.StringData(b.Text) {
		t.Errorf("%s is in memory twice", a.ID)
	}
}

func testSeenConcepts(t *testing.T, store graph.Store) {
	tellMuch(t, store)
	const (
		seenCalcineurin = "C0006686 Calcineurin 2/2"
		seenFKBP12      = "C0039246 FKBP12 3/3"
		seenSirolimus   = "C0072980 Sirolimus 2/2"
		seenTacrolimus  = "C0085149 Tacrolimus 3/4"
		seenUnlisted    = "C7777777 name of C7777777 1/1"
	)
	seen := func(query graph.SeenQuery) (list []string) {
		t.Helper()
		found, err := store.SeenConcepts(t.Context(), query)
		check(t, err)
		for _, c := range found {
			list = append(list, fmt.Sprintf("%s %s %d/%d", c.CUI, c.Name, c.Documents, c.Mentions))
		}
		return list
	}
	all := []string{seenCalcineurin, seenFKBP12, seenSirolimus, seenTacrolimus, seenUnlisted}
	ranked := []string{seenFKBP12, seenTacrolimus, seenCalcineurin, seenSirolimus, seenUnlisted}
	sameList(t, "all", seen(graph.SeenQuery{Limit: 10}), all...)
	sameList(t, "the most seen first", seen(graph.SeenQuery{Limit: 10, Order: graph.ByDocuments}), ranked...)
	sameList(t, "limited", seen(graph.SeenQuery{Limit: 2}), all[:2]...)
	sameList(t, "of a type", seen(graph.SeenQuery{Limit: 10, Filter: graph.Filter{Type: "protein"}}), all[:2]...)
	sameList(t, "of a score", seen(graph.SeenQuery{Limit: 10, Filter: graph.Filter{MinScore: 0.8}}), all[2:]...)
	sameList(t, "of a semantic type", seen(graph.SeenQuery{Limit: 10, Filter: graph.Filter{SemanticType: "T121"}}), all[2:4]...)
	sameList(t, "in a document", seen(graph.SeenQuery{Limit: 10, Filter: graph.Filter{Document: "note"}}),
		"C0039246 FKBP12 1/1", "C0072980 Sirolimus 1/1", "C0085149 Tacrolimus 1/1")
	for _, order := range []graph.Order{"", graph.ByDocuments} {
		var got []string
		for query := (graph.SeenQuery{Limit: 2, Order: order}); ; {
			found, err := store.SeenConcepts(t.Context(), query)
			check(t, err)
			got = append(got, seen(query)...)
			if len(found) < 2 {
				break
			}
			cursor := order.SeenCursorOf(found[1])
			query.After = &cursor
		}
		want := all
		if order != "" {
			want = ranked
		}
		sameList(t, "in pages by "+string(order), got, want...)
	}
}

// paths writes paths down: the score, and the concepts with the facts between them.
func paths(t *testing.T, store graph.Store, query graph.PathQuery) (list []string) {
	t.Helper()
	found, err := graph.Paths(t.Context(), store, query)
	check(t, err)
	for _, path := range found {
		text := fmt.Sprintf("%.3f %s", path.Score, path.Concepts[0].Name)
		for i, step := range path.Steps {
			for _, fact := range step.Facts {
				text += " " + fact.ID
			}
			text += " " + path.Concepts[i+1].Name
		}
		list = append(list, text)
	}
	return list
}

func testPaths(t *testing.T, store graph.Store) {
	tellMuch(t, store)
	paths := func(query graph.PathQuery) []string { t.Helper(); return paths(t, store, query) }
	const way = "0.214 name of C7777777 C0072980:bind:C7777777 Sirolimus C0039246:bind:C0072980 FKBP12 C0039246:bind:C0085149 Tacrolimus " +
		"C0085149:inhibit:C0006686:directed C0006686:inhibit:C0085149:directed Calcineurin" // 0.4 × 0.91 × 0.98 × 0.6
	sameList(t, "the whole way", paths(graph.PathQuery{From: unlisted, To: calcineurin, MaxSteps: 4, Limit: 10}), way)
	sameList(t, "too few steps", paths(graph.PathQuery{From: unlisted, To: calcineurin, MaxSteps: 3, Limit: 10}))
	sameList(t, "no label leads there", paths(graph.PathQuery{From: unlisted, To: calcineurin, MaxSteps: 6, Limit: 10, Label: "bind"}))
	sameList(t, "no score leads there", paths(graph.PathQuery{From: unlisted, To: calcineurin, MaxSteps: 6, Limit: 10, Filter: graph.Filter{MinScore: 0.5}}))

	at := time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)
	save(t, store, tell("more", at, []graph.CUI{sirolimus, calcineurin, tacrolimus}, says(1, "bind", 2, false, 0.5), says(1, "bind", 3, false, 0.5)), false)
	sameList(t, "several ways", paths(graph.PathQuery{From: fkbp12, To: calcineurin, MaxSteps: 6, Limit: 10}),
		"0.588 FKBP12 C0039246:bind:C0085149 Tacrolimus C0085149:inhibit:C0006686:directed C0006686:inhibit:C0085149:directed Calcineurin",
		"0.455 FKBP12 C0039246:bind:C0072980 Sirolimus C0006686:bind:C0072980 Calcineurin")
	sameList(t, "the best way", paths(graph.PathQuery{From: calcineurin, To: fkbp12, MaxSteps: 6, Limit: 1}),
		"0.588 Calcineurin C0085149:inhibit:C0006686:directed C0006686:inhibit:C0085149:directed Tacrolimus C0039246:bind:C0085149 FKBP12")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.Facts(ctx, graph.FactQuery{Limit: 1})
	mustBe(t, err, context.Canceled)
}
