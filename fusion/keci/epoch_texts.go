package keci

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/keci-kg/keci/fusion/system"
)

// EpochTexts is how many examples of each corpus an epoch has at most; 0: all. Those
// of a larger corpus take turns, so that a small one is not drowned beside it. As a
// flag it is written as "1265" or, with corpora of their own, "1265,bc5cdr=500".
type EpochTexts struct {
	Each int
	Of   map[string]int // those of some corpora, instead
}

func (e EpochTexts) of(corpus string) int {
	if n, ok := e.Of[corpus]; ok {
		return n
	}
	return e.Each
}

// String is what Set reads.
func (e EpochTexts) String() string {
	parts := []string{strconv.Itoa(e.Each)}
	for _, corpus := range slices.Sorted(maps.Keys(e.Of)) {
		parts = append(parts, fmt.Sprintf("%s=%d", corpus, e.Of[corpus]))
	}
	return strings.Join(parts, ",")
}

// Set reads a flag. What is neither a number nor CORPUS=NUMBER is an error.
func (e *EpochTexts) Set(text string) error {
	var read EpochTexts
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		corpus, number, named := strings.Cut(strings.TrimSpace(part), "=")
		if !named {
			corpus, number = "", corpus
		}
		if seen[corpus] {
			return fmt.Errorf("%q has two numbers for %s", text, cmp.Or(corpus, "all corpora"))
		}
		seen[corpus] = true
		n, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("%q is no number: write 1265, or 1265,bc5cdr=500 where a corpus has another", number)
		}
		if !named {
			read.Each = n
			continue
		}
		if read.Of == nil {
			read.Of = map[string]int{}
		}
		read.Of[corpus] = n
	}
	*e = read
	return nil
}

// Type names the value in the help of a command.
func (EpochTexts) Type() string { return "texts" }

// validate reports a number that makes no sense.
func (e EpochTexts) validate() error {
	if n := slices.Min(append(slices.Collect(maps.Values(e.Of)), e.Each)); n < 0 {
		return fmt.Errorf("epoch texts is %d, it must not be negative", n)
	}
	return nil
}

// validateFor reports a corpus that nothing is learned from.
func (e EpochTexts) validateFor(sets []system.Set) error {
	for _, corpus := range slices.Sorted(maps.Keys(e.Of)) {
		if !slices.ContainsFunc(sets, func(s system.Set) bool { return s.Train.Name == corpus }) {
			return fmt.Errorf("epoch texts: nothing is learned from a corpus %s", corpus)
		}
	}
	return nil
}
