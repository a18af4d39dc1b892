package encoder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/internal/tensorfile"
)

// exportedFiles are what [Export] takes from the folder that the encoder came from; of those that are optional
// this package reads some, and other programs the rest.
var exportedFiles = []struct {
	name     string
	optional bool
}{{configFile, false}, {vocabFile, false}, {tokenizerConfigFile, true}, {tokenizerFile, true}, {"special_tokens_map.json", true}}

// Export writes the variables of [BERT] in the scope at scopePath as the new Hugging Face folder to, which [Open]
// reads, and PyTorch's transformers too: weights as float32 in model.safetensors, configuration and vocabulary
// as in the folder from. Heads and the pooler are not part of it. Where it fails, to may be left incomplete.
func Export(store *model.Store, scopePath, from, to string) error {
	if err := export(store, scopePath, from, to); err != nil {
		return fmt.Errorf("export encoder: %w", err)
	}
	return nil
}

func export(store *model.Store, scopePath, from, to string) error {
	cfg, err := LoadConfig(from)
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	for _, file := range exportedFiles {
		err := copyFile(from, to, file.name)
		if err != nil && !(file.optional && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	var list []tensorfile.Tensor
	for _, v := range variables(cfg) {
		values, err := valuesOf(store, model.JoinPath(scopePath, v.path))
		if err != nil {
			return err
		}
		if v.transposed {
			values = TransposeMatrix(values, v.dims[0], v.dims[1])
		}
		list = append(list, tensorfile.Float32(v.name, slices.Clone(v.fileDims()), values))
	}
	return tensorfile.CreateDescribed(filepath.Join(to, weightsFile), list, map[string]string{"format": "pt"})
}

// valuesOf are the numbers of a variable, row by row.
func valuesOf(store *model.Store, path string) ([]float32, error) {
	v := store.GetVariable(path)
	if v == nil {
		return nil, fmt.Errorf("there is no variable %s", path)
	}
	value, err := v.Value()
	if err != nil {
		return nil, fmt.Errorf("variable %s: %w", path, err)
	}
	return tensors.CopyFlatData[float32](value)
}
