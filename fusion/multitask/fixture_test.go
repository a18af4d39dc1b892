package multitask

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir/tinybert"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// wordPieces spell the texts of the tests.
var wordPieces = strings.Fields("ibal ##in rova ##ne zed ##ol causes cured gave rash itch liver pain and or the a in was with . , - by men women aspirin ##s")

// drugs and diseases of the tests; every other word is of neither.
var (
	drugs    = []string{"ibalin", "rovane", "zedol", "aspirin"}
	diseases = []string{"rash", "itch", "liver pain"}
)

// fakeKnowledge links the names of drugs and diseases.
type fakeKnowledge struct{ fault error }

func (k fakeKnowledge) Link(_ context.Context, text string) ([]graph.Mention, error) {
	var mentions []graph.Mention
	lower := strings.ToLower(text)
	for kind, list := range [][]string{drugs, diseases} {
		for i, name := range list {
			for from := 0; ; {
				at := strings.Index(lower[from:], name)
				if at < 0 {
					break
				}
				start := from + at
				from = start + len(name)
				mentions = append(mentions, graph.Mention{
					ID: fmt.Sprintf("L%d", len(mentions)+1), Start: start, End: from, Text: text[start:from], Final: i%2 == 0,
					Concepts: []graph.Candidate{{CUI: graph.CUI(fmt.Sprintf("C%d%d", kind, i)), SemanticTypes: []graph.TUI{[]graph.TUI{"T121", "T047"}[kind]}}},
				})
			}
		}
	}
	return mentions, k.fault
}

func (k fakeKnowledge) base() system.KnowledgeBase {
	return system.KnowledgeBase{Linker: k, Provenance: graph.Provenance{Name: "fake", Digest: "sha256:0"}}
}

// annotated makes an example: words in {braces} are mentions, of a drug where they
// name one; relations are of the concepts with these names: head, tail and label.
func annotated(id, text string, relations ...[3]string) corpus.Example {
	e := corpus.Example{ID: id, Group: id}
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
			Cluster: len(e.Entities), Concepts: []string{"M:" + strings.ToLower(name)}})
		e.Text += name
	}
	for _, r := range relations {
		e.ConceptRelations = append(e.ConceptRelations, corpus.ConceptRelation{Head: "M:" + r[0], Tail: "M:" + r[1], Label: r[2]})
	}
	return e
}

// abstracts say what drugs cause, also over the end of a sentence, and what they cure.
func abstracts() corpus.Corpus {
	var examples []corpus.Example
	for i, drug := range drugs[:3] {
		for k, disease := range diseases {
			other, id := diseases[(k+1)%len(diseases)], fmt.Sprintf("%d%d", i, k)
			examples = append(examples,
				annotated(id+"a", fmt.Sprintf("{%s} causes {%s} in men. The {%s} was cured.", drug, disease, other), [3]string{drug, disease, "CID"}),
				annotated(id+"b", fmt.Sprintf("{%s} cured {%s} in women.", drug, disease), [3]string{drug, disease, "cure"}))
		}
	}
	return corpus.Corpus{Name: corpus.BC5CDR, OfConcepts: true, Examples: examples,
		EntityTypes: []string{"Chemical", "Disease"}, RelationLabels: []string{"CID", "cure"}}
}

// tinyConfig has sizes that differ from one another, so that no two axes can be
// mistaken.
func tinyConfig() Config {
	cfg := DefaultConfig()
	cfg.Name, cfg.EntityTypes, cfg.RelationLabels = "tiny", []string{"Chemical", "Disease"}, []string{"CID", "cure"}
	cfg.Pairs, cfg.OfConcepts = []corpus.TypePair{{Head: "Chemical", Tail: "Disease"}}, true
	cfg.Hidden, cfg.Hint, cfg.Heads, cfg.HeadSize = 12, 5, 2, 7
	return cfg
}

func options() train.Options {
	return train.Options{Epochs: 60, BatchSize: 4, EncoderRate: 2e-3, TaskRate: 1e-2, WarmUp: 0.1, ClipNorm: 1, Seed: 3}
}

func newTestLearner(t testing.TB, encoderDir string, c corpus.Corpus, augmented bool) *Learner {
	t.Helper()
	l, err := NewLearner(t.Context(), enginetest.Go(), tinyConfig(), system.Material{
		Name: "tiny", Encoder: encoderDir, Set: system.Set{Train: c, HeldOut: c}, KnowledgeBase: fakeKnowledge{}.base(), BatchSize: options().BatchSize, Seed: 3,
	}, augmented)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newEncoder(t testing.TB) string { return tinybert.Write(t, wordPieces...) }

type silent struct{ onStep func(int) }

func (s silent) Step(done, _ int, _ float64) {
	if s.onStep != nil {
		s.onStep(done)
	}
}
func (silent) Epoch(train.Epoch, bool) {}
