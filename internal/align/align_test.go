package align_test

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/keci-kg/keci/internal/align"
)

var errBroken = errors.New("broken")

// items gives the words of a text; "!" is an error.
func items(text string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, word := range strings.Fields(text) {
			var err error
			if word == "!" {
				err = errBroken
			}
			if !yield(word, err) {
				return
			}
		}
	}
}

// byLetter compares the first letters alone, so that equal items can be told apart.
func byLetter(a, b string) int { return cmp.Compare(a[0], b[0]) }

func TestSorted(t *testing.T) {
	for _, c := range []struct{ first, second, want string }{
		{"", "", ""},
		{"a1 c1", "", "a1- c1-"},
		{"", "a2 c2", "-a2 -c2"},
		{"a1 b1 d1", "b2 c2 d2 e2", "a1- b1b2 -c2 d1d2 -e2"},
		{"a1 ! c1", "b2", "a1- broken"},
		{"b1", "a2 !", "-a2 broken"},
		{"!", "!", "broken"},
	} {
		var got []string
		for p, err := range align.Sorted(items(c.first), items(c.second), byLetter) {
			switch {
			case err != nil:
				got = append(got, err.Error())
			case p.InFirst && p.InSecond:
				got = append(got, p.First+p.Second)
			case p.InFirst:
				got = append(got, p.First+"-")
			default:
				got = append(got, "-"+p.Second)
			}
		}
		if told := strings.Join(got, " "); told != c.want {
			t.Errorf("%q and %q: %s, want %s", c.first, c.second, told, c.want)
		}
	}
}

// TestSortedStops: who has heard enough is told no more, and both sequences end.
func TestSortedStops(t *testing.T) {
	ended := 0
	endless := func(yield func(int, error) bool) {
		defer func() { ended++ }()
		for i := 0; yield(i, nil); i++ {
		}
	}
	heard := ""
	for p := range align.Sorted(endless, endless, cmp.Compare[int]) {
		if heard += fmt.Sprint(p.First); p.First == 2 {
			break
		}
	}
	if heard != "012" || ended != 2 {
		t.Errorf("heard %s, and %d sequences ended", heard, ended)
	}
}
