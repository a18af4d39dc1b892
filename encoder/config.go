package encoder

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/ml/layers/activation"
)

const configFile = "config.json"

// Config is the shape of a BERT, with the names of Hugging Face's config.json.
type Config struct {
	ModelType             string  `json:"model_type,omitempty"` // "bert"
	VocabSize             int     `json:"vocab_size"`
	HiddenSize            int     `json:"hidden_size"`
	NumHiddenLayers       int     `json:"num_hidden_layers"`
	NumAttentionHeads     int     `json:"num_attention_heads"`
	IntermediateSize      int     `json:"intermediate_size"`
	MaxPositionEmbeddings int     `json:"max_position_embeddings"` // longest input, [CLS] and [SEP] included
	TypeVocabSize         int     `json:"type_vocab_size"`
	LayerNormEps          float64 `json:"layer_norm_eps"`
	HiddenAct             string  `json:"hidden_act"`
	PositionEmbeddingType string  `json:"position_embedding_type,omitempty"` // "absolute"
}

// LoadConfig reads and validates config.json of a Hugging Face folder.
func LoadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, configFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("load encoder configuration: %w", err)
	}
	// What old files leave out, with the values that Hugging Face takes then.
	config := Config{ModelType: "bert", TypeVocabSize: 2, LayerNormEps: 1e-12, HiddenAct: "gelu", PositionEmbeddingType: "absolute"}
	if err := json.Unmarshal(data, &config); err != nil {
		return Config{}, fmt.Errorf("load encoder configuration %s: %w", path, err)
	}
	if err := config.Validate(); err != nil {
		return Config{}, fmt.Errorf("load encoder configuration %s: %w", path, err)
	}
	return config, nil
}

// Validate reports the first field that no BERT of this package can have.
func (c Config) Validate() error {
	for _, field := range []struct {
		name  string
		value int
	}{
		{"vocab_size", c.VocabSize},
		{"hidden_size", c.HiddenSize},
		{"num_hidden_layers", c.NumHiddenLayers},
		{"num_attention_heads", c.NumAttentionHeads},
		{"intermediate_size", c.IntermediateSize},
		{"type_vocab_size", c.TypeVocabSize},
	} {
		if field.value <= 0 {
			return fmt.Errorf("%s is %d, want a positive number", field.name, field.value)
		}
	}
	switch _, known := activations[c.HiddenAct]; {
	case c.MaxPositionEmbeddings < 3:
		return fmt.Errorf("max_position_embeddings is %d, want at least 3 ([CLS], a word piece, [SEP])", c.MaxPositionEmbeddings)
	case c.HiddenSize%c.NumAttentionHeads != 0:
		return fmt.Errorf("hidden_size %d is not a multiple of num_attention_heads %d", c.HiddenSize, c.NumAttentionHeads)
	case !(c.LayerNormEps > 0):
		return fmt.Errorf("layer_norm_eps is %g, want a positive number", c.LayerNormEps)
	case c.ModelType != "bert":
		return fmt.Errorf("model_type is %q, only \"bert\" is supported", c.ModelType)
	case c.PositionEmbeddingType != "absolute":
		return fmt.Errorf("position_embedding_type is %q, only \"absolute\" is supported", c.PositionEmbeddingType)
	case !known:
		return fmt.Errorf("hidden_act %q is not supported: want gelu, gelu_new or relu", c.HiddenAct)
	}
	return nil
}

// activations are the values of hidden_act that are supported.
var activations = map[string]activation.Type{
	"gelu":     activation.TypeGelu, // x Φ(x), by the error function
	"gelu_new": activation.TypeGeluApprox,
	"relu":     activation.TypeRelu,
}
