package linker

import "math/bits"

// Distances of a variant from the word of the text, MetaMap's (Aronson 2001).
// They are summed along the way that the variant was made.
const (
	distanceSpelling   = 0 // case, diacritics, hyphens, Greek letters
	distanceInflection = 1 // plural, -ed and -ing
	distanceSynonym    = 2 // another word for it, abbreviations included
	distanceDerivation = 3 // another part of speech
)

// components are the four parts of MetaMap's evaluation function, each 0…1.
type components struct {
	centrality   float64 // 1 when the phrase's head takes part in the match
	variation    float64 // mean over the matched words of 4/(D+4), D the variant's distance
	coverage     float64 // how much of the phrase and of the name is spanned, the name counting double
	cohesiveness float64 // in how few pieces
}

// points is MetaMap's score of a candidate, 0…1000, truncated:
//
//	1000 · (centrality + variation + 2·(coverage + cohesiveness)) / 6
func (c components) points() int {
	const rounding = 1e-9 // a whole number must not fall short of itself by binary fractions
	return int(1000*(c.centrality+c.variation+2*(c.coverage+c.cohesiveness))/6 + rounding)
}

// coverage of a match: spans count the words from the first to the last matched
// one, gaps ignored, of the phrase and of the name, which have the given numbers of words.
func coverage(phraseSpan, phraseWords, nameSpan, nameWords int) float64 {
	return (ratio(phraseSpan, phraseWords) + 2*ratio(nameSpan, nameWords)) / 3
}

// cohesiveness of a match: squares is the sum of the squares of the lengths of its
// pieces, the runs of words that are connected both in the phrase and in the name.
func cohesiveness(squares, phraseWords, nameWords int) float64 {
	return (ratio(squares, phraseWords*phraseWords) + 2*ratio(squares, nameWords*nameWords)) / 3
}

// nearness is what a matched word of some distance adds to the variation, which is
// the mean of it over the matched words.
func nearness(distance float64) float64 { return 4 / (distance + 4) }

func ratio(a, b int) float64 { return float64(a) / float64(b) }

// exactName gives the components of a mention that is a whole name. The mention
// is its own phrase, so nothing but the variation can be below 1: inflected has
// a bit for each word (of the first 64) that is plural here and singular there.
func exactName(words int, inflected uint64) components {
	changed := bits.OnesCount64(inflected)
	spelling, inflection := nearness(distanceSpelling), nearness(distanceInflection)
	return components{
		centrality:   1,
		variation:    (spelling*float64(words-changed) + inflection*float64(changed)) / float64(words),
		coverage:     1,
		cohesiveness: 1,
	}
}
