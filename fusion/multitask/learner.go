package multitask

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	kg "github.com/keci-kg/keci/graph"
)

// Learner trains a model. It implements [train.Learner].
type Learner struct {
	train.Stateless
	model    *Model
	network  network
	learned  corpus.Corpus
	examples []*example // of learned, as they are
	names    names      // nil: texts are not augmented
	heldOut  corpus.Corpus
	batch    int
	encoder  string // directory of the encoder
}

// NewLearner prepares a model for training: it reads the encoder, links every
// text, and takes labels and semantic types from what it finds. With augmented,
// every other text of an epoch has other names (see names.augment).
func NewLearner(ctx context.Context, backend compute.Backend, cfg Config, m system.Material, augmented bool) (*Learner, error) {
	cfg.Name = m.Name
	cfg.EntityTypes, cfg.RelationLabels = m.Train.EntityTypes, m.Train.RelationLabels
	cfg.Directed, cfg.OfConcepts, cfg.Pairs = m.Train.Directed, m.Train.OfConcepts, typePairs(m.Train)
	_, tokenizer, err := modeldir.ReadEncoder(m.Encoder)
	if err != nil {
		return nil, err
	}
	texts, err := readAll(ctx, newReader(Config{}, tokenizer, m.KnowledgeBase.Linker), m.Train)
	if err != nil {
		return nil, err
	}
	if cfg.Dictionary {
		cfg.SemanticTypes = semanticTypes(texts)
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
		model: created, learned: m.Train, heldOut: m.HeldOut, batch: m.BatchSize, encoder: m.Encoder,
		network: network{cfg: created.cfg, encoder: created.encoderConfig, training: true},
	}
	for i, text := range texts {
		if cfg.Dictionary {
			created.reader.hint(text)
		}
		l.examples = append(l.examples, cfg.label(text, m.Train.Examples[i]))
	}
	if augmented {
		l.names = namesOf(m.Train)
	}
	return l, nil
}

// readAll makes the texts of a corpus ready, on all processors.
func readAll(ctx context.Context, r *reader, c corpus.Corpus) ([]*reading, error) {
	return corpus.Map(ctx, c, func(ctx context.Context, e corpus.Example) (*reading, error) { return r.read(ctx, e.Text) })
}

// Store holds the variables.
func (l *Learner) Store() *model.Store { return l.model.store }

// Loss builds the loss of a batch.
func (l *Learner) Loss(root *model.Scope, nodes []*graph.Node) *graph.Node {
	modeldir.FreezeWords(root.Store())
	return l.network.loss(root, nodes)
}

// mostPairs is how many pairs of a text are learned from in an epoch: those that
// are related first, then others by chance.
const mostPairs = 64

// Batches lays out the batches of an epoch.
func (l *Learner) Batches(ctx context.Context, _ int, rng *rand.Rand) ([]train.Batch, error) {
	examples, err := l.epochExamples(ctx, rng)
	if err != nil {
		return nil, err
	}
	lengths := make([]int, len(examples))
	for i, x := range examples {
		examples[i] = x.withPairs(mostPairs, rng)
		lengths[i] = len(x.text.pieces)
	}
	var batches []train.Batch
	for _, group := range train.Groups(rng, lengths, l.batch) {
		batch := make([]*example, len(group))
		for i, index := range group {
			batch[i] = examples[index]
		}
		batches = append(batches, func() [][]*tensors.Tensor { return l.layOutShards(batch) })
	}
	return batches, nil
}

// epochExamples are the texts of an epoch, every other one augmented where that is
// wanted.
func (l *Learner) epochExamples(ctx context.Context, rng *rand.Rand) ([]*example, error) {
	examples := slices.Clone(l.examples)
	if l.names == nil {
		return examples, nil
	}
	changed := corpus.Corpus{}
	var which []int
	for i, e := range l.learned.Examples {
		if rng.IntN(2) == 0 {
			which = append(which, i)
			changed.Examples = append(changed.Examples, l.names.augment(e, rng))
		}
	}
	texts, err := readAll(ctx, l.model.reader, changed)
	if err != nil {
		return nil, err
	}
	for k, i := range which {
		examples[i] = l.model.cfg.label(texts[k], changed.Examples[k])
	}
	return examples, nil
}

// withPairs is the example with at most so many pairs.
func (x *example) withPairs(most int, rng *rand.Rand) *example {
	if len(x.pairs) <= most {
		return x
	}
	order := rng.Perm(len(x.pairs))
	slices.SortStableFunc(order, func(a, b int) int {
		return int(slices.Max(x.labels[b]) - slices.Max(x.labels[a]))
	})
	few := *x
	few.pairs, few.labels = nil, nil
	for _, i := range order[:most] {
		few.pairs, few.labels = append(few.pairs, x.pairs[i]), append(few.labels, x.labels[i])
	}
	return &few
}

// layOutShards divides a batch, whose texts are sorted by length, into parts with
// texts of like lengths and of one shape.
func (l *Learner) layOutShards(batch []*example) [][]*tensors.Tensor {
	count, size := train.Shards(l.batch)
	parts, longest := make([][]*example, count), 1
	words, pairs := 0, 0
	for i, x := range batch {
		parts[i%count] = append(parts[i%count], x)
		longest = max(longest, len(x.text.pieces))
		words, pairs = words+len(x.text.words), pairs+len(x.labels)
	}
	each := weights{1 / float32(max(words, 1)), 1 / float32(max(pairs, 1))}
	shards := make([][]*tensors.Tensor, count)
	for i, part := range parts {
		shards[i] = l.layOut(part, size, longest, each)
	}
	return shards
}

// weights are what a word and a pair count in the loss of their batch.
type weights struct{ word, pair float32 }

// layOut makes the tensors of a shard: texts, tags, pairs and labels.
func (l *Learner) layOut(batch []*example, rows, longest int, each weights) []*tensors.Tensor {
	cfg := l.network.cfg
	var texts []*reading
	var pairs []pairsOf
	for _, x := range batch {
		texts, pairs = append(texts, x.text), append(pairs, x.pairsOf)
	}
	shape, list := cfg.textBatch(texts, rows, longest, l.model.tokenizer)
	tags, words := make([]int32, shape.B*shape.T), make([]float32, shape.B*shape.T)
	for i, x := range batch {
		copy(tags[i*shape.T:], x.tags)
		for _, piece := range x.text.words {
			words[i*shape.T+piece] = each.word
		}
	}
	list = append(list, tensors.FromFlatDataAndDimensions(tags, shape.B, shape.T), tensors.FromFlatDataAndDimensions(words, shape.B, shape.T))
	if !cfg.relates() {
		return list
	}
	of, more := cfg.pairBatch(pairs, rows, shape.T)
	size := len(cfg.RelationLabels)
	labels, mask := make([]float32, of.B*of.P*size), make([]float32, of.B*of.P)
	for i, x := range batch {
		for k, row := range x.labels {
			mask[i*of.P+k] = each.pair
			copy(labels[(i*of.P+k)*size:], row)
		}
	}
	return append(append(list, more...),
		tensors.FromFlatDataAndDimensions(labels, of.B, of.P, size), tensors.FromFlatDataAndDimensions(mask, of.B, of.P))
}

// Evaluate reads the held-out texts, chooses the threshold that serves their
// relations best, and calibrates the scores on them.
func (l *Learner) Evaluate(ctx context.Context) (train.Score, error) {
	decision, best, err := train.Decide(ctx, l.heldOut, thresholds, l.read, func(d calibration.Decision, doc kg.Document, f found) calibration.Findings {
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

// read reads a held-out text.
func (l *Learner) read(ctx context.Context, e corpus.Example) (found, error) {
	text, err := l.model.reader.read(ctx, e.Text)
	if err != nil {
		return found{}, err
	}
	return l.model.find(ctx, text)
}

// thresholds are the values that Evaluate tries, the first preferred.
var thresholds = []float64{0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.55, 0.6, 0.65, 0.7}

// Save writes a model directory.
func (l *Learner) Save(_ context.Context, dir string) error {
	return modeldir.Save(dir, l.encoder, l.model.cfg, l.model.encoderConfig, l.model.store, false)
}
