package score

import (
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// ADE scores like [Strict], but the figures are macro F1, over the entity types
// and over the relation labels. Overlapping entities count like others.
func ADE(gold corpus.Corpus, predicted []graph.Document) (Result, error) {
	result, err := Strict(gold, predicted)
	if err != nil {
		return Result{}, err
	}
	result.EntityF1, result.RelationF1 = Headline(corpus.ADE, result)
	return result, nil
}
