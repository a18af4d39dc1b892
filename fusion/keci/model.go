// Package keci is the KECI model (Lai, Ji, Zhai and Tran, ACL 2021): entities
// and relations of a text inferred jointly, with the background knowledge of the
// concepts that the text mentions. Spans and their relations form an initial
// graph, the linker's candidates a background knowledge graph; graph
// convolutions carry global information over both, and attention with a sentinel
// fuses them into the final graph.
package keci

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"
	"golang.org/x/sync/errgroup"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/graph"
)

// encoderPath is the scope of the encoder's variables; wordPath is its table of
// word pieces.
const (
	encoderPath = modeldir.EncoderPath
	wordPath    = modeldir.WordPath
)

// KnowledgeBase is what a model asks of a knowledge base.
type KnowledgeBase = system.KnowledgeBase

// Model is a KECI model with the knowledge base that it reads. It implements
// [fusion.Extractor] and is safe for concurrent use.
type Model struct {
	cfg           Config
	encoderConfig encoder.Config
	tokenizer     *encoder.Tokenizer
	backend       compute.Backend
	store         *model.Store
	reader        *instancer
	batcher       *batcher
	definitions   *definitions
	predictor     *predictor
	kb            graph.Provenance
	info          fusion.ModelInfo
}

// Open reads the model directory dir, to be used with a knowledge base. An
// error names the file at fault.
func Open(backend compute.Backend, dir string, kb KnowledgeBase) (*Model, error) {
	cfg, err := modeldir.ReadConfig[Config](dir)
	if err != nil {
		return nil, err
	}
	m, err := newModel(backend, dir, cfg, kb)
	if err != nil {
		return nil, err
	}
	var weights string
	var digests errgroup.Group // takes as long as the weights, so beside them
	digests.Go(func() (err error) {
		weights, err = modeldir.WeightsDigest(dir)
		return err
	})
	if m.info.Parameters, m.info.Digest, err = modeldir.Load(backend, m.store, m.encoderConfig, dir, m.try); err != nil {
		return nil, err
	}
	if err := digests.Wait(); err != nil {
		return nil, err
	}
	if err := m.definitions.openKept(kb.Cache, weights); err != nil {
		return nil, err
	}
	return m, nil
}

// Close closes the file that keeps the vectors of definitions: the model must not be
// used any more. The engine stays the caller's.
func (m *Model) Close() error { return m.definitions.close() }

// newModel is a model without weights; the encoder's files are in dir.
func newModel(backend compute.Backend, dir string, cfg Config, kb KnowledgeBase) (*Model, error) {
	encoderConfig, tokenizer, err := modeldir.ReadEncoder(dir)
	if err != nil {
		return nil, err
	}
	borders, err := cfg.Borders.in(tokenizer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, modeldir.ConfigFile), err)
	}
	m := &Model{
		cfg: cfg, encoderConfig: encoderConfig, tokenizer: tokenizer,
		backend: backend, store: model.NewStore(), kb: kb.Provenance,
		reader:  &instancer{cfg: cfg, tokenizer: tokenizer, linker: kb.Linker, knowledge: kb.Knowledge, borders: borders},
		batcher: newBatcher(cfg, grainFor(backend, servingGrain), tokenizer, encoderConfig),
	}
	m.info = describe(cfg)
	m.info.Engine = backend.String()
	if m.predictor, err = newPredictor(backend, m.store, network{cfg: cfg, encoder: encoderConfig}); err != nil {
		return nil, err
	}
	m.definitions, err = newDefinitions(backend, m.store, cfg, encoderConfig, tokenizer, m.predictor.graph.RLocker())
	if err != nil {
		return nil, err
	}
	return m, nil
}

// try runs the graphs of the model once.
func (m *Model) try() error {
	empty := m.batcher.alone(&instance{Graph: &background{}})
	if _, err := m.predictor.predict(context.Background(), empty); err != nil {
		return err
	}
	return m.definitions.compile()
}

// Info describes the model.
func (m *Model) Info() fusion.ModelInfo { return m.info }

// Config is the configuration of the model.
func (m *Model) Config() Config { return m.cfg }
