package keci

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/kge"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// ring is a knowledge base to learn embeddings from: each concept is related to
// the next two.
type ring int

func (n ring) cui(i int) graph.CUI { return graph.CUI(fmt.Sprintf("R%03d", i%int(n))) }

func (n ring) Network() ([]graph.SemanticType, []graph.TypeRelation) {
	return []graph.SemanticType{{TUI: "T116", Name: "protein"}, {TUI: "T121", Name: "drug"}}, nil
}

func (n ring) Concepts(context.Context) iter.Seq2[graph.Concept, error] {
	return func(yield func(graph.Concept, error) bool) {
		for i := range int(n) {
			c := graph.Concept{CUI: n.cui(i), Name: wordPieces[4+i], SemanticTypes: []graph.TUI{"T116"}, Definition: "a protein"}
			if i%2 == 0 {
				c.SemanticTypes = []graph.TUI{"T121"}
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (n ring) Relations(context.Context) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		for i := range int(n) {
			for _, next := range []int{1, 2} {
				if !yield(graph.Relation{Head: n.cui(i), Label: "binds", Tail: n.cui(i + next)}, nil) {
					return
				}
			}
		}
	}
}

type noProgress struct{}

func (noProgress) Step(string, int, int, float64) {}

// embeddings are learned for a moment with the encoder of a model.
func embeddings(t *testing.T, m *Model) *kge.Embeddings {
	t.Helper()
	facts, err := kge.Read(t.Context(), ring(20))
	if err != nil {
		t.Fatal(err)
	}
	texts := kge.Texts{Tokenizer: m.tokenizer, Width: tinyBERT.HiddenSize,
		Pieces: tensors.MustCopyFlatData[float32](m.store.GetVariable(wordPath).MustValue())}
	o := kge.DefaultOptions()
	o.Size, o.Steps, o.Batch, o.Negatives, o.HeldOut = 6, 3, 8, 8, 0.2
	e, err := kge.Learn(t.Context(), enginetest.Go(), facts, texts, o, false, noProgress{})
	if err != nil {
		t.Fatal(err)
	}
	e.KnowledgeBase = graph.Provenance{Name: "ring", Digest: "sha256:1"}
	return e
}

func newEmbeddedLearner(t *testing.T, cfg Config, o train.Options, e *kge.Embeddings) (*Learner, error) {
	t.Helper()
	c := tinyCorpus(t)
	m := newMaterial(t, o, system.Set{Train: c, HeldOut: c})
	m.KnowledgeBase.Embeddings = e
	return NewLearner(t.Context(), enginetest.Go(), cfg, m)
}

// TestEmbeddings trains with embeddings of another knowledge base: they stay as
// they are, and serve with any.
func TestEmbeddings(t *testing.T) {
	o, out := learnOptions(), t.TempDir()
	o.Epochs = 2
	e := embeddings(t, newLearner(t, learnable(), o).model)
	l, err := newEmbeddedLearner(t, learnable(), o, e)
	if err != nil {
		t.Fatal(err)
	}
	before := l.weights()
	learn(t, l, o, out)
	after, frozen := l.weights(), 0
	for path := range before {
		if strings.HasPrefix(path, "/kge/") {
			frozen++
			if paths := differing(map[string][]float32{path: before[path]}, after); len(paths) > 0 {
				t.Errorf("%v moved", paths)
			}
		}
	}
	if frozen != 6 {
		t.Errorf("%d weights of embeddings, want 6", frozen)
	}

	dir, small := filepath.Join(out, train.BestDir), filepath.Join(out, "small")
	k := newFakeKnowledge()
	m := openModel(t, dir, k.base())
	if c := m.Config().Knowledge.Embeddings; c == nil || c.Size != 6 || c.KnowledgeBase.Name != "ring" || len(c.SemanticTypes) != 2 {
		t.Errorf("configuration of the embeddings %+v", c)
	}
	want := bitsOf(t, m, abstract)
	if !samePredictions(want, bitsOf(t, openModel(t, dir, k.renamed(backwards, nil, nil).base()), abstract)) {
		t.Error("other concept ids give other probabilities")
	}
	if err := m.store.GetVariable("/kge/output/biases").SetValue(tensors.FromValue([]float32{9, -9, 9, -9, 9, -9})); err != nil {
		t.Fatal(err)
	}
	if samePredictions(want, bitsOf(t, m, abstract)) {
		t.Error("other embeddings change nothing")
	}
	if err := modeldir.Quantize(dir, small); err != nil {
		t.Fatal(err)
	}
	bitsOf(t, openModel(t, small, k.base()), abstract)
}

func TestEmbeddingsOfAnotherEncoder(t *testing.T) {
	e := embeddings(t, newLearner(t, learnable(), learnOptions()).model)
	e.Encoder = "sha256:another"
	if _, err := newEmbeddedLearner(t, learnable(), learnOptions(), e); err == nil || !strings.Contains(err.Error(), "another encoder") {
		t.Errorf("error %v, want that the encoder is another", err)
	}
	e.Encoder = ""
	shorter := learnable(func(c *Config) { c.Knowledge.NamePieces = 3 })
	if _, err := newEmbeddedLearner(t, shorter, learnOptions(), e); err == nil || !strings.Contains(err.Error(), "word pieces") {
		t.Errorf("error %v, want that names are read otherwise", err)
	}
}

// TestVariantsWithoutEmbeddings take nothing of embeddings that are there.
func TestVariantsWithoutEmbeddings(t *testing.T) {
	e := embeddings(t, newLearner(t, learnable(), learnOptions()).model)
	for _, variant := range []Variant{VariantSentContext, VariantNoKGE} {
		o := learnOptions()
		o.Epochs = 1
		with, err := newEmbeddedLearner(t, learnable(as(variant)), o, e)
		if err != nil {
			t.Fatal(err)
		}
		without, err := newEmbeddedLearner(t, learnable(as(variant)), o, nil)
		if err != nil {
			t.Fatal(err)
		}
		learn(t, with, o, t.TempDir())
		learn(t, without, o, t.TempDir())
		if a, b := with.weights(), without.weights(); len(a) != len(b) || len(differing(a, b)) > 0 || with.model.cfg.Knowledge.Embeddings != nil {
			t.Errorf("%s: %d weights with embeddings, %d without, which differ in %v", variant, len(a), len(b), differing(a, b))
		}
	}
}
