// Package tagging marks mentions word by word: outside of mentions (O), at the
// beginning of one (B) or inside it (I), with a tag for each entity type. It
// numbers tags, reads mentions off the probabilities of tags, and has the loss by
// which tags are learned.
package tagging

import "math"

// Outside is the tag of words that are in no mention. The tags of entity types
// follow, two for each.
const Outside = 0

// Begin is the tag of the first word of a mention of a type, from 0.
func Begin(typ int) int { return 1 + 2*typ }

// Inside is the tag of the other words of a mention of a type.
func Inside(typ int) int { return 2 + 2*typ }

// Count is how many tags there are for so many types.
func Count(types int) int { return 1 + 2*types }

// TypeOf is the type of a tag other than Outside.
func TypeOf(tag int) int { return (tag - 1) / 2 }

// IsInside tells whether a tag goes on with a mention.
func IsInside(tag int) bool { return tag != Outside && tag%2 == 0 }

// mayFollow tells whether a tag may stand after another one: an inside only goes
// on with a mention of its own type.
func mayFollow(tag, before int) bool {
	return !IsInside(tag) || before != Outside && TypeOf(before) == TypeOf(tag)
}

// Best is the most probable sequence of tags among those in which every inside
// goes on with a mention (Viterbi). probabilities are those of each word, one row
// of tags after the other.
func Best(probabilities []float32, tags int) []int {
	words := len(probabilities) / tags
	if words == 0 {
		return nil
	}
	score, from := make([]float64, tags), make([]int, words*tags)
	for tag := range tags {
		score[tag] = logOf(probabilities[tag])
		if IsInside(tag) {
			score[tag] = math.Inf(-1)
		}
	}
	for w := 1; w < words; w++ {
		next := make([]float64, tags)
		for tag := range tags {
			best := bestBefore(score, tag)
			from[w*tags+tag] = best
			next[tag] = score[best] + logOf(probabilities[w*tags+tag])
		}
		score = next
	}
	return trace(score, from)
}

// bestBefore is the tag of the highest score that tag may follow.
func bestBefore(score []float64, tag int) int {
	best := -1
	for before := range score {
		if mayFollow(tag, before) && (best < 0 || score[before] > score[best]) {
			best = before
		}
	}
	return best
}

// trace follows the best last tag back to the first word.
func trace(last []float64, from []int) []int {
	tags := len(last)
	path := make([]int, len(from)/tags)
	end := len(path) - 1
	for tag := range tags {
		if last[tag] > last[path[end]] {
			path[end] = tag
		}
	}
	for w := end; w > 0; w-- {
		path[w-1] = from[w*tags+path[w]]
	}
	return path
}

// logOf keeps a probability that was rounded to 0 comparable.
func logOf(p float32) float64 { return math.Log(max(float64(p), 1e-12)) }

// Mention is a run of words with one type.
type Mention struct {
	First, Last int // words, both included
	Type        int
	Odds        float64 // log-odds of the geometric mean of the probabilities of its tags
}

// Mentions reads the mentions of a text off the probabilities of its words' tags,
// one row of tags after the other. They do not overlap and are in order.
func Mentions(probabilities []float32, tags int) []Mention {
	path := Best(probabilities, tags)
	var mentions []Mention
	for w := 0; w < len(path); {
		if path[w] == Outside {
			w++
			continue
		}
		m := Mention{First: w, Type: TypeOf(path[w])}
		sum := 0.0
		for w == m.First || w < len(path) && IsInside(path[w]) {
			sum += logOf(probabilities[w*tags+path[w]])
			w++
		}
		m.Last = w - 1
		mean := math.Exp(sum / float64(w-m.First))
		m.Odds = math.Log(mean) - math.Log(max(1-mean, 1e-12))
		mentions = append(mentions, m)
	}
	return mentions
}

// MentionsOfPieces reads the mentions of a text off the probabilities of its word
// pieces' tags, one row of tags after the other. bounds are the pieces that begin words
// and, at last, the number of pieces; a word has the tag of its first piece. First and
// Last of a mention are pieces.
func MentionsOfPieces(probabilities []float32, tags int, bounds []int) []Mention {
	ofWords := make([]float32, 0, len(bounds)*tags)
	for _, p := range bounds[:len(bounds)-1] {
		ofWords = append(ofWords, probabilities[p*tags:(p+1)*tags]...)
	}
	mentions := Mentions(ofWords, tags)
	for i, m := range mentions {
		mentions[i].First, mentions[i].Last = bounds[m.First], bounds[m.Last+1]-1
	}
	return mentions
}
