package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/keci-kg/keci/internal/tensorfile"
)

// WriteRandom writes the new Hugging Face folder dir with a BERT that has learned
// nothing: matrices are drawn from N(0, 0.02²), as BERT's were at first. Its
// vocabulary is that of the folder vocabulary, and may not have more pieces than
// cfg.VocabSize. It serves to measure times, which do not depend on what the weights are.
func WriteRandom(dir string, cfg Config, vocabulary string, seed uint64) error {
	if err := errors.Join(cfg.Validate(), os.MkdirAll(dir, 0o755)); err != nil {
		return fmt.Errorf("write a random encoder: %w", err)
	}
	description, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return fmt.Errorf("write a random encoder: %w", err)
	}
	for _, step := range []func() error{
		func() error { return os.WriteFile(filepath.Join(dir, configFile), description, 0o644) },
		func() error { return importVocabulary(vocabulary, dir) },
		func() error { return tensorfile.Create(filepath.Join(dir, weightsFile), randomTensors(cfg, seed)) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("write a random encoder: %w", err)
		}
	}
	return nil
}

// randomTensors are the weights of a BERT at the start of its pretraining.
func randomTensors(cfg Config, seed uint64) []tensorfile.Tensor {
	random := rand.New(rand.NewPCG(seed, 0))
	var list []tensorfile.Tensor
	for _, v := range variables(cfg) {
		dims := slices.Clone(v.dims)
		if v.transposed {
			slices.Reverse(dims)
		}
		size := 1
		for _, d := range dims {
			size *= d
		}
		values := make([]float32, size)
		for i := range values {
			switch {
			case strings.HasSuffix(v.path, "/gain"):
				values[i] = 1
			case len(dims) == 2:
				values[i] = float32(random.NormFloat64() * initialStddev)
			}
		}
		list = append(list, tensorfile.Float32(v.name, dims, values))
	}
	return list
}
