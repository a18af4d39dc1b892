package encoder

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
)

func TestWriteRandom(t *testing.T) {
	vocabulary := t.TempDir()
	if err := os.WriteFile(filepath.Join(vocabulary, vocabFile), []byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\ncell\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		ModelType: "bert", VocabSize: 8, HiddenSize: 12, NumHiddenLayers: 2, NumAttentionHeads: 3, IntermediateSize: 20,
		MaxPositionEmbeddings: 16, TypeVocabSize: 2, LayerNormEps: 1e-12, HiddenAct: "gelu", PositionEmbeddingType: "absolute",
	}
	dir := filepath.Join(t.TempDir(), "random")
	if err := WriteRandom(dir, cfg, vocabulary, 1); err != nil {
		t.Fatal(err)
	}
	e, err := Open(enginetest.Go(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if e.Config != cfg {
		t.Errorf("configuration %+v, want %+v", e.Config, cfg)
	}
	encoded, err := e.Encode(t.Context(), []string{"the cell"})
	if err != nil {
		t.Fatal(err)
	}
	for _, vector := range encoded[0].Vectors { // layer normalization is the last step
		var sum, squares float64
		for _, x := range vector {
			sum, squares = sum+float64(x), squares+float64(x)*float64(x)
		}
		n := float64(len(vector))
		if math.Abs(sum/n) > 1e-4 || math.Abs(squares/n-1) > 1e-2 {
			t.Errorf("a vector of mean %g and variance %g", sum/n, squares/n)
		}
	}
	cfg.HiddenSize = 13
	if err := WriteRandom(filepath.Join(t.TempDir(), "x"), cfg, vocabulary, 1); err == nil || !strings.Contains(err.Error(), "hidden_size") {
		t.Errorf("no multiple of the heads: error %v", err)
	}
}
