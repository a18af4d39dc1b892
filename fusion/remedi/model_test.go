package remedi

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/fusion/modeldir/tinybert"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// linkLithium knows one concept.
type linkLithium struct{}

func (linkLithium) Link(_ context.Context, text string) ([]graph.Mention, error) {
	at := strings.Index(text, "lithium")
	if at < 0 {
		return nil, nil
	}
	return []graph.Mention{{ID: "T1", Start: at, End: at + 7, Concepts: []graph.Candidate{{CUI: "C0023870"}}}}, nil
}

var knowledge = system.KnowledgeBase{Linker: linkLithium{}, Provenance: graph.Provenance{Name: "tiny"}}

func tinyCorpus() corpus.Corpus {
	return corpus.Corpus{
		Name: corpus.ADE, Directed: true, Sentences: true,
		EntityTypes: []string{"Adverse-Effect", "Drug"}, RelationLabels: []string{"Adverse-Effect"},
		Examples: []corpus.Example{
			annotated("1", "[lithium] led to <severe rash>.", [2]int{1, 0}),
			annotated("2", "<fever> and <nausea> caused by [heparin].", [2]int{0, 2}, [2]int{1, 2}),
			annotated("3", "the patient took [aspirin] after <fever>"),
			annotated("4", "<[lithium] toxicity>", [2]int{0, 1}),
		},
	}
}

func newTinyLearner(t *testing.T) *Learner {
	t.Helper()
	return newLearnerOf(t, tinyCorpus(), Settings{Concatenations: 0.3, Weighting: 1})
}

// newLearnerOf learns from a corpus, and is evaluated on the same.
func newLearnerOf(t *testing.T, c corpus.Corpus, s Settings) *Learner {
	t.Helper()
	cfg := DefaultConfig()
	cfg.LSTM, cfg.Hidden, cfg.Dropout = 8, 12, 0
	l, err := NewLearner(enginetest.Go(), cfg, s, system.Material{
		Name: "tiny", Encoder: tinybert.Write(t, vocabulary...), Set: system.Set{Train: c, HeldOut: c}, KnowledgeBase: knowledge, BatchSize: 6, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

type silent struct{}

func (silent) Step(int, int, float64)  {}
func (silent) Epoch(train.Epoch, bool) {}

func options() train.Options {
	o := train.DefaultOptions()
	o.Epochs, o.BatchSize, o.EncoderRate, o.TaskRate = 80, 6, 1e-2, 2e-2
	return o
}

// TestLearn trains to what the corpus says, saves, opens and extracts.
func TestLearn(t *testing.T) {
	out := t.TempDir()
	l := newTinyLearner(t)
	history, err := train.Run(t.Context(), enginetest.Go(), l, options(), out, silent{})
	if err != nil {
		t.Fatal(err)
	}
	best := history.Epochs[history.Best]
	if best.Score.Entity < 0.85 || best.Score.Relation < 0.7 { // a drug in an effect cannot be tagged
		t.Fatalf("learned to %+v", best.Score)
	}
	m, err := Open(enginetest.Go(), filepath.Join(out, train.BestDir), knowledge)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := m.Extract(t.Context(), graph.Document{ID: "x", Text: "lithium led to severe rash."})
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Mentions) != 2 || doc.Mentions[0].Text != "lithium" || doc.Mentions[0].Type != "Drug" || doc.Mentions[1].Text != "severe rash" {
		t.Fatalf("mentions %+v", doc.Mentions)
	}
	if c := doc.Mentions[0].Concepts; len(c) != 1 || c[0].CUI != "C0023870" {
		t.Errorf("concepts %v", c)
	}
	if len(doc.Relations) != 1 || doc.Relations[0].Head != "T2" || doc.Relations[0].Tail != "T1" || doc.Relations[0].Label != "Adverse-Effect" {
		t.Errorf("relations %+v", doc.Relations)
	}
	again, err := m.Extract(t.Context(), graph.Document{ID: "x", Text: "lithium led to severe rash."})
	if err != nil || cmp.Diff(doc, again) != "" {
		t.Errorf("the second answer is another: %v %s", err, cmp.Diff(doc, again))
	}
	if empty, err := m.Extract(t.Context(), graph.Document{ID: "y", Text: " … "}); err != nil || len(empty.Mentions) != 0 {
		t.Errorf("a text without words: %v, %v", empty.Mentions, err)
	}
	measured, err := m.Measure(t.Context(), tinyCorpus())
	if err != nil {
		t.Fatal(err)
	}
	d, ok := measured.Details.(Details)
	if !ok || d.Instances != 6 || d.Tags["O"].TP == 0 {
		t.Errorf("details %+v", measured.Details)
	}
	if f := measured.Figures; len(f) != 6 || f[2].Name != "tags of word pieces, macro F1" || f[2].Value < 0.8 || f[4].Value <= 0 {
		t.Errorf("by its own protocol %+v", f)
	}
}

// TestResume interrupts a run and goes on to the same weights.
func TestResume(t *testing.T) {
	o := options()
	o.Epochs = 4
	weights := func(steps int) []byte {
		out := t.TempDir()
		if steps > 0 {
			o.MaxSteps = steps
			if _, err := train.Run(t.Context(), enginetest.Go(), newTinyLearner(t), o, out, silent{}); err != nil {
				t.Fatal(err)
			}
		}
		o.MaxSteps, o.Resume = 0, steps > 0
		l := newTinyLearner(t)
		if _, err := train.Run(t.Context(), enginetest.Go(), l, o, out, silent{}); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := l.Save(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, modeldir.WeightsFile))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if !slices.Equal(weights(0), weights(2)) {
		t.Error("an interrupted run ends with other weights")
	}
}

func TestOpenErrors(t *testing.T) {
	l := newTinyLearner(t)
	dir := t.TempDir()
	if err := l.Save(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(enginetest.Go(), dir, knowledge); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("a model without the weights of its heads: %v", err)
	}
	for config, want := range map[string]string{
		`{"formatVersion": 2}`: "formatVersion is 2",
		`{"formatVersion": 1, "variant": "remedi", "entityTypes": ["Drug"], "groups": 4, "lstm": 1, "hidden": 1,
		  "relationThreshold": 1.1}`: "relationThreshold is 1.1",
		`{"formatVersion": 1, "variant": "remedi", "entityTypes": ["Drug"], "groups": 4, "lstm": 0, "hidden": 1}`: "must be positive",
		`{"formatVersion": 1, "variant": "remedi", "entityTypes": ["Drug"], "groups": 4, "lstm": 1, "hidden": 1,
		  "pairs": [{"head": "Drug", "tail": "Gene", "label": "x"}]}`: "Gene must be among entityTypes",
		`{"formatVersion": 1, "variant": "remedi", "entityTypes": ["Drug"], "groups": 4, "lstm": 1, "hidden": 1,
		  "partsOfSpeech": ["NN", "NN"]}`: "not be named twice",
	} {
		if err := os.WriteFile(filepath.Join(dir, modeldir.ConfigFile), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(enginetest.Go(), dir, knowledge); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "keci.json") {
			t.Errorf("%s: %v", config, err)
		}
	}
}

func TestNothingToLearn(t *testing.T) {
	c := tinyCorpus()
	c.Examples = c.Examples[3:]
	_, err := NewLearner(enginetest.Go(), DefaultConfig(), DefaultSettings(), system.Material{Encoder: tinybert.Write(t, vocabulary...), Set: system.Set{Train: c}, BatchSize: 1})
	if err == nil || !strings.Contains(err.Error(), "overlap in every sentence") {
		t.Errorf("got %v", err)
	}
}

// TestBiLSTM computes the states of two texts, one of them padded, another way.
func TestBiLSTM(t *testing.T) {
	const size, width = 2, 3
	x := [][][]float32{
		{{1, 0, -1}, {0.5, 2, 0}, {0, 0.3, 0.1}, {1, 1, 1}},
		{{-1, 0.2, 1}, {0.4, 0, 0.6}, {9, 9, 9}, {9, 9, 9}},
	}
	mask := [][]float32{{1, 1, 1, 1}, {1, 1, 0, 0}}
	store := model.NewStore()
	exec, err := model.NewExec(enginetest.Go(), store, func(root *model.Scope, x, mask *Node) *Node { return biLSTM(root, x, mask, size) })
	if err != nil {
		t.Fatal(err)
	}
	outs, err := exec.Call(x, mask)
	if err != nil {
		t.Fatal(err)
	}
	got := outs[0].Value().([][][]float32)
	for direction, name := range []string{"forward", "backward"} {
		input, recurrent := matrix(t, store, "/"+name+"/input/weights"), matrix(t, store, "/"+name+"/recurrent/weights")
		for text := range x {
			length := 0
			for _, m := range mask[text] {
				length += int(m)
			}
			order := make([]int, length)
			for i := range order {
				order[i] = i
				if direction == 1 {
					order[i] = length - 1 - i
				}
			}
			hidden, cell := make([]float64, size), make([]float64, size)
			for _, at := range order {
				z := make([]float64, 4*size)
				for k := range z {
					for f := range width {
						z[k] += float64(x[text][at][f] * input[f][k])
					}
					for h := range size {
						z[k] += hidden[h] * float64(recurrent[h][k])
					}
				}
				for h := range size {
					cell[h] = sigmoid(z[size+h])*cell[h] + sigmoid(z[h])*math.Tanh(z[3*size+h])
					hidden[h] = sigmoid(z[2*size+h]) * math.Tanh(cell[h])
					if g := float64(got[text][at][direction*size+h]); math.Abs(g-hidden[h]) > 1e-5 {
						t.Errorf("%s, text %d, step %d: %g, want %g", name, text, at, g, hidden[h])
					}
				}
			}
		}
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func matrix(t *testing.T, store *model.Store, path string) [][]float32 {
	t.Helper()
	for v := range store.IterVariables() {
		if v.Path() == path {
			value, err := v.Value()
			if err != nil {
				t.Fatal(err)
			}
			return value.Value().([][]float32)
		}
	}
	t.Fatalf("there is no variable %s", path)
	return nil
}

func TestTogether(t *testing.T) {
	probability := func(a, b []float32) float64 { return sigmoid(together(a, b)) }
	for _, test := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{1, 0}, []float32{1, 0}, 1},
		{[]float32{1, 0}, []float32{0, 1}, 0},
		{[]float32{0.4, 0.4}, []float32{0.1, 0}, 0.5},
		{[]float32{0, 0}, []float32{0, 0}, 0},
	} {
		if got := probability(test.a, test.b); math.Abs(got-test.want) > 1e-5 {
			t.Errorf("%v and %v: %g, want %g", test.a, test.b, got, test.want)
		}
	}
}

func TestCountClasses(t *testing.T) {
	names := []string{"0", "1", "2"}
	probabilities := []float32{0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.1, 0.6, 0.3, 0, 0, 1}
	got := countClasses(probabilities, []int32{0, 1, 2, leftOut}, names)
	want := score.ByLabel{"0": {TP: 1}, "1": {TP: 1, FP: 1}, "2": {FN: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	twice := score.ByLabel{}
	addTo(twice, got)
	addTo(twice, got)
	if m := twice.Macro(); m.Precision != 0.5 || math.Abs(m.Recall-2.0/3) > 1e-9 || math.Abs(m.F1-5.0/9) > 1e-9 {
		t.Errorf("means %+v", m)
	}
}
