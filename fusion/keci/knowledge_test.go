package keci

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// renamed is the knowledge with other identifiers; nil leaves those of a kind
// as they are. Names and definitions stay.
func (k *fakeKnowledge) renamed(cui func(graph.CUI) graph.CUI, tui func(graph.TUI) graph.TUI, relation func(string) string) *fakeKnowledge {
	if cui == nil {
		cui = func(c graph.CUI) graph.CUI { return c }
	}
	if tui == nil {
		tui = func(t graph.TUI) graph.TUI { return t }
	}
	if relation == nil {
		relation = strings.Clone
	}
	other := &fakeKnowledge{names: map[string][]graph.CUI{}, concepts: map[graph.CUI]graph.Concept{}, types: map[graph.TUI]graph.SemanticType{}}
	for name, list := range k.names {
		for _, c := range list {
			other.names[name] = append(other.names[name], cui(c))
		}
	}
	for _, c := range k.concepts {
		var types []graph.TUI
		for _, t := range c.SemanticTypes {
			types = append(types, tui(t))
		}
		c.CUI, c.SemanticTypes = cui(c.CUI), types
		other.concepts[c.CUI] = c
	}
	for _, t := range k.types {
		t.TUI = tui(t.TUI)
		other.types[t.TUI] = t
	}
	for _, r := range k.relations {
		other.relations = append(other.relations, graph.Relation{Head: cui(r.Head), Label: relation(r.Label), Tail: cui(r.Tail)})
	}
	for _, r := range k.typeRelations {
		other.typeRelations = append(other.typeRelations, graph.TypeRelation{Head: tui(r.Head), Label: relation(r.Label), Tail: tui(r.Tail)})
	}
	return other
}

// backwards gives CUIs of another shape, in the opposite order.
func backwards(c graph.CUI) graph.CUI {
	var n int
	fmt.Sscanf(string(c), "C%d", &n)
	return graph.CUI(fmt.Sprintf("LOCAL:%03d", 900-n))
}

func unlike[T ~string](from, to T) func(T) T {
	return func(x T) T {
		if x == from {
			return to
		}
		return x
	}
}

// samePredictions compares the probabilities of a text; the order of nodes and
// edges, in which sums are taken, may differ.
func samePredictions(a, b []prediction) bool {
	near := func(x, y []float32) bool {
		for i := range x {
			if d := x[i] - y[i]; !(d < 1e-5 && d > -1e-5) {
				return false
			}
		}
		return len(x) == len(y)
	}
	for i := range a {
		if !cmp.Equal(a[i].kept, b[i].kept) || !near(a[i].finalTypes, b[i].finalTypes) ||
			!near(a[i].finalRelations, b[i].finalRelations) || !near(a[i].attention, b[i].attention) {
			return false
		}
	}
	return len(a) == len(b)
}

// TestAnyKnowledgeBase serves a trained model with a knowledge base that says
// the same under other identifiers.
func TestAnyKnowledgeBase(t *testing.T) {
	o, out := learnOptions(), t.TempDir()
	o.Epochs = 2
	learn(t, newLearner(t, learnable(), o), o, out)
	dir := filepath.Join(out, train.BestDir)
	k := newFakeKnowledge()
	want := bitsOf(t, openModel(t, dir, k.base()), abstract)
	if !samePredictions(want, bitsOf(t, openModel(t, dir, k.renamed(backwards, nil, nil).base()), abstract)) {
		t.Error("other concept ids give other probabilities")
	}
	silent := newFakeKnowledge()
	silent.relations, silent.typeRelations = nil, nil
	if samePredictions(want, bitsOf(t, openModel(t, dir, silent.base()), abstract)) {
		t.Error("relations of the knowledge base change nothing")
	}
	undefined := newFakeKnowledge()
	for cui, c := range undefined.concepts {
		c.Definition = ""
		undefined.concepts[cui] = c
	}
	if samePredictions(want, bitsOf(t, openModel(t, dir, undefined.base()), abstract)) {
		t.Error("definitions of the knowledge base change nothing")
	}
}

// TestWhatTrainingHasNotSeen: semantic types that training has not seen are
// alike, and so are relations; those that it has seen are not.
func TestWhatTrainingHasNotSeen(t *testing.T) {
	k := newFakeKnowledge()
	texts := abstract + " Insulin binds the insulin receptor and p53 of mdm2."
	run := func(k *fakeKnowledge) []prediction {
		return bitsOf(t, newRandomModel(t, tinyConfig(), k.base(), 8), texts)
	}
	want := run(k)
	for name, test := range map[string]struct {
		other *fakeKnowledge
		same  bool
	}{
		"unseen type for another":     {k.renamed(nil, unlike[graph.TUI]("T028", "T999"), nil), true},
		"unseen type for a seen one":  {k.renamed(nil, unlike[graph.TUI]("T121", "T998"), nil), false},
		"unseen relation for another": {k.renamed(nil, nil, unlike("ligand_of", "shape_of")), true},
		"one name for both unseen":    {k.renamed(nil, nil, unlike("sibling", "ligand_of")), true},
		"unseen relation for a seen":  {k.renamed(nil, nil, unlike("interacts_with", "sings_with")), false},
	} {
		if samePredictions(want, run(test.other)) != test.same {
			t.Errorf("%s: the same probabilities: %t, want %t", name, !test.same, test.same)
		}
	}
}

func TestNoKnowledgeAtAll(t *testing.T) {
	m := seesEverything(t, &fakeKnowledge{})
	doc := extract(t, m, abstract)
	if len(doc.Mentions) < 20 {
		t.Fatalf("%d mentions", len(doc.Mentions))
	}
	for _, mention := range doc.Mentions {
		if *mention.Sentinel != 1 || len(mention.Concepts) != 0 {
			t.Errorf("mention %+v attends to what is not there", mention)
		}
	}
}

// TestSentContextNeedsNoKnowledge: the variant asks no knowledge base for
// anything, and its final graph is the initial one.
func TestSentContextNeedsNoKnowledge(t *testing.T) {
	cfg := everything(tinyConfig())
	cfg.Variant, cfg.Knowledge = VariantSentContext, KnowledgeConfig{}
	doc := extract(t, newRandomModel(t, cfg, KnowledgeBase{}, 3), abstract)
	if doc.KB != nil || len(doc.Mentions) < 20 || len(doc.Relations) < 100 {
		t.Fatalf("knowledge base %v, %d mentions, %d relations", doc.KB, len(doc.Mentions), len(doc.Relations))
	}
	for _, mention := range doc.Mentions {
		if mention.Sentinel != nil || len(mention.Concepts) != 0 {
			t.Errorf("mention %+v has concepts", mention)
		}
		if mention.Initial.Type == mention.Type && mention.Initial.Score != mention.Score {
			t.Errorf("mention %+v: initial and final differ", mention)
		}
	}
	for _, r := range doc.Relations {
		if r.Initial.Score != r.Score {
			t.Errorf("relation %+v: initial and final differ", r)
		}
	}
}

// TestCandidatesAreLimited: no mention has more candidates than the model reads.
func TestCandidatesAreLimited(t *testing.T) {
	in := mustInstance(t, seesEverything(t, newFakeKnowledge()), "insulin")
	var got []graph.CUI
	for _, c := range in.Candidates[0] {
		got = append(got, c.CUI)
	}
	if diff := cmp.Diff([]graph.CUI{"C7", "C2"}, got); diff != "" {
		t.Errorf("candidates (-want +got):\n%s", diff)
	}
	if len(in.Graph.Nodes) != 2+3 { // and their semantic types
		t.Errorf("the background graph has nodes %+v", in.Graph.Nodes)
	}
}

// TestDefinitionsAreEncodedOnce, however many ask and in whatever batches.
func TestDefinitionsAreEncodedOnce(t *testing.T) {
	m := seesEverything(t, newFakeKnowledge())
	in := mustInstance(t, m, "p53 binds insulin and fk506")
	if err := m.definitions.ensure(t.Context(), in, in); err != nil {
		t.Fatal(err)
	}
	first := m.definitions.known["drug"]
	if first == nil {
		t.Fatal("a definition is not encoded")
	}
	again := mustInstance(t, m, "fk506")
	if err := m.definitions.ensure(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	for n := range definedNodes([]*instance{again}) {
		if n.Definition == "drug" && first != n.defined {
			t.Error("a definition is encoded again")
		}
	}
}

// TestFullCacheOfDefinitions: a text that is under way keeps its definitions
// when another finds the cache full.
func TestFullCacheOfDefinitions(t *testing.T) {
	k := newFakeKnowledge()
	m := seesEverything(t, k)
	in, other := mustInstance(t, m, "p53 binds fk506"), mustInstance(t, m, "insulin receptor")
	if err := m.definitions.ensure(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for i := range maxDefinitions {
		m.definitions.known[fmt.Sprint("another ", i)] = &definition{Vector: make([]float32, tinyBERT.HiddenSize)}
	}
	if err := m.definitions.ensure(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	b := m.batcher.batch(m.batcher.shape(2, []*instance{in, other}), in, other)
	for i, in := range b.instances {
		for v, n := range in.Graph.Nodes {
			if defined := b.defined[i*b.V+v] == 1; defined != (n.Definition != "") {
				t.Errorf("%q: node %q with definition %q: defined %t", in.Text, n.Name, n.Definition, defined)
			}
		}
	}
}
