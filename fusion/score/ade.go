package score

import (
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// ADE scores strictly: an entity is found when its span and type are predicted, a
// relation when the span and type of both its mentions, its direction and its
// label are. The figures are macro F1, over the entity types and over the
// relation labels. Overlapping entities count like others.
func ADE(gold corpus.Corpus, predicted []graph.Document) (Result, error) {
	pairs, result, err := match(gold, predicted)
	if err != nil {
		return Result{}, err
	}
	result.compareStrictly(pairs)
	result.Entities, result.Relations = result.EntityTypes.Micro(), result.RelationLabels.Micro()
	result.EntityF1, result.RelationF1 = result.EntityTypes.MacroF1(), result.RelationLabels.MacroF1()
	return result, nil
}
