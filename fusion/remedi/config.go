// Package remedi is a pipeline after REmediNER (Radaelli and Zanoni 2023): a
// tagger finds drugs and effects word by word, then the text is read again with
// each mention masked by its type, and a classifier gives every mask the number
// of the group of mentions that belong together. Mentions of one group are
// related. No knowledge takes part; the linker only adds concepts to what was
// found.
//
// As in the original, tags and groups are learned by a weighted cross-entropy from
// cleaned sentences and from concatenations of two to four of them, which is how
// a corpus whose drugs and effects are nearly all related teaches what is not.
// Other than there, both heads share one encoder, trained with them, and read its
// last layer; one text has all its mentions, not those of one annotated pair; the
// classifier decides for each mask by itself, whatever its place in the text; and
// the embeddings of parts of speech, which its authors found to hurt, are a switch.
package remedi

import (
	"errors"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/calibration"
)

// Variant is the name under which models of this system are trained and known.
const Variant = "remedi"

// Config is what keci.json of a model directory holds.
type Config struct {
	Name          string `json:"name"`
	FormatVersion int    `json:"formatVersion"`
	Variant       string `json:"variant"`

	EntityTypes []string `json:"entityTypes"`
	Pairs       []Pair   `json:"pairs"`    // what relations there are
	Directed    bool     `json:"directed"` // whether a relation tells head from tail other than by their types

	PartsOfSpeech []string `json:"partsOfSpeech,omitempty"` // tags of words that the classifier hears of; none: it does not

	Groups  int     `json:"groups"`  // that the classifier tells apart in a text
	LSTM    int     `json:"lstm"`    // width of each direction of the BiLSTM
	Hidden  int     `json:"hidden"`  // width of the layer before the group of a mask
	Dropout float64 `json:"dropout"` // rate while training, in the encoder and before both heads

	calibration.Decision
}

// Pair is the relation of mentions of two types.
type Pair struct {
	Head  string `json:"head"`
	Tail  string `json:"tail"`
	Label string `json:"label"`
}

// DefaultConfig has the sizes of a model; labels are filled in from the training
// data.
func DefaultConfig() Config {
	return Config{
		FormatVersion: 1, Variant: Variant,
		Groups: 4, LSTM: 64, Hidden: 128, Dropout: 0.1,
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
	case c.Groups < 1 || c.LSTM < 1 || c.Hidden < 1:
		return errors.New("groups, lstm and hidden must be positive")
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return fmt.Errorf("dropout is %g, it must lie in [0, 1)", c.Dropout)
	}
	for i, tag := range c.PartsOfSpeech {
		if tag == "" || slices.Contains(c.PartsOfSpeech[:i], tag) {
			return fmt.Errorf("partsOfSpeech: %q must not be empty, and not be named twice", tag)
		}
	}
	for _, p := range c.Pairs {
		if !slices.Contains(c.EntityTypes, p.Head) || !slices.Contains(c.EntityTypes, p.Tail) || p.Label == "" {
			return fmt.Errorf("pairs: %s and %s must be among entityTypes, and the label %q not be empty", p.Head, p.Tail, p.Label)
		}
	}
	return c.Decision.Validate()
}

// describe is what a configuration tells of a model.
func (c Config) describe() fusion.ModelInfo {
	return fusion.ModelInfo{Name: c.Name, Variant: c.Variant, EntityTypes: c.EntityTypes, RelationLabels: c.relationLabels()}
}

// relationLabels are those of the pairs, sorted, each once.
func (c Config) relationLabels() []string {
	labels := []string{}
	for _, p := range c.Pairs {
		labels = append(labels, p.Label)
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}
