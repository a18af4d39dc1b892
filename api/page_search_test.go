package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/keci-kg/keci/graph"
)

// told is a service whose documents bind FKBP12 with what they name.
func told(t *testing.T) service {
	t.Helper()
	s := serve(t, nil)
	tell(t, s)
	return s.service
}

func TestPageSearch(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t, told(t), 1280)
	do(t, ctx, chromedp.Click("//nav[@id='sections']/a[text()='Search']", chromedp.BySearch))
	until(t, ctx, "document.querySelectorAll('#relations-found > li').length === 3")
	says(t, innerText(t, ctx, "#found-concepts"), "What the documents name most", "FKBP12", "in 3 documents", "Sirolimus", "in 1 document")

	do(t, ctx, chromedp.SendKeys("#q", "rapamycin"+kb.Enter))
	until(t, ctx, title+" === 'Search: rapamycin'")
	says(t, innerText(t, ctx, "#found-concepts"), "Concepts of the knowledge base", "Sirolimus", "C0072980 · Rapamycin")
	says(t, innerText(t, ctx, "#found-relations"), "FKBP12 – bind – Sirolimus", "91 %", "FKBP12 binds rapamycin and calcineurin.", "Found once in 1 document, this one in PMID:2")
	if got := value[[]string](t, ctx, "[...document.querySelectorAll('#relations-found .mention')].map(m => m.textContent)"); strings.Join(got, " ") != "FKBP12 rapamycin" {
		t.Errorf("the sentence marks %q", got)
	}
	shoot(t, ctx, "search")

	do(t, ctx, chromedp.Clear("#q"), chromedp.Click(".filters summary"), chromedp.SetValue("[name=source]", "PMID"),
		chromedp.SetValue("[name=since]", "2020-01-01"), chromedp.SetValue("[name=type]", "protein-complex"), chromedp.Click("[role=search] button"))
	until(t, ctx, title+" === 'Search' && document.querySelectorAll('#relations-found > li').length === 1")
	says(t, innerText(t, ctx, "#found-relations"), "Calcineurin – bind – FKBP12")
	says(t, value[string](t, ctx, "location.hash"), "source=PMID", "since=2020-01-01")

	dir := allowSaving(t, ctx)
	for format, want := range map[string]string{"csv": "id,head,headName", "jsonl": `{"id":"` + bindsCalcineurin, "json": `{"relations":[{"id":"`, "graphml": "<?xml"} {
		got := string(saved(t, ctx, dir, "relations."+format, chromedp.Click("#found-relations [data-format="+format+"]")))
		if !strings.HasPrefix(got, want) || strings.Contains(got, "Sirolimus") {
			t.Errorf("saved as %s:\n%s", format, got)
		}
	}
}

// A list that is longer than what can be saved at once is not saved as if it were all.
func TestPageTellsWhatItDidNotSave(t *testing.T) {
	t.Parallel()
	ctx := newBrowser(t, told(t), 1280)
	visit(t, ctx, "#/search")
	dir := allowSaving(t, ctx)
	saved(t, ctx, dir, "relations.csv", chromedp.Click("#found-relations [data-format=csv]"))
	const told = "document.querySelector('#found-relations .actions').innerText.includes('These are the first 10,000')"
	if value[bool](t, ctx, told) {
		t.Error("three of three are not all")
	}
	do(t, ctx, chromedp.Evaluate("{ const all = fetch; window.fetch = (path, options) => all(path.replace('limit=10000', 'limit=2'), options); }", nil), // not to store 10,000
		chromedp.Click("#found-relations [data-format=jsonl]"))
	until(t, ctx, told)
}

// From a relation to the sentences that say it, to one of the documents, and to
// what all documents say of its ends.
func TestPageRelation(t *testing.T) {
	t.Parallel()
	s := told(t)
	ctx := newBrowser(t, s, 1280)
	visit(t, ctx, "#/search?q=FK506")
	do(t, ctx, chromedp.Click("//a[text()='Found 2 times in 2 documents']", chromedp.BySearch))
	until(t, ctx, "document.querySelectorAll('#sentences > li').length === 2")
	says(t, innerText(t, ctx, "main"), "FKBP12 – bind – Tacrolimus", "99 % that at least one document is right", "β FKBP12 binds FK506.", "FKBP12 again binds FK506.", "44 % → 91 %")
	do(t, ctx, chromedp.Click("//*[@id='sentences']//a[text()='PMID:1']", chromedp.BySearch))
	until(t, ctx, graphDrawn)
	says(t, evidenceText(t, ctx), "FKBP12 – bind – FK506", "β FKBP12 binds FK506.")
	if strings.Contains(evidenceText(t, ctx), "The end.") {
		t.Error("the evidence has more than the sentence")
	}
	do(t, ctx, chromedp.Click("//a[text()='What all documents say of the two']", chromedp.BySearch))
	until(t, ctx, title+" === 'Search'")
	says(t, innerText(t, ctx, "main"), "Relations of FKBP12 and Tacrolimus", "Found 2 times in 2 documents")

	// They can be narrowed down, and the same be asked again when documents have come.
	do(t, ctx, chromedp.Click(".filters summary"), chromedp.SendKeys("[name=document]", "new"), chromedp.Click("[role=search] button"))
	until(t, ctx, "location.hash.includes('document=new') && "+settled)
	says(t, innerText(t, ctx, "main"), "Relations of FKBP12 and Tacrolimus", "No document says anything of this kind")
	s.mustAsk(t, 201, "POST", "/v1/documents", `{"id":"new","text":"FKBP12 binds FK506 and rapamycin."}`)
	do(t, ctx, chromedp.Click("[role=search] button"))
	until(t, ctx, "document.querySelectorAll('#relations-found > li').length === 1")
	says(t, innerText(t, ctx, "#found-relations"), "Found once in 1 document, this one in new")
}

func TestPageConcept(t *testing.T) {
	t.Parallel()
	ctx := newBrowser(t, told(t), 1280)
	visit(t, ctx, "#/concepts/C0085149")
	says(t, innerText(t, ctx, "main"), "Tacrolimus", "A macrolide that suppresses the immune response.", "Pharmacologic Substance (T121)", "FK506", "TEST: 1",
		"Tacrolimus – binds → FKBP12", "Tacrolimus ointment – has ingredient → Tacrolimus", "FKBP12 – bind – Tacrolimus", "in PMID:1", "in note")
	shoot(t, ctx, "concept")
	do(t, ctx, chromedp.Click("//*[@id='seen-list']/li[contains(., 'note')]/a", chromedp.BySearch))
	until(t, ctx, graphDrawn)
	if got := value[string](t, ctx, "document.querySelector('#evidence-body strong').innerText"); got != "FK506" {
		t.Errorf("the mention shown is %q", got)
	}
	do(t, ctx, chromedp.Click("#evidence-body .concepts a"))
	until(t, ctx, title+" === 'Tacrolimus'")
}

// UMLS has each relation of a source both ways, by abbreviations where the source has no
// name for it, and drugs have a hundred names.
func TestPageConceptOfUMLS(t *testing.T) {
	t.Parallel()
	ctx := newBrowser(t, told(t), 1280)
	visit(t, ctx, "#/search")
	do(t, ctx, chromedp.Evaluate(`{
		const all = fetch;
		const umls = (head, label, tail, rel) => ({ head, label, tail, rel, sources: ["TEST"] });
		const answers = {
			"/v1/concepts/C0085149": { cui: "C0085149", name: "Tacrolimus", semanticTypes: [], synonyms: Array.from({ length: 30 }, (_, i) => "name " + i) },
			"/v1/concepts/C0085149/neighbors": { relations: [
				umls("C0085149", "CHD", "C0072980", "CHD"), umls("C0072980", "PAR", "C0085149", "PAR"),
				umls("C0039246", "bound_by", "C0085149", "RO"), umls("C0085149", "binds", "C0039246", "RO"),
				umls("C0085149", "regulates", "C0006686", "RO"), umls("C0006686", "regulates", "C0085149", "RO"),
			] },
		};
		window.fetch = (address, options) => {
			const answer = answers[new URL(address, location).pathname];
			return answer ? Promise.resolve(Response.json(answer)) : all(address, options);
		};
		location.hash = "#/concepts/C0085149";
	}`, nil))
	until(t, ctx, title+" === 'Tacrolimus'")
	if got, want := value[[]string](t, ctx, "[...document.querySelectorAll('#neighbours li')].map(item => item.innerText)"), []string{
		"Tacrolimus – child of → Sirolimus", "FKBP12 – bound by → Tacrolimus", "Tacrolimus – regulates → Calcineurin", "Calcineurin – regulates → Tacrolimus",
	}; !slices.Equal(got, want) {
		t.Errorf("the curated relations are %q, want %q", got, want)
	}
	names := innerText(t, ctx, "#about-concept")
	says(t, names, "name 11", "18 more")
	if strings.Contains(names, "name 12") {
		t.Error("all names are shown at once")
	}
	do(t, ctx, chromedp.Click("#about-concept summary"))
	says(t, innerText(t, ctx, "#about-concept"), "name 29")
}

// From a concept to another by its name, over what documents say of a third.
func TestPagePaths(t *testing.T) {
	t.Parallel()
	ctx := newBrowser(t, told(t), 1280)
	visit(t, ctx, "#/concepts/C0085149")
	do(t, ctx, chromedp.SendKeys("#path-to", "rapamycin"+kb.Enter))
	until(t, ctx, title+" === 'From Tacrolimus to another concept' && document.querySelectorAll('#path-ends > li').length === 1")
	do(t, ctx, chromedp.Click("#path-ends a"))
	until(t, ctx, title+" === 'From Tacrolimus to Sirolimus'")
	says(t, innerText(t, ctx, "#paths"), "Tacrolimus – FKBP12 – Sirolimus", "90 %", "FKBP12 – bind – Tacrolimus", "β FKBP12 binds FK506.", "FKBP12 – bind – Sirolimus", "this one in PMID:2")
	shoot(t, ctx, "paths")
	dir := allowSaving(t, ctx)
	if got := string(saved(t, ctx, dir, "paths.csv", chromedp.Click("#found-paths [data-format=csv]"))); strings.Count(got, "\n") != 3 {
		t.Errorf("the path of two steps is saved as\n%s", got)
	}
	for place, want := range map[string]string{
		"#/paths?from=C0085149&to=C0000000": "C0000000\": not found",
		"#/paths?from=C0085149&to=C0085149": "Nothing that the documents say",
		"#/paths?from=C0085149&q=nothing":   "no concept of this name",
		"#/paths":                           "search for it",
	} {
		visit(t, ctx, place)
		says(t, innerText(t, ctx, "main"), want)
	}
}

// A list that is longer than a page goes on when asked.
func TestPageListsGoOn(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for _, id := range strings.Fields("a b c d e f g h i j k l m n o p q r s t u v w") {
		s.mustAsk(t, 201, "POST", "/v1/documents", `{"id":"`+id+`","text":"FKBP12 binds FK506."}`)
	}
	ctx := newBrowser(t, s, 390)
	visit(t, ctx, "#/relations/"+bindsTacrolimus)
	const listed = "document.querySelectorAll('#sentences > li').length"
	if got := value[int](t, ctx, listed); got != 20 {
		t.Errorf("%d sentences at first", got)
	}
	do(t, ctx, offline(true), chromedp.Click(".more"))
	until(t, ctx, "document.querySelector('.list-frame .problem')?.innerText.includes('cannot be reached')")
	if got := value[int](t, ctx, listed); got != 20 {
		t.Errorf("%d sentences are left when no more come", got)
	}
	do(t, ctx, offline(false), chromedp.Click(".more"))
	until(t, ctx, listed+" === 23 && !document.querySelector('.more').checkVisibility()")
	if got := value[string](t, ctx, focused+".textContent"); got != "u" {
		t.Errorf("the focus went to %q", got)
	}
}

// A concept that documents know from another knowledge base has a page.
func TestPageConceptOfDocumentsAlone(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	mention := func(id string, start, end int, cui graph.CUI, name string) graph.Mention {
		return graph.Mention{ID: id, Start: start, End: end, Text: name, Type: "protein", Concepts: []graph.Candidate{{CUI: cui, Name: name, SemanticTypes: []graph.TUI{}}}}
	}
	doc := graph.Document{ID: "a", Text: "XYZ binds FK506.", Offsets: graph.OffsetCodepoint,
		Mentions:  []graph.Mention{mention("T1", 0, 3, "X0000001", "XYZ"), mention("T2", 10, 15, "C0085149", "FK506")},
		Relations: []graph.Extraction{{ID: "R1", Head: "T1", Tail: "T2", Label: "bind", Score: 0.9}}}
	if _, err := s.store.SaveDocument(t.Context(), doc, false); err != nil {
		t.Fatal(err)
	}
	ctx := newBrowser(t, s, 1280)
	visit(t, ctx, "#/concepts/C0085149")
	do(t, ctx, chromedp.Click("//*[@id='said']//a[text()='XYZ']", chromedp.BySearch))
	until(t, ctx, title+" === 'XYZ' && "+settled)
	says(t, innerText(t, ctx, "main"), "no concept with the id X0000001", "XYZ binds FK506.")
}
