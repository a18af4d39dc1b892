package encoder

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWindows(t *testing.T) {
	for name, test := range map[string]struct {
		n, size, stride int
		want            []Window
	}{
		"nothing":          {0, 510, 255, nil},
		"one piece":        {1, 510, 255, []Window{{0, 1, 0, 1}}},
		"just full":        {510, 510, 255, []Window{{0, 510, 0, 510}}},
		"one piece more":   {511, 510, 255, []Window{{0, 510, 0, 319}, {255, 511, 319, 511}}},
		"two full":         {765, 510, 255, []Window{{0, 510, 0, 383}, {255, 765, 383, 765}}},
		"three":            {800, 510, 255, []Window{{0, 510, 0, 383}, {255, 765, 383, 583}, {510, 800, 583, 800}}},
		"no overlap":       {5, 2, 2, []Window{{0, 2, 0, 2}, {2, 4, 2, 4}, {4, 5, 4, 5}}},
		"short last":       {4, 3, 2, []Window{{0, 3, 0, 2}, {2, 4, 2, 4}}},
		"windows of one":   {2, 1, 1, []Window{{0, 1, 0, 1}, {1, 2, 1, 2}}},
		"earlier of equal": {3, 2, 1, []Window{{0, 2, 0, 2}, {1, 3, 2, 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Windows(test.n, test.size, test.stride)); diff != "" {
				t.Errorf("Windows(%d, %d, %d) (-want +got):\n%s", test.n, test.size, test.stride, diff)
			}
		})
	}
}

// TestWindowsTakeTheNearestMiddle checks the promise for each piece by looking at all windows.
func TestWindowsTakeTheNearestMiddle(t *testing.T) {
	for n := range 60 {
		for size := 1; size <= 12; size++ {
			for stride := 1; stride <= size; stride++ {
				checkWindows(t, n, size, stride)
			}
		}
	}
}

func checkWindows(t *testing.T, n, size, stride int) {
	t.Helper()
	next := 0
	windows := Windows(n, size, stride)
	for i, w := range windows {
		if w.From != next || w.From < w.Start || w.To > w.End || w.End-w.Start > size {
			t.Fatalf("Windows(%d, %d, %d): window %d is %+v after piece %d", n, size, stride, i, w, next)
		}
		next = w.To
		for piece := w.From; piece < w.To; piece++ {
			if best := nearest(windows, piece); best != i {
				t.Fatalf("Windows(%d, %d, %d): piece %d comes from window %d, want %d", n, size, stride, piece, i, best)
			}
		}
	}
	if next != n {
		t.Fatalf("Windows(%d, %d, %d) end at %d", n, size, stride, next)
	}
}

// nearest is the first of the windows that hold the piece whose middle is nearest.
func nearest(windows []Window, piece int) int {
	best, least := -1, 0
	for i, w := range windows {
		if piece < w.Start || piece >= w.End {
			continue
		}
		distance := max(2*piece+1-w.Start-w.End, w.Start+w.End-2*piece-1)
		if best < 0 || distance < least {
			best, least = i, distance
		}
	}
	return best
}
