package remedi

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/compiled"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/tagging"
	kg "github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// Model is a trained pipeline with the knowledge base whose concepts it names. It
// implements [fusion.Extractor] and [system.Benchmark], and is safe for
// concurrent use.
type Model struct {
	cfg           Config
	encoderConfig encoder.Config
	tokenizer     *encoder.Tokenizer
	speech        *speech // nil for models that do not hear of it
	store         *model.Store
	tagger        *compiled.Graph[shape] // texts → probabilities of tags
	grouper       *compiled.Graph[shape] // masked texts → probabilities of groups
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
	tagger, err := newSpeech(cfg.PartsOfSpeech)
	if err != nil {
		return nil, err
	}
	m := &Model{
		cfg: cfg, encoderConfig: encoderConfig, tokenizer: tokenizer, speech: tagger, store: model.NewStore(),
		linker: kb.Linker, kb: kb.Provenance, info: cfg.describe(),
	}
	m.info.Engine = backend.String()
	n := network{cfg: cfg, encoder: encoderConfig}
	if m.tagger, err = newHead(backend, m.store, n.tags); err != nil {
		return nil, err
	}
	m.grouper, err = newHead(backend, m.store, n.groups)
	return m, err
}

// newHead is a graph that gives the probabilities of the classes of each piece.
func newHead(backend compute.Backend, store *model.Store, logits func(*model.Scope, inputs) *graph.Node) (*compiled.Graph[shape], error) {
	return compiled.New[shape](backend, store, func(root *model.Scope, nodes []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Softmax(logits(root, newInputs(nodes)), -1)}
	})
}

// try runs both graphs once.
func (m *Model) try() error {
	for _, head := range []*compiled.Graph[shape]{m.tagger, m.grouper} {
		if _, err := m.classify(context.Background(), head, masked{}); err != nil {
			return err
		}
	}
	return nil
}

// Info describes the model.
func (m *Model) Info() fusion.ModelInfo { return m.info }

// classify gives the probabilities of the classes of a text's pieces, one row of
// classes after the other.
func (m *Model) classify(ctx context.Context, head *compiled.Graph[shape], text masked) ([]float32, error) {
	s, in := layOut([]masked{text}, 1, len(text.pieces), m.tokenizer, m.encoderConfig.MaxPositionEmbeddings)
	outs, err := head.Run(ctx, s, in)
	if err != nil {
		return nil, err
	}
	defer compiled.Free(outs)
	flat, err := tensors.CopyFlatData[float32](outs[0])
	if err != nil {
		return nil, fmt.Errorf("read the model's answer: %w", err)
	}
	return flat[:len(text.pieces)*outs[0].Shape().Dim(-1)], nil
}

// tagProbabilities are those of the pieces of a text.
func (m *Model) tagProbabilities(ctx context.Context, pieces []encoder.Piece) ([]float32, error) {
	return m.classify(ctx, m.tagger, masked{pieces: pieces})
}

// Extract returns the graph of one document, with offsets in bytes of the text.
// Sentences are read one by one.
func (m *Model) Extract(ctx context.Context, doc kg.Document) (kg.Document, error) {
	f, err := m.find(ctx, doc.Text)
	if err != nil {
		return kg.Document{}, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	linked, err := m.linker.Link(ctx, doc.Text)
	if err != nil {
		return kg.Document{}, fmt.Errorf("document %s: link the text: %w", doc.ID, err)
	}
	doc = m.cfg.findings(doc, f).Document
	linker.AddConcepts(doc.Mentions, linked)
	linker.NameLongForms(doc.Mentions, linked)
	kb := m.kb
	doc.Model, doc.KB = &kg.Provenance{Name: m.info.Name, Digest: m.info.Digest}, &kb
	return doc, nil
}

// find runs both heads on the sentences of a text: the tagger, then the grouper on
// what it found. A sentence is a batch of its own, so that what it is computed
// with, to the last bit, does not depend on its neighbours.
func (m *Model) find(ctx context.Context, text string) (found, error) {
	var f found
	for _, pieces := range sentences(text, m.tokenizer) {
		probabilities, err := m.tagProbabilities(ctx, pieces)
		if err != nil {
			return f, err
		}
		places, odds := m.cfg.places(pieces, probabilities)
		related, err := m.relate(ctx, text, pieces, places)
		if err != nil {
			return f, err
		}
		f.add(pieces, places, odds, related)
	}
	return f, nil
}

// relate reads a sentence of a text with its mentions masked.
func (m *Model) relate(ctx context.Context, text string, pieces []encoder.Piece, places []place) ([]relation, error) {
	pairs := m.cfg.candidates(places)
	if len(pairs) == 0 {
		return nil, nil
	}
	sentence := m.mask(pieces, spell(text, pieces), places)
	probabilities, err := m.classify(ctx, m.grouper, sentence)
	if err != nil {
		return nil, err
	}
	for i, r := range pairs {
		pairs[i].odds = together(m.groupsAt(probabilities, sentence.masks[r.head]), m.groupsAt(probabilities, sentence.masks[r.tail]))
	}
	return pairs, nil
}

// groupsAt are the probabilities of the groups of a mask, without "no mask".
func (m *Model) groupsAt(probabilities []float32, mask int) []float32 {
	classes := 1 + m.cfg.Groups
	return probabilities[mask*classes+1 : (mask+1)*classes]
}

// places reads the mentions of a sentence off the probabilities of the tags of its
// pieces, with the log-odds of each.
func (c Config) places(pieces []encoder.Piece, probabilities []float32) (places []place, odds []float64) {
	bounds := append(starts(pieces), len(pieces))
	for _, m := range tagging.MentionsOfPieces(probabilities, tagging.Count(len(c.EntityTypes)), bounds) {
		places = append(places, place{m.First, m.Last, m.Type})
		odds = append(odds, m.Odds)
	}
	return places, odds
}
