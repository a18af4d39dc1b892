package api_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestPageWalk does what doc/page.md tells newcomers to do.
func TestPageWalk(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	ctx := openBrowser(t, s, 1280)

	// 1. Read a text
	do(t, ctx, chromedp.SetValue("#input", sentence), chromedp.Click("//button[text()='Extract']", chromedp.BySearch))
	until(t, ctx, graphDrawn)
	says(t, innerText(t, ctx, "#status"), "4 entities, 3 relations")

	// 2. Ask why
	do(t, ctx, chromedp.Click("//p[@id='text']//span[text()='FK506']", chromedp.BySearch))
	says(t, evidenceText(t, ctx), "Concepts and the attention paid to them", "Tacrolimus", "none of these", "text alone", "with knowledge", "44 % → 91 %")
	do(t, ctx, chromedp.Click("//summary[contains(., 'Link score')]", chromedp.BySearch))
	says(t, evidenceText(t, ctx), "coverage")
	do(t, ctx, chromedp.Click("//*[@id='evidence-body']//button[contains(., 'bind')]", chromedp.BySearch))
	says(t, evidenceText(t, ctx), "Between")

	// 3. What did knowledge change?
	do(t, ctx, chromedp.Click("//label[contains(., 'of the text alone')]", chromedp.BySearch))
	until(t, ctx, "document.querySelector('#changes').innerText.startsWith('Knowledge changed')")
	do(t, ctx, chromedp.Click("//label[contains(., 'with knowledge')]", chromedp.BySearch))
	until(t, ctx, settled)

	// 4. Bring your own
	file := filepath.Join(t.TempDir(), "abstracts.jsonl")
	if err := os.WriteFile(file, []byte(`{"id":"a:1","text":"FKBP12 binds rapamycin."}`+"\n"+`{"id":"a:2","text":"Again FKBP12 binds rapamycin."}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Click("//nav[@id='sections']/a[text()='Uploads']", chromedp.BySearch), chromedp.SetUploadFiles("#files", []string{file}), chromedp.Click("//button[text()='Upload']", chromedp.BySearch))
	until(t, ctx, "document.querySelector('#state')?.innerText === 'done' && document.querySelectorAll('#results a').length === 2")

	// 5. Ask all of them
	do(t, ctx, chromedp.Click("//nav[@id='sections']/a[text()='Search']", chromedp.BySearch), chromedp.WaitVisible("#q"), chromedp.SendKeys("#q", "rapamycin"+kb.Enter))
	until(t, ctx, title+" === 'Search: rapamycin'")
	do(t, ctx, chromedp.Click("//a[text()='Found 2 times in 2 documents']", chromedp.BySearch))
	until(t, ctx, "document.querySelectorAll('#sentences > li').length === 2")
	do(t, ctx, chromedp.Click("//*[@id='sentences']//a[text()='a:2']", chromedp.BySearch))
	until(t, ctx, graphDrawn)
	says(t, evidenceText(t, ctx), "FKBP12 – bind – rapamycin")

	// 6. Take it with you
	dir := allowSaving(t, ctx)
	says(t, string(saved(t, ctx, dir, "a-2.pubtator", export("pubtator"))), "a:2|t|")
	says(t, value[string](t, ctx, "location.hash"), "#/documents/a%3A2?relation=R1")
}
