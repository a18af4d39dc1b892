package hnm

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir/tinybert"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// wordPieces spell the texts of the tests.
var wordPieces = strings.Fields("ibal ##in rova ##ne zed ##ol causes cured rash itch fever in men women and was with the . @ #")

// drugs and diseases of the tests.
var (
	drugs    = []string{"ibalin", "rovane", "zedol"}
	diseases = []string{"rash", "itch", "fever"}
)

// fakeLinker finds the names of drugs and diseases, and "men", which the tests do
// not annotate.
type fakeLinker struct{ fault error }

func (k fakeLinker) Link(_ context.Context, text string) ([]graph.Mention, error) {
	var mentions []graph.Mention
	lower := strings.ToLower(text)
	for at := range lower {
		for kind, list := range [][]string{drugs, diseases, {"men"}} {
			for i, name := range list {
				if strings.HasPrefix(lower[at:], name) && !strings.HasSuffix(lower[:at], "wo") {
					mentions = append(mentions, graph.Mention{
						ID: fmt.Sprintf("L%d", len(mentions)+1), Start: at, End: at + len(name), Text: text[at : at+len(name)], Final: true,
						Concepts: []graph.Candidate{{CUI: graph.CUI(fmt.Sprintf("C%d%d", kind, i)), Confidence: 0.75,
							SemanticTypes: []graph.TUI{[]graph.TUI{"T121", "T047", "T098"}[kind]}}},
					})
				}
			}
		}
	}
	return mentions, k.fault
}

func (k fakeLinker) base() system.KnowledgeBase {
	return system.KnowledgeBase{Linker: k, Provenance: graph.Provenance{Name: "fake", Digest: "sha256:0"}}
}

// annotated makes an example: words in {braces} are mentions, of a drug where they
// name one, and their concepts have these names. A relation is "head label tail".
func annotated(id, text string, relations ...string) corpus.Example {
	e := corpus.Example{File: "test.json", ID: id, Group: id}
	for _, part := range strings.SplitAfter(text, "}") {
		before, name, found := strings.Cut(strings.TrimSuffix(part, "}"), "{")
		e.Text += before
		if !found {
			continue
		}
		typ := "Disease"
		for _, d := range drugs {
			if strings.EqualFold(d, name) {
				typ = "Chemical"
			}
		}
		e.Entities = append(e.Entities, corpus.Entity{Start: len(e.Text), End: len(e.Text) + len(name), Type: typ,
			Cluster: len(e.Entities), Concepts: []string{strings.ToLower(name)}})
		e.Text += name
	}
	for _, r := range relations {
		words := strings.Fields(r)
		e.ConceptRelations = append(e.ConceptRelations, corpus.ConceptRelation{Head: words[0], Tail: words[2], Label: words[1]})
	}
	return e
}

// abstracts say what drugs cause and what they cure; the diseases of the two are
// not related to the other's drug.
func abstracts() corpus.Corpus {
	var examples []corpus.Example
	for i, drug := range drugs {
		for k, disease := range diseases {
			other, another := drugs[(i+1)%3], diseases[(k+1)%3]
			examples = append(examples, annotated(fmt.Sprintf("%d%d", i, k),
				fmt.Sprintf("{%s} causes {%s} in men. {%s} cured {%s}.", drug, disease, other, another),
				drug+" causes "+disease, another+" cures "+other))
		}
	}
	return corpus.Corpus{Name: "bioc", Examples: examples, EntityTypes: []string{"Chemical", "Disease"}}
}

// tinyConfig has sizes that differ from one another, so that no two axes can be
// mistaken.
func tinyConfig(variant string) Config {
	cfg := DefaultConfig(variant)
	cfg.Row, cfg.Width, cfg.Dropout = 40, 12, 0
	return cfg
}

// known is the configuration that has learned the labels of abstracts.
func known(t testing.TB) Config {
	t.Helper()
	cfg := tinyConfig(Variant)
	if err := cfg.learnLabels(abstracts()); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func options() train.Options {
	return train.Options{Epochs: 30, BatchSize: 9, EncoderRate: 3e-3, TaskRate: 1e-2, WarmUp: 0.1, ClipNorm: 1, Seed: 3}
}

func newEncoder(t testing.TB) string { return tinybert.Write(t, wordPieces...) }

func newTokenizer(t testing.TB) *encoder.Tokenizer {
	t.Helper()
	tokenizer, err := encoder.LoadTokenizer(newEncoder(t))
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

func newTestLearner(t testing.TB, encoderDir, variant string) *Learner {
	t.Helper()
	s := DefaultSettings(variant)
	if s.Contrastive > 0 {
		s.Contrastive, s.Temperature = 0.5, 0.1 // enough that some are taken for others
	}
	s.Negatives = 1
	l, err := NewLearner(t.Context(), enginetest.Go(), tinyConfig(variant), s, system.Material{
		Name: "tiny", Encoder: encoderDir, Set: system.Set{Train: abstracts(), HeldOut: abstracts()}, KnowledgeBase: fakeLinker{}.base(),
		BatchSize: options().BatchSize, Seed: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Store().SetRNGStateFromSeed(3); err != nil { // for tests that do not train
		t.Fatal(err)
	}
	return l
}

type silent struct{ onStep func(int) }

func (s silent) Step(done, _ int, _ float64) {
	if s.onStep != nil {
		s.onStep(done)
	}
}
func (silent) Epoch(train.Epoch, bool) {}
