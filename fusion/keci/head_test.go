package keci

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// diseases is a second corpus: it annotates other things than [tinyCorpus], in
// sentences that have some of those as well.
func diseases(t testing.TB) corpus.Corpus {
	t.Helper()
	c := annotated(t,
		"heparin in [sjogren disease:disease]",
		"insulin inhibits [tumor:disease] | ",
		"[sjogren:disease] with [tumor:disease] | 0 with 1",
	)
	c.Name, c.Directed = corpus.BC5CDR, false
	c.EntityTypes, c.RelationLabels = []string{"disease"}, []string{"with"}
	return c
}

// TestLearnsSeveralCorporaByHeart: each corpus gets its own labels, and a text read
// with all of them has both.
func TestLearnsSeveralCorporaByHeart(t *testing.T) {
	o, out := learnOptions(), t.TempDir()
	o.Epochs, o.BatchSize, o.EncoderRate, o.TaskRate = 120, 4, 1e-3, 1e-2
	first, second := tinyCorpus(t), diseases(t)
	l, err := NewLearner(t.Context(), enginetest.Go(), learnable(broad),
		newMaterial(t, o, system.Set{Train: first, HeldOut: first}, system.Set{Train: second, HeldOut: second}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stopAtOne := silent{onEpoch: func(e train.Epoch) {
		if e.Score == (train.Score{Entity: 1, Relation: 1}) {
			stop()
		}
	}}
	history, err := train.Run(ctx, enginetest.Go(), l, o, out, stopAtOne)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, the best of %d epochs is number %d", err, len(history.Epochs), history.Best+1)
	}
	m := openModel(t, filepath.Join(out, train.BestDir), newFakeKnowledge().base())
	for _, c := range []corpus.Corpus{first, second} {
		of, ok := m.For(c.Name)
		if !ok {
			t.Fatalf("no labels of %s", c.Name)
		}
		checkByHeart(t, of, c)
		if got := of.Info().EntityTypes; !slices.Equal(got, c.EntityTypes) || of.Info().Digest != m.Info().Digest {
			t.Errorf("%s has types %v", c.Name, got)
		}
	}
	if _, ok := m.For(corpus.BioRelEx); ok {
		t.Error("labels of a corpus that nothing was learned from")
	}
	if want, got := []string{"drug", "protein", "disease"}, m.Info().EntityTypes; !slices.Equal(got, want) {
		t.Errorf("types %v, want %v", got, want)
	}
	m.cfg.More[0].Names = map[string]string{"disease": "illness"}
	if want, got := []string{"drug", "protein", "illness"}, describe(m.cfg).EntityTypes; !slices.Equal(got, want) {
		t.Errorf("types are told as %v, want %v", got, want)
	}
	of, _ := m.For(second.Name)
	checkByHeart(t, of, second) // in the names of the corpus
	doc, err := m.Extract(t.Context(), graph.Document{ID: "d", Text: second.Examples[2].Text})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(doc.Mentions, func(m graph.Mention) bool { return m.Type == "illness" }) {
		t.Errorf("mentions %+v", doc.Mentions)
	}
	if !slices.ContainsFunc(doc.Relations, func(r graph.Extraction) bool { return r.Label == "with" && !r.Directed }) {
		t.Errorf("relations %+v", doc.Relations)
	}
}

// TestCrossEntropyOfHeads compares with the cross entropy of each head alone.
func TestCrossEntropyOfHeads(t *testing.T) {
	logits := [][][]float32{{{1, 2, 3, 4, 5}, {0, 0, 1, 0, 2}}, {{1, 2, 3, 4, 5}, {2, 0, 0, 1, 1}}}
	labels, heads, counts := [][]int32{{1, 0}, {2, 1}}, []int32{0, 1}, []int{2, 3}
	for _, smoothing := range []float64{0, 0.2} {
		n := network{cfg: Config{LabelSmoothing: smoothing}}
		out := MustExecOnce(enginetest.Go(), func(logits, labels, heads *Node) *Node {
			return n.crossEntropy(logits, labels, heads, counts)
		}, logits, labels, heads)
		got := tensors.MustCopyFlatData[float32](out)
		var want []float64
		for b, rows := range logits {
			first := []int{0, 2}[heads[b]]
			for i, row := range rows {
				want = append(want, crossEntropyByHand(row[first:first+counts[heads[b]]], int(labels[b][i]), smoothing))
			}
		}
		for i := range want {
			if math.Abs(float64(got[i])-want[i]) > 1e-5 {
				t.Errorf("smoothing %g: %v, want %v", smoothing, got, want)
				break
			}
		}
	}
}

func crossEntropyByHand(logits []float32, label int, smoothing float64) float64 {
	total := 0.0
	for _, x := range logits {
		total += math.Exp(float64(x))
	}
	loss := 0.0
	for class, x := range logits {
		share := smoothing / float64(len(logits))
		if class == label {
			share += 1 - smoothing
		}
		loss -= share * (float64(x) - math.Log(total))
	}
	return loss
}

// TestFoundWithAnotherHead: a span of both has the surer type, and relations keep
// their ends.
func TestFoundWithAnotherHead(t *testing.T) {
	mention := func(start, end int, kind string, score float64) graph.Mention {
		return graph.Mention{Start: start, End: end, Type: kind, Score: score}
	}
	f := found{
		mentions:  []graph.Mention{mention(5, 8, "protein", 0.9), mention(10, 12, "drug", 0.5)},
		odds:      []float64{9, 5},
		relations: []foundRelation{{head: 0, tail: 1, label: "binds"}},
	}.with(found{
		mentions:  []graph.Mention{mention(0, 3, "disease", 0.7), mention(5, 8, "gene", 0.6), mention(10, 12, "chemical", 0.8)},
		odds:      []float64{7, 6, 8},
		relations: []foundRelation{{head: 2, tail: 0, label: "treats"}, {head: 2, tail: 1, label: "binds", score: 0.7}},
	}).merged()
	var kinds []string
	for _, m := range f.mentions {
		kinds = append(kinds, m.Type)
	}
	if want := []string{"disease", "protein", "chemical"}; !slices.Equal(kinds, want) || !slices.Equal(f.odds, []float64{7, 9, 8}) {
		t.Errorf("mentions %v with odds %v", kinds, f.odds)
	}
	want := []foundRelation{{head: 2, tail: 1, label: "binds", score: 0.7}, {head: 2, tail: 0, label: "treats"}} // of one that both have, the surer
	if diff := cmp.Diff(want, f.relations, cmp.AllowUnexported(foundRelation{})); diff != "" {
		t.Error(diff)
	}
}

func TestInvalidHeads(t *testing.T) {
	good := tinyConfig()
	good.Corpus = corpus.ADE
	other := good.Head
	other.Corpus = corpus.BC5CDR
	good.More = []Head{other}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Head){
		`more[0]: the corpus "ade" has a head already`: func(h *Head) { h.Corpus = corpus.ADE },
		`more[0]: entityTypes must begin with ""`:      func(h *Head) { h.EntityTypes = []string{"disease"} },
		`more[0]: names: "planet" is none of`:          func(h *Head) { h.Names = map[string]string{"planet": "star"} },
		"more[0]: entityThreshold is 1.5":              func(h *Head) { h.EntityThreshold = 1.5 },
		"more[0]: overlapThreshold is -1":              func(h *Head) { h.OverlapThreshold = -1 },
		"more[0]: relationThreshold is 2":              func(h *Head) { h.RelationThreshold = 2 },
		`more[0]: relationLabels must begin with ""`:   func(h *Head) { h.RelationLabels = nil },
	} {
		bad := good
		bad.setHead(1, other)
		change(&bad.More[0])
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if err := good.Validate(); err != nil {
		t.Errorf("setHead changed what it was copied from: %v", err)
	}
}

// TestKindsOfUnknownTypes: the error of a configuration names kind and type.
func TestKindsOfUnknownTypes(t *testing.T) {
	for want, cfg := range map[string]Config{
		`gene has the type "x"`: twoHeads(nil, Kinds{"gene": {"a", "x"}}),
		`gene has the type "d"`: twoHeads(map[string]string{"d": "a"}, Kinds{"gene": {"d"}}),
		"learned from several":  func() Config { c := twoHeads(nil, Kinds{"gene": {"a"}}); c.More = nil; return c }(),
	} {
		if err := cfg.validateKinds(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if err := twoHeads(map[string]string{"d": "a"}, Kinds{"gene": {"a", "c"}}).validateKinds(); err != nil {
		t.Error(err)
	}
}

// TestKinds: two types contradict each other where both have kinds, and none in common.
func TestKinds(t *testing.T) {
	kinds := Kinds{"gene": {"gene", "protein", "peptide"}, "chemical": {"chemical", "peptide"}}
	for pair, want := range map[[2]string]bool{
		{"protein", "gene"}: false, {"protein", "protein"}: false, {"protein", "peptide"}: false, {"chemical", "peptide"}: false,
		{"protein", "chemical"}: true, {"gene", "chemical"}: true, {"protein", "assay"}: false, {"assay", "reagent"}: false,
	} {
		if kinds.contradict(pair[0], pair[1]) != want || kinds.contradict(pair[1], pair[0]) != want {
			t.Errorf("%v contradict each other: want %v", pair, want)
		}
	}
}

// twoHeads has the types a and b, and c and d, told as named.
func twoHeads(names map[string]string, kinds Kinds) Config {
	cfg := DefaultConfig()
	cfg.EntityTypes, cfg.RelationLabels = []string{"", "a", "b"}, []string{""}
	cfg.More = []Head{{Corpus: "second", EntityTypes: []string{"", "c", "d"}, RelationLabels: []string{""}, Names: names}}
	cfg.Kinds = kinds
	return cfg
}

// TestContradictionsOfHeads compares with the sum by hand: of a span that one corpus
// calls a, the head of the other may see nothing or what is of a kind with it.
func TestContradictionsOfHeads(t *testing.T) {
	n := network{cfg: twoHeads(map[string]string{"d": "a"}, Kinds{"first": {"a"}, "second": {"c"}})}
	logits := [][][]float32{{{1, 2, 3, 4, 5, 6}, {0, 1, 0, 2, 0, 1}, {1, 2, 3, 3, 1, 2}}, {{1, 2, 3, 4, 5, 6}, {3, 1, 2, 0, 0, 0}, {0, 2, 1, 1, 1, 1}}}
	labels, heads := [][]int32{{1, 0, 2}, {1, 0, 2}}, []int32{0, 1}
	out := MustExecOnce(enginetest.Go(), func(logits, labels, heads *Node) *Node {
		return n.contradictions(logits, labels, heads)
	}, logits, labels, heads)
	got := tensors.MustCopyFlatData[float32](out)
	rest := func(of []float32, but int) float64 {
		all, left := 0.0, 0.0
		for i, x := range of {
			all += math.Exp(float64(x))
			if i != but {
				left += math.Exp(float64(x))
			}
		}
		return math.Log(all) - math.Log(left)
	}
	want := []float64{
		rest(logits[0][0][3:], 1), 0, 0, // a is not c; nothing tells nothing; b is of no kind
		rest(logits[1][0][:3], 1), 0, rest(logits[1][2][:3], 3), // c is not a; d is told as a, which a is
	}
	for i := range want {
		if math.Abs(float64(got[i])-want[i]) > 1e-5 {
			t.Errorf("got %v, want %v", got, want)
			break
		}
	}
}

// TestConsistentRelations: a relation of a chemical goes where another head is surer
// that it is a gene, and does not take one of the same label with it whose ends fit.
func TestConsistentRelations(t *testing.T) {
	cfg := twoHeads(nil, Kinds{"gene": {"a"}, "chemical": {"c"}})
	mention := func(start int, kind string, score float64) graph.Mention {
		return graph.Mention{Start: start, End: start + 1, Type: kind, Score: score, Initial: &graph.Judgement{}}
	}
	first := found{
		mentions: []graph.Mention{mention(0, "a", 0.9), mention(2, "b", 0.9)}, odds: []float64{2, 2},
		relations: []foundRelation{{head: 0, tail: 1, label: "shared", score: 0.6}},
	}
	second := found{
		mentions: []graph.Mention{mention(0, "c", 0.8), mention(2, "d", 0.8), mention(4, "c", 0.8)}, odds: []float64{1, 1, 1},
		relations: []foundRelation{
			{head: 0, tail: 1, label: "shared", score: 0.9}, {head: 0, tail: 1, label: "contradicted", score: 0.9},
			{head: 2, tail: 1, label: "stands", score: 0.9},
		},
	}
	heads := cfg.heads()
	all := found{}.with(first.told(heads[0])).with(second.told(heads[1]))
	var got []string
	for _, r := range cfg.consistent(all).merged().relations {
		got = append(got, fmt.Sprint(r.label, " ", r.score))
	}
	if want := []string{"shared 0.6", "stands 0.9"}; !slices.Equal(got, want) {
		t.Errorf("relations %q, want %q", got, want)
	}
}

// TestContradictionsOfSureHeads: the loss and its gradient stay finite, however sure a
// head is.
func TestContradictionsOfSureHeads(t *testing.T) {
	n := network{cfg: twoHeads(nil, Kinds{"first": {"a"}, "second": {"c", "d"}})}
	outs := MustExecOnceN(enginetest.Go(), func(logits, labels, heads *Node) []*Node {
		loss := ReduceAllSum(n.typeLoss(logits, labels, heads))
		return append(Gradient(loss, logits), loss)
	}, [][][]float32{{{1e4, -1e4, 0, -1e4, 1e4, 0}}}, [][]int32{{1}}, []int32{0})
	for _, out := range outs {
		for _, x := range tensors.MustCopyFlatData[float32](out) {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				t.Fatalf("%v", out)
			}
		}
	}
	if loss := tensors.ToScalar[float32](outs[1]); loss < 3e4 { // 2e4 of the own head, and as much as c is surer than nothing
		t.Errorf("loss %g", loss)
	}
}
