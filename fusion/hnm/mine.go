package hnm

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/keci-kg/keci/fusion/train"
)

// sample is a pair to learn from.
type sample struct {
	example, pair int // indices into Learner.examples, and into its pairs
	class         int
}

// confusion is a sample that the model takes for another class with confidence.
type confusion struct {
	Sample int `json:"sample"` // index into Learner.samples
	As     int `json:"as"`     // the class that it takes it for
}

// confident is how likely the wrong class must be.
const confident = 0.5

// mine reads all relations and as many pairs without one as an epoch has, and gives
// those that the model takes for something else, in a random order.
func (l *Learner) mine(ctx context.Context, rng *rand.Rand) ([]confusion, error) {
	read := append(append([]int{}, l.related...), l.someUnrelated(rng)...)
	rows := make([]row, len(read))
	for i, at := range read {
		rows[i] = l.row(at)
	}
	if _, err := l.model.classify(ctx, rows[:1]); err != nil { // alone: a resumed run makes the variables here
		return nil, err
	}
	judged, err := l.model.classify(ctx, rows)
	if err != nil {
		return nil, err
	}
	var found []confusion
	for i, at := range read {
		for class, p := range judged[i].probabilities {
			if class != l.samples[at].class && p >= confident {
				found = append(found, confusion{at, class})
			}
		}
	}
	rng.Shuffle(len(found), func(a, b int) { found[a], found[b] = found[b], found[a] })
	return found, nil
}

// someUnrelated draws the pairs without a relation of an epoch.
func (l *Learner) someUnrelated(rng *rand.Rand) []int {
	order := rng.Perm(len(l.unrelated))[:l.negatives()]
	for i, at := range order {
		order[i] = l.unrelated[at]
	}
	return order
}

// negatives is how many pairs without a relation an epoch has.
func (l *Learner) negatives() int {
	return min(int(l.settings.Negatives*float64(len(l.related))), len(l.unrelated))
}

// epoch lists the samples of an epoch in the order in which they are learned: all
// relations, and pairs without one, of which confusions take the place, half of them
// at most. So all epochs have the same length.
func (l *Learner) epoch(confusions []confusion, rng *rand.Rand) []int {
	negatives := l.someUnrelated(rng)
	confusions = confusions[:min(len(confusions), len(negatives)/2)]
	related := make([]int, len(l.related))
	for i, at := range rng.Perm(len(l.related)) {
		related[i] = l.related[at]
	}
	units := l.besideAnchors(confusions, related)
	for _, at := range negatives[len(confusions):] {
		units = append(units, []int{at})
	}
	rng.Shuffle(len(units), func(a, b int) { units[a], units[b] = units[b], units[a] })
	return l.packed(units)
}

// packed puts units one after another, none of them over the border of a shard, whose
// samples are compared, as long as smaller ones fill what is left of it.
func (l *Learner) packed(units [][]int) (list []int) {
	var waiting [][]int
	add := func(unit []int) { list = append(list, unit...) }
	for _, unit := range units {
		for len(waiting) > 0 && len(waiting[0]) <= l.room(len(list)) {
			add(waiting[0])
			waiting = waiting[1:]
		}
		if len(unit) <= l.room(len(list)) {
			add(unit)
		} else {
			waiting = append(waiting, unit)
		}
	}
	for _, unit := range waiting {
		add(unit)
	}
	return list
}

// room is how many samples fit into the shard of the next one, after so many.
func (l *Learner) room(samples int) int {
	_, size := train.Shards(l.batch)
	at := samples % l.batch
	return min(at/size*size+size, l.batch) - at
}

// besideAnchors puts each confusion beside a relation of the label that it was taken
// for, which it is a hard negative of, and one of its own label; all other relations
// stand alone. Each relation is used once, and none beside itself.
func (l *Learner) besideAnchors(confusions []confusion, related []int) [][]int {
	queues := map[int][]int{}
	for _, at := range related {
		class := l.samples[at].class
		queues[class] = append(queues[class], at)
	}
	used := map[int]bool{}
	take := func(unit []int, class int) []int {
		queue := queues[class]
		i := slices.IndexFunc(queue, func(at int) bool { return at != unit[0] })
		if i < 0 {
			return unit
		}
		unit, used[queue[i]] = append(unit, queue[i]), true
		queues[class] = slices.Delete(queue, i, i+1)
		return unit
	}
	var units [][]int
	for _, c := range confusions {
		unit := take([]int{c.Sample}, c.As)
		units = append(units, take(unit, l.samples[c.Sample].class))
	}
	for _, at := range related {
		if !used[at] {
			units = append(units, []int{at})
		}
	}
	return units
}
