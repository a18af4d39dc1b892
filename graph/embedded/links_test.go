package embedded

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/keci-kg/keci/graph"
)

// Links of more concepts than are sorted at a time come back in order, those of
// the same ends in the order that is asked for, and leave no file behind.
func TestLinkSorter(t *testing.T) {
	dir, random := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	s := linkSorter{dir: dir, name: "x"}
	var want []link
	for range 20_000 {
		l := link{random.Uint32N(3*conceptsOfPart + 5), random.Uint32N(3), random.Uint32N(9)}
		want = append(want, l)
		if err := s.add(l); err != nil {
			t.Fatal(err)
		}
	}
	falling := func(a, b uint32) int { return cmp.Compare(b, a) }
	slices.SortFunc(want, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), falling(a.kind, b.kind))
	})
	var got []link
	for l, err := range s.sorted(t.Context(), falling) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l)
	}
	if !slices.Equal(want, got) {
		t.Error("the order is wrong, or not all are there")
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLinkSorterGivenUp(t *testing.T) {
	dir := t.TempDir()
	s := linkSorter{dir: dir, name: "x"}
	if err := s.add(link{from: conceptsOfPart}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.sorted(ctx, cmp.Compare[uint32]) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	s = linkSorter{dir: dir + "/none", name: "x"}
	if err := s.add(link{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestReferences(t *testing.T) {
	ids := []graph.CUI{"A0000000", "C0000001", "C0000001", "C9999999", "CL:0000057", "D0000000", "Z9999999", "é"}
	var list []byte
	last := uint32(0)
	for _, id := range append(slices.Clone(ids), "C0000000") { // also back again
		list = appendReference(list, referenceTo(id), &last)
	}
	d := decoder{rest: string(list)}
	last = 0
	for _, want := range append(ids, "C0000000") {
		if got := d.reference(&last).cui(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if d.err() != nil {
		t.Error(d.err())
	}
}
