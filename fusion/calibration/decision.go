package calibration

import (
	"fmt"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/graph"
)

// Decision is how the scores of a model become findings. As a part of the
// configuration of a model it is chosen and fitted on held-out texts.
type Decision struct {
	EntityThreshold     float64 `json:"entityThreshold,omitempty"`    // lowest score of an entity; 0: none
	RelationThreshold   float64 `json:"relationThreshold"`            // lowest score of a relation
	EntityCalibration   Map     `json:"entityCalibration,omitzero"`   // what scores are calibrated with; absent: they are the model's own
	RelationCalibration Map     `json:"relationCalibration,omitzero"` // the same of relations
}

// Validate reports the first field that makes no sense.
func (d Decision) Validate() error {
	if err := CheckThreshold("entityThreshold", d.EntityThreshold); err != nil {
		return err
	}
	if err := CheckThreshold("relationThreshold", d.RelationThreshold); err != nil {
		return err
	}
	if err := d.EntityCalibration.Validate(); err != nil {
		return fmt.Errorf("entityCalibration: %w", err)
	}
	if err := d.RelationCalibration.Validate(); err != nil {
		return fmt.Errorf("relationCalibration: %w", err)
	}
	return nil
}

// Findings are what a model finds in a text: its graph, with the log-odds by the model
// of each mention and of each relation, in their order.
type Findings struct {
	graph.Document
	MentionOdds, RelationOdds []float64
}

// Calibrated fits the maps of an uncalibrated decision on what is found with it in
// annotated texts. The thresholds are moved with them: the same is found as before.
func (d Decision) Calibrated(gold corpus.Corpus, found []Findings) (Decision, error) {
	documents := make([]graph.Document, len(found))
	for i, f := range found {
		documents[i] = f.Document
	}
	judged, err := score.Judge(gold, documents)
	if err != nil {
		return d, fmt.Errorf("calibrate: %w", err)
	}
	var entities, relations []Finding
	for i, j := range judged {
		for k, odds := range found[i].MentionOdds {
			entities = append(entities, Finding{Odds: odds, Right: j.Mentions[k]})
		}
		for k, odds := range found[i].RelationOdds {
			relations = append(relations, Finding{Odds: odds, Right: j.Relations[k]})
		}
	}
	d.EntityCalibration, d.RelationCalibration = Fit(entities), Fit(relations)
	d.EntityThreshold = d.EntityCalibration.Probability(Odds(d.EntityThreshold))
	d.RelationThreshold = d.RelationCalibration.Probability(Odds(d.RelationThreshold))
	return d, nil
}
