package graph

import "testing"

func TestCUINumber(t *testing.T) {
	for cui, want := range map[CUI]uint32{"A0000000": 0, "C0079419": 20079419, "K9999999": 109999999, "Z9999999": 259999999} {
		n, usual := cui.Number()
		if !usual || n != want || NumberedCUI(n) != cui {
			t.Errorf("%s: %d, %v, %s", cui, n, usual, NumberedCUI(n))
		}
	}
	for _, cui := range []CUI{"", "C", "C007941", "C00794190", "c0079419", "C+079419", "C007941x", "CL:00001"} {
		if n, usual := cui.Number(); usual {
			t.Errorf("%q has the number %d", cui, n)
		}
	}
}
