package keci

import (
	"errors"
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // the graph operators read as formulas

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/system"
)

// Head is what a model knows of one corpus: its labels, and what is chosen and
// fitted for them on texts of that corpus. A model that learned from several corpora
// has a head for each, over one encoder and one core: what a corpus does not annotate,
// it says nothing about.
type Head struct {
	Corpus string `json:"corpus,omitempty"` // the name of its form; empty in models of one corpus made before there were several

	EntityTypes    []string `json:"entityTypes"`    // the first is NoneLabel
	RelationLabels []string `json:"relationLabels"` // the first is NoneLabel
	Directed       bool     `json:"directed"`       // whether a relation tells head from tail

	// Names are what users are told instead of a type or label where the labels of
	// several corpora are told together: what one corpus calls Chemical, another calls
	// chemical. What is missing keeps its own.
	Names map[string]string `json:"names,omitempty"`

	EntityThreshold   float64 `json:"entityThreshold"`            // lowest 1 − P(none) of a mention; chosen on held-out data
	OverlapThreshold  float64 `json:"overlapThreshold,omitempty"` // the same of a mention that overlaps a surer one, where it is higher; chosen on held-out data
	RelationThreshold float64 `json:"relationThreshold"`          // lowest 1 − P(none) of a relation; chosen on held-out data

	Senses Senses `json:"senses,omitempty"` // which candidates mentions stand for, by type; learned; absent: the linker's first

	Unrelated Constraints `json:"unrelated,omitzero"` // pairs of mentions that are not related, whatever their score; absent: none

	// What the scores, and 1 − P(none) before it is compared with a threshold, are
	// calibrated with; fitted on held-out data. Absent: the network's own.
	EntityCalibration   calibration.Map `json:"entityCalibration,omitzero"`
	RelationCalibration calibration.Map `json:"relationCalibration,omitzero"`
}

// newHead has the labels of a corpus to learn from, and the thresholds of like.
func newHead(set system.Set, like Head) Head {
	c := set.Train
	return Head{
		Corpus:          c.Name,
		EntityTypes:     append([]string{NoneLabel}, c.EntityTypes...),
		RelationLabels:  append([]string{NoneLabel}, c.RelationLabels...),
		Directed:        c.Directed,
		Names:           set.Names,
		EntityThreshold: like.EntityThreshold, OverlapThreshold: like.OverlapThreshold, RelationThreshold: like.RelationThreshold,
		Unrelated: learnConstraints(c),
	}
}

func (h Head) validate() error {
	switch {
	case len(h.EntityTypes) < 2 || h.EntityTypes[0] != NoneLabel:
		return errors.New(`entityTypes must begin with "" and name at least one type`)
	case len(h.RelationLabels) < 1 || h.RelationLabels[0] != NoneLabel:
		return errors.New(`relationLabels must begin with ""`)
	}
	err := errors.Join(calibration.CheckThreshold("entityThreshold", h.EntityThreshold),
		calibration.CheckThreshold("overlapThreshold", h.OverlapThreshold), calibration.CheckThreshold("relationThreshold", h.RelationThreshold))
	if err != nil {
		return err
	}
	if err := h.Unrelated.validate(h.EntityTypes); err != nil {
		return fmt.Errorf("unrelated: types: %w", err)
	}
	if err := h.Senses.validate(h.EntityTypes); err != nil {
		return fmt.Errorf("senses: %w", err)
	}
	if err := h.EntityCalibration.Validate(); err != nil {
		return fmt.Errorf("entityCalibration: %w", err)
	}
	if err := h.RelationCalibration.Validate(); err != nil {
		return fmt.Errorf("relationCalibration: %w", err)
	}
	for label := range h.Names {
		if label == NoneLabel || !slices.Contains(h.EntityTypes, label) && !slices.Contains(h.RelationLabels, label) {
			return fmt.Errorf("names: %q is none of the entityTypes and relationLabels", label)
		}
	}
	return nil
}

// told is what users are told of a type or label.
func (h Head) told(label string) string {
	if name, ok := h.Names[label]; ok {
		return name
	}
	return label
}

// heads are those of all corpora, in the order of their classes in the network.
func (c Config) heads() []Head { return append([]Head{c.Head}, c.More...) }

// headOf is the place of the head of a corpus, that of the only one of a model that has
// one. A corpus that the model has no labels of is an error.
func (c Config) headOf(corpus string) (int, error) {
	if len(c.More) == 0 {
		return 0, nil
	}
	at := slices.IndexFunc(c.heads(), func(h Head) bool { return h.Corpus == corpus })
	if at < 0 {
		return 0, fmt.Errorf("the model has no labels of the corpus %s", corpus)
	}
	return at, nil
}

// told is what a type or label of a head is found as: its name among several heads, and
// the label itself of the only one.
func (c Config) told(h Head, label string) string {
	if len(c.More) == 0 {
		return label
	}
	return h.told(label)
}

// settles tells whether it was learned which candidates mentions stand for that are found
// with this type.
func (c Config) settles(found string) bool {
	for _, h := range c.heads() {
		for label := range h.Senses {
			if c.told(h, label) == found {
				return true
			}
		}
	}
	return false
}

// ofHead is the configuration as one of its heads has it.
func (c Config) ofHead(at int) Config {
	c.Head, c.More = c.heads()[at], nil
	return c
}

// setHead replaces one of the heads.
func (c *Config) setHead(at int, h Head) {
	if at == 0 {
		c.Head = h
		return
	}
	c.More = slices.Clone(c.More)
	c.More[at-1] = h
}

func (c Config) validateHeads() error {
	if err := c.Head.validate(); err != nil {
		return err
	}
	names := map[string]bool{c.Corpus: true}
	for i, h := range c.More {
		if err := h.validate(); err != nil {
			return fmt.Errorf("more[%d]: %w", i, err)
		}
		if names[h.Corpus] {
			return fmt.Errorf("more[%d]: the corpus %q has a head already", i, h.Corpus)
		}
		names[h.Corpus] = true
	}
	return nil
}

// typeCounts and labelCounts are how many classes each head has among the logits.
func (c Config) typeCounts() []int {
	return countsOf(c.heads(), func(h Head) int { return len(h.EntityTypes) })
}

func (c Config) labelCounts() []int {
	return countsOf(c.heads(), func(h Head) int { return len(h.RelationLabels) })
}

func countsOf(heads []Head, of func(Head) int) []int {
	counts := make([]int, len(heads))
	for i, h := range heads {
		counts[i] = of(h)
	}
	return counts
}

func sum(counts []int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// byHead divides logits [..., Σ counts] into those of each head.
func byHead(logits *Node, counts []int) []*Node {
	if len(counts) == 1 {
		return []*Node{logits}
	}
	parts, at := make([]*Node, len(counts)), 0
	for i, n := range counts {
		parts[i] = SliceAxis(logits, -1, AxisRange(at, at+n))
		at += n
	}
	return parts
}

// nothing is P(none) by the head that is least sure of it: logits [..., Σ counts] →
// [..., 1]. What one corpus does not annotate may be something for another.
func nothing(logits *Node, counts []int) *Node {
	var none []*Node
	for _, part := range byHead(logits, counts) {
		none = append(none, SliceAxis(Softmax(part, -1), -1, AxisElem(0)))
	}
	if len(none) == 1 {
		return none[0]
	}
	return ReduceAndKeep(Concatenate(none, -1), ReduceMin, -1)
}
