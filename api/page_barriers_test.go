package api_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/keci-kg/keci/api"
)

// TestPageHasNoBarriers looks with axe-core, which KECI_TEST_AXE names (axe.min.js of
// its npm package), at every page and at what can be opened on it, in light and dark
// colours and at two widths.
func TestPageHasNoBarriers(t *testing.T) {
	path := os.Getenv("KECI_TEST_AXE")
	if path == "" {
		t.Skip("KECI_TEST_AXE names no axe-core")
	}
	t.Parallel()
	axe, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, nil)
	tell(t, s)
	s.mustSend(t, 201, "POST", "/v1/documents", body(t, map[string]string{"id": "nested", "text": nested}))
	s.mustSend(t, 202, "POST", "/v1/batches", `{"id":"b","text":"FK506"}`+"\n"+`{"id":"c","text":"🧬"}`, "Content-Type", "application/jsonl")
	jobs := decode[struct{ Jobs []struct{ ID string } }](t, s.mustSend(t, 200, "GET", "/v1/jobs", "").body).Jobs
	guarded := start(t, func(config *api.Config) { config.Tokens = &api.Tokens{} })

	states := []state{
		{"start", "#/", nil},
		{"extracted", "#/?text=FKBP12+binds+FK506", chromedp.WaitReady("#graph .node")},
		{"problem", "#/?text=%F0%9F%A7%AC", chromedp.WaitVisible("#problem .problem")},
		{"nothing found", "#/?text=nothing", chromedp.WaitVisible("#evidence-body .nothing")},
		{"document", "#/documents/nested", chromedp.Tasks{chromedp.WaitReady("#graph .node"), chromedp.Click("#relations summary"), chromedp.Click(".fit summary")}},
		{"negated", "#/documents/nested?mention=T5", chromedp.WaitReady("#graph .node")},
		{"relation in a document", "#/documents/nested?relation=R2", chromedp.WaitReady("#graph .node")},
		{"exports", "#/documents/nested", chromedp.Tasks{chromedp.WaitReady("#graph .node"), chromedp.Click(".menu summary")}},
		{"initial", "#/documents/nested?stage=initial", chromedp.Tasks{chromedp.WaitVisible("#changes"), chromedp.Click("#changes summary"), chromedp.WaitReady("#graph .node")}},
		{"documents", "#/documents", nil},
		{"no documents", "#/documents?after=z", nil},
		{"search", "#/search", chromedp.Click(".filters summary")},
		{"found", "#/search?q=tacrolimus", nil},
		{"not found", "#/search?q=nothing", nil},
		{"concept", "#/concepts/C0085149", nil},
		{"relation", "#/relations/" + bindsTacrolimus, nil},
		{"paths", "#/paths?from=C0085149&to=C0072980&q=rapamycin", nil},
		{"uploads", "#/jobs", nil},
		{"job", "#/jobs/" + jobs[0].ID, chromedp.WaitVisible("#results .failed")},
		{"unknown", "#/documents/none", nil},
	}
	for _, width := range []int64{1280, 390} {
		ctx := newBrowser(t, s.service, width)
		for _, colours := range []string{"light", "dark"} {
			lookAt(t, ctx, string(axe), colours, fmt.Sprintf("%d-%s", width, colours), states)
		}
	}
	ctx := newBrowser(t, guarded, 390)
	lookAt(t, ctx, string(axe), "light", "guarded", []state{{"token", "#/", chromedp.WaitVisible("#token-dialog")}})
}

// state is a page with what was done on it.
type state struct {
	name, place string
	act         chromedp.Action
}

func lookAt(t *testing.T, ctx context.Context, axe, colours, where string, states []state) {
	t.Helper()
	scheme := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: colours}, {Name: "prefers-reduced-motion", Value: "reduce"}}
	do(t, ctx, emulation.SetEmulatedMedia().WithFeatures(scheme))
	for _, st := range states {
		t.Run(where+"/"+st.name, func(t *testing.T) {
			visit(t, ctx, st.place)
			if st.act != nil {
				do(t, ctx, st.act)
				until(t, ctx, settled)
			}
			shoot(t, ctx, strings.ReplaceAll(where+"-"+st.name, " ", "-"))
			do(t, ctx, chromedp.Evaluate(axe+"\n;0", nil))
			const violations = "axe.run({resultTypes: ['violations']}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html + '\\n' + n.failureSummary)))"
			for _, violation := range value[[]string](t, ctx, violations) {
				t.Error(violation)
			}
			if wide := value[int](t, ctx, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
				t.Errorf("the page is %d pixels wider than the window", wide)
			}
		})
	}
}
