package main

import (
	"fmt"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
)

// reliability holds the diagrams of both kinds of findings.
type reliability struct{ entities, relations calibration.Diagram }

// evaluated scores the documents that the model in the directory dir gave.
func evaluated(dir string, gold corpus.Corpus, predicted []graph.Document) (evaluation, reliability, error) {
	result, err := score.Evaluate(gold, predicted)
	if err != nil {
		return evaluation{}, reliability{}, fmt.Errorf("evaluate: %w", err)
	}
	judged, err := score.Judge(gold, predicted)
	if err != nil {
		return evaluation{}, reliability{}, fmt.Errorf("evaluate: %w", err)
	}
	d, err := systems.Describe(dir)
	if err != nil {
		return evaluation{}, reliability{}, err
	}
	decided := d.For(gold.Name)
	r := reliability{calibration.Diagram{Title: "entities"}, calibration.Diagram{Title: "relations"}}
	for i, doc := range predicted {
		for k, m := range doc.Mentions {
			add(&r.entities, decided.EntityCalibration, m.Score, judged[i].Mentions[k])
		}
		for k, e := range doc.Relations {
			add(&r.relations, decided.RelationCalibration, e.Score, judged[i].Relations[k])
		}
	}
	entities, relations := r.entities.Reliability(), r.relations.Reliability()
	return evaluation{Result: result, EntityReliability: &entities, RelationReliability: &relations}, r, nil
}

// add puts a finding into a diagram, with the network's own probability too.
func add(d *calibration.Diagram, m calibration.Map, calibrated float64, right bool) {
	d.After = append(d.After, calibration.Scored{Score: calibrated, Right: right})
	d.Before = append(d.Before, calibration.Scored{Score: calibration.Map{}.Probability(m.Odds(calibrated)), Right: right})
}
