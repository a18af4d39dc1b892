package tensorfile

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/go-huggingface/hub"
	"github.com/gomlx/go-huggingface/models/safetensors"
)

// File is an open file.
type File struct{ reader *safetensors.TensorReader }

// Open opens a file; the error names it.
func Open(path string) (*File, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	reader, err := safetensors.NewEmpty(hub.NewLocal(filepath.Dir(path))).NewTensorReader(filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("damaged file %s: %w", path, err)
	}
	return &File{reader}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.reader.Close() }

// Names lists the tensors, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.reader.Header.Tensors)) }

// Metadata is what the file says of itself under a name, or "".
func (f *File) Metadata(name string) string {
	value, _ := f.reader.Header.Metadata[name].(string)
	return value
}

// Floats reads a tensor and its shape; one with 8 bits is multiplied with its scales.
func (f *File) Floats(name string) ([]float32, []int, error) {
	if meta := f.reader.Header.Tensors[name]; meta != nil && slices.ContainsFunc(meta.Shape, isNegative) {
		return nil, nil, fmt.Errorf("has shape %v", meta.Shape) // GoMLX would panic
	}
	tensor, err := f.reader.ReadTensor(nil, name)
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
	scales, scaleShape, err := f.Floats(name + ScaleSuffix)
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
