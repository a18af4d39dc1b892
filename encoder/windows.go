package encoder

import "fmt"

// Window is a run of word pieces that BERT reads at once.
type Window struct {
	Start, End int // pieces that are read: [Start, End)
	From, To   int // pieces whose vectors are taken from this window: [From, To), inside [Start, End)
}

// Windows covers n pieces with windows of at most size pieces, each beginning stride pieces after the one
// before it. A piece's vector is taken from the window where the piece is nearest the middle, the earlier one
// of two at the same distance; so the ranges [From, To) follow one another and cover [0, n).
// It needs 0 < stride ≤ size; KECI takes 510 and 255.
func Windows(n, size, stride int) []Window {
	if stride <= 0 || stride > size {
		panic(fmt.Sprintf("encoder.Windows: stride %d is not in 1..size %d", stride, size))
	}
	if n <= 0 {
		return nil
	}
	windows := []Window{{Start: 0, End: min(size, n)}}
	for {
		last := &windows[len(windows)-1]
		if last.End == n {
			last.To = n
			return windows
		}
		next := Window{Start: last.Start + stride, End: min(last.Start+stride+size, n)}
		next.From = border(*last, next)
		last.To = next.From
		windows = append(windows, next)
	}
}

// border is the first piece that is nearer the middle of b than that of a, the window before it.
func border(a, b Window) int {
	middles := a.Start + a.End + b.Start + b.End // four times the point halfway between the two middles
	return max((middles-2)/4+1, b.Start)
}
