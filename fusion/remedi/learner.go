package remedi

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/tagging"
	"github.com/keci-kg/keci/fusion/train"
	kg "github.com/keci-kg/keci/graph"
)

// Settings are how a model learns, beside the options of all systems.
type Settings struct {
	Concatenations float64 // of two, of three and of four sentences each: so many for each sentence
	Weighting      float64 // exponent of the weights of classes, see tagging.Balanced
	PartOfSpeech   bool    // the classifier hears of the part of speech of each word
}

// DefaultSettings has the original's share of concatenations.
func DefaultSettings() Settings { return Settings{Concatenations: 0.33, Weighting: 0.5} }

// Validate reports the first setting that makes no sense.
func (s Settings) Validate() error {
	if !(s.Concatenations >= 0) || !(s.Weighting >= 0 && s.Weighting <= 1) {
		return fmt.Errorf("concatenations is %g, it must not be negative; class weighting is %g, it must lie in [0, 1]", s.Concatenations, s.Weighting)
	}
	return nil
}

// Learner trains a model. It implements [train.Learner].
type Learner struct {
	train.Stateless
	model        *Model
	network      network
	examples     []labelled
	tagWeights   []float32
	groupWeights []float32
	heldOut      corpus.Corpus
	batch        int
	encoder      string // directory of the encoder
}

// labelled is what both heads read of an example, with the class of each piece.
type labelled struct {
	text, masked masked
	tags, groups []int32 // of text and of masked; leftOut does not count
}

// leftOut is the class of a mask whose group the classifier does not tell apart.
const leftOut = -1

// NewLearner prepares a model for training: it reads the encoder, labels every
// sentence and adds concatenations.
func NewLearner(backend compute.Backend, cfg Config, s Settings, m system.Material) (*Learner, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	var err error
	cfg.Name, cfg.EntityTypes, cfg.Directed = m.Name, m.Train.EntityTypes, m.Train.Directed
	if cfg.Pairs, err = pairsOf(m.Train); err != nil {
		return nil, err
	}
	if s.PartOfSpeech {
		cfg.PartsOfSpeech = pennTags
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("model configuration: %w", err)
	}
	created, err := newModel(backend, m.Encoder, cfg, m.KnowledgeBase)
	if err != nil {
		return nil, err
	}
	if err := modeldir.Begin(created.store, created.encoderConfig, m.Encoder, m.Seed); err != nil {
		return nil, err
	}
	l := &Learner{
		model: created, heldOut: m.HeldOut, batch: m.BatchSize, encoder: m.Encoder,
		network: network{cfg: cfg, encoder: created.encoderConfig, training: true},
	}
	examples := augment(cfg.examples(created.tokenizer, m.Train), s.Concatenations, rand.New(rand.NewPCG(uint64(m.Seed), 0)))
	if len(examples) == 0 {
		return nil, errors.New("mentions overlap in every sentence to learn from: tags cannot tell them, train another variant")
	}
	for _, x := range examples {
		l.examples = append(l.examples, created.labelled(x))
	}
	l.weigh(s.Weighting)
	return l, nil
}

// labelled masks an example and labels the pieces of both texts.
func (m *Model) labelled(x example) labelled {
	l := labelled{text: masked{pieces: x.pieces}, masked: m.mask(x.pieces, x.spelled, x.places), tags: tagsOf(x.pieces, x.places)}
	l.groups = make([]int32, len(l.masked.pieces))
	for i, mask := range l.masked.masks {
		l.groups[mask] = leftOut
		if x.groups[i] <= m.cfg.Groups {
			l.groups[mask] = int32(x.groups[i])
		}
	}
	return l
}

// weigh sets the weights of the classes by how often each occurs.
func (l *Learner) weigh(exponent float64) {
	tags, groups := make([]int, tagging.Count(len(l.network.cfg.EntityTypes))), make([]int, 1+l.network.cfg.Groups)
	count := func(counts []int, classes []int32) {
		for _, class := range classes {
			if class != leftOut {
				counts[class]++
			}
		}
	}
	for _, x := range l.examples {
		count(tags, x.tags)
		count(groups, x.groups)
	}
	l.tagWeights, l.groupWeights = tagging.Balanced(tags, exponent), tagging.Balanced(groups, exponent)
}

// Store holds the variables.
func (l *Learner) Store() *model.Store { return l.model.store }

// Loss builds the loss of a shard.
func (l *Learner) Loss(root *model.Scope, shard []*graph.Node) *graph.Node {
	modeldir.FreezeWords(root.Store())
	return l.network.loss(root, shard)
}

// shardSize is how many texts are computed at once. The gradient of a batch is the
// sum over its shards, as accumulating it over as many small batches would give.
const shardSize = 8

// Batches lays out the batches of an epoch.
func (l *Learner) Batches(_ context.Context, _ int, rng *rand.Rand) ([]train.Batch, error) {
	lengths := make([]int, len(l.examples))
	for i, x := range l.examples {
		lengths[i] = len(x.text.pieces)
	}
	var batches []train.Batch
	for _, group := range train.Groups(rng, lengths, l.batch) {
		batches = append(batches, func() [][]*tensors.Tensor { return l.layOutShards(group) })
	}
	return batches, nil
}

// layOutShards divides a batch, whose texts are sorted by length, into shards with
// texts of like lengths and of one shape.
func (l *Learner) layOutShards(group []int) [][]*tensors.Tensor {
	count := (l.batch + shardSize - 1) / shardSize
	size := (l.batch + count - 1) / count
	parts := make([][]labelled, count)
	most, tags, groups := 1, 0, 0
	for i, at := range group {
		x := l.examples[at]
		parts[i%count] = append(parts[i%count], x)
		most = max(most, len(x.text.pieces))
		tags, groups = tags+len(x.tags), groups+len(x.groups)
	}
	shards := make([][]*tensors.Tensor, count)
	for i, part := range parts {
		texts, masks := make([]masked, len(part)), make([]masked, len(part))
		tagClasses, groupClasses := make([][]int32, len(part)), make([][]int32, len(part))
		for k, x := range part {
			texts[k], masks[k], tagClasses[k], groupClasses[k] = x.text, x.masked, x.tags, x.groups
		}
		shards[i] = append(l.layOut(texts, tagClasses, size, most, l.tagWeights, tags),
			l.layOut(masks, groupClasses, size, most, l.groupWeights, groups)...)
	}
	return shards
}

// layOut makes the tensors of a head's texts: its inputs, the class of each piece,
// and what it counts for in the mean over so many pieces of the batch.
func (l *Learner) layOut(texts []masked, classes [][]int32, size, pieces int, weights []float32, of int) []*tensors.Tensor {
	s, list := layOut(texts, size, pieces, l.model.tokenizer, l.model.encoderConfig.MaxPositionEmbeddings)
	flat, counts := make([]int32, s.B*s.T), make([]float32, s.B*s.T)
	for i, row := range classes {
		for p, class := range row {
			if class != leftOut {
				flat[i*s.T+p], counts[i*s.T+p] = class, weights[class]/float32(max(of, 1))
			}
		}
	}
	return append(list, tensors.FromFlatDataAndDimensions(flat, s.B, s.T), tensors.FromFlatDataAndDimensions(counts, s.B, s.T))
}

// Evaluate reads the held-out texts, chooses the threshold that serves their
// relations best, and calibrates the scores on them.
func (l *Learner) Evaluate(ctx context.Context) (train.Score, error) {
	decision, best, err := train.Decide(ctx, l.heldOut, thresholds, func(ctx context.Context, e corpus.Example) (found, error) {
		return l.model.find(ctx, e.Text)
	}, func(d calibration.Decision, doc kg.Document, f found) calibration.Findings {
		cfg := l.model.cfg
		cfg.Decision = d
		return cfg.findings(doc, f)
	})
	if err != nil {
		return train.Score{}, err
	}
	l.model.cfg.Decision = decision
	return best, nil
}

// thresholds are the values that Evaluate tries, the first preferred.
var thresholds = []float64{0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8}

// Save writes a model directory.
func (l *Learner) Save(_ context.Context, dir string) error {
	return modeldir.Save(dir, l.encoder, l.model.cfg, l.model.encoderConfig, l.model.store, false)
}

var _ train.Learner = (*Learner)(nil)
