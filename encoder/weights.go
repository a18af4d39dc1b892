package encoder

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
	"github.com/gomlx/go-huggingface/hub"
	"github.com/gomlx/go-huggingface/models/safetensors"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

const weightsFile = "model.safetensors"

// LoadWeights reads model.safetensors of a Hugging Face folder into the variables of [BERT] in the scope at
// scopePath, as float32; the file may hold float32, float16 or bfloat16. Tensor names may begin with "bert."
// and LayerNorm weights may be called gamma and beta, as in checkpoints converted from TensorFlow. The heads
// of pretraining are skipped. A tensor that is missing, that has another shape than cfg says, or that BERT
// has no place for is an error, and so is a variable that the store already has with another shape.
func LoadWeights(store *model.Store, scopePath, dir string, cfg Config) error {
	path := filepath.Join(dir, weightsFile)
	if err := loadWeights(store, scopePath, dir, cfg); err != nil {
		return fmt.Errorf("load encoder weights %s: %w", path, err)
	}
	return nil
}

func loadWeights(store *model.Store, scopePath, dir string, cfg Config) error {
	if _, err := os.Stat(filepath.Join(dir, weightsFile)); err != nil {
		return err
	}
	file, err := safetensors.NewEmpty(hub.NewLocal(dir)).NewTensorReader(weightsFile)
	if err != nil {
		return err
	}
	defer file.Close()
	wanted := variables(cfg)
	found, err := matchTensors(file.Header, wanted)
	if err != nil {
		return err
	}
	for _, v := range wanted {
		tensor, err := readFloat32(file, found[v.name], v)
		if err != nil {
			return err
		}
		if err := setVariable(store, model.JoinPath(scopePath, v.path), tensor); err != nil {
			return err
		}
	}
	return nil
}

// matchTensors finds for each wanted variable the tensor of the file, and reports all that do not fit.
func matchTensors(header *safetensors.Header, wanted []variable) (map[string]*safetensors.TensorMetadata, error) {
	found := make(map[string]*safetensors.TensorMetadata, len(wanted))
	for name, tensor := range header.Tensors {
		if !ignored(name) {
			found[canonicalName(name)] = tensor
		}
	}
	unclaimed := maps.Clone(found)
	var wrong []error
	for _, v := range wanted {
		delete(unclaimed, v.name)
		tensor, ok := found[v.name]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("tensor %s is missing", v.name))
		case !slices.Equal(tensor.Shape, v.fileDims()):
			wrong = append(wrong, fmt.Errorf("tensor %s has shape %v, %s asks for %v", tensor.Name, tensor.Shape, configFile, v.fileDims()))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unclaimed)) {
		wrong = append(wrong, fmt.Errorf("tensor %s is not part of the BERT that %s describes", unclaimed[name].Name, configFile))
	}
	return found, errors.Join(wrong...)
}

// ignored reports whether a tensor belongs to what BERT files carry besides the encoder: position numbers,
// the pooler, and the heads of pretraining.
func ignored(name string) bool {
	name = strings.TrimPrefix(name, "bert.")
	return name == "embeddings.position_ids" ||
		strings.HasPrefix(name, "pooler.") || strings.HasPrefix(name, "cls.")
}

// canonicalName is the name that today's Hugging Face gives a tensor.
func canonicalName(name string) string {
	name = strings.TrimPrefix(name, "bert.")
	if stem, ok := strings.CutSuffix(name, "LayerNorm.gamma"); ok {
		return stem + "LayerNorm.weight"
	}
	if stem, ok := strings.CutSuffix(name, "LayerNorm.beta"); ok {
		return stem + "LayerNorm.bias"
	}
	return name
}

// fileDims is the shape of the variable in the file.
func (v variable) fileDims() []int {
	if !v.transposed {
		return v.dims
	}
	return []int{v.dims[1], v.dims[0]}
}

// readFloat32 reads a tensor of the file in the shape that the graph wants.
func readFloat32(file *safetensors.TensorReader, meta *safetensors.TensorMetadata, v variable) (*tensors.Tensor, error) {
	tensor, err := file.ReadTensor(nil, meta.Name)
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", meta.Name, err)
	}
	var values []float32
	err = tensor.ConstFlatData(func(flat any) {
		switch flat := flat.(type) {
		case []float32:
			values = slices.Clone(flat)
		case []float16.Float16:
			values = widen(flat)
		case []bfloat16.BFloat16:
			values = widen(flat)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("tensor %s: %w", meta.Name, err)
	}
	if values == nil {
		return nil, fmt.Errorf("tensor %s is of type %s, want F32, F16 or BF16", meta.Name, meta.Dtype)
	}
	if v.transposed {
		values = TransposeMatrix(values, v.dims[1], v.dims[0])
	}
	return tensors.FromFlatDataAndDimensions(values, v.dims...), nil
}

func widen[T interface{ Float32() float32 }](narrow []T) []float32 {
	wide := make([]float32, len(narrow))
	for i, x := range narrow {
		wide[i] = x.Float32()
	}
	return wide
}

// TransposeMatrix turns a matrix of rows × columns, row by row, into one of columns × rows.
func TransposeMatrix(matrix []float32, rows, columns int) []float32 {
	out := make([]float32, len(matrix))
	for r := range rows {
		for c := range columns {
			out[c*rows+r] = matrix[r*columns+c]
		}
	}
	return out
}

// setVariable gives the variable at path a value, whether or not the store has it already.
func setVariable(store *model.Store, path string, value *tensors.Tensor) error {
	v := store.GetVariable(path)
	if v == nil {
		_, err := store.CreateVariable(path, value)
		return err
	}
	if !v.Shape().Equal(value.Shape()) {
		return fmt.Errorf("variable %s has shape %s, the file gives %s", path, v.Shape(), value.Shape())
	}
	return v.SetValue(value)
}

// FileTensor says how a variable of [BERT] is called and laid out in a Hugging
// Face file.
type FileTensor struct {
	Path       string // under the encoder's scope, for example "layer_0/attention/query/weights"
	Name       string // in model.safetensors
	Transposed bool   // the file has [out, in], the variable [in, out]
}

// FileTensors lists the variables of [BERT] as Hugging Face files hold them.
func FileTensors(cfg Config) []FileTensor {
	var list []FileTensor
	for _, v := range variables(cfg) {
		list = append(list, FileTensor{v.path, v.name, v.transposed})
	}
	return list
}
