package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/keci-kg/keci/graph"
)

// article is a stored text of 3,000 words with 250 mentions of 125 things, each with
// two candidates, and 40 relations.
func article() graph.Document {
	doc := graph.Document{ID: "article", Offsets: graph.OffsetCodepoint}
	var text strings.Builder
	sentinel, first, second := 0.2, 0.5, 0.3
	for i := range 250 {
		name := fmt.Sprintf("protein-%d", i%125)
		text.WriteString("As was shown before, in the cells of the mouse the ")
		start := text.Len()
		text.WriteString(name + " ")
		candidate := func(weight *float64) graph.Candidate {
			return graph.Candidate{CUI: graph.CUI(fmt.Sprintf("C%07d", i%125)), Name: name, SemanticTypes: []graph.TUI{"T116"}, Weight: weight, Score: 1000, Matched: name}
		}
		doc.Mentions = append(doc.Mentions, graph.Mention{ID: fmt.Sprintf("T%d", i+1), Start: start, End: start + len(name), Text: name, Type: "protein", Score: 0.9,
			Initial: &graph.Judgement{Type: "protein", Score: 0.7}, Sentinel: &sentinel, Concepts: []graph.Candidate{candidate(&first), candidate(&second)}})
	}
	doc.Text = text.String()
	for i := range 40 {
		doc.Relations = append(doc.Relations, graph.Extraction{ID: fmt.Sprintf("R%d", i+1), Head: fmt.Sprintf("T%d", 3*i+1), Tail: fmt.Sprintf("T%d", 3*i+5), Label: "bind", Score: 0.9})
	}
	return doc
}

// BenchmarkPageArticle opens a stored article by its address in a new tab: the time
// until its text stands there with the mentions, and until its graph does.
func BenchmarkPageArticle(b *testing.B) {
	s := start(b, nil)
	if _, err := s.store.SaveDocument(b.Context(), article(), false); err != nil {
		b.Fatal(err)
	}
	ctx := newBrowser(b, s, 1280)
	do(b, ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`
			window.shown = {};
			(function look() {
				for (const [what, selector] of [["text", "#text .mention"], ["graph", "#graph .node"]])
					if (!shown[what] && document.querySelector(selector)) shown[what] = performance.now();
				if (!shown.graph) requestAnimationFrame(look);
			})();`).Do(ctx)
		return err
	}))
	var text, drawn float64
	for b.Loop() {
		visit(b, ctx, "#/documents/article")
		until(b, ctx, "window.shown.graph")
		text += value[float64](b, ctx, "shown.text")
		drawn += value[float64](b, ctx, "shown.graph")
	}
	b.ReportMetric(text/float64(b.N), "ms/text")
	b.ReportMetric(drawn/float64(b.N), "ms/graph")
}
