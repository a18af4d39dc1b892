package graph_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keci-kg/keci/graph"
)

func TestFactKeysAreReadAsWritten(t *testing.T) {
	for want, key := range map[string]graph.FactKey{
		"C1:bind:C2":               {Head: "C1", Label: "bind", Tail: "C2"},
		"C2:bind:C1:directed":      {Head: "C2", Label: "bind", Tail: "C1", Directed: true},
		"CHEBI~3A1:is+a~2Fb~25:C2": {Head: "CHEBI:1", Label: "is a/b%", Tail: "C2"},
		"C1:a~7Eb~2Bc-d_e.f:C2":    {Head: "C1", Label: "a~b+c-d_e.f", Tail: "C2"},
		"C1:directed:C2":           {Head: "C1", Label: "directed", Tail: "C2"},
		"~CE~B2::C2:directed":      {Head: "β", Label: "", Tail: "C2", Directed: true},
	} {
		if got := key.String(); got != want {
			t.Errorf("%+v is written %q, want %q", key, got, want)
		}
		if got, err := graph.ParseFactKey(want); err != nil || got != key {
			t.Errorf("%q is read as %+v, %v", want, got, err)
		}
		if address, err := url.PathUnescape(want); err != nil || address != want {
			t.Errorf("%q comes out of an address as %q, %v", want, address, err)
		}
		before := strings.ReplaceAll(want, "~", "%") // as they were written once, but for ~ itself
		if got, err := graph.ParseFactKey(before); err != nil || got != key {
			t.Errorf("%q is read as %+v, %v", before, got, err)
		}
	}
	for _, text := range []string{"", "C1", "C1:bind", "C1:bind:C2:undirected", "C1:bind:C2:directed:x", "C1:%zz:C2", "C1:~zz:C2"} {
		if key, err := graph.ParseFactKey(text); err == nil {
			t.Errorf("%q is read as %+v", text, key)
		}
	}
}

func TestFilterOfDocuments(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2025, 1, n, 0, 0, 0, 0, time.UTC) }
	for name, test := range map[string]struct {
		filter graph.Filter
		want   bool
	}{
		"nothing asked":       {graph.Filter{}, true},
		"the document":        {graph.Filter{Document: "PMID:1"}, true},
		"another document":    {graph.Filter{Document: "PMID:11"}, false},
		"the source":          {graph.Filter{Source: "PMID"}, true},
		"part of a source":    {graph.Filter{Source: "PMI"}, false},
		"from the very time":  {graph.Filter{From: day(2)}, true},
		"from later":          {graph.Filter{From: day(3)}, false},
		"before the time":     {graph.Filter{To: day(2)}, false},
		"before a later time": {graph.Filter{From: day(1), To: day(3)}, true},
	} {
		if got := test.filter.LetsDocument("PMID:1", day(2)); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}
