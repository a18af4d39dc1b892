package hnm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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

// Settings are how a model learns, beside the options of all systems.
type Settings struct {
	Negatives   float64 // pairs without a relation that an epoch has for each with one
	Mining      bool    // whether hard negatives are mined
	Contrastive float64 // weight of the contrastive loss beside the cross-entropy; 0: none
	Temperature float64 // of the contrastive loss
}

// DefaultSettings are those of a variant. Weight and temperature of the contrastive
// loss are small and large enough that the classifier still learns: with 0.5 and 0.1
// held-out F1 was half as high (doc/results.md).
func DefaultSettings(variant string) Settings {
	s := Settings{Negatives: 2, Temperature: 0.3}
	if variant == Variant {
		s.Mining, s.Contrastive = true, 0.1
	}
	return s
}

// Validate reports the first setting that makes no sense.
func (s Settings) Validate() error {
	if !(s.Negatives > 0) || !(s.Contrastive >= 0) || !(s.Temperature > 0) {
		return fmt.Errorf("negatives is %g and temperature %g, both must be positive; contrastive is %g, it must not be negative", s.Negatives, s.Temperature, s.Contrastive)
	}
	return nil
}

// Learner trains a model. It implements [train.Learner].
type Learner struct {
	model              *Model
	network            network
	settings           Settings
	examples           []example
	samples            []sample
	related, unrelated []int // indices into samples
	mined              mined
	heldOut            corpus.Corpus
	batch              int
	encoder            string // directory of the encoder
}

// mined are the hard negatives of an epoch, from 0.
type mined struct {
	Epoch      int         `json:"epoch"`
	Confusions []confusion `json:"confusions"`
}

// NewLearner prepares a model for training: it reads the encoder, labels every pair
// of concepts, and asks the linker which semantic types stand for the entity types.
func NewLearner(ctx context.Context, backend compute.Backend, cfg Config, s Settings, m system.Material) (*Learner, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cfg.Name = m.Name
	if err := cfg.learnLabels(m.Train); err != nil {
		return nil, err
	}
	linked, err := linkAll(ctx, m.KnowledgeBase.Linker, m.Train)
	if err != nil {
		return nil, err
	}
	cfg.SemanticTypes = semanticTypes(m.Train, linked)
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
	shards, _ := train.Shards(m.BatchSize) // the contrastive loss compares the relations of a shard
	l := &Learner{
		model: created, settings: s, heldOut: m.HeldOut, batch: m.BatchSize, encoder: m.Encoder,
		network: network{cfg: created.cfg, encoder: created.encoderConfig, training: true, temperature: s.Temperature,
			contrastive: s.Contrastive / float64(shards)},
	}
	l.addSamples(m.Train)
	if len(l.related) == 0 || l.negatives() == 0 {
		return nil, errors.New("there are no two concepts that are related, or none that are not: there is nothing to tell apart")
	}
	return l, nil
}

// linkAll links every text, on all processors.
func linkAll(ctx context.Context, l system.Linker, c corpus.Corpus) ([][]kg.Mention, error) {
	return corpus.Map(ctx, c, func(ctx context.Context, e corpus.Example) ([]kg.Mention, error) {
		linked, err := l.Link(ctx, e.Text)
		if err != nil {
			err = fmt.Errorf("link the text: %w", err)
		}
		return linked, err
	})
}

// addSamples labels the pairs of a corpus.
func (l *Learner) addSamples(learned corpus.Corpus) {
	for i, e := range learned.Examples {
		x := l.model.cfg.label(l.model.tokenizer, e)
		l.examples = append(l.examples, x)
		for k, class := range x.classes {
			if class == none {
				l.unrelated = append(l.unrelated, len(l.samples))
			} else {
				l.related = append(l.related, len(l.samples))
			}
			l.samples = append(l.samples, sample{i, k, class})
		}
	}
}

// row is what is read for a sample.
func (l *Learner) row(at int) row {
	s := l.samples[at]
	x := l.examples[s.example]
	return l.model.cfg.row(x.text, x.pairs[s.pair], l.model.marks)
}

// Store holds the variables.
func (l *Learner) Store() *model.Store { return l.model.store }

// Loss builds the loss of a shard.
func (l *Learner) Loss(root *model.Scope, shard []*graph.Node) *graph.Node {
	modeldir.FreezeWords(root.Store())
	return l.network.loss(root, shard)
}

// Batches lays out the batches of an epoch. Hard negatives are mined before each but
// the first, or were when the run was interrupted in it.
func (l *Learner) Batches(ctx context.Context, epoch int, rng *rand.Rand) ([]train.Batch, error) {
	forMining := rand.New(rand.NewPCG(rng.Uint64(), 0))
	if l.settings.Mining && epoch > 0 && l.mined.Epoch != epoch {
		found, err := l.mine(ctx, forMining)
		if err != nil {
			return nil, fmt.Errorf("mine hard negatives: %w", err)
		}
		l.mined = mined{epoch, found}
	}
	var batches []train.Batch
	for batch := range slices.Chunk(l.epoch(l.mined.Confusions, rng), l.batch) {
		batches = append(batches, func() [][]*tensors.Tensor { return l.layOutShards(batch) })
	}
	return batches, nil
}

// layOutShards divides a batch into parts of one shape, of samples that follow one
// another.
func (l *Learner) layOutShards(batch []int) [][]*tensors.Tensor {
	count, size := train.Shards(l.batch)
	rows := make([]row, len(batch))
	for i, at := range batch {
		rows[i] = l.row(at)
	}
	length := l.model.cfg.length(rows)
	shards := make([][]*tensors.Tensor, count)
	for i := range shards {
		from, to := min(i*size, len(batch)), min((i+1)*size, len(batch))
		_, list := layOut(rows[from:to], size, length, l.model.tokenizer)
		classes, weights := make([]int32, size), make([]float32, size)
		for k, at := range batch[from:to] {
			classes[k], weights[k] = int32(l.samples[at].class), 1/float32(len(batch))
		}
		shards[i] = append(list, tensors.FromFlatDataAndDimensions(classes, size), tensors.FromFlatDataAndDimensions(weights, size))
	}
	return shards
}

// thresholds are the values that Evaluate tries, the first preferred.
var thresholds = []float64{0.5, 0.6, 0.4, 0.7, 0.3, 0.8, 0.2, 0.9}

// Evaluate classifies the pairs of the annotated concepts of the held-out texts,
// chooses the threshold that gives the highest macro F1 of relations, and calibrates
// the scores. Entities are given.
func (l *Learner) Evaluate(ctx context.Context) (train.Score, error) {
	if len(l.heldOut.Examples) == 0 {
		return train.Score{}, train.ErrNothingHeldOut
	}
	readings, err := l.model.read(ctx, l.heldOut)
	if err != nil {
		return train.Score{}, err
	}
	cfg := &l.model.cfg
	best := train.Score{Relation: -1, EntitiesGiven: true}
	for _, threshold := range thresholds {
		if f1 := cfg.count(readings, threshold).MacroF1(); f1 > best.Relation {
			best.Relation, cfg.RelationThreshold = f1, threshold
		}
	}
	var findings []calibration.Finding
	for _, r := range readings {
		for i, j := range r.judged {
			if j.related() >= cfg.RelationThreshold {
				findings = append(findings, calibration.Finding{Odds: j.odds(), Right: j.label() == r.classes[i]})
			}
		}
	}
	cfg.RelationCalibration = calibration.Fit(findings)
	return best, nil
}

// Save writes a model directory.
func (l *Learner) Save(_ context.Context, dir string) error {
	return modeldir.Save(dir, l.encoder, l.model.cfg, l.model.encoderConfig, l.model.store, false)
}

// minedFile keeps the hard negatives of an epoch in a checkpoint.
const minedFile = "mined.json"

// SaveState writes the hard negatives of the epoch under way, which were mined with
// the weights that it began with.
func (l *Learner) SaveState(dir string) error {
	data, err := json.Marshal(l.mined)
	if err != nil {
		return fmt.Errorf("save the hard negatives: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, minedFile), data, 0o644); err != nil {
		return fmt.Errorf("save the hard negatives: %w", err)
	}
	return nil
}

// LoadState reads what SaveState wrote.
func (l *Learner) LoadState(dir string) error {
	path := filepath.Join(dir, minedFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the hard negatives: %w", err)
	}
	if err := json.Unmarshal(data, &l.mined); err != nil {
		return fmt.Errorf("read the hard negatives %s: %w", path, err)
	}
	for _, c := range l.mined.Confusions {
		if c.Sample < 0 || c.Sample >= len(l.samples) {
			return fmt.Errorf("read the hard negatives %s: sample %d of %d: the run was begun with other data", path, c.Sample, len(l.samples))
		}
	}
	return nil
}

var _ train.Learner = (*Learner)(nil)
