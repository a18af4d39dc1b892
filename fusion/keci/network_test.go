package keci

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/graph"
)

// tolerance is the greatest difference of a probability from the float64
// reference that is let pass.
const tolerance = 1e-4

// variations are the configurations in which the network takes other ways.
func variations() map[string]Config {
	list := map[string]Config{}
	for name, change := range map[string]func(*Config){
		"keci":           func(*Config) {},
		"undirected":     func(c *Config) { c.Directed = false },
		"sent-context":   func(c *Config) { c.Variant, c.Directed = VariantSentContext, false },
		"flat-attention": func(c *Config) { c.Variant = VariantFlatAttention },
		"knowbert":       func(c *Config) { c.Variant, c.Knowledge.Size = VariantKnowBERT, 8 },
		"no-bigcn":       func(c *Config) { c.Variant = VariantNoBiGCN },
		"no-rgcn":        func(c *Config) { c.Variant = VariantNoRGCN },
		"embeddings":     withEmbeddings,
		"knowbert with embeddings": func(c *Config) {
			withEmbeddings(c)
			c.Variant, c.Knowledge.Size = VariantKnowBERT, 8
		},
		"embeddings without definitions": func(c *Config) {
			withEmbeddings(c)
			c.Variant = VariantNoDefinitions
		},
		"no-kge":           func(c *Config) { c.Variant = VariantNoKGE },
		"no-definitions":   func(c *Config) { c.Variant = VariantNoDefinitions },
		"message norm":     func(c *Config) { c.MessageNorm = true },
		"between":          func(c *Config) { c.Between = true },
		"one layer each":   func(c *Config) { c.SpanLayers, c.Knowledge.Layers = 1, 1 },
		"no layers":        func(c *Config) { c.SpanLayers, c.Knowledge.Layers = 0, 0 },
		"three candidates": func(c *Config) { c.Knowledge.Candidates, c.Knowledge.Bases = 3, 1 },
		"everything kept":  func(c *Config) { c.KeptRatio, c.Span.MaxWidth = 1, 1 },
	} {
		cfg := tinyConfig()
		change(&cfg)
		list[name] = cfg
	}
	return list
}

// withEmbeddings gives the nodes embeddings that know three of the five types.
func withEmbeddings(c *Config) {
	c.Knowledge.Embeddings = &EmbeddingConfig{Size: 4, SemanticTypes: []graph.TUI{"T109", "T116", "T028"}}
}

// TestNetworkAgainstReference runs batches of texts of different length, with
// an empty row beside them, and compares every probability.
func TestNetworkAgainstReference(t *testing.T) {
	for name, cfg := range variations() {
		t.Run(name, func(t *testing.T) {
			k := newFakeKnowledge()
			worst, kept, withCandidates := 0.0, 0, 0
			for seed := range uint64(2) {
				m := newRandomModel(t, cfg, k.base(), 10+seed)
				r := newReference(t, m, k)
				random := rand.New(rand.NewPCG(seed, 7))
				texts := []string{randomText(random, 9), "p53", randomText(random, 4), "insulin receptor binds β-catenin (fk506)"}
				var instances []*instance
				for _, text := range texts {
					instances = append(instances, mustInstance(t, m, text))
				}
				p := predictTogether(t, m, len(texts)+1, instances...)
				for row, text := range texts {
					want := r.read(t, text)
					kept += len(want.kept)
					for _, beta := range want.attention {
						if len(beta) > 1 {
							withCandidates++
						}
					}
					worst = math.Max(worst, r.compare(t, text, p, row, want))
				}
			}
			t.Logf("%d kept spans, %d of them with candidates: greatest difference %.2g", kept, withCandidates, worst)
			if cfg.has().knowledge && withCandidates < 5 {
				t.Errorf("only %d kept spans have candidates: the test sees little of the fusion", withCandidates)
			}
		})
	}
}

// compare returns the greatest difference of a text of a batch.
func (r *reference) compare(t testing.TB, text string, p prediction, row int, want judged) float64 {
	t.Helper()
	worst := 0.0
	same := func(what string, got []float32, want []float64) {
		t.Helper()
		for i := range want {
			difference := math.Abs(float64(got[i]) - want[i])
			worst = math.Max(worst, difference)
			if !(difference <= tolerance) {
				t.Fatalf("%q: %s: %g, want %g", text, what, got[:len(want)], want)
			}
		}
	}
	types, labels, c := len(r.cfg.EntityTypes), len(r.cfg.RelationLabels), r.cfg.Knowledge.Candidates
	for a, span := range want.kept {
		slot := row*p.most + a
		if int(p.kept[slot]) != span {
			t.Fatalf("%q: span %d is kept in place %d, want span %d", text, p.kept[slot], a, span)
		}
		same(fmt.Sprintf("initial type of %d", a), p.initialTypes[slot*types:], softmax(want.spanTypes[span]))
		same(fmt.Sprintf("final type of %d", a), p.finalTypes[slot*types:], softmax(want.finalTypes[a]))
		if r.cfg.has().knowledge {
			beta := append(want.attention[a], make([]float64, c)...)[:c+1] // nothing goes to candidates that are not there
			same(fmt.Sprintf("attention of %d", a), p.attention[slot*(c+1):], beta)
		}
		for b := range want.kept {
			at := (slot*p.most + b) * labels
			same(fmt.Sprintf("initial relation of %d, %d", a, b), p.initialRelations[at:], r.relationProbabilities(want.initialRelations, a, b))
			same(fmt.Sprintf("final relation of %d, %d", a, b), p.finalRelations[at:], r.relationProbabilities(want.finalRelations, a, b))
		}
	}
	return worst
}

// lossTexts are annotated texts with what a corpus can have: no entity at all,
// one piece, a relation between spans that may be pruned, both directions.
func lossTexts(directed bool) []goldText {
	list := []goldText{
		{text: "p53 binds mdm2 and heparin", types: map[string]int{"p53": 2, "mdm2": 2, "heparin": 1},
			relations: map[[2]string]int{{"p53", "mdm2"}: 1, {"heparin", "p53"}: 2}},
		{text: "the"},
		{text: "insulin inhibits calcineurin kinase not the receptor", types: map[string]int{"insulin": 1, "calcineurin kinase": 2, "receptor": 2},
			relations: map[[2]string]int{{"insulin", "calcineurin kinase"}: 2, {"receptor", "insulin"}: 1}},
		{text: "a complex of the cell"},
		{text: "The kinase and the kinase receptor", types: map[string]int{"receptor": 2}},
	}
	if !directed {
		for _, gold := range list {
			for pair, label := range gold.relations {
				gold.relations[[2]string{pair[1], pair[0]}] = label
			}
		}
	}
	return list
}

// example is the text as a corpus has it.
func (g goldText) example(cfg Config) corpus.Example {
	e := corpus.Example{ID: g.text, Text: g.text}
	index := map[string]int{}
	for name, kind := range g.types {
		at := strings.Index(g.text, name)
		index[name] = len(e.Entities)
		e.Entities = append(e.Entities, corpus.Entity{Start: at, End: at + len(name), Type: cfg.EntityTypes[kind], Cluster: len(e.Entities)})
	}
	for pair, label := range g.relations {
		head, tail := index[pair[0]], index[pair[1]]
		if cfg.Directed || head < tail {
			e.Relations = append(e.Relations, corpus.Relation{Head: head, Tail: tail, Label: cfg.RelationLabels[label]})
		}
	}
	return e
}

func TestLossAgainstReference(t *testing.T) {
	for name, cfg := range variations() {
		for _, maxWidth := range []int{1, 2} { // with a width of 1 every span is kept
			for _, withRelations := range []bool{true, false} {
				cfg.KeptRatio, cfg.Span.MaxWidth = 1, maxWidth
				t.Run(fmt.Sprintf("%s, width %d, relations %t", name, maxWidth, withRelations), func(t *testing.T) {
					compareLoss(t, cfg, withRelations)
				})
			}
		}
	}
	t.Run("borders", func(t *testing.T) {
		cfg := tinyConfig()
		cfg.KeptRatio, cfg.Span.MaxWidth = 1, 2
		cfg.Borders = Borders{NeverFirst: []string{"and", "the"}, NeverLast: []string{"of", "the"}}
		compareLoss(t, cfg, true)
	})
	t.Run("smoothed labels", func(t *testing.T) {
		cfg := tinyConfig()
		cfg.KeptRatio, cfg.Span.MaxWidth, cfg.LabelSmoothing = 1, 1, 0.2
		compareLoss(t, cfg, true)
	})
}

func compareLoss(t *testing.T, cfg Config, withRelations bool) {
	t.Helper()
	k := newFakeKnowledge()
	m := newRandomModel(t, cfg, k.base(), 20)
	texts := lossTexts(cfg.Directed)
	l := &Learner{model: m, batch: len(texts) + 1, network: network{cfg: cfg, encoder: m.encoderConfig, training: true}}
	var group []int
	for i, gold := range texts {
		l.examples = append(l.examples, label(cfg, mustInstance(t, m, gold.text), gold.example(cfg)))
		group = append(group, i)
	}
	if err := m.definitions.ensure(t.Context(), allOf(l)...); err != nil {
		t.Fatal(err)
	}
	got := lossOf(t, l, l.layOutShards(group, withRelations))
	want, related := newReference(t, m, k).loss(t, texts, withRelations)
	if withRelations && cfg.Span.MaxWidth == 1 && related < 3 {
		t.Errorf("only %d related pairs are kept: the test sees little of the relations", related)
	}
	t.Logf("loss %.6f, difference %.2g", got, math.Abs(got-want))
	if !(math.Abs(got-want) <= tolerance*math.Max(1, want)) {
		t.Errorf("loss %.6f, want %.6f", got, want)
	}
}

// lossOf is the loss of a batch, the sum over its shards.
func lossOf(t testing.TB, l *Learner, shards [][]*tensors.Tensor) float64 {
	t.Helper()
	sum := 0.0
	for _, shard := range shards {
		sum += lossOfShard(t, l, shard)
	}
	return sum
}

func lossOfShard(t testing.TB, l *Learner, batch []*tensors.Tensor) float64 {
	t.Helper()
	exec := model.MustNewExec(enginetest.Go(), l.Store(), func(root *model.Scope, in []*Node) *Node {
		l.Store().SetTraining(in[0].Graph(), true)
		return l.Loss(root, in)
	})
	args := make([]any, len(batch))
	for i, tensor := range batch {
		args[i] = tensor
	}
	out, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	return float64(tensors.ToScalar[float32](out[0]))
}
