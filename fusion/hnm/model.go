package hnm

import (
	"context"
	"fmt"
	"runtime"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"golang.org/x/sync/errgroup"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/compiled"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	kg "github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// Model is a trained classifier with the knowledge base whose linker it asks for
// concepts. It implements [fusion.Extractor] and [system.Benchmark], and is safe for
// concurrent use.
type Model struct {
	cfg           Config
	encoderConfig encoder.Config
	tokenizer     *encoder.Tokenizer
	marks         marks
	store         *model.Store
	classifier    *compiled.Graph[shape] // pairs → probabilities of classes, vectors
	linker        system.Linker
	kb            kg.Provenance
	info          fusion.ModelInfo
}

// Open reads the model directory dir, to be used with a knowledge base. An error
// names the file at fault.
func Open(backend compute.Backend, dir string, kb system.KnowledgeBase) (*Model, error) {
	cfg, err := modeldir.ReadConfig[Config](dir)
	if err != nil {
		return nil, err
	}
	m, err := newModel(backend, dir, cfg, kb)
	if err != nil {
		return nil, err
	}
	m.info.Parameters, m.info.Digest, err = modeldir.Load(backend, m.store, m.encoderConfig, dir, m.try)
	return m, err
}

// newModel is a model without weights; the encoder's files are in dir.
func newModel(backend compute.Backend, dir string, cfg Config, kb system.KnowledgeBase) (*Model, error) {
	encoderConfig, tokenizer, err := modeldir.ReadEncoder(dir)
	if err != nil {
		return nil, err
	}
	cfg.Row = min(cfg.Row, encoderConfig.MaxPositionEmbeddings)
	m := &Model{
		cfg: cfg, encoderConfig: encoderConfig, tokenizer: tokenizer, marks: newMarks(tokenizer), store: model.NewStore(),
		linker: kb.Linker, kb: kb.Provenance, info: cfg.describe(),
	}
	m.info.Engine = backend.String()
	n := network{cfg: cfg, encoder: encoderConfig}
	m.classifier, err = compiled.New[shape](backend, m.store, func(root *model.Scope, nodes []*graph.Node) []*graph.Node {
		vectors, logits := n.relate(root, newInputs(nodes))
		return []*graph.Node{graph.Softmax(logits, -1), vectors}
	})
	return m, err
}

// try runs the graph once.
func (m *Model) try() error {
	_, err := m.classify(context.Background(), []row{{}})
	return err
}

// Info describes the model.
func (m *Model) Info() fusion.ModelInfo { return m.info }

// judgement is what the network makes of a pair.
type judgement struct {
	probabilities []float32 // of the classes
	vector        []float32
}

// related is the probability that the concepts are related at all.
func (j judgement) related() float64 { return 1 - float64(j.probabilities[none]) }

// label is the likeliest class but none.
func (j judgement) label() int {
	best := none + 1
	for class := best + 1; class < len(j.probabilities); class++ {
		if j.probabilities[class] > j.probabilities[best] {
			best = class
		}
	}
	return best
}

// rowsAtOnce is how many pairs are computed at once.
const rowsAtOnce = 16

// classify judges rows, on all processors. The same rows give the same, to the bit.
func (m *Model) classify(ctx context.Context, rows []row) ([]judgement, error) {
	return m.inBatches(ctx, len(rows), func(i int) row { return rows[i] })
}

// judge reads the pairs of a text. Their rows are made when they are needed: there are
// more than there is memory for where a long text names much.
func (m *Model) judge(ctx context.Context, t text, pairs []pair) ([]judgement, error) {
	return m.inBatches(ctx, len(pairs), func(i int) row { return m.cfg.row(t, pairs[i], m.marks) })
}

// inBatches judges n rows, as many at a time as there are processors.
func (m *Model) inBatches(ctx context.Context, n int, rowAt func(i int) row) ([]judgement, error) {
	judged := make([]judgement, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < n; from += rowsAtOnce {
		to := min(from+rowsAtOnce, n)
		group.Go(func() error {
			rows := make([]row, to-from)
			for i := range rows {
				if err := ctx.Err(); err != nil {
					return err
				}
				rows[i] = rowAt(from + i)
			}
			return m.classifyBatch(ctx, rows, judged[from:to])
		})
	}
	return judged, group.Wait()
}

func (m *Model) classifyBatch(ctx context.Context, rows []row, judged []judgement) error {
	const step = 4 // few shapes occur
	s, in := layOut(rows, compiled.RoundUp(len(rows), step), m.cfg.length(rows), m.tokenizer)
	outs, err := m.classifier.Run(ctx, s, in)
	if err != nil {
		return err
	}
	defer compiled.Free(outs)
	probabilities, err := tensors.CopyFlatData[float32](outs[0])
	if err != nil {
		return fmt.Errorf("read the model's answer: %w", err)
	}
	vectors, err := tensors.CopyFlatData[float32](outs[1])
	if err != nil {
		return fmt.Errorf("read the model's answer: %w", err)
	}
	classes, width := m.cfg.classes(), m.cfg.Width
	for i := range rows {
		judged[i] = judgement{probabilities[i*classes : (i+1)*classes], vectors[i*width : (i+1)*width]}
	}
	return nil
}

// Extract returns the graph of one document, with offsets in bytes of the text. Its
// mentions are what the linker finds, of the types that training has seen it stand
// for; relations are told of the two nearest mentions of the concepts.
func (m *Model) Extract(ctx context.Context, doc kg.Document) (kg.Document, error) {
	linked, err := m.linker.Link(ctx, doc.Text)
	if err != nil {
		return kg.Document{}, fmt.Errorf("document %s: link the text: %w", doc.ID, err)
	}
	doc.Mentions = m.cfg.mentions(linked)
	linker.NameLongForms(doc.Mentions, linked)
	t := m.cfg.linkedText(m.tokenizer, doc.Text, doc.Mentions)
	pairs := m.cfg.pairs(t)
	judged, err := m.judge(ctx, t, pairs)
	if err != nil {
		return kg.Document{}, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	doc = m.cfg.document(doc, t, pairs, judged)
	kb := m.kb
	doc.Model, doc.KB = &kg.Provenance{Name: m.info.Name, Digest: m.info.Digest}, &kb
	return doc, nil
}
