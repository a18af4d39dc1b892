// Package system says what a way to extract brings with it, so that the same
// commands train, measure and serve models of all of them. A system is a package
// beside this one; a program lists those that it has in a [Registry].
package system

import (
	"context"

	"github.com/gomlx/compute"
	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/kge"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// System is one way to extract. Its models lie in directories as package modeldir
// writes them, whose configuration names a variant.
type System interface {
	// Variants are the names under which its models are trained and known, the
	// usual one first. No two systems share one.
	Variants() []string
	// Recipe is how a variant, one of Variants, is usually trained.
	Recipe(variant string) Recipe
	// Open reads a model directory, to be used with a knowledge base. An error
	// names the file at fault.
	Open(backend compute.Backend, dir string, kb KnowledgeBase) (fusion.Extractor, error)
	// Describe reads what a model directory holds, without an engine.
	Describe(dir string) (Description, error)
}

// Recipe is how models of one variant are trained. What all systems are told
// comes with [Material] and [train.Options]; a recipe holds the settings of its
// system alone.
type Recipe interface {
	// AddFlags adds a flag for each of the settings; its value now is the default.
	AddFlags(f *pflag.FlagSet)
	// Check reports the first setting that no model can have, before anything is read.
	Check() error
	// Options are those that usually serve the variant best.
	Options() train.Options
	// Traits tell what the variant reads, and what it can do.
	Traits() Traits
	// Record writes the settings into the record of a run.
	Record(t *results.Training)
	// NewLearner prepares a model for training.
	NewLearner(ctx context.Context, backend compute.Backend, m Material) (train.Learner, error)
}

// Traits are what of a variant decides how its training is prepared. Without any it
// learns from the whole documents of one corpus, and from nothing beside their text.
type Traits struct {
	// What it reads beside the text.
	Sentences  int  // it learns from so many consecutive sentences together: documents are cut, and no sentence may be longer than the encoder reads; 0: from whole documents
	Pieces     int  // of several sentences, as far as they have no more word pieces than these
	Knowledge  bool // what it learns depends on the knowledge base
	Embeddings bool // the knowledge base must have knowledge-graph embeddings

	// What it can do.
	ManyCorpora bool // it can learn from several corpora at once
	GoesOn      bool // it can go on from another model, see Material
	TypesFirst  bool // its first epoch learns entity types alone, unless it goes on from another model
}

// Material is what one model is made from.
type Material struct {
	Name    string // of the model
	Encoder string // Hugging Face directory of the pretrained encoder
	From    string // directory of a model to go on from, which then is Encoder as well; empty: only the encoder is pretrained
	Set
	More          []Set               // other corpora to learn from as well, each with labels of its own; see Traits
	Kinds         map[string][]string // where there are several corpora: the entity types of each kind, by the names that users are told. Things of different kinds are different things
	KnowledgeBase KnowledgeBase
	BatchSize     int // texts in a step
	Seed          int64
}

// Sets are those of all corpora.
func (m Material) Sets() []Set { return append([]Set{m.Set}, m.More...) }

// Set is what a model learns from one corpus.
type Set struct {
	Train   corpus.Corpus
	HeldOut corpus.Corpus // taken out of train, never what is reported; without examples: nothing

	Names map[string]string // of types and labels, where users are told those of several corpora together; missing: their own
}

// ManyCorpora is an extractor that learned from several corpora.
type ManyCorpora interface {
	// For gives an extractor of what one of them annotates, in its labels. It is
	// false for another corpus, and where there is only one.
	For(corpus string) (fusion.Extractor, bool)
}

// Benchmark is an extractor that also measures itself as the authors of its
// system did, where that differs from the rules of the corpus.
type Benchmark interface {
	// Measure reads an annotated corpus. The figures are named so that they can stand
	// in a table beside those of other systems.
	Measure(ctx context.Context, gold corpus.Corpus) (results.Protocol, error)
}

// KnowledgeBase is what a model asks of a knowledge base: its linker, its
// concepts, and its name.
type KnowledgeBase struct {
	Linker     Linker
	Knowledge  graph.Knowledge
	Provenance graph.Provenance
	Embeddings *kge.Embeddings // learned from it, for training; nil: none
	Cache      string          // folder for what an open model computes of it and can compute again; empty: none
}

// Linker finds the mentions of concepts in a text, with byte offsets. It is
// what fusion needs of linker.Linker.
type Linker interface {
	Link(ctx context.Context, text string) ([]graph.Mention, error)
}

// Description is what a model directory holds.
type Description struct {
	fusion.ModelInfo
	Config any `json:"config"` // as the directory has it

	Method string `json:"-"` // the system in a phrase, for the card of a model: "the KECI model (…)"
	Reach  string `json:"-"` // how far apart the ends of a relation may be: "within a sentence"; empty: anywhere in a text

	calibration.Decision `json:"-"`
	Of                   map[string]calibration.Decision `json:"-"` // for the labels of each corpus, where the model learned from several
}

// For is the decision about the labels of a corpus.
func (d Description) For(corpus string) calibration.Decision {
	if of, ok := d.Of[corpus]; ok {
		return of
	}
	return d.Decision
}
