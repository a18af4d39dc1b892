package encoder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const tinyConfigJSON = `{"vocab_size": 11, "hidden_size": 6, "num_hidden_layers": 2, "num_attention_heads": 3,
	"intermediate_size": 10, "max_position_embeddings": 9, "layer_norm_eps": 1e-3, "use_cache": true}`

func writeFile(t testing.TB, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, configFile, tinyConfigJSON)
	got, err := LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tinyConfig, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestLoadConfigNamesWhatIsWrong(t *testing.T) {
	for _, test := range []struct{ old, replacement, want string }{
		{`"hidden_size": 6`, `"hidden_size": 7`, "num_attention_heads 3"},
		{`"hidden_size": 6`, `"hidden_size": "6"`, "hidden_size"},
		{`"vocab_size": 11,`, ``, "vocab_size is 0"},
		{`"max_position_embeddings": 9`, `"max_position_embeddings": 2`, "max_position_embeddings is 2"},
		{`"layer_norm_eps": 1e-3`, `"layer_norm_eps": -1`, "layer_norm_eps is -1"},
		{`"use_cache": true`, `"hidden_act": "swish"`, "swish"},
		{`"use_cache": true`, `"model_type": "roberta"`, "roberta"},
		{`"use_cache": true`, `"position_embedding_type": "relative_key"`, "relative_key"},
		{`}`, ``, "unexpected end"},
	} {
		t.Run(test.want, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, dir, configFile, strings.Replace(tinyConfigJSON, test.old, test.replacement, 1))
			_, err := LoadConfig(dir)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range []string{test.want, filepath.Join(dir, configFile)} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not tell %q", err, part)
				}
			}
		})
	}
}
