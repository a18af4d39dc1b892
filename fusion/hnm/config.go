// Package hnm classifies the relations of given concepts of a document. Each pair
// of concepts is read on its own: a BERT reads the text around them with all their
// mentions marked, and what it has at the marks becomes the vector of the relation,
// which is classified as one of the labels or as none.
//
// The variant hnm-baseline learns by cross-entropy alone. The variant hnm mines hard
// negatives as well: before each epoch but the first the model reads pairs of the
// training data, those that it takes with confidence for something else are learned
// from once more, beside relations of the label that they were taken for, and a
// supervised contrastive loss (Khosla et al. 2020) pulls the vectors of relations of
// one label together and pushes all others, and pairs without a relation, away.
//
// The concepts are given, by the annotation where a model is trained and measured.
// In a plain text they are those that the linker finds, of the entity types that
// training has seen their semantic types stand for.
package hnm

import (
	"errors"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// The names under which models of this system are trained and known.
const (
	Variant  = "hnm"
	Baseline = "hnm-baseline"
)

// variants are those names.
func variants() []string { return []string{Variant, Baseline} }

// Config is what keci.json of a model directory holds.
type Config struct {
	Name          string `json:"name"`
	FormatVersion int    `json:"formatVersion"`
	Variant       string `json:"variant"`

	EntityTypes    []string             `json:"entityTypes"`
	RelationLabels []string             `json:"relationLabels"`
	Pairs          []corpus.TypePair    `json:"pairs"`         // between concepts of which types relations are looked for
	Directed       bool                 `json:"directed"`      // whether a relation tells head from tail other than by their types
	SemanticTypes  map[graph.TUI]string `json:"semanticTypes"` // for which entity type a linked concept is taken; others are passed over

	Row     int     `json:"row"`     // word pieces that are read of a text around two concepts, [CLS], [SEP] and marks included
	Width   int     `json:"width"`   // of the vector of a relation
	Dropout float64 `json:"dropout"` // rate while training, in the encoder and around the vector

	calibration.Decision // the threshold is of the probability that two concepts are related at all; entities are given
}

// DefaultConfig has the sizes of a model; labels are filled in from the training
// data.
func DefaultConfig(variant string) Config {
	return Config{
		FormatVersion: 1, Variant: variant,
		Row: 192, Width: 128, Dropout: 0.1,
		RelationThreshold: 0.5,
	}
}

// leastRow leaves room for two marked mentions and some words around them.
const leastRow = 16

// Validate reports the first field that no model can have.
func (c Config) Validate() error {
	switch {
	case c.FormatVersion != 1:
		return fmt.Errorf("formatVersion is %d, this program reads 1", c.FormatVersion)
	case !slices.Contains(variants(), c.Variant):
		return fmt.Errorf("variant is %q, not one of %q", c.Variant, variants())
	case len(c.EntityTypes) == 0 || slices.Contains(c.EntityTypes, ""):
		return errors.New("entityTypes must name at least one type, and none may be empty")
	case len(c.RelationLabels) == 0 || slices.Contains(c.RelationLabels, ""):
		return errors.New("relationLabels must name at least one label, and none may be empty")
	case len(c.Pairs) == 0:
		return errors.New("pairs must name the types of at least one relation")
	case c.Width < 1:
		return fmt.Errorf("width is %d, it must be positive", c.Width)
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return fmt.Errorf("dropout is %g, it must lie in [0, 1)", c.Dropout)
	}
	if err := c.validateRow(); err != nil {
		return err
	}
	for _, p := range c.Pairs {
		if !slices.Contains(c.EntityTypes, p.Head) || !slices.Contains(c.EntityTypes, p.Tail) {
			return fmt.Errorf("pairs: %s and %s are not both among entityTypes", p.Head, p.Tail)
		}
	}
	for tui, typ := range c.SemanticTypes {
		if !slices.Contains(c.EntityTypes, typ) {
			return fmt.Errorf("semanticTypes: %s stands for %s, which is not among entityTypes", tui, typ)
		}
	}
	return c.Decision.Validate()
}

func (c Config) validateRow() error {
	if c.Row < leastRow {
		return fmt.Errorf("row is %d, it must be at least %d", c.Row, leastRow)
	}
	return nil
}

// classes is the number of classes of a pair: none, and each label.
func (c Config) classes() int { return 1 + len(c.RelationLabels) }

// none is the class of a pair that is not related; label l has the class 1+l.
const none = 0

// describe is what a configuration tells of a model.
func (c Config) describe() fusion.ModelInfo {
	return fusion.ModelInfo{Name: c.Name, Variant: c.Variant, EntityTypes: c.EntityTypes, RelationLabels: c.RelationLabels}
}
