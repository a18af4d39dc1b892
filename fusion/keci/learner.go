package keci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/calibration"
	"github.com/keci-kg/keci/fusion/compiled"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/kge"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	kg "github.com/keci-kg/keci/graph"
)

// Learner trains a KECI model. It implements [train.Learner].
type Learner struct {
	// EpochTexts bounds how many examples of each corpus an epoch has.
	EpochTexts EpochTexts

	model       *Model
	network     network
	examples    []*example
	heldOut     []corpus.Corpus // of each head
	heldOutRead [][]reading     // of their examples, made once
	batch       int
	encoder     string // directory of the encoder
	refresh     int    // epochs between two encodings of the definitions
	begun       int    // the last epoch whose batches were laid out, −1 before the first
	seed        uint64 // of the turns that examples take
	goesOn      bool   // from a model that knows what spans are
}

// example is an instance with its labels.
type example struct {
	*instance
	head      int32          // whose labels these are
	types     []int32        // entity type of each span
	names     []int32        // the same number for spans of the same name
	relations []goldRelation // between spans, by index
}

type goldRelation struct{ head, tail, label int32 }

// definitionRefresh is how many epochs the vectors of definitions are kept
// while the encoder changes under them.
const definitionRefresh = 4

// NewLearner prepares a model for training on one corpus or several, each of which
// gets a head: it reads the encoder, links every sentence, and takes labels,
// constraints, borders, semantic types and relation names from what it finds. Where
// it goes on from another model, all but heads and borders are those of that model;
// one whose sizes differ from those of cfg is an error.
func NewLearner(ctx context.Context, backend compute.Backend, cfg Config, m system.Material) (*Learner, error) {
	sets, like := m.Sets(), cfg.Head
	cfg.Head, cfg.More = newHead(sets[0], like), nil
	for _, set := range sets[1:] {
		cfg.More = append(cfg.More, newHead(set, like))
	}
	_, tokenizer, err := modeldir.ReadEncoder(m.Encoder)
	if err != nil {
		return nil, err
	}
	cfg.Borders = learnBorders(tokenizer, trainParts(sets)...)
	var from *Model
	if m.From != "" {
		if from, cfg, err = goOn(backend, cfg, m); err != nil {
			return nil, err
		}
	}
	draft, err := newModel(backend, m.Encoder, cfg, m.KnowledgeBase)
	if err != nil {
		return nil, err
	}
	instances := make([][]*instance, len(sets))
	for i, set := range sets {
		if instances[i], err = draft.instances(ctx, set.Train); err != nil {
			return nil, err
		}
	}
	if err := draft.learnAllSenses(ctx, &cfg, sets); err != nil {
		return nil, err
	}
	if from == nil {
		if cfg, err = withVocabulary(cfg, slices.Concat(instances...), m.KnowledgeBase.Embeddings); err != nil {
			return nil, err
		}
	}
	first, err := firstModel(backend, cfg, m, from)
	if err != nil {
		return nil, err
	}
	l := &Learner{
		model: first, batch: m.BatchSize, encoder: m.Encoder, refresh: definitionRefresh, begun: -1, seed: uint64(m.Seed),
		network: network{cfg: first.cfg, encoder: first.encoderConfig, training: true}, goesOn: from != nil,
	}
	for head, set := range sets {
		l.heldOut = append(l.heldOut, set.HeldOut)
		for i, in := range instances[head] {
			x := label(cfg.ofHead(head), in, set.Train.Examples[i])
			x.head = int32(head)
			l.examples = append(l.examples, x)
		}
	}
	return l, nil
}

// firstModel is the model as it is before the first step. It goes on from another one,
// where that is not nil.
func firstModel(backend compute.Backend, cfg Config, material system.Material, from *Model) (*Model, error) {
	m, err := newModel(backend, material.Encoder, cfg, material.KnowledgeBase)
	if err != nil {
		return nil, err
	}
	m.definitions.rows, m.definitions.most = trainingDefinitions, 0
	m.batcher.grain = grainFor(backend, trainingGrain)
	if from != nil {
		return m, m.inherit(from, material.Seed)
	}
	if err := modeldir.Begin(m.store, m.encoderConfig, material.Encoder, material.Seed); err != nil {
		return nil, err
	}
	if !cfg.has().kge {
		return m, nil
	}
	return m, m.installEmbeddings(material.KnowledgeBase.Embeddings)
}

// withVocabulary is the configuration with the semantic types and relations that
// occur beside the texts, and with the embeddings, where its variant reads them.
func withVocabulary(cfg Config, instances []*instance, embeddings *kge.Embeddings) (Config, error) {
	var graphs []*background
	for _, in := range instances {
		graphs = append(graphs, in.Graph)
	}
	if cfg.has().knowledge {
		cfg.Knowledge.SemanticTypes, cfg.Knowledge.Relations = vocabularyOf(graphs)
	}
	if err := cfg.Validate(); err != nil {
		return cfg, fmt.Errorf("model configuration: %w", err)
	}
	var err error
	if embeddings != nil && cfg.Variant.ReadsEmbeddings() {
		cfg.Knowledge.Embeddings, err = embeddingConfig(cfg, embeddings)
	}
	return cfg, err
}

// trainParts are the corpora to learn from.
func trainParts(sets []system.Set) []corpus.Corpus {
	parts := make([]corpus.Corpus, len(sets))
	for i, set := range sets {
		parts[i] = set.Train
	}
	return parts
}

// instances links every example of a corpus. A part of a document has what is found in
// the whole, as when it is extracted from: what a short form or an ambiguous name
// stands for may be told in another sentence.
func (m *Model) instances(ctx context.Context, c corpus.Corpus) ([]*instance, error) {
	var list []*instance
	err := m.eachLinked(ctx, c, func(at int, mentions []kg.Mention) error {
		in, err := m.reader.linked(ctx, c.Examples[at].Text, mentions)
		list = append(list, in)
		return err
	})
	return list, err
}

// label finds the spans of the annotated entities. An entity whose range is no
// span (it begins or ends inside a word piece, or is too long) cannot be learned.
func label(cfg Config, in *instance, e corpus.Example) *example {
	types := newIndex(cfg.EntityTypes)
	labels := newIndex(cfg.RelationLabels)
	spanAt := map[place]int32{}
	for i, s := range in.Spans {
		spanAt[place{in.start(s), in.end(s)}] = int32(i)
	}
	x := &example{instance: in, types: make([]int32, len(in.Spans)), names: in.nameNumbers()}
	for _, entity := range e.Entities {
		if i, ok := spanAt[place{entity.Start, entity.End}]; ok && x.types[i] == 0 {
			x.types[i] = types[entity.Type]
		}
	}
	known := map[[2]int32]bool{}
	add := func(head, tail, label int32) {
		if head == tail || known[[2]int32{head, tail}] {
			return
		}
		known[[2]int32{head, tail}] = true
		x.relations = append(x.relations, goldRelation{head, tail, label})
	}
	for _, r := range e.Relations {
		head, found := spanAt[place{e.Entities[r.Head].Start, e.Entities[r.Head].End}]
		tail, also := spanAt[place{e.Entities[r.Tail].Start, e.Entities[r.Tail].End}]
		if !found || !also {
			continue
		}
		add(head, tail, labels[r.Label])
		if !cfg.Directed {
			add(tail, head, labels[r.Label])
		}
	}
	return x
}

func newIndex(names []string) map[string]int32 {
	index := map[string]int32{}
	for i, name := range names {
		index[name] = int32(i)
	}
	return index
}

// Store holds the variables.
func (l *Learner) Store() *model.Store { return l.model.store }

// Loss builds the loss of a batch. The table of word pieces stays as it was
// pretrained: a small corpus moves few of its rows, and names of concepts are
// read with it. Knowledge-graph embeddings stay as well.
func (l *Learner) Loss(root *model.Scope, nodes []*graph.Node) *graph.Node {
	modeldir.FreezeWords(root.Store())
	for v := range root.Store().IterVariables() {
		if strings.HasPrefix(v.Path(), "/"+kge.Scope+"/") {
			v.SetTrainable(false)
		}
	}
	in, rest := newInputs(l.network.cfg, nodes)
	return l.network.loss(root, in, newTargets(rest))
}

// poolBatches is how many batches are drawn together and sorted by length, so
// that little is padded while the order stays random. It is not [train.Groups] that
// does it: examples take turns here, and those of one length are left in another
// order, on which the weights hang that a seed gives.
const poolBatches = 20

// Batches lays out the batches of an epoch. The first epoch trains span types
// only (Lai et al. 2021, §2.6 and appendix), but where the learner goes on from another model.
func (l *Learner) Batches(ctx context.Context, epoch int, rng *rand.Rand) ([]train.Batch, error) {
	if epoch%l.refresh == 0 && epoch != l.begun { // an epoch that goes on keeps the vectors of its start
		l.model.definitions.replace(map[string]*definition{})
	}
	order := l.order(epoch, rng)
	if err := l.model.definitions.ensure(ctx, l.instancesOf(order)...); err != nil {
		return nil, err
	}
	l.begun = epoch
	var groups [][]int
	for pool := range slices.Chunk(order, l.batch*poolBatches) {
		slices.SortFunc(pool, func(a, b int) int {
			return cmp.Compare(len(l.examples[a].Pieces), len(l.examples[b].Pieces))
		})
		groups = slices.AppendSeq(groups, slices.Chunk(pool, l.batch))
	}
	rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	var batches []train.Batch
	for _, group := range groups {
		batches = append(batches, func() [][]*tensors.Tensor { return l.layOutShards(group, epoch > 0 || l.goesOn) })
	}
	return batches, nil
}

// order gives the examples of an epoch, by index, in a random order.
func (l *Learner) order(epoch int, rng *rand.Rand) []int {
	if l.EpochTexts.Each == 0 && len(l.EpochTexts.Of) == 0 {
		return rng.Perm(len(l.examples))
	}
	of := make([][]int, len(l.heldOut))
	for i, x := range l.examples {
		of[x.head] = append(of[x.head], i)
	}
	var order []int
	for head, all := range of {
		most := l.EpochTexts.of(l.model.cfg.heads()[head].Corpus)
		order = append(order, turn(all, epoch, most, l.seed, head)...)
	}
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// turn gives those of all whose turn it is in an epoch, at most so many (0: all): all are put in
// a random order, again and again, and each epoch goes on where the one before ended,
// so that one may occur twice where an order ends and the next begins.
func turn(all []int, epoch, most int, seed uint64, head int) []int {
	if most == 0 || len(all) <= most {
		return all
	}
	list := make([]int, most)
	round, shuffled := -1, slices.Clone(all)
	for i := range list {
		at := epoch*most + i
		if at/len(all) != round {
			round = at / len(all)
			copy(shuffled, all)
			rng := rand.New(rand.NewPCG(seed, uint64(head+1)<<32|uint64(round))) // not those of an epoch
			rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		}
		list[i] = shuffled[at%len(all)]
	}
	return list
}

func (l *Learner) instancesOf(order []int) []*instance {
	list := make([]*instance, len(order))
	for i, at := range order {
		list[i] = l.examples[at].instance
	}
	return list
}

// layOutShards divides a batch, whose texts are sorted by length, into parts
// with texts of like lengths and of one shape.
func (l *Learner) layOutShards(group []int, withRelations bool) [][]*tensors.Tensor {
	count, size := train.Shards(l.batch)
	parts, texts, most := make([][]*example, count), make([][]*instance, count), 1
	for i, at := range group {
		x := l.examples[at]
		parts[i%count] = append(parts[i%count], x)
		texts[i%count] = append(texts[i%count], x.instance)
		most = max(most, len(x.relations))
	}
	shape := l.model.batcher.shape(size, texts...)
	most = compiled.RoundUpPower(most, 32, 2)
	list := make([][]*tensors.Tensor, count)
	for i, part := range parts {
		b := l.model.batcher.batch(shape, texts[i]...)
		list[i] = append(b.tensors(), l.targetsOf(part, b, most, 1/float32(len(group)), withRelations)...)
	}
	return list
}

// targetsOf makes the targets of a batch with room for a number of relations in
// each text, which counts for weight in the loss.
func (l *Learner) targetsOf(examples []*example, b *batch, most int, weight float32, withRelations bool) []*tensors.Tensor {
	types, names := make([]int32, b.B*b.N), make([]int32, b.B*b.N)
	heads, tails, labels := make([]int32, b.B*most), make([]int32, b.B*most), make([]int32, b.B*most)
	spans, weights, corpora := make([]float32, b.B), make([]float32, b.B), make([]int32, b.B)
	for i := range heads {
		heads[i], tails[i] = -1, -1
	}
	for row, x := range examples {
		spans[row], weights[row], corpora[row] = float32(x.AllSpans), weight, x.head
		copy(types[row*b.N:], x.types)
		copy(names[row*b.N:], x.names)
		for k, r := range x.relations {
			at := row*most + k
			heads[at], tails[at], labels[at] = r.head, r.tail, r.label
		}
	}
	var relations float32
	if withRelations {
		relations = 1
	}
	list := []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(types, b.B, b.N),
		tensors.FromFlatDataAndDimensions(names, b.B, b.N),
		tensors.FromFlatDataAndDimensions(heads, b.B, most),
		tensors.FromFlatDataAndDimensions(tails, b.B, most),
		tensors.FromFlatDataAndDimensions(labels, b.B, most),
		tensors.FromFlatDataAndDimensions(spans, b.B),
		tensors.FromFlatDataAndDimensions(weights, b.B),
		tensors.FromScalar(relations),
	}
	if len(l.model.cfg.More) > 0 {
		list = append(list, tensors.FromFlatDataAndDimensions(corpora, b.B))
	}
	return list
}

// Evaluate reads the held-out sentences with fresh vectors of definitions, chooses
// the thresholds that serve them best, and calibrates the scores on them: for each
// head on those of its corpus. It gives the mean over the corpora.
func (l *Learner) Evaluate(ctx context.Context) (train.Score, error) {
	kept := l.model.definitions.replace(map[string]*definition{})
	defer func() { l.model.definitions.replace(kept) }()
	var sum train.Score
	n := 0.0
	for head := range l.heldOut {
		s, err := l.evaluate(ctx, head)
		if errors.Is(err, train.ErrNothingHeldOut) {
			continue
		}
		if err != nil {
			return train.Score{}, err
		}
		sum.Entity, sum.Relation, n = sum.Entity+s.Entity, sum.Relation+s.Relation, n+1
	}
	if n == 0 {
		return train.Score{}, train.ErrNothingHeldOut
	}
	return train.Score{Entity: sum.Entity / n, Relation: sum.Relation / n}, nil
}

// evaluate does it for one head.
func (l *Learner) evaluate(ctx context.Context, head int) (train.Score, error) {
	heldOut := l.heldOut[head]
	if len(heldOut.Examples) == 0 {
		return train.Score{}, train.ErrNothingHeldOut
	}
	texts, err := l.readHeldOut(ctx, head)
	if err != nil {
		return train.Score{}, err
	}
	predictions, err := l.model.predictAll(ctx, texts)
	if err != nil {
		return train.Score{}, err
	}
	for i := range predictions {
		predictions[i] = ofHead(predictions[i], head)
	}
	cfg := l.model.cfg.ofHead(head)
	cfg.EntityCalibration, cfg.RelationCalibration = calibration.Map{}, calibration.Map{}
	chosen, best, err := train.Choose(ctx, heldOut, cfg.withThresholds(), func(c Config) []kg.Document {
		documents := make([]kg.Document, len(predictions))
		for i, e := range heldOut.Examples {
			documents[i] = c.decodeText(kg.Document{ID: e.ID, Text: e.Text}, texts[i], predictions[i])
		}
		return documents
	})
	if err != nil {
		return train.Score{}, err
	}
	fitted, err := chosen.calibrated(heldOut, texts, predictions)
	l.model.cfg.setHead(head, fitted.Head)
	return best, err
}

// readHeldOut makes the held-out sentences of a head ready, once.
func (l *Learner) readHeldOut(ctx context.Context, head int) ([]reading, error) {
	if l.heldOutRead == nil {
		l.heldOutRead = make([][]reading, len(l.heldOut))
	}
	if l.heldOutRead[head] != nil {
		return l.heldOutRead[head], nil
	}
	var texts []reading
	for _, e := range l.heldOut[head].Examples {
		r, err := l.model.prepare(ctx, e.Text)
		if err != nil {
			return nil, fmt.Errorf("example %s: %w", e.ID, err)
		}
		texts = append(texts, r)
	}
	l.heldOutRead[head] = texts
	return texts, nil
}

// The values that are tried, the first preferred.
var (
	thresholds        = []float64{0.5, 0.4, 0.6, 0.3, 0.7} // of entities and of relations
	overlapThresholds = []float64{0, 0.99, 0.999}
)

// withThresholds are the configuration with each combination of thresholds.
func (c Config) withThresholds() []Config {
	var list []Config
	for _, c.OverlapThreshold = range overlapThresholds {
		for _, c.EntityThreshold = range thresholds {
			for _, c.RelationThreshold = range thresholds {
				list = append(list, c)
			}
		}
	}
	return list
}

// Save writes a model directory.
func (l *Learner) Save(_ context.Context, dir string) error {
	return modeldir.Save(dir, l.encoder, l.model.cfg, l.model.encoderConfig, l.model.store, false)
}

// Where a checkpoint holds the vectors of the definitions and what else a
// learner knows.
const (
	definitionsFile = "definitions.gob"
	learnerFile     = "learner.json"
)

// learnerState is what a learner knows beside variables and vectors.
type learnerState struct {
	Begun int `json:"begun"` // see Learner
}

// SaveState keeps the vectors of the definitions: between two encodings of
// them, an encoder of some epochs before has made them.
func (l *Learner) SaveState(dir string) error {
	data, err := json.Marshal(learnerState{Begun: l.begun})
	if err != nil {
		return fmt.Errorf("save the state of the learner: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, learnerFile), data, 0o644); err != nil {
		return fmt.Errorf("save the state of the learner: %w", err)
	}
	return l.model.definitions.save(filepath.Join(dir, definitionsFile))
}

// LoadState reads what SaveState wrote.
func (l *Learner) LoadState(dir string) error {
	path := filepath.Join(dir, learnerFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("load the state of the learner: %w", err)
	}
	var state learnerState
	if err := json.Unmarshal(data, &state); err != nil {
		return fmt.Errorf("load the state of the learner %s: %w", path, err)
	}
	l.begun = state.Begun
	return l.model.definitions.load(filepath.Join(dir, definitionsFile))
}
