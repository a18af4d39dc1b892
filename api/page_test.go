package api_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/keci-kg/keci/graph/format/picture"
)

func TestPageNeedsNothingFromOutside(t *testing.T) {
	s := start(t, nil)
	page := s.mustAsk(t, 200, "GET", "/", "")
	policy := page.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s: %s", want, policy)
		}
	}
	for _, file := range regexp.MustCompile(`(?:src|href)="([^"#]+)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		if !strings.HasPrefix(file[1], "/") {
			t.Errorf("the page loads %s", file[1])
			continue
		}
		s.mustAsk(t, 200, "GET", file[1], "")
	}
}

// browser opens the page in a headless Chromium of the given width. Everything
// that the browser complains about or asks for outside fails the test.
func browser(t *testing.T, s service, width int64) context.Context {
	t.Helper()
	var binary string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			binary = path
			break
		}
	}
	if binary == "" {
		t.Skip("there is no chromium here")
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(binary), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...) // t.Context ends before the cleanup below
	t.Cleanup(cancel)
	// A browser newer than chromedp tells more than it understands; it need not say so.
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	chromedp.ListenTarget(ctx, func(event any) {
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the page threw %v", event.ExceptionDetails)
		case *runtime.EventConsoleAPICalled:
			t.Errorf("the page wrote to the console: %v", event.Args)
		}
	})
	do(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(server.URL+"/"), chromedp.WaitVisible("#submit"))
	t.Cleanup(func() {
		outside := "performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin + '/'))"
		if asked := value[[]string](t, ctx, outside); len(asked) > 0 {
			t.Errorf("the page asked for %v", asked)
		}
	})
	return ctx
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// value evaluates JavaScript in the page.
func value[T any](t *testing.T, ctx context.Context, script string) (result T) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate(script, &result, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return result
}

// until waits for a condition in the page.
func until(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := chromedp.Run(wait, chromedp.Poll(condition, nil)); err != nil {
		t.Fatalf("it never came that %s: %v\nthe page says:\n%s", condition, err, value[string](t, ctx, "document.body.innerText"))
	}
}

// shoot keeps a picture of the page where KECI_SCREENSHOTS says, if it does.
func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("KECI_SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	do(t, ctx, chromedp.Sleep(300*time.Millisecond), chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// dark makes the browser prefer dark colours.
var dark = emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}})

const (
	nested     = "FK506 binding protein (FKBP12) binds rapamycin, no calcineurin. 𝛂 <b>"
	focused    = "document.activeElement"
	graphDrawn = "document.querySelectorAll('#graph .node').length > 0"
)

func evidenceText(t *testing.T, ctx context.Context) string {
	t.Helper()
	return value[string](t, ctx, "document.querySelector('#evidence-body').innerText")
}

func says(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

func TestPageByMouse(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	ctx := browser(t, s, 1280)
	until(t, ctx, "document.querySelector('#about').textContent.includes('fake')")
	do(t, ctx, chromedp.SetValue("#input", nested), chromedp.Click("#submit"))
	until(t, ctx, graphDrawn)

	if got := value[string](t, ctx, "document.querySelector('#text').textContent"); got != nested {
		t.Errorf("the text became %q", got)
	}
	marks := value[[]string](t, ctx, "[...document.querySelectorAll('#text .mention')].map(m => m.textContent + '|' + m.parentElement.closest('.mention')?.textContent)")
	want := []string{"FK506 binding protein|undefined", "FK506|FK506 binding protein", "FKBP12|undefined", "rapamycin|undefined", "calcineurin|undefined"}
	if strings.Join(marks, "\n") != strings.Join(want, "\n") {
		t.Errorf("mentions in the text, with what is around them:\n%s", strings.Join(marks, "\n"))
	}
	says(t, value[string](t, ctx, "document.querySelector('#status').innerText"), "5 entities", "4 relations")
	says(t, value[string](t, ctx, "document.querySelector('#legend').innerText"), "protein-family", "chemical")
	says(t, evidenceText(t, ctx), "FK506 binding protein", "protein-family") // the first is selected

	do(t, ctx, chromedp.Click("//p[@id='text']//span[text()='calcineurin']", chromedp.BySearch))
	until(t, ctx, "document.querySelector('#evidence-body').innerText.includes('Amino Acid')")
	says(t, evidenceText(t, ctx), "negated", "Calcineurin", "C0006686", "0.75", "none of these (sentinel)", "0.25",
		"text alone", "protein\n71 %", "with knowledge", "protein-complex\n97 %", "– bind –", "44 % → 91 %")
	shoot(t, ctx, "mouse")

	do(t, ctx, chromedp.Click("#graph .node.mention-T4 text"))
	until(t, ctx, "document.querySelector('#evidence-body strong').innerText === 'rapamycin'")
	if !value[bool](t, ctx, "document.querySelector('#text .selected').textContent === 'rapamycin' && document.querySelector('#graph .selected').classList.contains('mention-T4')") {
		t.Error("text and graph do not select what was clicked in the graph")
	}
	for _, kind := range []string{"protein", "protein-family", "chemical", "protein-complex", "Adverse-Effect"} {
		got := value[int](t, ctx, "import('/text.js').then(m => m.tone('"+kind+"'))")
		if want := picture.Tone(kind); got != want {
			t.Errorf("the page gives %s tone %d, the picture %d", kind, got, want)
		}
	}
}

func TestPageByKeyboard(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	ctx := browser(t, s, 1280)
	press := func(keys ...string) {
		t.Helper()
		for _, key := range keys {
			do(t, ctx, chromedp.KeyEvent(key))
		}
	}
	press(kb.Tab)
	if got := value[string](t, ctx, focused+".textContent"); got != "Skip to the result" {
		t.Errorf("the first stop is %q", got)
	}
	press(kb.Tab) // the text field; its example is extracted with Ctrl+Enter
	do(t, ctx, chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)))
	until(t, ctx, graphDrawn)
	press(kb.Tab, kb.Tab, kb.Tab) // Extract, example, first entity
	for _, step := range []struct{ key, label string }{
		{"", "FKBP12, protein 97 %"},
		{kb.ArrowRight, "FK506, chemical 97 %"},
		{kb.End, "calcineurin, protein-complex 97 %"},
		{kb.ArrowRight, "calcineurin, protein-complex 97 %"},
		{kb.ArrowLeft, "rapamycin, chemical 97 %"},
		{kb.Home, "FKBP12, protein 97 %"},
		{kb.ArrowDown, "FK506, chemical 97 %"},
	} {
		if step.key != "" {
			press(step.key)
		}
		if got := value[string](t, ctx, focused+".getAttribute('aria-label')"); got != step.label {
			t.Errorf("after %q the focus is on %q, want %q", step.key, got, step.label)
		}
	}
	says(t, evidenceText(t, ctx), "Tacrolimus", "chemical\n97 %")
	if !value[bool](t, ctx, "getComputedStyle("+focused+").outlineStyle !== 'none'") {
		t.Error("the focus is not visible")
	}
	shoot(t, ctx, "keyboard")
	do(t, ctx, dark)
	shoot(t, ctx, "keyboard-dark")
	press(kb.Enter)
	if got := value[string](t, ctx, focused+".id"); got != "evidence-title" {
		t.Errorf("Enter went to %q", got)
	}
	press(kb.Tab, kb.Enter) // the other end of a relation
	if got := value[string](t, ctx, focused+".getAttribute('aria-label')"); got != "FKBP12, protein 97 %" {
		t.Errorf("the relation led to %q", got)
	}
	press(kb.Enter, kb.Escape)
	if got := value[string](t, ctx, focused+".getAttribute('aria-label')"); got != "FKBP12, protein 97 %" {
		t.Errorf("Escape went to %q", got)
	}
}

func TestPageTellsProblems(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	ctx := browser(t, s, 390)
	do(t, ctx, dark)
	for _, test := range []struct{ text, problem string }{
		{"🧬", "no letter"},
		{"fail", "inside the server"},
		{"FK506 <img src=x onerror=alert(1)>", ""},
		{"nothing to find", ""},
	} {
		do(t, ctx, chromedp.SetValue("#input", test.text), chromedp.Click("#submit"))
		until(t, ctx, "document.querySelector('#submit').textContent === 'Extract'")
		problem := value[string](t, ctx, "document.querySelector('#problem').innerText")
		if (problem == "") != (test.problem == "") || !strings.Contains(problem, test.problem) {
			t.Errorf("%q: the page tells %q, want %q", test.text, problem, test.problem)
		}
		shoot(t, ctx, "phone-"+regexp.MustCompile(`\W+`).ReplaceAllString(test.text, "-"))
	}
	says(t, evidenceText(t, ctx), "No entity was found")
}
