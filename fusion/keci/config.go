package keci

import (
	"errors"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/graph"
)

// NoneLabel is the label with index 0 among the entity types and among the
// relation labels: "not an entity", "not related".
const NoneLabel = ""

// Config is what keci.json of a model directory holds: the labels, sizes and
// switches of a KECI model (Lai et al. 2021). What it learned about a knowledge
// base hangs on semantic types and relation names, never on a concept's id.
type Config struct {
	Name          string  `json:"name"`
	FormatVersion int     `json:"formatVersion"`
	Variant       Variant `json:"variant"`

	Head        // of the corpus that the model learned from, the first of them
	More []Head `json:"more,omitempty"` // of the other corpora that it learned from

	Kinds Kinds `json:"kinds,omitempty"` // what the types of several corpora have in common

	Span      encoder.SpanConfig `json:"span"`
	KeptRatio float64            `json:"keptRatio"`        // λ: kept spans for each word piece
	Borders   Borders            `json:"borders,omitzero"` // words that begin and end no mention; learned
	Window    int                `json:"window,omitempty"` // consecutive sentences that are read together; 0: one
	Hidden    int                `json:"hidden"`           // size of the hidden layers of the scorers
	Dropout   float64            `json:"dropout"`          // rate in the scorers while training

	SpanLayers     int             `json:"spanLayers"`            // layers of the BiGCN
	MessageNorm    bool            `json:"messageNorm,omitempty"` // whether what its spans are told is normalised; absent in models made before it could be
	Between        bool            `json:"between,omitempty"`     // whether relations hear what the text says between two spans
	Knowledge      KnowledgeConfig `json:"knowledge"`
	GraphDropout   float64         `json:"graphDropout"`             // rate in both graph convolutions while training
	EncoderDropout float64         `json:"encoderDropout"`           // rate inside the encoder while training
	LabelSmoothing float64         `json:"labelSmoothing,omitempty"` // share of each label that is spread over all while training
}

// KnowledgeConfig holds the sizes of the background knowledge graph.
type KnowledgeConfig struct {
	Candidates       int         `json:"candidates"`       // most concepts for each mention of the linker
	Layers           int         `json:"layers"`           // layers of the RGCN
	Size             int         `json:"size"`             // width of a node between the layers
	Bases            int         `json:"bases"`            // basis matrices that the relations share
	NamePieces       int         `json:"namePieces"`       // word pieces of a name that are read
	DefinitionPieces int         `json:"definitionPieces"` // word pieces of a definition that are read
	SemanticTypes    []graph.TUI `json:"semanticTypes"`    // types that training has seen, sorted; others are taken for their mean
	Relations        []string    `json:"relations"`        // relation names that training has seen, sorted; others are taken for their mean

	Embeddings *EmbeddingConfig `json:"embeddings,omitempty"` // knowledge-graph embeddings of the nodes; nil: none
}

// EmbeddingConfig describes the knowledge-graph embeddings (package kge) with which
// a model was trained. They are predicted, also for another knowledge base.
type EmbeddingConfig struct {
	Size          int              `json:"size"`
	SemanticTypes []graph.TUI      `json:"semanticTypes"` // that they tell apart, in the order of their weights
	KnowledgeBase graph.Provenance `json:"knowledgeBase"` // whose relations they were learned from
}

// DefaultConfig is the usual recipe (the model that ships with keci was trained before, and
// tells its own); labels and vocabularies are filled in from the training data.
func DefaultConfig() Config {
	return Config{
		FormatVersion:  1,
		Variant:        VariantKECI,
		Span:           encoder.SpanConfig{MaxWidth: 14, WidthEmbedding: 20, Hidden: 1000, Size: 512, Dropout: 0.2},
		KeptRatio:      0.3,
		Hidden:         500,
		Dropout:        0.2,
		SpanLayers:     2,
		MessageNorm:    true,
		Between:        true,
		GraphDropout:   0.1,
		EncoderDropout: 0.1,
		Knowledge: KnowledgeConfig{
			Candidates: 4, Layers: 3, Size: 256, Bases: 4, NamePieces: 8, DefinitionPieces: 40,
		},
		Head: Head{EntityThreshold: 0.5, RelationThreshold: 0.5},
	}
}

// Validate reports the first field that no model can have.
func (c Config) Validate() error {
	if err := c.validateSettings(); err != nil {
		return err
	}
	if err := c.validateHeads(); err != nil {
		return err
	}
	if err := c.validateKinds(); err != nil {
		return err
	}
	if k := c.Knowledge; c.has().knowledge && (!slices.IsSorted(k.SemanticTypes) || !slices.IsSorted(k.Relations)) {
		return errors.New("knowledge: semanticTypes and relations must be sorted")
	}
	return nil
}

// validateSettings looks at what does not depend on a corpus.
func (c Config) validateSettings() error {
	switch {
	case c.FormatVersion != 1:
		return fmt.Errorf("formatVersion is %d, this program reads 1", c.FormatVersion)
	case !slices.Contains(Variants(), c.Variant):
		return fmt.Errorf("variant %q is unknown, there are %v", c.Variant, Variants())
	case c.Span.Size%2 != 0:
		return fmt.Errorf("span.size is %d, it must be even", c.Span.Size)
	case !(c.KeptRatio > 0 && c.KeptRatio <= 1):
		return fmt.Errorf("keptRatio is %g, it must lie in (0, 1]", c.KeptRatio)
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return fmt.Errorf("dropout is %g, it must lie in [0, 1)", c.Dropout)
	case !(c.LabelSmoothing >= 0 && c.LabelSmoothing < 1):
		return fmt.Errorf("labelSmoothing is %g, it must lie in [0, 1)", c.LabelSmoothing)
	}
	for _, b := range c.bounds() {
		if b.value < b.least || b.value > b.most {
			return fmt.Errorf("%s is %d, it must lie between %d and %d", b.name, b.value, b.least, b.most)
		}
	}
	if size := c.Knowledge.Size; c.has().kar && size%karHeads != 0 {
		return fmt.Errorf("knowledge: size is %d, for %s it must be a multiple of %d", size, VariantKnowBERT, karHeads)
	}
	return nil
}

// No model comes near these: what is beyond them was damaged, and would ask for all
// memory, or take for ever, before weights are there that tell.
const (
	mostWide   = 1 << 14 // of a layer
	mostLayers = 64
)

// bound is a size of a configuration with what a model can have of it.
type bound struct {
	name               string
	value, least, most int
}

// bounds are those of the sizes that a model of this variant reads.
func (c Config) bounds() []bound {
	list := []bound{
		{"span.maxWidth", c.Span.MaxWidth, 1, maxRow},
		{"span.widthEmbedding", c.Span.WidthEmbedding, 1, mostWide},
		{"span.hidden", c.Span.Hidden, 1, mostWide},
		{"span.size", c.Span.Size, 2, mostWide},
		{"window", c.Window, 0, maxWindow}, // a sentence has a word piece at least
		{"hidden", c.Hidden, 1, mostWide},
		{"spanLayers", c.SpanLayers, 0, mostLayers},
	}
	if !c.has().knowledge {
		return list
	}
	k := c.Knowledge
	list = append(list,
		bound{"knowledge.candidates", k.Candidates, 1, 256},
		bound{"knowledge.layers", k.Layers, 0, mostLayers},
		bound{"knowledge.size", k.Size, 1, mostWide},
		bound{"knowledge.bases", k.Bases, 1, 256},
		bound{"knowledge.namePieces", k.NamePieces, 1, maxRow},
		bound{"knowledge.definitionPieces", k.DefinitionPieces, 1, maxRow - 2}) // with [CLS] and [SEP]
	if k.Embeddings != nil {
		list = append(list, bound{"knowledge.embeddings.size", k.Embeddings.Size, 1, mostWide})
	}
	return list
}

// has are the parts of the model that its variant has, as far as it was given
// what they need.
func (c Config) has() parts {
	has := c.Variant.parts()
	has.kge = has.kge && c.Knowledge.Embeddings != nil
	return has
}
