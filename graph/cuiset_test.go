package graph

import "testing"

func TestCUISet(t *testing.T) {
	var s CUISet
	ids := []CUI{"C0000000", "C9999999", "K0000000", "C0000063", "C0000064", "CL:0000001", "C+000001", "C000001", "c0000001", ""}
	for i, id := range ids {
		if s.Has(id) {
			t.Errorf("%q is there before it was added", id)
		}
		if !s.Add(id) || s.Add(id) || !s.Has(id) || s.Len() != i+1 {
			t.Errorf("adding %q: %d", id, s.Len())
		}
	}
	for _, id := range []CUI{"C0000001", "C0000065", "K0000064", "Z0000000", "CL:0000002"} {
		if s.Has(id) {
			t.Errorf("%q is there", id)
		}
	}
}
