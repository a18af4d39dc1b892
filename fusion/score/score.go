// Package score measures predicted document graphs against an annotated corpus,
// the way the benchmarks do: to the count.
package score

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// Counts are true positives, false positives and false negatives.
type Counts struct{ TP, FP, FN int }

// Precision is TP/(TP+FP), 0 where nothing was predicted.
func (c Counts) Precision() float64 { return ratio(c.TP, c.TP+c.FP) }

// Recall is TP/(TP+FN), 0 where there was nothing to find.
func (c Counts) Recall() float64 { return ratio(c.TP, c.TP+c.FN) }

// F1 is the harmonic mean of precision and recall, 0 where it is undefined.
func (c Counts) F1() float64 { return ratio(2*c.TP, 2*c.TP+c.FP+c.FN) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Add returns the sum of both.
func (c Counts) Add(d Counts) Counts {
	return Counts{c.TP + d.TP, c.FP + d.FP, c.FN + d.FN}
}

// Measures are the precision, recall and F1 of the counts.
func (c Counts) Measures() Measures { return Measures{c.Precision(), c.Recall(), c.F1()} }

// Measures are precision, recall and F1, 0…1. Means over labels have an F1 that
// does not follow from the other two.
type Measures struct{ Precision, Recall, F1 float64 }

// MarshalJSON writes the counts with the measures that follow from them.
func (c Counts) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		TP        int     `json:"tp"`
		FP        int     `json:"fp"`
		FN        int     `json:"fn"`
		Precision float64 `json:"precision"`
		Recall    float64 `json:"recall"`
		F1        float64 `json:"f1"`
	}{c.TP, c.FP, c.FN, c.Precision(), c.Recall(), c.F1()})
}

// ByLabel are counts per entity type or relation label: those that occur in the
// corpus or among the predictions.
type ByLabel map[string]Counts

// Micro sums the counts over the labels.
func (b ByLabel) Micro() Counts {
	var sum Counts
	for _, c := range b {
		sum = sum.Add(c)
	}
	return sum
}

// MacroF1 is the mean of the F1 of the labels, 0 where there are none. It is not
// the F1 of mean precision and mean recall.
func (b ByLabel) MacroF1() float64 { return b.mean(Counts.F1) }

// Macro are the means of the measures of the labels, 0 where there are none.
func (b ByLabel) Macro() Measures {
	return Measures{b.mean(Counts.Precision), b.mean(Counts.Recall), b.mean(Counts.F1)}
}

func (b ByLabel) mean(measure func(Counts) float64) float64 {
	if len(b) == 0 {
		return 0
	}
	sum := 0.0
	for _, label := range slices.Sorted(maps.Keys(b)) { // in order: a sum of floats depends on it
		sum += measure(b[label])
	}
	return sum / float64(len(b))
}

// Result is what an evaluation gives. All measures lie between 0 and 1.
type Result struct {
	Corpus    string `json:"corpus"`
	Documents int    `json:"documents"` // examples of the corpus
	Missing   int    `json:"missing"`   // examples without a prediction: all that is in them counts as not found
	Unknown   int    `json:"unknown"`   // predictions for documents that the corpus does not have: not counted

	// EntityF1 and RelationF1 are the figures the benchmark reports: micro F1
	// of Entities and Relations, but for ADE macro F1 of EntityTypes and
	// RelationLabels.
	EntityF1   float64 `json:"entityF1"`
	RelationF1 float64 `json:"relationF1"`
	// Entities and Relations are the counts by the rules of the benchmark (see
	// BioRelEx, ADE, Concepts and Strict), summed over the labels.
	Entities  Counts `json:"entities"`
	Relations Counts `json:"relations"`
	// EntityTypes compares span and type, RelationLabels the span and type of
	// both mentions and the label. For BioRelEx, whose own rules look at neither
	// type nor label, this is more than the benchmark asks.
	EntityTypes    ByLabel `json:"entityTypes"`
	RelationLabels ByLabel `json:"relationLabels"`

	// LinkedRelations are the relations of a corpus of concepts by the ids
	// (corpus.Identifiers) of the concepts that the mentions were linked to, where their
	// codes are known: see Concepts.
	LinkedRelations *Counts `json:"linkedRelations,omitempty"`
}

// Evaluate scores predictions, which find their example by document id, by the
// rules of the corpus: those of a benchmark, or [Strict]. A prediction that
// contradicts the corpus or itself (text, offsets, mention ids) is an error that
// names the document.
func Evaluate(gold corpus.Corpus, predicted []graph.Document) (Result, error) {
	switch gold.Name {
	case corpus.BioRelEx:
		return BioRelEx(gold, predicted)
	case corpus.ADE:
		return ADE(gold, predicted)
	}
	if gold.OfConcepts {
		return Concepts(gold, predicted)
	}
	return Strict(gold, predicted)
}

// Headline computes the F1 that a corpus reports from the counts of a result.
func Headline(name string, r Result) (entityF1, relationF1 float64) {
	entities, relations := Reported(name, r)
	return entities.F1, relations.F1
}

// Reported computes the measures that a corpus reports from the counts of a result.
func Reported(name string, r Result) (entities, relations Measures) {
	if name == corpus.ADE {
		return r.EntityTypes.Macro(), r.RelationLabels.Macro()
	}
	return r.Entities.Measures(), r.Relations.Measures()
}
