package train

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// poolGroups is how many groups are drawn together and sorted by length, so that
// little is padded while the order stays random.
const poolGroups = 20

// Groups divides examples of the given lengths, by index, into batches of at most
// size in a random order: examples of a batch have about the same length.
func Groups(rng *rand.Rand, lengths []int, size int) [][]int {
	var groups [][]int
	for pool := range slices.Chunk(rng.Perm(len(lengths)), size*poolGroups) {
		slices.SortStableFunc(pool, func(a, b int) int { return cmp.Compare(lengths[a], lengths[b]) })
		groups = slices.AppendSeq(groups, slices.Chunk(pool, size))
	}
	rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	return groups
}

// Shards is into how many shards a batch of so many examples is divided, and how many
// examples each has at most: two, so that two processors have their work without waiting
// for each other. More would leave each with few examples, whose matrix products are small.
func Shards(batch int) (count, size int) {
	count = min(2, batch)
	return count, (batch + count - 1) / count
}
