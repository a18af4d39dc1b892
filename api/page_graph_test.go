package api_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/keci-kg/keci/api"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
)

// box is what is seen of the picture: its viewBox.
type box struct{ x, y, width, height float64 }

func seen(t *testing.T, ctx context.Context) (b box) {
	t.Helper()
	text := value[string](t, ctx, "document.querySelector('#graph svg').getAttribute('viewBox')")
	if _, err := fmt.Sscan(text, &b.x, &b.y, &b.width, &b.height); err != nil {
		t.Fatalf("viewBox %q: %v", text, err)
	}
	return b
}

// midst is the middle of an element on the screen.
func midst(t *testing.T, ctx context.Context, selector string) (x, y float64) {
	t.Helper()
	at := value[[]float64](t, ctx, "(() => { const r = document.querySelector('"+selector+"').getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()")
	return at[0], at[1]
}

// corner is the upper left corner of an element on the screen.
func corner(t *testing.T, ctx context.Context, selector string) (x, y float64) {
	t.Helper()
	at := value[[]float64](t, ctx, "(() => { const r = document.querySelector('"+selector+"').getBoundingClientRect(); return [r.x, r.y] })()")
	return at[0], at[1]
}

func extractInPage(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	do(t, ctx, chromedp.SetValue("#input", text), chromedp.Click("#submit"))
	until(t, ctx, graphDrawn)
}

func TestPageGraphMoves(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t, start(t, nil), 1280)
	extractInPage(t, ctx, nested)
	do(t, ctx, chromedp.ScrollIntoView("#graph"))

	whole := seen(t, ctx)
	do(t, ctx, chromedp.Click("#zoom-in"))
	if got := seen(t, ctx); got.width >= whole.width {
		t.Errorf("the button + makes %+v of %+v", got, whole)
	}
	do(t, ctx, chromedp.Click("#zoom-out"), chromedp.Click("#zoom-out"))
	if got := seen(t, ctx); got.width <= whole.width {
		t.Errorf("the button - makes %+v of %+v", got, whole)
	}
	do(t, ctx, chromedp.Click("#fit"))
	if got := seen(t, ctx); got != whole {
		t.Errorf("all of it is %+v, was %+v", got, whole)
	}

	x, y := midst(t, ctx, "#graph .node.mention-T4")
	chosen := evidenceText(t, ctx)
	do(t, ctx, chromedp.MouseEvent(input.MousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(input.MouseMoved, x+30, y+20, chromedp.ButtonLeft), chromedp.MouseEvent(input.MouseMoved, x+60, y+40, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.MouseReleased, x+60, y+40, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	if got := seen(t, ctx); got.x >= whole.x || got.y >= whole.y || got.width != whole.width {
		t.Errorf("dragging to the right and down makes %+v of %+v", got, whole)
	}
	if got := evidenceText(t, ctx); got != chosen {
		t.Errorf("dragging a box selected it:\n%s", got)
	}
	do(t, ctx, chromedp.Click("#fit"))

	// A button that was pressed in the picture and let go beside it drags nothing.
	left, top := corner(t, ctx, "#graph svg")
	do(t, ctx, chromedp.MouseEvent(input.MousePressed, left+2, top+2, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(input.MouseMoved, left-60, top+2, chromedp.ButtonLeft), chromedp.MouseEvent(input.MouseReleased, left-60, top+2, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(input.MouseMoved, left+40, top+40), chromedp.MouseEvent(input.MouseMoved, left+80, top+40))
	if got := seen(t, ctx); got != whole {
		t.Errorf("moving the mouse makes %+v of %+v", got, whole)
	}

	do(t, ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		return input.DispatchMouseEvent(input.MouseWheel, x, y).WithDeltaX(0).WithDeltaY(-120).WithModifiers(input.ModifierCtrl).Do(ctx)
	}))
	until(t, ctx, "document.querySelector('#graph svg').viewBox.baseVal.width < "+strconv.FormatFloat(whole.width, 'g', -1, 64)+" - 1")
}

func TestPageGraphByKeyboard(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t, start(t, nil), 1280)
	extractInPage(t, ctx, nested)
	do(t, ctx, chromedp.Focus("#graph [tabindex='0']"))
	whole := seen(t, ctx)
	reached := map[string]bool{}
	for range 3 {
		for _, key := range []string{kb.ArrowRight, kb.ArrowDown, kb.ArrowLeft, kb.ArrowUp} {
			do(t, ctx, chromedp.KeyEvent(key))
			reached[value[string](t, ctx, focused+".getAttribute('aria-label')")] = true
		}
	}
	if len(reached) < 3 || !reached["FK506 binding protein, protein-family, 4 relations"] {
		t.Errorf("the arrows reach %v", reached)
	}
	here := value[string](t, ctx, focused+".getAttribute('aria-label').split(',')[0]")
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	if got := value[string](t, ctx, "document.querySelector('#evidence-body strong').innerText"); got != here {
		t.Errorf("Enter on %q selected %q", here, got)
	}
	do(t, ctx, chromedp.KeyEvent("+"))
	larger := seen(t, ctx)
	do(t, ctx, chromedp.KeyEvent(kb.ArrowRight, chromedp.KeyModifiers(input.ModifierShift)))
	moved := seen(t, ctx)
	do(t, ctx, chromedp.KeyEvent("0"))
	if larger.width >= whole.width || moved.x <= larger.x || seen(t, ctx) != whole {
		t.Errorf("from %+v the key + makes %+v, Shift → %+v, 0 %+v", whole, larger, moved, seen(t, ctx))
	}
}

// Two fingers make the picture larger, and what was touched leads to its evidence.
func TestPageGraphByTouch(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t, start(t, nil), 390)
	extractInPage(t, ctx, nested)
	do(t, ctx, chromedp.Click("#reading .to-evidence"))
	until(t, ctx, focused+".id === 'evidence-title' && "+focused+".getBoundingClientRect().top < innerHeight")
	do(t, ctx, chromedp.ScrollIntoView("#graph"))
	whole := seen(t, ctx)
	x, y := midst(t, ctx, "#graph svg")
	touch := func(kind input.TouchType, apart float64) chromedp.Action {
		points := []*input.TouchPoint{{X: x - apart, Y: y, ID: 1}, {X: x + apart, Y: y, ID: 2}}
		if kind == input.TouchEnd {
			points = []*input.TouchPoint{}
		}
		return input.DispatchTouchEvent(kind, points)
	}
	do(t, ctx, touch(input.TouchStart, 20), touch(input.TouchMove, 40), touch(input.TouchMove, 60), touch(input.TouchMove, 80), touch(input.TouchEnd, 0))
	if got := seen(t, ctx); got.width > whole.width/1.5 {
		t.Errorf("pinching makes %+v of %+v", got, whole)
	}
}

func TestPageStages(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t, start(t, nil), 1280)
	extractInPage(t, ctx, nested)
	mentions := func() string {
		return strings.Join(value[[]string](t, ctx, "[...document.querySelectorAll('#text [role=button]')].map(m => m.getAttribute('aria-label'))"), "\n")
	}
	final := mentions()
	do(t, ctx, chromedp.Click("//p[@id='text']//span[text()='calcineurin']", chromedp.BySearch), chromedp.Click("[value=initial]"))
	until(t, ctx, "document.querySelectorAll('#graph .node').length === 4 && !document.querySelector('#graph[aria-busy]')")
	says(t, mentions(), "FKBP12, protein 71 %", "FK506, protein 71 %", "rapamycin, chemical 71 %", "calcineurin, protein 71 %, negated")
	if strings.Contains(mentions(), "protein-family") {
		t.Errorf("the text alone has %s", mentions())
	}
	says(t, evidenceText(t, ctx), "calcineurin", "The text alone knows no concepts", "protein\n71 %", "FKBP12 – bind – calcineurin\n55 %")
	do(t, ctx, chromedp.Click("#changes summary"))
	says(t, innerText(t, ctx, "#changes"), "Knowledge changed 9 findings", "added", "FK506 binding protein · ", "FK506 binding protein – bind – FK506",
		"dropped", "FKBP12 – bind – calcineurin", "another type", "FK506 (protein → chemical)")
	shoot(t, ctx, "stages")

	do(t, ctx, chromedp.Click("[value=final]"))
	until(t, ctx, "document.querySelectorAll('#graph .node').length > 4")
	if got := mentions(); got != final {
		t.Errorf("back at the final graph:\n%s\nit was\n%s", got, final)
	}
	says(t, evidenceText(t, ctx), "calcineurin", "protein-complex")
}

// The graph that was asked for last is shown, whichever answer comes first.
func TestPageStagesInARow(t *testing.T) {
	t.Parallel()
	s := start(t, func(config *api.Config) { config.Cache = nil })
	ctx := openBrowser(t, s, 1280)
	extractInPage(t, ctx, nested)
	release := make(chan struct{})
	s.fake.release = release
	do(t, ctx, chromedp.Click("[value=initial]"))
	until(t, ctx, "document.querySelector('#result').innerText.includes('Reading the text alone')")
	do(t, ctx, chromedp.Click("[value=final]"))
	close(release)
	until(t, ctx, "document.querySelector('#changes').checkVisibility() && "+settled)
	if got := value[int](t, ctx, "document.querySelectorAll('#text [role=button]').length"); got != 5 {
		t.Errorf("%d entities are shown, want the five of the final graph", got)
	}
	if strings.Contains(value[string](t, ctx, "location.hash"), "stage") {
		t.Error("the address tells the other graph")
	}
}

// A stage that the service cannot give leaves the page as it is.
func TestPageStageThatFails(t *testing.T) {
	t.Parallel()
	s := start(t, func(config *api.Config) { config.Extractor = struct{ fusion.Extractor }{config.Extractor} })
	ctx := openBrowser(t, s, 1280)
	extractInPage(t, ctx, nested)
	do(t, ctx, chromedp.Click("[value=initial]"))
	until(t, ctx, "document.querySelector('#result .problem')?.innerText.includes('one stage only') && "+settled)
	if !value[bool](t, ctx, "document.querySelector('[value=final]').checked && document.querySelectorAll('#graph .node').length > 4") {
		t.Error("the final graph is gone")
	}
}

// A graph with many boxes shows those first that have a line.
func TestPageGraphOfManyEntities(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	doc := graph.Document{ID: "many", Text: strings.Repeat("a", 30), Offsets: graph.OffsetCodepoint,
		Relations: []graph.Extraction{{ID: "R1", Head: "T1", Tail: "T2", Label: "bind", Score: 0.9}}}
	for i := range 30 {
		doc.Mentions = append(doc.Mentions, graph.Mention{ID: fmt.Sprintf("T%d", i+1), Start: i, End: i + 1, Text: fmt.Sprintf("e%d", i), Type: "protein", Concepts: []graph.Candidate{}})
	}
	if _, err := s.store.SaveDocument(t.Context(), doc, false); err != nil {
		t.Fatal(err)
	}
	ctx := newBrowser(t, s, 1280)
	visit(t, ctx, "#/documents/many")
	until(t, ctx, graphDrawn)
	const visible = "[...document.querySelectorAll('#graph .node')].filter(n => !n.hasAttribute('hidden')).length"
	if got := value[int](t, ctx, visible); got != 2 {
		t.Errorf("%d boxes are shown, want the two with a line", got)
	}
	says(t, innerText(t, ctx, "#picture"), "with the 28 entities without a relation", "1 relation")
	if value[bool](t, ctx, "document.querySelector('#undrawn').checkVisibility()") {
		t.Error("the page tells of what is not drawn")
	}
	before := seen(t, ctx)
	do(t, ctx, chromedp.Click(".alone input"))
	if got := value[int](t, ctx, visible); got != 30 || seen(t, ctx).width <= before.width {
		t.Errorf("then %d boxes are shown in %+v, before in %+v", got, seen(t, ctx), before)
	}
}

// Of more boxes than the service draws, those with a line are drawn.
func TestPageGraphOfTooManyEntities(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	doc := graph.Document{ID: "too many", Text: strings.Repeat("a", 500), Offsets: graph.OffsetCodepoint,
		Relations: []graph.Extraction{{ID: "R1", Head: "T1", Tail: "T500", Label: "bind", Score: 0.9}}}
	for i := range 500 {
		doc.Mentions = append(doc.Mentions, graph.Mention{ID: fmt.Sprintf("T%d", i+1), Start: i, End: i + 1, Text: fmt.Sprintf("e%d", i), Type: "protein", Concepts: []graph.Candidate{}})
	}
	if _, err := s.store.SaveDocument(t.Context(), doc, false); err != nil {
		t.Fatal(err)
	}
	ctx := newBrowser(t, s, 1280)
	visit(t, ctx, "#/documents/too%20many")
	until(t, ctx, "document.querySelectorAll('#graph .node').length === 2")
	says(t, innerText(t, ctx, "#picture"), "498 mentions without a relation stand in the text alone")
}
