package keci

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas
)

// Kinds say what the types of several corpora have in common: of each kind, such as
// gene, the types that are of it, by the names that users are told. What one corpus
// annotates as of one kind is of no type of another kind for the others, whatever they
// annotate themselves. A type may be of several kinds; one of no kind contradicts none.
type Kinds map[string][]string

// contradict tells whether nothing can be of both types.
func (k Kinds) contradict(a, b string) bool {
	if a == b {
		return false
	}
	hasKinds := false
	for _, types := range k {
		if !slices.Contains(types, a) {
			continue
		}
		hasKinds = true
		if slices.Contains(types, b) {
			return false
		}
	}
	return hasKinds && slices.ContainsFunc(slices.Collect(maps.Values(k)), func(types []string) bool { return slices.Contains(types, b) })
}

func (c Config) validateKinds() error {
	if len(c.Kinds) > 0 && len(c.More) == 0 {
		return errors.New("kinds: they are of models that learned from several corpora")
	}
	told := map[string]bool{}
	for _, h := range c.heads() {
		for _, t := range h.EntityTypes[1:] {
			told[h.told(t)] = true
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(c.Kinds)) {
		for _, t := range c.Kinds[kind] {
			if !told[t] {
				return fmt.Errorf("kinds: %s has the type %q, there are %q", kind, t, slices.Sorted(maps.Keys(told)))
			}
		}
	}
	return nil
}

// possible tells for each class of each head, which are numbered one after the other,
// which classes a span that has it may have: 1 or 0. A head may always see nothing.
func (c Config) possible() [][]float32 {
	type class struct {
		head int
		told string // empty: nothing
	}
	var all []class
	for i, h := range c.heads() {
		for _, t := range h.EntityTypes {
			all = append(all, class{i, h.told(t)})
		}
	}
	table := make([][]float32, len(all))
	for i, a := range all {
		table[i] = make([]float32, len(all))
		for j, b := range all {
			if a.head == b.head || a.told == NoneLabel || b.told == NoneLabel || !c.Kinds.contradict(a.told, b.told) {
				table[i][j] = 1
			}
		}
	}
	return table
}

// contradictions is what the heads that a text is not of lose by types that contradict
// what is annotated: −log of the probability of the others, summed over those heads.
// logits [B, ..., Σ counts], labels [B, ...] of the text's own head, head [B] → [B, ...].
func (n network) contradictions(logits, labels, head *Node) *Node {
	g, counts := logits.Graph(), n.cfg.typeCounts()
	first := make([]int32, len(counts))
	for i := range counts[1:] {
		first[i+1] = first[i] + int32(counts[i])
	}
	class := Add(labels, overTexts(Gather(Const(g, first), InsertAxes(head, -1)), labels))
	possible := Gather(Const(g, n.cfg.possible()), InsertAxes(class, -1)) // [B, ..., Σ counts]
	var total *Node
	parts := byHead(possible, counts)
	for i, part := range byHead(logits, counts) {
		rest := Add(part, MulScalar(OneMinus(parts[i]), -1e9))
		loss := Sub(logSumExp(part), logSumExp(rest))
		if total == nil {
			total = loss
		} else {
			total = Add(total, loss)
		}
	}
	return total
}

// logSumExp is log Σ exp x over the last axis, which goes.
func logSumExp(x *Node) *Node {
	most := StopGradient(ReduceAndKeep(x, ReduceMax, -1))
	return Add(Squeeze(most, -1), Log(ReduceSum(Exp(Sub(x, most)), -1)))
}
