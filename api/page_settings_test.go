package api_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/keci-kg/keci/api"
)

func TestPageAsksForAToken(t *testing.T) {
	t.Parallel()
	tokens, err := api.ReadTokens(tokenFile(t, "reader read "+readToken+"\nwriter write "+writeToken+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(config *api.Config) { config.Tokens = tokens })
	ctx := newBrowser(t, s, 1280)
	visit(t, ctx, "#/")
	const asked = "document.querySelector('#token-dialog').open"
	until(t, ctx, asked)
	if got := value[string](t, ctx, focused+".id"); got != "token" {
		t.Errorf("the focus is on %q", got)
	}
	shoot(t, ctx, "token")
	do(t, ctx, chromedp.SendKeys("#token", "no token at all"+kb.Enter))
	until(t, ctx, asked+" && document.querySelector('#token-refused').checkVisibility()")
	do(t, ctx, chromedp.SendKeys("#token", readToken+kb.Enter))
	until(t, ctx, "!"+asked+" && document.querySelector('#about').textContent.includes('fake')")

	do(t, ctx, chromedp.SetValue("#input", sentence), chromedp.Click("#submit"))
	until(t, ctx, graphDrawn)
	do(t, ctx, chromedp.Click("#keep"), chromedp.Click("#submit"))
	until(t, ctx, "document.querySelector('#problem').innerText.includes('the token is for reading')")

	visit(t, ctx, "#/documents") // the token is kept
	says(t, innerText(t, ctx, "main"), "No document is stored yet")
	do(t, ctx, chromedp.Click("#forget-token"))
	until(t, ctx, asked)
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	until(t, ctx, "document.querySelector('main').innerText.includes('This did not work')")
	says(t, innerText(t, ctx, "main"), "asks for a token")

	// A call that was refused late does not ask once more.
	do(t, ctx, chromedp.Evaluate("history.replaceState(null, '', '#/'); { const all = fetch; window.fetch = async (path, options) => { const answer = await all(path, options); if (path.includes('documents')) await new Promise((go) => { window.arrive = go; }); return answer; }; }", nil),
		chromedp.Evaluate("location.hash = '#/documents'", nil))
	until(t, ctx, "window.arrive")
	do(t, ctx, chromedp.Evaluate("import('/service/service.js').then((m) => m.get(['model'])).catch(() => {}), 0", nil))
	until(t, ctx, asked)
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	until(t, ctx, "!"+asked)
	do(t, ctx, chromedp.Evaluate("window.arrive()", nil))
	until(t, ctx, "document.querySelector('main').innerText.includes('This did not work') && "+settled)
	if value[bool](t, ctx, asked) {
		t.Error("the page asks again")
	}
}

// A browser that keeps nothing for pages shows the page, in the colours that are chosen.
func TestPageWithoutStorage(t *testing.T) {
	t.Parallel()
	ctx := newBrowser(t, start(t, nil), 1280)
	do(t, ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`for (const kind of ["localStorage", "sessionStorage"])
			Object.defineProperty(window, kind, {get() { throw new DOMException("denied", "SecurityError"); }});`).Do(ctx)
		return err
	}))
	visit(t, ctx, "#/documents")
	says(t, innerText(t, ctx, "main"), "No document is stored yet")
	do(t, ctx, chromedp.SetValue("#colours", "dark"), chromedp.Evaluate("document.querySelector('#colours').dispatchEvent(new Event('change'))", nil))
	if got := value[string](t, ctx, "document.documentElement.dataset.colours"); got != "dark" {
		t.Errorf("the colours are %q", got)
	}
}

func TestPageColours(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t, start(t, nil), 1280)
	const page = "getComputedStyle(document.body).backgroundColor"
	light := value[string](t, ctx, page)
	do(t, ctx, chromedp.SetValue("#colours", "dark"), chromedp.Evaluate("document.querySelector('#colours').dispatchEvent(new Event('change'))", nil))
	chosen := value[string](t, ctx, page)
	if chosen == light {
		t.Errorf("light and dark are both %s", light)
	}
	visit(t, ctx, "#/search")
	if got := value[string](t, ctx, page); got != chosen {
		t.Errorf("the next time it is %s, want %s", got, chosen)
	}
	do(t, ctx, chromedp.SetValue("#colours", "auto"), chromedp.Evaluate("document.querySelector('#colours').dispatchEvent(new Event('change'))", nil), dark)
	if got := value[string](t, ctx, page); got != chosen {
		t.Errorf("a dark system has %s, want %s", got, chosen)
	}
}
