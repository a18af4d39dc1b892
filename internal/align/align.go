// Package align goes through two sorted sequences side by side.
package align

import (
	"cmp"
	"iter"
)

// Pair is what two sequences have at one place of their order: an item of one of them, or
// of both.
type Pair[T any] struct {
	First, Second     T
	InFirst, InSecond bool
}

// Sorted gives the items of two sequences, which are sorted by order, in that order, those
// that compare equal together. It ends after the first error of either.
func Sorted[T any](first, second iter.Seq2[T, error], order func(a, b T) int) iter.Seq2[Pair[T], error] {
	return func(yield func(Pair[T], error) bool) {
		nextFirst, stopFirst := iter.Pull2(first)
		defer stopFirst()
		nextSecond, stopSecond := iter.Pull2(second)
		defer stopSecond()
		a, errA, moreA := nextFirst()
		b, errB, moreB := nextSecond()
		for moreA || moreB {
			if err := cmp.Or(errA, errB); err != nil {
				yield(Pair[T]{}, err)
				return
			}
			where := 0
			switch {
			case !moreA:
				where = 1
			case !moreB:
				where = -1
			default:
				where = order(a, b)
			}
			var p Pair[T]
			if where <= 0 {
				p.First, p.InFirst = a, true
			}
			if where >= 0 {
				p.Second, p.InSecond = b, true
			}
			if !yield(p, nil) {
				return
			}
			if where <= 0 {
				a, errA, moreA = nextFirst()
			}
			if where >= 0 {
				b, errB, moreB = nextSecond()
			}
		}
	}
}
