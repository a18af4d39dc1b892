package score

import (
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// BioRelEx counts as the benchmark's own evaluation does ("entity mentions" and
// "relation extraction (all)"), and reports micro F1:
//   - A mention is found when its name and span are predicted. Types are not compared.
//   - Relations are pairs of names, without direction, position or label. An
//     annotated interaction of two clusters is found when every pair of a name of
//     the one and a name of the other is predicted; each interaction counts, also
//     when the same one is annotated twice.
//   - A predicted pair of names is a false positive when no interaction of the
//     sentence asks for it. So a pair that belongs to an interaction which is not
//     found, because others of its pairs are missing, costs nothing.
//
// The original passes over examples without a prediction; here all that is in
// them counts as not found.
func BioRelEx(gold corpus.Corpus, predicted []graph.Document) (Result, error) {
	pairs, result, err := match(gold, predicted)
	if err != nil {
		return Result{}, err
	}
	result.compareStrictly(pairs)
	for _, p := range pairs {
		compare(p.gold.withoutTypes(), p.predicted.withoutTypes(), func(_ span, c Counts) {
			result.Entities = result.Entities.Add(c)
		})
		result.Relations = result.Relations.Add(countInteractions(p))
	}
	result.EntityF1, result.RelationF1 = Headline(corpus.BioRelEx, result)
	return result, nil
}

func (a annotation) withoutTypes() map[span]bool {
	bare := make(map[span]bool, len(a.mentions))
	for m := range a.mentions {
		bare[span{start: m.start, end: m.end}] = true
	}
	return bare
}

// namePair is a pair of names without direction.
type namePair struct{ a, b string }

func newNamePair(a, b string) namePair { return namePair{min(a, b), max(a, b)} }

func countInteractions(p pair) Counts {
	text, names := p.example.Text, clusterNames(p.example)
	predicted := map[namePair]bool{}
	for t := range p.predicted.triples {
		predicted[newNamePair(text[t.head.start:t.head.end], text[t.tail.start:t.tail.end])] = true
	}
	var counts Counts
	asked := map[namePair]bool{}
	for _, interaction := range p.example.Interactions {
		found := true
		for a := range names[interaction.A] {
			for b := range names[interaction.B] {
				asked[newNamePair(a, b)] = true
				found = found && predicted[newNamePair(a, b)]
			}
		}
		if found {
			counts.TP++
		} else {
			counts.FN++
		}
	}
	for pair := range predicted {
		if !asked[pair] {
			counts.FP++
		}
	}
	return counts
}

// clusterNames gives the names under which the text mentions each cluster.
func clusterNames(e corpus.Example) map[int]map[string]bool {
	names := map[int]map[string]bool{}
	for _, m := range e.Entities {
		if names[m.Cluster] == nil {
			names[m.Cluster] = map[string]bool{}
		}
		names[m.Cluster][e.Text[m.Start:m.End]] = true
	}
	return names
}
