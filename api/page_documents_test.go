package api_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/forms"
)

const title = "document.querySelector('h1').innerText"

func TestPageKeepsDocuments(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for i := range 51 {
		s.mustAsk(t, 201, "POST", "/v1/documents", fmt.Sprintf(`{"id":"PMID:%02d","title":"Title %d","text":"FKBP12 binds FK506."}`, i, i))
	}
	ctx := openBrowser(t, s, 1280)
	do(t, ctx, chromedp.SetValue("#input", sentence), chromedp.Click("#keep"), chromedp.Click("#submit"))
	until(t, ctx, graphDrawn)
	if place := value[string](t, ctx, "location.hash"); !strings.HasPrefix(place, "#/documents/sha256%3A") {
		t.Errorf("the kept document is at %s", place)
	}

	do(t, ctx, chromedp.Click("//nav[@id='sections']/a[text()='Documents']", chromedp.BySearch))
	until(t, ctx, "document.querySelectorAll('#documents tbody tr').length === 50")
	says(t, innerText(t, ctx, "#documents"), "PMID:00", "Title 0", "19", "fake")
	do(t, ctx, chromedp.Click("#next"))
	until(t, ctx, "document.querySelectorAll('#documents tbody tr').length === 2")
	do(t, ctx, chromedp.Click("//*[@id='documents']//a[text()='PMID:50']", chromedp.BySearch))
	until(t, ctx, graphDrawn)
	says(t, innerText(t, ctx, "main"), "Title 50", "PMID:50", "by fake")

	do(t, ctx, chromedp.Click("#remove"))
	says(t, innerText(t, ctx, "#remove"), "Really")
	do(t, ctx, chromedp.Click("#remove"))
	until(t, ctx, title+" === 'Documents'")
	s.mustAsk(t, 404, "GET", "/v1/documents/PMID:50", "")
	s.mustAsk(t, 200, "GET", "/v1/documents/PMID:49", "")
}

// The list of documents fits a phone, with ids that are hashes and titles without a space.
func TestPageDocumentsOnAPhone(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.mustAsk(t, 201, "POST", "/v1/documents", body(t, map[string]string{"title": strings.Repeat("title", 50), "text": "FKBP12 binds FK506."}))
	ctx := newBrowser(t, s, 390)
	visit(t, ctx, "#/documents")
	if over := value[int](t, ctx, "document.querySelector('.scroll').scrollWidth - document.querySelector('.scroll').clientWidth"); over > 0 {
		t.Errorf("%d pixels of the list are beyond the edge", over)
	}
}

// On paper a text does not end where its window did.
func TestPageOnPaper(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.mustAsk(t, 201, "POST", "/v1/documents", body(t, map[string]string{"id": "long", "text": strings.Repeat("FKBP12 binds FK506. ", 200)}))
	ctx := newBrowser(t, s, 1280)
	visit(t, ctx, "#/documents/long")
	do(t, ctx, onPaper)
	if cut := value[int](t, ctx, "document.querySelector('#text').scrollHeight - document.querySelector('#text').clientHeight"); cut > 0 {
		t.Errorf("%d pixels of the text are not printed", cut)
	}
	if value[bool](t, ctx, "[...document.querySelectorAll('header, .menu, #zoom-in, #remove')].some((one) => one.checkVisibility())") {
		t.Error("what can only be clicked is printed")
	}
}

// Whatever is opened has an address that leads to it again.
func TestPageDeepLinks(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	const id = "PMC/1 β?" // wants encoding in an address
	s.mustAsk(t, 201, "POST", "/v1/documents", body(t, map[string]string{"id": id, "title": "A title", "text": nested}))
	doc := "#/documents/" + url.PathEscape(id)
	ctx := newBrowser(t, s, 1280)
	for place, want := range map[string]string{
		doc:                             "FK506 binding protein",
		doc + "?mention=T4":             "rapamycin",
		doc + "?relation=R3":            "FK506 binding protein – bind – rapamycin",
		doc + "?mention=T9":             "FK506 binding protein", // there is none: the first
		doc + "?mention=T5&stage=final": "calcineurin",
		"#/?text=" + url.QueryEscape("FKBP12 binds no rapamycin.") + "&mention=T2": "rapamycin",
		doc + "?stage=initial&mention=T5":                                          "calcineurin",
	} {
		visit(t, ctx, place)
		until(t, ctx, graphDrawn)
		if got := value[string](t, ctx, "document.querySelector('#evidence-body strong').innerText"); got != want {
			t.Errorf("%s shows %q, want %q", place, got, want)
		}
		if stage := value[string](t, ctx, "document.querySelector('[name=stage]:checked').value"); (stage == "initial") != strings.Contains(place, "initial") {
			t.Errorf("%s shows the %s graph", place, stage)
		}
	}
	visit(t, ctx, doc)
	do(t, ctx, chromedp.Click("//p[@id='text']//span[text()='rapamycin']", chromedp.BySearch))
	if got := value[string](t, ctx, "location.hash"); got != "#/documents/PMC%2F1%20%CE%B2%3F?mention=T4" {
		t.Errorf("the mention is at %s", got)
	}
	for place, want := range map[string]string{
		"#/concepts/C0085149":           "Tacrolimus",
		"#/search?q=tacrolimus":         "Search: tacrolimus",
		"#/concepts/C0000000":           "Not found",
		"#/documents/none":              "Not found",
		"#/jobs/none":                   "Not found",
		"#/paths?from=C0085149":         "From Tacrolimus to another concept",
		"#/nowhere":                     "There is no such page",
		"#/documents/a/b":               "There is no such page",
		"#/documents/50%":               "Not found",
		"#/relations/C1:bind:C2":        "Not found",
		"#/relations/" + bindsSirolimus: "FKBP12 – bind – Sirolimus",
	} {
		visit(t, ctx, place)
		if got := value[string](t, ctx, title); got != want {
			t.Errorf("%s shows %q, want %q", place, got, want)
		}
		if got := value[string](t, ctx, "document.title"); got != want+" – keci" {
			t.Errorf("%s: the window is called %q", place, got)
		}
	}
}

// Back and forward go through what was opened, and the focus goes to its heading.
func TestPageGoesBack(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t, start(t, nil), 1280)
	do(t, ctx, chromedp.Click("//nav[@id='sections']/a[text()='Uploads']", chromedp.BySearch))
	until(t, ctx, title+" === 'Uploads' && "+focused+".tagName === 'H1'")
	if got := value[string](t, ctx, "document.querySelector('[aria-current=page]').textContent"); got != "Uploads" {
		t.Errorf("the section that is open is %q", got)
	}
	do(t, ctx, chromedp.Evaluate("history.back()", nil))
	until(t, ctx, "!!document.querySelector('#submit')")
}

// Who comes back finds a text that was too long for the address, and the place in a list.
func TestPageKeepsPlaces(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t, told(t), 390)
	long := strings.Repeat("FKBP12 binds FK506. ", 120)
	extractInPage(t, ctx, long)
	do(t, ctx, chromedp.Click("#evidence-body .concepts a"))
	until(t, ctx, title+" === 'FKBP12' && "+settled)
	if got := value[float64](t, ctx, "scrollY"); got != 0 {
		t.Errorf("a new page begins at %v", got)
	}
	do(t, ctx, chromedp.Evaluate("scrollTo(0, 500)", nil))
	until(t, ctx, "history.state?.scrolled === 500")
	do(t, ctx, chromedp.Click("//nav[@id='sections']/a[text()='Documents']", chromedp.BySearch))
	until(t, ctx, title+" === 'Documents' && scrollY === 0")
	do(t, ctx, chromedp.Evaluate("history.back()", nil))
	until(t, ctx, title+" === 'FKBP12' && scrollY === 500")
	do(t, ctx, chromedp.Evaluate("history.back()", nil))
	until(t, ctx, graphDrawn)
	for range 2 {
		if got := value[string](t, ctx, "document.querySelector('#input').value"); got != long {
			t.Errorf("the text became %.100q", got)
		}
		do(t, ctx, chromedp.Reload())
		until(t, ctx, graphDrawn)
	}
	do(t, ctx, chromedp.Click("//nav[@id='sections']/a[text()='Search']", chromedp.BySearch))
	until(t, ctx, title+" === 'Search'")
	do(t, ctx, chromedp.Click("//nav[@id='sections']/a[text()='Read']", chromedp.BySearch))
	until(t, ctx, "document.querySelector('#input')?.value.startsWith('Metformin')")
}

// What could not be opened is opened when the service can be reached again.
func TestPageTriesAgain(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t, start(t, nil), 390)
	do(t, ctx, offline(true), chromedp.Click("//nav[@id='sections']/a[text()='Documents']", chromedp.BySearch))
	until(t, ctx, title+" === 'This did not work'")
	says(t, innerText(t, ctx, "main"), "The service cannot be reached")
	do(t, ctx, offline(false), chromedp.Click("#again"))
	until(t, ctx, title+" === 'Documents'")
}

// saved clicks what saves a file, and gives the file.
func saved(t *testing.T, ctx context.Context, dir, name string, click chromedp.Action) []byte {
	t.Helper()
	do(t, ctx, click)
	path := filepath.Join(dir, name)
	for range 500 {
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
			return data
		}
		time.Sleep(10 * time.Millisecond)
	}
	entries, _ := os.ReadDir(dir)
	t.Fatalf("%s was not saved; there are %v", name, entries)
	return nil
}

func allowSaving(t *testing.T, ctx context.Context) (dir string) {
	t.Helper()
	dir = t.TempDir()
	do(t, ctx, browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir))
	return dir
}

// Every form that the service writes can be saved, of stored documents and of others.
func TestPageExports(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	s.mustAsk(t, 201, "POST", "/v1/documents", `{"id":"PMID:1","text":"FKBP12 binds FK506."}`)
	ctx := newBrowser(t, s, 1280)
	dir := allowSaving(t, ctx)
	for _, form := range forms.All() {
		visit(t, ctx, "#/documents/PMID:1") // a browser asks before a page saves more than ten files
		until(t, ctx, graphDrawn)
		got := saved(t, ctx, dir, "PMID-1"+form.Extension, export(string(form.Kind)))
		want := s.mustAsk(t, 200, "GET", "/v1/documents/PMID:1?format="+string(form.Kind), "").Body.Bytes()
		if !bytes.Equal(got, want) {
			t.Errorf("%s: saved\n%s\nwant\n%s", form.Kind, got, want)
		}
	}

	visit(t, ctx, "#/?text=FKBP12+binds+FK506.&stage=initial")
	until(t, ctx, graphDrawn)
	id := strings.ReplaceAll(graph.TextID("FKBP12 binds FK506."), ":", "-")[:60]
	if got := saved(t, ctx, dir, id+".csv", export("csv")); !strings.Contains(string(got), "0.6") {
		t.Errorf("the initial graph as CSV is\n%s", got)
	}
}

func export(format string) chromedp.Action {
	return chromedp.Tasks{chromedp.Click(".menu summary"), chromedp.Click(".menu [data-format='" + format + "']")}
}

func TestPageUploads(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ctx := newBrowser(t, s, 1280)
	saving := allowSaving(t, ctx)
	for _, test := range []struct {
		files   []string
		results int
		want    []string
	}{
		{[]string{write("one.txt", "FKBP12 binds FK506."), write("two.txt", "🧬")}, 2, []string{"one\n2 entities, 1 relation", "two\n", "no letter"}},
		{[]string{write("three.jsonl", `{"id":"three","text":"FK506"}`+"\n"+`{"id":"four","text":"rapamycin"}`)}, 2, []string{"three\n1 entity, 0 relations", "four"}},
		{[]string{write("five.json", `{"documents":[{"id":"five","passages":[{"offset":0,"text":"FK506 binds FKBP12"}]}]}`)}, 1, []string{"five\n2 entities"}},
		{[]string{write("six.txt", "6|t|Tacrolimus\n6|a|FK506 binds FKBP12\n")}, 1, []string{"6\n2 entities"}},
	} {
		visit(t, ctx, "#/jobs")
		do(t, ctx, chromedp.SetUploadFiles("#files", test.files), chromedp.Click("#upload"))
		until(t, ctx, fmt.Sprintf("document.querySelector('#state')?.innerText === 'done' && document.querySelector('#results').children.length === %d", test.results))
		says(t, innerText(t, ctx, "main"), test.want...)
	}
	id := value[string](t, ctx, "location.hash.split('/').at(-1)")
	if got := saved(t, ctx, saving, id+".jsonl", chromedp.Click("#save")); !strings.Contains(string(got), `"id":"6"`) {
		t.Errorf("the results are saved as %s", got)
	}
	do(t, ctx, chromedp.Click("#results a"))
	until(t, ctx, graphDrawn)
	visit(t, ctx, "#/jobs")
	says(t, innerText(t, ctx, "#jobs"), "done, 2 of 2 done", "1 failed")

	// Several jobs are shown in the list of them.
	do(t, ctx, chromedp.SetUploadFiles("#files", []string{write("seven.txt", "FK506"), write("eight.jsonl", `{"id":"eight","text":"FK506"}`)}), chromedp.Click("#upload"))
	until(t, ctx, title+" === 'Uploads' && document.querySelectorAll('#jobs > li').length === 6")

	do(t, ctx, chromedp.SetUploadFiles("#files", []string{write("one.txt", "FK506"), write("latin.txt", "FK506 na\xefve")}), chromedp.Click("#upload"))
	until(t, ctx, "document.querySelector('.drop .problem')?.innerText.includes('latin.txt is not a text in UTF-8')")
}

// A job is followed while it is worked on, and can be ended.
func TestPageFollowsAJob(t *testing.T) {
	t.Parallel()
	s := start(t, func(config *api.Config) { config.Limits.Concurrency, config.Limits.Timeout = 1, time.Minute })
	ctx := newBrowser(t, s, 1280)
	job := s.mustAsk(t, 202, "POST", "/v1/batches", `{"id":"a","text":"FK506"}`+"\n"+`{"id":"b","text":"slow FK506"}`+"\n"+`{"id":"c","text":"FK506"}`, "Content-Type", "application/jsonl")
	visit(t, ctx, "#/jobs/"+strings.TrimPrefix(job.Header().Get("Location"), "/v1/jobs/"))
	until(t, ctx, "document.querySelector('#counted').innerText === '1 of 3 documents' && document.querySelector('#progress').value === 1")
	until(t, ctx, "document.querySelectorAll('#results li').length === 1")
	says(t, innerText(t, ctx, "main"), "running")
	shoot(t, ctx, "job")
	visit(t, ctx, "#/jobs")
	do(t, ctx, chromedp.Evaluate("{ const all = fetch; window.fetch = (path, options) => window.found || !path.endsWith('/events') ? all(path, options) : Promise.reject(new TypeError('lost')); }", nil),
		chromedp.Click("#jobs a"))
	until(t, ctx, "document.querySelector('#lost')?.innerText.includes('connection is lost')")
	do(t, ctx, chromedp.Evaluate("window.found = true", nil))
	until(t, ctx, "document.querySelector('#lost').innerText === ''")
	do(t, ctx, chromedp.Click("#cancel"))
	until(t, ctx, "document.querySelector('#state').innerText === 'cancelled' && !document.querySelector('#cancel').checkVisibility()")
}
