// Package tinybert makes folders of a very small encoder with random weights, for
// tests of what is built on one.
package tinybert

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir"
)

// Write writes a BERT of two layers as a Hugging Face folder. Its vocabulary are
// the special pieces and the given ones; it reads rows of at most 64.
func Write(t testing.TB, pieces ...string) (dir string) {
	t.Helper()
	vocabulary := append([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]"}, pieces...)
	cfg := encoder.Config{
		ModelType: "bert", VocabSize: len(vocabulary), HiddenSize: 16, NumHiddenLayers: 2, NumAttentionHeads: 2, IntermediateSize: 24,
		MaxPositionEmbeddings: 64, TypeVocabSize: 2, LayerNormEps: 1e-6, HiddenAct: "gelu", PositionEmbeddingType: "absolute",
	}
	config, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, content := range map[string]string{"config.json": string(config), "vocab.txt": strings.Join(vocabulary, "\n") + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store, err := newStore(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := modeldir.SaveWeights(store, cfg, filepath.Join(dir, modeldir.WeightsFile), false); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newStore draws the weights of a BERT.
func newStore(cfg encoder.Config) (*model.Store, error) {
	store := model.NewStore()
	exec, err := model.NewExec(enginetest.Go(), store, func(root *model.Scope, ids, mask *graph.Node) *graph.Node {
		store.SetTraining(ids.Graph(), true)
		return encoder.BERT(root.At("encoder"), cfg, ids, mask, 0)
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	if _, err := exec.Call([][]int32{{2, 3}}, [][]float32{{1, 1}}); err != nil { // makes the variables
		return nil, err
	}
	variables := slices.SortedFunc(store.IterVariables(), func(a, b *model.Variable) int { return strings.Compare(a.Path(), b.Path()) })
	random := rand.New(rand.NewPCG(1, 0))
	for _, v := range variables {
		if !modeldir.IsWeight(v) {
			continue
		}
		values := make([]float32, v.Shape().Size())
		for i := range values {
			values[i] = float32(random.NormFloat64() * 0.3)
			if strings.HasSuffix(v.Path(), "/gain") {
				values[i]++
			}
		}
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(values, v.Shape().Dimensions...)); err != nil {
			return nil, err
		}
	}
	return store, nil
}
