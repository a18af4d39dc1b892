package pretrain

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/train"
)

// Learner pretrains an encoder. It implements [train.Learner].
type Learner struct {
	o         Options
	from      string // folder of the encoder
	cfg       encoder.Config
	store     *model.Store
	masker    masker
	learned   rows
	heldOut   rows
	evaluator *model.Exec
	state     state
}

// Measurement is how well hidden pieces of the held-out texts are told, the same
// each time.
type Measurement struct {
	Loss     float64 `json:"loss"`     // mean −log p, in nats
	Accuracy float64 `json:"accuracy"` // share of the pieces for which the likeliest is right
}

// Perplexity is exp(loss).
func (m Measurement) Perplexity() float64 { return math.Exp(m.Loss) }

// state is what a learner knows beside the variables.
type state struct {
	Options Options       `json:"options"`
	Texts   string        `json:"texts"`
	Before  *Measurement  `json:"before"` // the first step; the head had learned nothing but how common pieces are
	After   []Measurement `json:"after"`  // each part of the run
}

// NewLearner prepares the encoder in a Hugging Face folder and the texts that it
// is to learn from, called name in what is written of the run.
func NewLearner(ctx context.Context, backend compute.Backend, encoderDir string, texts []string, name string, o Options) (*Learner, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("pretraining options: %w", err)
	}
	cfg, err := encoder.LoadConfig(encoderDir)
	if err != nil {
		return nil, err
	}
	tokenizer, err := encoder.LoadTokenizer(encoderDir)
	if err != nil {
		return nil, err
	}
	l := &Learner{o: o, from: encoderDir, cfg: cfg, store: model.NewStore(), state: state{Options: o, Texts: name}}
	var ok bool
	switch l.masker, ok = newMasker(tokenizer, o.Hidden); {
	case !ok:
		return nil, fmt.Errorf("encoder %s: the vocabulary has no piece [MASK]", encoderDir)
	case tokenizer.VocabSize() > cfg.VocabSize:
		return nil, fmt.Errorf("encoder %s: the vocabulary has %d pieces, config.json says %d", encoderDir, tokenizer.VocabSize(), cfg.VocabSize)
	case o.Length > cfg.MaxPositionEmbeddings:
		return nil, fmt.Errorf("rows of %d pieces: the encoder %s reads at most %d", o.Length, encoderDir, cfg.MaxPositionEmbeddings)
	}
	if err := l.layOut(ctx, tokenizer, texts); err != nil {
		return nil, err
	}
	if err := l.loadVariables(); err != nil {
		return nil, err
	}
	return l, l.buildEvaluator(backend)
}

// layOut makes rows of the texts.
func (l *Learner) layOut(ctx context.Context, t *encoder.Tokenizer, texts []string) error {
	learned, heldOut, err := split(texts, l.o.HeldOut, l.o.Seed)
	if err != nil {
		return err
	}
	if l.learned, err = pack(ctx, t, learned, l.o.Length); err != nil {
		return fmt.Errorf("texts to learn from: %w", err)
	}
	if l.heldOut, err = pack(ctx, t, heldOut, l.o.Length); err != nil {
		return fmt.Errorf("texts held out: %w", err)
	}
	return nil
}

// loadVariables reads the encoder. The head begins anew, but for the biases: they
// say how common the pieces are.
func (l *Learner) loadVariables() error {
	l.store.SetParam("/"+model.ParamInitialSeed, l.o.Seed)
	if err := encoder.LoadWeights(l.store, "/"+encoderScope, l.from, l.cfg); err != nil {
		return err
	}
	pieces := l.cfg.VocabSize
	_, err := l.store.CreateVariable(biasPath, tensors.FromFlatDataAndDimensions(commonness(l.learned, pieces), pieces))
	return err
}

// commonness is the logarithm of each piece's share of the texts, where each was
// seen once more than it was.
func commonness(r rows, vocabulary int) []float32 {
	counts := make([]float64, vocabulary)
	for _, id := range r.ids {
		counts[id]++
	}
	logs := make([]float32, vocabulary)
	for id, count := range counts {
		logs[id] = float32(math.Log((count + 1) / float64(len(r.ids)+vocabulary)))
	}
	return logs
}

// buildEvaluator makes the graph that measures; its variables stay variables.
func (l *Learner) buildEvaluator(backend compute.Backend) error {
	var err error
	l.evaluator, err = model.NewExec(backend, l.store, func(root *model.Scope, in []*graph.Node) []*graph.Node {
		l.store.SetTraining(in[0].Graph(), true)
		var out []*graph.Node
		for ; len(in) > 0; in = in[shardInputs:] {
			lost, right := measure(root, l.cfg, newInputs(in))
			out = append(out, lost, right)
		}
		return out
	})
	if err != nil {
		return fmt.Errorf("build what measures: %w", err)
	}
	return nil
}

// Finalize frees the variables.
func (l *Learner) Finalize() {
	l.evaluator.Finalize()
	l.store.Finalize()
}

// Rows tells how many rows of word pieces there are to learn from, and how many
// are held out.
func (l *Learner) Rows() (learned, heldOut int) { return l.learned.count(), l.heldOut.count() }

// Measurements tell how well the encoder did before the run and after each part
// of it.
func (l *Learner) Measurements() (before Measurement, after []Measurement) {
	return *l.state.Before, l.state.After
}

// Store holds the variables.
func (l *Learner) Store() *model.Store { return l.store }

// Loss builds what a shard adds to the mean −log p of the pieces to be told.
func (l *Learner) Loss(root *model.Scope, in []*graph.Node) *graph.Node {
	l.store.GetVariable(wordPath).SetTrainable(false)
	return loss(root, l.cfg, newInputs(in))
}

// Batches lays out the steps between two measurements: epoch counts those. Before
// the first it measures the encoder as it came.
func (l *Learner) Batches(ctx context.Context, epoch int, rng *rand.Rand) ([]train.Batch, error) {
	if l.state.Before == nil {
		before, err := l.measure(ctx)
		if err != nil {
			return nil, err
		}
		l.state.Before = &before
	}
	order := newOrder(l.learned.count(), l.o.Seed)
	batches := make([]train.Batch, l.o.Every)
	for i := range batches {
		numbers := order.take((epoch*l.o.Every+i)*l.o.Rows, l.o.Rows)
		first, second := rng.Uint64(), rng.Uint64() // each batch by itself: a run that goes on begins amid them
		batches[i] = func() [][]*tensors.Tensor {
			list := l.shards(l.learned, numbers, rand.New(rand.NewPCG(first, second)))
			var told float32
			for _, s := range list {
				told += s.told()
			}
			for _, s := range list {
				s.scale(1 / max(1, told))
			}
			return inputsOf(list)
		}
	}
	return batches, nil
}

// order is an endless order of rows, pass by pass, each shuffled.
type order struct {
	seed   uint64
	pass   int // that rows are of; −1 at first
	shown  []int
	number int // of rows
}

func newOrder(number int, seed int64) *order {
	return &order{seed: uint64(seed), pass: -1, number: number}
}

// take gives rows, the first being so many after the start.
func (o *order) take(first, count int) []int {
	list := make([]int, count)
	for i := range list {
		pass := (first + i) / o.number
		if pass != o.pass {
			o.pass, o.shown = pass, rand.New(rand.NewPCG(o.seed, orderStream-uint64(pass))).Perm(o.number)
		}
		list[i] = o.shown[(first+i)%o.number]
	}
	return list
}

// shards hides pieces of rows, divided in two so that two processors have their
// work without waiting for each other; an odd number stays together.
func (l *Learner) shards(r rows, numbers []int, random *rand.Rand) []shard {
	if len(numbers)%2 != 0 {
		return []shard{l.masker.hide(r, numbers, random)}
	}
	half := len(numbers) / 2
	return []shard{l.masker.hide(r, numbers[:half], random), l.masker.hide(r, numbers[half:], random)}
}

func inputsOf(list []shard) [][]*tensors.Tensor {
	inputs := make([][]*tensors.Tensor, len(list))
	for i, s := range list {
		inputs[i] = s.tensors()
	}
	return inputs
}

// Evaluate measures the encoder on the held-out texts.
func (l *Learner) Evaluate(ctx context.Context) (train.Score, error) {
	m, err := l.measure(ctx)
	if err != nil {
		return train.Score{}, err
	}
	l.state.After = append(l.state.After, m)
	return train.Score{Likelihood: math.Exp(-m.Loss)}, nil
}

// measure reads all held-out rows, hidden the same way each time.
func (l *Learner) measure(ctx context.Context) (Measurement, error) {
	random := rand.New(rand.NewPCG(uint64(l.o.Seed), measureStream))
	var lost, right, told float64
	for first := 0; first < l.heldOut.count(); first += l.o.Rows {
		if err := ctx.Err(); err != nil {
			return Measurement{}, err
		}
		numbers, full := make([]int, l.o.Rows), min(l.o.Rows, l.heldOut.count()-first)
		for i := range numbers {
			numbers[i] = first + i%full // the last batch repeats rows, which count nothing
		}
		list := l.shards(l.heldOut, numbers, random)
		dropRepeated(list, full)
		for _, s := range list {
			told += float64(s.told())
		}
		sums, err := l.evaluate(inputsOf(list))
		if err != nil {
			return Measurement{}, fmt.Errorf("measure the encoder: %w", err)
		}
		for i := 0; i < len(sums); i += 2 {
			lost, right = lost+sums[i], right+sums[i+1]
		}
	}
	return Measurement{Loss: lost / max(1, told), Accuracy: right / max(1, told)}, nil
}

// dropRepeated lets the rows of the shards after the first full ones count nothing.
func dropRepeated(list []shard, full int) {
	for _, s := range list {
		perRow := len(s.weights) / s.rows
		clear(s.weights[min(full, s.rows)*perRow:])
		full = max(0, full-s.rows)
	}
}

// evaluate runs the graph that measures.
func (l *Learner) evaluate(inputs [][]*tensors.Tensor) ([]float64, error) {
	var args []any
	for _, shard := range inputs {
		for _, t := range shard {
			defer t.MustFinalizeAll()
			args = append(args, t)
		}
	}
	outs, err := l.evaluator.Call(args...)
	if err != nil {
		return nil, err
	}
	sums := make([]float64, len(outs))
	for i, out := range outs {
		sums[i] = float64(tensors.ToScalar[float32](out))
		out.MustFinalizeAll()
	}
	return sums, nil
}

// Save writes the encoder as a Hugging Face folder; the head has done its work.
func (l *Learner) Save(_ context.Context, dir string) error {
	return encoder.Export(l.store, "/"+encoderScope, l.from, dir)
}

// stateFile is where a checkpoint holds the state.
const stateFile = "pretraining.json"

// SaveState writes what was measured so far.
func (l *Learner) SaveState(dir string) error {
	data, err := json.MarshalIndent(l.state, "", "  ")
	if err != nil {
		return fmt.Errorf("save the state of the learner: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, stateFile), data, 0o644); err != nil {
		return fmt.Errorf("save the state of the learner: %w", err)
	}
	return nil
}

// LoadState reads what SaveState wrote. A run with other options or other texts
// would not go on to the same weights, so it is refused.
func (l *Learner) LoadState(dir string) error {
	path := filepath.Join(dir, stateFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("load the state of the learner: %w", err)
	}
	var before state
	if err := json.Unmarshal(data, &before); err != nil {
		return fmt.Errorf("load the state of the learner %s: %w", path, err)
	}
	then, now := before.Options, l.o
	then.MaxSteps, now.MaxSteps, then.Resume, now.Resume = 0, 0, false, false
	if then != now || before.Texts != l.state.Texts || before.Before == nil {
		return fmt.Errorf("%s: the run was begun with other options or texts: give the same, or start anew in another directory", path)
	}
	l.state.Before, l.state.After = before.Before, before.After
	return nil
}
