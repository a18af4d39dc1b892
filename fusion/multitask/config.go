// Package multitask finds entities and relations of whole documents with one
// shared encoder and two heads that are trained jointly: a tagger, which marks
// entities word by word (begin, inside, outside), and a classifier of marked
// pairs, which reads the encoded text once more for each pair of entities that may
// be related. An entity is all its mentions: relations hold between concepts of a
// document, however far apart they are named.
//
// What the linker finds is a hint to the tagger: each word hears of which semantic
// type the concept is that it may name. That hangs on semantic types, never on the
// ids of concepts, so that a model serves with any knowledge base.
package multitask

import (
	"errors"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/graph"
)

// Variant is the name under which models of this system are trained and known.
const Variant = "multitask"

// Config is what keci.json of a model directory holds: the labels, sizes and
// switches of a model.
type Config struct {
	Name          string `json:"name"`
	FormatVersion int    `json:"formatVersion"`
	Variant       string `json:"variant"`

	EntityTypes    []string          `json:"entityTypes"`
	RelationLabels []string          `json:"relationLabels"`
	Pairs          []corpus.TypePair `json:"pairs"`      // between entities of which types relations are looked for
	Directed       bool              `json:"directed"`   // whether a relation tells head from tail other than by their types
	OfConcepts     bool              `json:"ofConcepts"` // whether an entity is all mentions of a concept; else each mention is one, related within its sentence

	Row            int     `json:"row"`            // word pieces that the encoder reads at once, [CLS] and [SEP] included
	Hidden         int     `json:"hidden"`         // size of the hidden layers of both heads
	Hint           int     `json:"hint"`           // size of the vector of a hint
	Heads          int     `json:"heads"`          // of the attention of a pair to the text
	HeadSize       int     `json:"headSize"`       // width of each
	Dropout        float64 `json:"dropout"`        // rate in the heads while training
	EncoderDropout float64 `json:"encoderDropout"` // rate inside the encoder while training

	Dictionary    bool        `json:"dictionary"`    // whether the tagger hears of what the linker finds
	SemanticTypes []graph.TUI `json:"semanticTypes"` // of concepts, that training has seen, sorted; others are taken for one

	calibration.Decision
}

// DefaultConfig has the sizes of a model; labels are filled in from the training
// data.
func DefaultConfig() Config {
	return Config{
		FormatVersion: 1, Variant: Variant,
		Row: 512, Hidden: 256, Hint: 32, Heads: 4, HeadSize: 32,
		Dropout: 0.2, EncoderDropout: 0.1,
		Dictionary:        true,
		RelationThreshold: 0.5,
	}
}

// Validate reports the first field that no model can have.
func (c Config) Validate() error {
	switch {
	case c.FormatVersion != 1:
		return fmt.Errorf("formatVersion is %d, this program reads 1", c.FormatVersion)
	case c.Variant != Variant:
		return fmt.Errorf("variant is %q, not %q", c.Variant, Variant)
	case len(c.EntityTypes) == 0 || slices.Contains(c.EntityTypes, ""):
		return errors.New("entityTypes must name at least one type, and none may be empty")
	case c.Row < 3 || c.Hidden < 1 || c.Hint < 1 || c.Heads < 1 || c.HeadSize < 1:
		return errors.New("row must be at least 3, and hidden, hint, heads and headSize positive")
	case !slices.IsSorted(c.SemanticTypes):
		return errors.New("semanticTypes must be sorted")
	}
	for _, p := range c.Pairs {
		if !slices.Contains(c.EntityTypes, p.Head) || !slices.Contains(c.EntityTypes, p.Tail) {
			return fmt.Errorf("pairs: %s and %s are not both among entityTypes", p.Head, p.Tail)
		}
	}
	return c.Decision.Validate()
}

// relates tells whether the model looks for relations at all.
func (c Config) relates() bool { return len(c.Pairs) > 0 && len(c.RelationLabels) > 0 }

// describe is what a configuration tells of a model.
func (c Config) describe() fusion.ModelInfo {
	return fusion.ModelInfo{Name: c.Name, Variant: c.Variant, EntityTypes: c.EntityTypes, RelationLabels: c.RelationLabels}
}
