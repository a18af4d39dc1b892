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
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
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
		etag := s.mustAsk(t, 200, "GET", file[1], "").Header().Get("ETag")
		if file[1] != "/docs" { // another page
			s.mustAsk(t, 304, "GET", file[1], "", "If-None-Match", etag) // nor does the page load it each time
		}
	}
}

// openBrowser opens the page in a headless Chromium of the given width. Everything
// that the browser complains about or asks for outside fails the test.
func openBrowser(t *testing.T, s service, width int64) context.Context {
	t.Helper()
	ctx := newBrowser(t, s, width)
	visit(t, ctx, "#/")
	return ctx
}

// newBrowser is openBrowser with the page still closed. It can be used for as long as
// the test runs; each step of a test has its own limit.
func newBrowser(t testing.TB, s service, width int64) context.Context {
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
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(2*patience))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...) // t.Context ends before the cleanup below
	t.Cleanup(cancel)
	// A browser newer than chromedp tells more than it understands; it need not say so.
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(cancel)
	chromedp.ListenTarget(ctx, func(event any) {
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the page threw %v", event.ExceptionDetails)
		case *runtime.EventConsoleAPICalled:
			t.Errorf("the page wrote to the console: %v", event.Args)
		}
	})
	// The browser is started by a context that does not end before it.
	if err := chromedp.Run(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(server.URL+"/icon.svg")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		outside := "performance.getEntriesByType('resource').map(e => e.name).filter(n => !/^(blob:|data:)/.test(n) && !n.startsWith(location.origin + '/'))"
		if asked := value[[]string](t, ctx, outside); len(asked) > 0 {
			t.Errorf("the page asked for %v", asked)
		}
	})
	return ctx
}

// visit opens a place of the page as someone does who follows a link to it from elsewhere.
func visit(t testing.TB, ctx context.Context, place string) {
	t.Helper()
	origin := value[string](t, ctx, "location.origin")
	do(t, ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(origin+"/"+place))
	until(t, ctx, settled)
}

// settled is a page that has what its address names, and no longer fades in.
const settled = "document.querySelector('main h1') && !document.querySelector('[aria-busy=true]') && document.getAnimations().length === 0"

// patience is how long a step may take on a machine that has much else to do.
const patience = time.Minute

func do(t testing.TB, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := chromedp.Run(limited, actions...); err != nil {
		t.Fatal(err)
	}
}

// value evaluates JavaScript in the page.
func value[T any](t testing.TB, ctx context.Context, script string) (result T) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate(script, &result, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return result
}

// until waits for a condition in the page, which may be left and opened meanwhile.
func until(t testing.TB, ctx context.Context, condition string) {
	t.Helper()
	var (
		met bool
		err error
	)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = chromedp.Run(ctx, chromedp.Evaluate("!!("+condition+")", &met)); met {
			return
		}
	}
	t.Fatalf("it never came that %s (%v)\nthe page says:\n%s", condition, err, value[string](t, ctx, "document.body.innerText"))
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

// innerText is what people read in an element.
func innerText(t testing.TB, ctx context.Context, selector string) string {
	t.Helper()
	return value[string](t, ctx, "document.querySelector('"+selector+"').innerText")
}

// offline makes the page lose, or find again, the way to the service.
func offline(lost bool) chromedp.Action {
	return network.EmulateNetworkConditions(lost, 0, -1, -1)
}

// dark makes the browser prefer dark colours.
var dark = emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}})

// onPaper makes the browser show the page as it would be printed.
var onPaper = emulation.SetEmulatedMedia().WithMedia("print")

const (
	nested     = "FK506 binding protein (FKBP12) binds rapamycin, no calcineurin. 𝛂 <b>"
	focused    = "document.activeElement"
	graphDrawn = "document.querySelectorAll('#graph .node').length > 0"
)

func evidenceText(t *testing.T, ctx context.Context) string {
	t.Helper()
	return innerText(t, ctx, "#evidence-body")
}

func says(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}
