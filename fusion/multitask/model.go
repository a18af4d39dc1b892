package multitask

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/compiled"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	kg "github.com/keci-kg/keci/graph"
)

// Model is a model with the knowledge base whose linker it hears. It implements
// [fusion.Extractor] and is safe for concurrent use.
type Model struct {
	cfg           Config
	encoderConfig encoder.Config
	tokenizer     *encoder.Tokenizer
	store         *model.Store
	reader        *reader
	tagger        *compiled.Graph[textShape] // texts → probabilities of tags, vectors of pieces
	classifier    *compiled.Graph[pairShape] // pairs and these vectors → logits of labels
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
		cfg: cfg, encoderConfig: encoderConfig, tokenizer: tokenizer, store: model.NewStore(),
		reader: newReader(cfg, tokenizer, kb.Linker), kb: kb.Provenance, info: cfg.describe(),
	}
	m.info.Engine = backend.String()
	n := network{cfg: cfg, encoder: encoderConfig}
	m.tagger, err = compiled.New[textShape](backend, m.store, func(root *model.Scope, nodes []*graph.Node) []*graph.Node {
		in, _ := newTextInputs(nodes)
		x := n.encode(root, in)
		return []*graph.Node{graph.Softmax(n.tags(root.At("tags"), x, in.hints), -1), x}
	})
	if err != nil {
		return nil, err
	}
	m.classifier, err = compiled.New[pairShape](backend, m.store, func(root *model.Scope, nodes []*graph.Node) []*graph.Node {
		in, rest := newPairInputs(nodes)
		return []*graph.Node{n.relations(root.At("relation"), rest[0], in)}
	})
	return m, err
}

// try runs both graphs once.
func (m *Model) try() error {
	nothing := &reading{}
	_, x, err := m.tag(context.Background(), nothing)
	if err != nil {
		return err
	}
	defer compiled.Free([]*tensors.Tensor{x})
	if !m.cfg.relates() {
		return nil
	}
	_, err = m.classifyPart(context.Background(), pairsOf{text: nothing}, x)
	return err
}

// Info describes the model.
func (m *Model) Info() fusion.ModelInfo { return m.info }

// Extract returns the graph of one document, with offsets in bytes of the text.
func (m *Model) Extract(ctx context.Context, doc kg.Document) (kg.Document, error) {
	text, err := m.reader.read(ctx, doc.Text)
	if err != nil {
		return kg.Document{}, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	f, err := m.find(ctx, text)
	if err != nil {
		return kg.Document{}, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	doc = m.cfg.findings(doc, f).Document
	kb := m.kb
	doc.Model, doc.KB = &kg.Provenance{Name: m.info.Name, Digest: m.info.Digest}, &kb
	return doc, nil
}

// find runs both heads on a text, one after the other: pairs are of the mentions
// that the tagger found. A text is a batch of its own, so that what it is computed
// with, to the last bit, does not depend on its neighbours.
func (m *Model) find(ctx context.Context, text *reading) (found, error) {
	f := found{pairsOf: pairsOf{text: text}}
	if len(text.pieces) == 0 {
		return f, nil
	}
	probabilities, x, err := m.tag(ctx, text)
	if err != nil {
		return f, err
	}
	defer compiled.Free([]*tensors.Tensor{x})
	f.places, f.odds = m.cfg.decodePlaces(text, probabilities)
	f.entities = m.cfg.entitiesOf(text, f.places)
	if !m.cfg.relates() {
		return f, nil
	}
	f.pairs = m.cfg.pairs(text, f.places, f.entities)
	f.labels, err = m.classify(ctx, f.pairsOf, x)
	return f, err
}

// tag gives the probabilities of the tags of a text's pieces, [T, tags], and the
// vectors of the pieces, [1, T, H], which the caller frees.
func (m *Model) tag(ctx context.Context, text *reading) ([]float32, *tensors.Tensor, error) {
	shape, inputs := m.cfg.textBatch([]*reading{text}, 1, 1, m.tokenizer)
	outs, err := m.tagger.Run(ctx, shape, inputs)
	if err != nil {
		return nil, nil, err
	}
	defer compiled.Free(outs[:1])
	probabilities, err := tensors.CopyFlatData[float32](outs[0])
	if err != nil {
		return nil, nil, fmt.Errorf("read the model's answer: %w", err)
	}
	return probabilities, outs[1], nil
}

// pairsAtOnce is how many pairs of a text are classified at once: memory grows with
// them times the length of the text, and a long article has thousands.
const pairsAtOnce = 256

// classify gives the log-odds of the labels of pairs, [P, L]. No pair hears of
// another, so they are classified part by part.
func (m *Model) classify(ctx context.Context, of pairsOf, x *tensors.Tensor) ([]float64, error) {
	odds := make([]float64, 0, len(of.pairs)*len(m.cfg.RelationLabels))
	for pairs := range slices.Chunk(of.pairs, pairsAtOnce) {
		part, err := m.classifyPart(ctx, of.part(pairs), x)
		if err != nil {
			return nil, err
		}
		odds = append(odds, part...)
	}
	return odds, nil
}

// classifyPart classifies pairs at once.
func (m *Model) classifyPart(ctx context.Context, of pairsOf, x *tensors.Tensor) ([]float64, error) {
	shape, inputs := m.cfg.pairBatch([]pairsOf{of}, 1, x.Shape().Dim(1))
	outs, err := m.classifier.Run(ctx, shape, inputs, x)
	if err != nil {
		return nil, err
	}
	defer compiled.Free(outs)
	flat, err := tensors.CopyFlatData[float32](outs[0])
	if err != nil {
		return nil, fmt.Errorf("read the model's answer: %w", err)
	}
	odds := make([]float64, len(of.pairs)*len(m.cfg.RelationLabels))
	for i := range odds {
		odds[i] = float64(flat[i])
	}
	return odds, nil
}
