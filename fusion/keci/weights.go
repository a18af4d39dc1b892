package keci

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/go-huggingface/hub"
	"github.com/gomlx/go-huggingface/models/safetensors"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/internal/tensorfile"
)

// weightsFile holds every variable of a model directory. The encoder's tensors
// have the names and the layout of Hugging Face, so that other programs can read
// them; the others are named by their path. Matrices are [out, in].
const weightsFile = "model.safetensors"

// scaleSuffix names the float32 scales of an 8-bit tensor, one for each row:
// value = scale[row] · integer.
const scaleSuffix = ".scale"

// saveWeights writes the variables of a model, as float32, or with 8-bit
// matrices when quantized.
func saveWeights(store *model.Store, cfg encoder.Config, path string, quantized bool) error {
	list, err := fileTensors(store, cfg, quantized)
	if err != nil {
		return fmt.Errorf("write weights %s: %w", path, err)
	}
	if err := tensorfile.Create(path, list); err != nil {
		return fmt.Errorf("write weights: %w", err)
	}
	return nil
}

// fileTensors turns the variables of a store into tensors of a file, sorted by name.
func fileTensors(store *model.Store, cfg encoder.Config, quantized bool) ([]tensorfile.Tensor, error) {
	names := encoderNames(cfg)
	var list []tensorfile.Tensor
	for v := range store.IterVariables() {
		if !isWeight(v) {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Path(), err)
		}
		flat, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Path(), err)
		}
		name, shape := nameInFile(v.Path(), names), slices.Clone(v.Shape().Dimensions)
		if isTransposed(v.Path()) {
			flat = encoder.TransposeMatrix(flat, shape[0], shape[1])
			slices.Reverse(shape)
		}
		if quantized && len(shape) == 2 {
			list = append(list, quantize(name, shape, flat)...)
			continue
		}
		list = append(list, tensorfile.Float32(name, shape, flat))
	}
	slices.SortFunc(list, func(a, b tensorfile.Tensor) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// isWeight tells the variables of the model from those of training: moments,
// counters, the state of random numbers.
func isWeight(v *model.Variable) bool {
	return v.DType() == dtypes.Float32 && !strings.HasPrefix(v.Path(), "/optimizer/")
}

// isTransposed tells whether a file has the matrix as [out, in].
func isTransposed(path string) bool { return strings.HasSuffix(path, "/weights") }

// encoderNames maps the paths of the encoder's variables to their names in a file.
func encoderNames(cfg encoder.Config) map[string]string {
	names := map[string]string{}
	for _, t := range encoder.FileTensors(cfg) {
		names[encoderPath+"/"+t.Path] = t.Name
	}
	return names
}

func nameInFile(path string, encoderNames map[string]string) string {
	if name, ok := encoderNames[path]; ok {
		return name
	}
	return strings.TrimPrefix(path, "/")
}

// quantize stores each row of a matrix as 8-bit integers with one scale, chosen
// so that the row's largest value is 127.
func quantize(name string, shape []int, values []float32) []tensorfile.Tensor {
	rows, columns := shape[0], shape[1]
	integers, scales := make([]byte, len(values)), make([]float32, rows)
	for r := range rows {
		row := values[r*columns : (r+1)*columns]
		var largest float32
		for _, x := range row {
			largest = max(largest, x, -x)
		}
		if largest == 0 {
			continue
		}
		scales[r] = largest / 127
		for c, x := range row {
			integers[r*columns+c] = byte(int8(math.RoundToEven(float64(x / scales[r]))))
		}
	}
	return []tensorfile.Tensor{
		{Name: name, DType: "I8", Shape: shape, Data: integers},
		tensorfile.Float32(name+scaleSuffix, []int{rows}, scales),
	}
}

// loadWeights reads the weights of a model directory into a store.
func loadWeights(store *model.Store, cfg encoder.Config, dir string) error {
	path := filepath.Join(dir, weightsFile)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("read weights: %w", err)
	}
	file, err := safetensors.NewEmpty(hub.NewLocal(dir)).NewTensorReader(weightsFile)
	if err != nil {
		return fmt.Errorf("read weights %s: damaged file: %w", path, err)
	}
	defer file.Close()
	paths := map[string]string{}
	for path, name := range encoderNames(cfg) {
		paths[name] = path
	}
	for _, name := range slices.Sorted(maps.Keys(file.Header.Tensors)) {
		if strings.HasSuffix(name, scaleSuffix) {
			continue
		}
		if err := loadTensor(store, file, name, paths); err != nil {
			return fmt.Errorf("read weights %s: tensor %s: %w", path, name, err)
		}
	}
	return nil
}

// loadTensor reads one tensor into the variable it belongs to.
func loadTensor(store *model.Store, file *safetensors.TensorReader, name string, encoderPaths map[string]string) error {
	path, ok := encoderPaths[name]
	if !ok {
		path = "/" + name
	}
	values, shape, err := readFloats(file, name)
	if err != nil {
		return err
	}
	if isTransposed(path) {
		if len(shape) != 2 {
			return fmt.Errorf("has shape %v, want a matrix", shape)
		}
		values = encoder.TransposeMatrix(values, shape[0], shape[1])
		slices.Reverse(shape)
	}
	_, err = store.CreateVariable(path, tensors.FromFlatDataAndDimensions(values, shape...))
	return err
}

// readFloats reads a tensor as float32, with its scales when it has 8 bits.
func readFloats(file *safetensors.TensorReader, name string) ([]float32, []int, error) {
	if meta := file.Header.Tensors[name]; meta != nil && slices.ContainsFunc(meta.Shape, isNegative) {
		return nil, nil, fmt.Errorf("has shape %v", meta.Shape) // GoMLX would panic
	}
	tensor, err := file.ReadTensor(nil, name)
	if err != nil {
		return nil, nil, err
	}
	shape := slices.Clone(tensor.Shape().Dimensions)
	var values []float32
	var integers []int8
	err = tensor.ConstFlatData(func(flat any) {
		switch flat := flat.(type) {
		case []float32:
			values = slices.Clone(flat)
		case []int8:
			integers = slices.Clone(flat)
		}
	})
	switch {
	case err != nil:
		return nil, nil, err
	case values != nil:
		return values, shape, nil
	case integers == nil || len(shape) != 2:
		return nil, nil, fmt.Errorf("is of type %s and shape %v, want F32 or an I8 matrix", tensor.DType(), shape)
	}
	scales, scaleShape, err := readFloats(file, name+scaleSuffix)
	if err != nil {
		return nil, nil, fmt.Errorf("its scales: %w", err)
	}
	if !slices.Equal(scaleShape, shape[:1]) {
		return nil, nil, fmt.Errorf("its scales have shape %v, want %v", scaleShape, shape[:1])
	}
	values = make([]float32, len(integers))
	for i, x := range integers {
		values[i] = float32(x) * scales[i/shape[1]]
	}
	return values, shape, nil
}

func isNegative(n int) bool { return n < 0 }
