package umls

import (
	"context"
	"iter"

	"github.com/keci-kg/keci/graph"
)

// Retired gives the concepts that earlier releases had and this one has not:
// those of MRCUI, with the concept that took their place where there is one of
// the same meaning (REL is SY), then those that only DELETEDCUI tells of. MRCUI
// must be sorted by CUI1.
func (r *Release) Retired(ctx context.Context) iter.Seq2[graph.Retired, error] {
	return func(yield func(graph.Retired, error) bool) {
		told := &graph.CUISet{}
		if r.merged(ctx, told, yield) {
			r.deleted(ctx, told, yield)
		}
	}
}

// merged yields the concepts of MRCUI and reports whether to go on.
func (r *Release) merged(ctx context.Context, told *graph.CUISet, yield func(graph.Retired, error) bool) bool {
	cui, release, rel, into := mrcui.column("CUI1"), mrcui.column("VER"), mrcui.column("REL"), mrcui.column("CUI2")
	var current graph.Retired
	for row, err := range r.rows(ctx, mrcui) {
		if err == nil && string(current.CUI) != string(row.fields[cui]) {
			err = checkOrder(row, string(current.CUI), string(row.fields[cui]))
			if current.CUI != "" && err == nil && !yield(current, nil) {
				return false
			}
			current = graph.Retired{CUI: graph.CUI(row.fields[cui])}
			told.Add(current.CUI)
		}
		if err != nil {
			yield(graph.Retired{}, err)
			return false
		}
		current.Release = max(current.Release, row.text(release))
		if current.Into == "" && row.text(rel) == "SY" && row.text(into) != row.text(cui) {
			current.Into = graph.CUI(row.fields[into])
		}
	}
	return current.CUI == "" || yield(current, nil)
}

// deleted yields the concepts of DELETEDCUI that were not told of.
func (r *Release) deleted(ctx context.Context, told *graph.CUISet, yield func(graph.Retired, error) bool) {
	cui := deleted.column("PCUI")
	for row, err := range r.rows(ctx, deleted) {
		if err != nil {
			yield(graph.Retired{}, err)
			return
		}
		if id := graph.CUI(row.fields[cui]); told.Add(id) && !yield(graph.Retired{CUI: id}, nil) {
			return
		}
	}
}
