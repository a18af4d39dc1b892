package score

import (
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// Strict is for corpora without rules of their own: an entity is found when its
// span and type are predicted, a relation when the span and type of both its
// mentions, its label and, where relations have one, its direction are. The
// figures are micro F1.
func Strict(gold corpus.Corpus, predicted []graph.Document) (Result, error) {
	pairs, result, err := match(gold, predicted)
	if err != nil {
		return Result{}, err
	}
	result.compareStrictly(pairs)
	result.Entities, result.Relations = result.EntityTypes.Micro(), result.RelationLabels.Micro()
	result.EntityF1, result.RelationF1 = Headline(gold.Name, result)
	return result, nil
}

// compareStrictly fills EntityTypes and RelationLabels.
func (r *Result) compareStrictly(pairs []pair) {
	r.EntityTypes, r.RelationLabels = ByLabel{}, ByLabel{}
	for _, p := range pairs {
		compare(p.gold.mentions, p.predicted.mentions, func(m span, c Counts) {
			r.EntityTypes[m.typ] = r.EntityTypes[m.typ].Add(c)
		})
		compare(p.gold.triples, p.predicted.triples, func(t triple, c Counts) {
			r.RelationLabels[t.label] = r.RelationLabels[t.label].Add(c)
		})
	}
}

// compare tells count for each member of either set what it is.
func compare[T comparable](gold, predicted map[T]bool, count func(member T, as Counts)) {
	for x := range gold {
		if predicted[x] {
			count(x, Counts{TP: 1})
		} else {
			count(x, Counts{FN: 1})
		}
	}
	for x := range predicted {
		if !gold[x] {
			count(x, Counts{FP: 1})
		}
	}
}
