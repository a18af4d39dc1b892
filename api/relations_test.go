package api_test

import (
	"context"
	"encoding/csv"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/graph"
)

// tell stores documents that bind FKBP12 with what they name.
func tell(t *testing.T, s online) {
	t.Helper()
	for id, text := range map[string]string{
		"PMID:1": "Nothing here. β FKBP12 binds FK506. The end.",
		"PMID:2": "FKBP12 binds rapamycin and calcineurin.",
		"note":   "FKBP12 again binds FK506.",
	} {
		s.mustSend(t, 201, "POST", "/v1/documents", body(t, map[string]string{"id": id, "text": text}))
	}
}

type toldRelation struct {
	graph.Fact
	Evidence []struct {
		DocumentID, Sentence string
		Start, End           int
		Head, Tail           graph.Mention
		Relation             graph.Extraction
	}
}

const (
	bindsTacrolimus  = "C0039246:bind:C0085149"
	bindsSirolimus   = "C0039246:bind:C0072980"
	bindsCalcineurin = "C0006686:bind:C0039246"
)

func TestRelations(t *testing.T) {
	s := serve(t, nil)
	if none := s.mustSend(t, 200, "GET", "/v1/relations", ""); string(none.body) != `{"relations":[]}`+"\n" {
		t.Errorf("of nothing: %s", none.body)
	}
	tell(t, s)
	for query, want := range map[string][]string{
		"":                                {bindsTacrolimus, bindsCalcineurin, bindsSirolimus},
		"order=concept":                   {bindsCalcineurin, bindsSirolimus, bindsTacrolimus},
		"order=documents&limit=1":         {bindsTacrolimus},
		"concept=C0072980":                {bindsSirolimus},
		"concept=C0039246&other=C0006686": {bindsCalcineurin},
		"q=tacrolimus":                    {bindsTacrolimus, bindsCalcineurin, bindsSirolimus}, // a name of FKBP12 too
		"q=rapamycin":                     {bindsSirolimus},
		"q=rapa":                          {bindsSirolimus},
		"q=rapamycin&other=C0006686":      {},
		"q=nothing+of+the+kind":           {},
		"other=C0006686":                  {bindsCalcineurin},
		"label=inhibit":                   {},
		"source=PMID&semanticType=T121":   {bindsSirolimus, bindsTacrolimus},
		"document=note":                   {bindsTacrolimus},
		"type=protein-complex":            {bindsCalcineurin},
		"minScore=0.95":                   {},
		"before=2020-01-01T00:00:00Z":     {},
		"since=2020-01-01T00:00:00%2B01:00&concept=C0072980": {bindsSirolimus},
	} {
		got := []string{}
		for _, r := range decode[struct{ Relations []toldRelation }](t, s.mustSend(t, 200, "GET", "/v1/relations?"+query, "").body).Relations {
			got = append(got, r.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	one := s.mustSend(t, 200, "GET", "/v1/relations/"+bindsTacrolimus, "")
	const want = `{"id":"C0039246:bind:C0085149","head":{"cui":"C0039246","name":"FKBP12","semanticTypes":["T116"]},"label":"bind",` +
		`"tail":{"cui":"C0085149","name":"Tacrolimus","semanticTypes":["T121"]},"directed":false,"documents":2,"mentions":2,"maxScore":0.91,"noisyOr":0.9919}` + "\n"
	if string(one.body) != want {
		t.Errorf("one relation is\n%swant\n%s", one.body, want)
	}
}

func TestEvidenceHasTheSentence(t *testing.T) {
	s := serve(t, nil)
	tell(t, s)
	path := "/v1/relations/" + url.PathEscape(bindsTacrolimus) + "/evidence"
	found := decode[struct {
		Evidence []struct {
			DocumentID, Sentence string
			Start, End           int
			Head, Tail           graph.Mention
		}
	}](t, s.mustSend(t, 200, "GET", path, "").body).Evidence
	if len(found) != 2 {
		t.Fatalf("evidence %+v", found)
	}
	first := found[0]
	if first.DocumentID != "PMID:1" || first.Sentence != "β FKBP12 binds FK506." || first.Start != 14 || first.End != 35 ||
		first.Head.Text != "FKBP12" || first.Head.Start != 16 || first.Tail.Text != "FK506" {
		t.Errorf("the first is %+v", first)
	}
	if found[1].DocumentID != "note" {
		t.Errorf("the second is %+v", found[1])
	}
	if none := s.mustSend(t, 200, "GET", path+"?document=other", ""); string(none.body) != `{"evidence":[]}`+"\n" {
		t.Errorf("of another document: %s", none.body)
	}
	for semanticType, want := range map[string]int{"T116": 2, "T121": 2, "T999": 0} { // of either end
		if got := s.mustSend(t, 200, "GET", path+"?semanticType="+semanticType, ""); strings.Count(string(got.body), `"documentId"`) != want {
			t.Errorf("of %s: %s", semanticType, got.body)
		}
	}
	beside := decode[struct{ Relations []toldRelation }](t, s.mustSend(t, 200, "GET", "/v1/relations?evidence=1&limit=1", "").body).Relations
	if len(beside) != 1 || len(beside[0].Evidence) != 1 || beside[0].Evidence[0].Sentence != first.Sentence {
		t.Errorf("beside the relation: %+v", beside)
	}
	for _, id := range []string{"C0039246:inhibit:C0085149", "nonsense", "C0085149:bind:C0039246"} {
		for _, path := range []string{"/v1/relations/" + id, "/v1/relations/" + id + "/evidence"} {
			missing := s.mustSend(t, 404, "GET", path, "")
			checkProblem(t, missing.Header, missing.body, 404, fieldOf(id), nil)
		}
	}
}

func fieldOf(id string) string {
	if id == "nonsense" {
		return "id"
	}
	return ""
}

func TestPathsOverDocuments(t *testing.T) {
	s := serve(t, nil)
	tell(t, s)
	type told struct {
		Paths []struct {
			Concepts []graph.ConceptName
			Steps    []struct{ Relations []toldRelation }
			Score    float64
		}
	}
	found := decode[told](t, s.mustSend(t, 200, "GET", "/v1/paths?from=C0085149&to=C0006686&evidence=1", "").body).Paths
	if len(found) != 1 || len(found[0].Concepts) != 3 || found[0].Concepts[1].Name != "FKBP12" ||
		found[0].Steps[0].Relations[0].ID != bindsTacrolimus || found[0].Steps[1].Relations[0].Evidence[0].DocumentID != "PMID:2" {
		t.Errorf("paths %+v", found)
	}
	for _, query := range []string{"from=C0085149&to=C0085149", "from=C0085149&to=C0006686&maxSteps=1"} {
		if none := s.mustSend(t, 200, "GET", "/v1/paths?"+query, ""); string(none.body) != `{"paths":[]}`+"\n" {
			t.Errorf("%s: %s", query, none.body)
		}
	}
	s.mustSend(t, 422, "GET", "/v1/paths?from=C0085149", "")
}

func TestSeenConcepts(t *testing.T) {
	s := serve(t, nil)
	tell(t, s)
	got := decode[struct{ Concepts []graph.SeenConcept }](t, s.mustSend(t, 200, "GET", "/v1/concepts/seen?limit=2", "").body).Concepts
	if len(got) != 2 || got[0].Name != "FKBP12" || got[0].Documents != 3 || got[1].Name != "Tacrolimus" || got[1].Mentions != 2 {
		t.Errorf("seen %+v", got)
	}
}

// follow reads the pages of a list by their links.
func follow(t *testing.T, s online, path string) (pages []reply) {
	t.Helper()
	for path != "" {
		page := s.mustSend(t, 200, "GET", path, "")
		pages = append(pages, page)
		link := page.Header.Get("Link")
		path, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
		if len(pages) > 10 {
			t.Fatal("the pages do not end")
		}
	}
	return pages
}

func TestListsInPages(t *testing.T) {
	s := serve(t, nil)
	tell(t, s)
	for path, want := range map[string]int{
		"/v1/relations?limit=1":                                  3,
		"/v1/relations?limit=2&order=concept":                    2,
		"/v1/relations?limit=1&concept=C0085149":                 1,
		"/v1/relations/" + bindsTacrolimus + "/evidence?limit=1": 2,
		"/v1/concepts/seen?limit=3&order=concept":                2,
		"/v1/concepts?q=tacrolimus&limit=1":                      3,
		"/v1/concepts/C0085149/neighbors?limit=2":                2,
		"/v1/concepts/C0085149/mentions?limit=1":                 2,
	} {
		pages := follow(t, s, path)
		seen := map[string]bool{}
		for _, page := range pages {
			seen[string(page.body)] = true
		}
		if len(pages) != want || len(seen) != want {
			t.Errorf("%s: %d pages, %d of them different, want %d", path, len(pages), len(seen), want)
		}
	}
	for _, path := range []string{"/v1/relations?after=x", "/v1/relations?after=eyJ", "/v1/concepts/seen?after=!", "/v1/relations/" + bindsTacrolimus + "/evidence?after=x", "/v1/concepts?q=a&after=-1"} {
		wrong := s.mustSend(t, 422, "GET", path, "")
		checkProblem(t, wrong.Header, wrong.body, 422, "after", nil)
	}
}

// plenty is a store that finds as many concepts as are asked for.
type plenty struct{ graph.Store }

func (plenty) Search(_ context.Context, _ string, limit int) ([]graph.Concept, error) {
	return make([]graph.Concept, limit), nil
}

// A page that the server names can be asked for, however far behind it is.
func TestListsGoOnFarBehind(t *testing.T) {
	s := serve(t, func(config *api.Config) { config.Store = plenty{config.Store} })
	page := s.mustSend(t, 200, "GET", "/v1/concepts?q=a&limit=1&after=99999", "")
	for range 2 {
		next := decode[struct{ Next string }](t, page.body).Next
		if len(next) != 6 {
			t.Fatalf("the next page is %q", next)
		}
		page = s.mustSend(t, 200, "GET", "/v1/concepts?q=a&limit=1&after="+next, "")
	}
}

func TestListsInOtherForms(t *testing.T) {
	s := serve(t, nil)
	tell(t, s)
	for _, path := range []string{"/v1/relations?", "/v1/relations/" + bindsTacrolimus + "/evidence?", "/v1/concepts/seen?", "/v1/paths?from=C0085149&to=C0006686&"} {
		for _, asked := range []reply{
			s.mustSend(t, 200, "GET", path+"format=csv", ""),
			s.mustSend(t, 200, "GET", path, "", "Accept", "text/csv"),
		} {
			rows, err := csv.NewReader(strings.NewReader(string(asked.body))).ReadAll()
			if err != nil || len(rows) < 3 || asked.Header.Get("Content-Type") != "text/csv" {
				t.Errorf("%s as %s: %v\n%s", path, asked.Header.Get("Content-Type"), err, asked.body)
			}
		}
		jsonl := s.mustSend(t, 200, "GET", path+"format=jsonl", "")
		for _, line := range lines(jsonl.body) {
			decode[map[string]any](t, []byte(line))
		}
		for _, asked := range []reply{
			s.mustSend(t, 200, "GET", path+"format=graphml", ""),
			s.mustSend(t, 200, "GET", path, "", "Accept", "application/graphml+xml"),
		} {
			var network struct {
				Nodes []struct{} `xml:"graph>node"`
				Edges []struct{} `xml:"graph>edge"`
			}
			err := xml.Unmarshal(asked.body, &network)
			if err != nil || len(network.Nodes) < 2 || (len(network.Edges) == 0) != strings.Contains(path, "seen") ||
				asked.Header.Get("Content-Type") != "application/graphml+xml" {
				t.Errorf("%s as %s: %v\n%s", path, asked.Header.Get("Content-Type"), err, asked.body)
			}
		}
		answer := s.mustSend(t, http.StatusNotAcceptable, "GET", path, "", "Accept", "image/png")
		checkProblem(t, answer.Header, answer.body, 406, "", []string{"text/csv"})
	}
}
