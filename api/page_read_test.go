package api_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/keci-kg/keci/graph/format/picture"
)

func TestPageByMouse(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	ctx := openBrowser(t, s, 1280)
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
	says(t, value[string](t, ctx, "document.querySelector('#legend').innerText"), "protein-family", "chemical", "negated")
	says(t, evidenceText(t, ctx), "FK506 binding protein", "protein-family") // the first is selected

	do(t, ctx, chromedp.Click("//p[@id='text']//span[text()='calcineurin']", chromedp.BySearch))
	until(t, ctx, "document.querySelector('#evidence-body').innerText.includes('Amino Acid')")
	says(t, evidenceText(t, ctx), "negated", "Calcineurin", "C0006686", "0.75", "none of these (sentinel)", "0.25",
		"text alone", "protein\n71 %", "with knowledge", "protein-complex\n97 %", "– bind –", "44 % → 91 %")
	do(t, ctx, chromedp.Click(".fit summary"))
	says(t, evidenceText(t, ctx), "centrality\n1.00", "variation\n1.00", "coverage\n1.00", "cohesiveness\n1.00", "confidence\n0.00")
	shoot(t, ctx, "mouse")

	do(t, ctx, chromedp.Click("#graph .node.mention-T4 text"))
	until(t, ctx, "document.querySelector('#evidence-body strong').innerText === 'rapamycin'")
	if !value[bool](t, ctx, "document.querySelector('#text .selected').textContent === 'rapamycin' && document.querySelector('#graph .selected').classList.contains('mention-T4')") {
		t.Error("text and graph do not select what was clicked in the graph")
	}
	do(t, ctx, chromedp.Click("#relations summary"), chromedp.Click("#relations li:nth-child(2) button"))
	says(t, evidenceText(t, ctx), "FK506 binding protein – bind – FKBP12")
	lines := "document.querySelectorAll('#graph .edge.selected.relation-R2').length + document.querySelectorAll('#text .selected').length"
	if got := value[int](t, ctx, lines); got != 3 {
		t.Errorf("the relation selects %d lines and mentions, want 1 and 2", got)
	}
	for _, kind := range []string{"protein", "protein-family", "chemical", "protein-complex", "Adverse-Effect"} {
		got := value[int](t, ctx, "import('/document/tone.js').then(m => m.tone('"+kind+"'))")
		if want := picture.Tone(kind); got != want {
			t.Errorf("the page gives %s tone %d, the picture %d", kind, got, want)
		}
	}
}

func TestPageByKeyboard(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	ctx := openBrowser(t, s, 1280)
	press := func(keys ...string) {
		t.Helper()
		for _, key := range keys {
			do(t, ctx, chromedp.KeyEvent(key))
		}
	}
	press(kb.Tab)
	if got := value[string](t, ctx, focused+".textContent"); got != "Skip to the content" {
		t.Errorf("the first stop is %q", got)
	}
	press(kb.Enter, kb.Tab) // the text field, which has an example
	do(t, ctx, chromedp.KeyEvent("a", chromedp.KeyModifiers(2)), chromedp.SendKeys("#input", sentence))
	do(t, ctx, chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)))
	until(t, ctx, graphDrawn)
	do(t, ctx, chromedp.Focus("#text [tabindex='0']"))
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
	if value[bool](t, ctx, "(() => { const key = new KeyboardEvent('keydown', {key: 'ArrowLeft', altKey: true, bubbles: true, cancelable: true}); "+
		focused+".dispatchEvent(key); return key.defaultPrevented })()") {
		t.Error("Alt with an arrow does not lead back in the text")
	}
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
	do(t, ctx, chromedp.Focus("#evidence-body .relations button"))
	press(kb.Enter) // from the mention to its relation, and on to the other end
	until(t, ctx, "document.querySelector('#evidence-body').innerText.includes('Between')")
	if got := value[string](t, ctx, focused+".id"); got != "evidence-title" {
		t.Errorf("the relation went to %q", got)
	}
	says(t, evidenceText(t, ctx), "FKBP12 – bind – FK506", "text alone", "44 %", "with knowledge", "91 %")
	press(kb.Tab, kb.Enter)
	if got := value[string](t, ctx, focused+".getAttribute('aria-label')"); got != "FKBP12, protein 97 %" {
		t.Errorf("the end of the relation led to %q", got)
	}
	press(kb.Enter, kb.Escape)
	if got := value[string](t, ctx, focused+".getAttribute('aria-label')"); got != "FKBP12, protein 97 %" {
		t.Errorf("Escape went to %q", got)
	}
}

func TestPageTellsProblems(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	ctx := openBrowser(t, s, 390)
	do(t, ctx, dark)
	for _, test := range []struct{ text, problem string }{
		{"🧬", "no letter"},
		{"fail", "inside the server"},
		{"FK506 <img src=x onerror=alert(1)>", ""},
		{"nothing to find", ""},
	} {
		do(t, ctx, chromedp.SetValue("#input", test.text), chromedp.Click("#submit"))
		until(t, ctx, "document.querySelector('#submit').textContent === 'Extract' && !document.querySelector('[aria-busy=true]')")
		problem := value[string](t, ctx, "document.querySelector('#problem').innerText")
		if (problem == "") != (test.problem == "") || !strings.Contains(problem, test.problem) {
			t.Errorf("%q: the page tells %q, want %q", test.text, problem, test.problem)
		}
		shoot(t, ctx, "phone-"+regexp.MustCompile(`\W+`).ReplaceAllString(test.text, "-"))
	}
	says(t, evidenceText(t, ctx), "No entity was found")
}
