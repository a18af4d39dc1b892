package keci

import (
	"context"
	"fmt"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/modeldir"
	kg "github.com/keci-kg/keci/graph"
)

// uncalibrated is the configuration with the network's own probabilities, and
// the thresholds moved so that it decides the same.
func (c Config) uncalibrated() Config {
	c.EntityThreshold = calibration.Map{}.Probability(c.EntityCalibration.Odds(c.EntityThreshold))
	c.OverlapThreshold = calibration.Map{}.Probability(c.EntityCalibration.Odds(c.OverlapThreshold))
	c.RelationThreshold = calibration.Map{}.Probability(c.RelationCalibration.Odds(c.RelationThreshold))
	c.EntityCalibration, c.RelationCalibration = calibration.Map{}, calibration.Map{}
	return c
}

// calibrated fits the maps of a configuration with one head on what the model finds
// in held-out texts. The thresholds are moved with them: the same is found as before.
func (c Config) calibrated(gold corpus.Corpus, texts []reading, predictions [][]prediction) (Config, error) {
	c = c.uncalibrated()
	findings := make([]calibration.Findings, len(texts))
	for i, e := range gold.Examples {
		f := c.decodeHeads(texts[i], predictions[i])
		findings[i] = calibration.Findings{Document: f.document(kg.Document{ID: e.ID, Text: e.Text}), MentionOdds: f.odds}
		for _, r := range f.relations {
			findings[i].RelationOdds = append(findings[i].RelationOdds, r.odds)
		}
	}
	d, err := c.decision().Calibrated(gold, findings)
	if err != nil {
		return c, err
	}
	c.EntityThreshold, c.RelationThreshold = d.EntityThreshold, d.RelationThreshold
	c.EntityCalibration, c.RelationCalibration = d.EntityCalibration, d.RelationCalibration
	c.OverlapThreshold = c.EntityCalibration.Probability(calibration.Odds(c.OverlapThreshold))
	return c, nil
}

// Calibrate writes the model of the directory from, which m was opened from,
// again as the new directory to, with scores that are calibrated on texts it had
// no part of. It finds the same as before. A model of several corpora is calibrated
// for that of the texts. It gives the configuration as that corpus has it.
func (m *Model) Calibrate(ctx context.Context, from, to string, heldOut corpus.Corpus) (Config, error) {
	if err := modeldir.CheckNew(to); err != nil {
		return m.cfg, fmt.Errorf("calibrate: %w", err)
	}
	head, err := m.cfg.headOf(heldOut.Name)
	if err != nil {
		return m.cfg, fmt.Errorf("calibrate: %w", err)
	}
	texts := make([]reading, len(heldOut.Examples))
	for i, e := range heldOut.Examples {
		var err error
		if texts[i], err = m.prepare(ctx, e.Text); err != nil {
			return m.cfg, fmt.Errorf("calibrate: example %s: %w", e.ID, err)
		}
	}
	predictions, err := m.predictAll(ctx, texts)
	if err != nil {
		return m.cfg, fmt.Errorf("calibrate: %w", err)
	}
	for i := range predictions {
		predictions[i] = ofHead(predictions[i], head)
	}
	fitted, err := m.cfg.ofHead(head).calibrated(heldOut, texts, predictions)
	if err != nil {
		return fitted, err
	}
	cfg := m.cfg
	cfg.setHead(head, fitted.Head)
	return fitted, modeldir.Reconfigure(from, to, cfg)
}
