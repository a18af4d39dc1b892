package tensorfile

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/go-huggingface/hub"
	"github.com/gomlx/go-huggingface/models/safetensors"
	"github.com/gomlx/gomlx/core/tensors"
)

// File is an open file.
type File struct {
	reader *safetensors.TensorReader
	size   int64 // bytes
}

// Open opens a file; the error names it.
func Open(path string) (*File, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	reader, err := safetensors.NewEmpty(hub.NewLocal(filepath.Dir(path))).NewTensorReader(filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("damaged file %s: %w", path, err)
	}
	return &File{reader: reader, size: stat.Size()}, nil
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

// Shape is the shape of a tensor, for which the file has enough bytes.
func (f *File) Shape(name string) ([]int, error) {
	meta := f.reader.Header.Tensors[name]
	if meta == nil {
		return nil, errors.New("is missing")
	}
	bytes := min(meta.DataOffsets[1]-meta.DataOffsets[0], f.size)
	numbers := int64(1)
	for _, d := range meta.Shape {
		if d < 0 || numbers > 0 && int64(d) > bytes/numbers {
			return nil, fmt.Errorf("has shape %v, and %d bytes", meta.Shape, bytes)
		}
		numbers *= int64(d)
	}
	return slices.Clone(meta.Shape), nil
}

// Floats reads a tensor and its shape; one with 8 bits is multiplied with its scales.
func (f *File) Floats(name string) ([]float32, []int, error) {
	shape, err := f.Shape(name)
	if err != nil {
		return nil, nil, err
	}
	values := make([]float32, size(shape))
	return values, shape, f.Fill(name, values, false)
}

// Fill reads a tensor into values, which has as many numbers: row by row or, where
// transposed, a matrix column by column.
func (f *File) Fill(name string, values []float32, transposed bool) error {
	shape, err := f.Shape(name)
	if err != nil {
		return err
	}
	if transposed && len(shape) != 2 {
		return fmt.Errorf("has shape %v, want a matrix", shape)
	}
	tensor, err := f.reader.ReadTensor(nil, name)
	if err != nil {
		return err
	}
	if tensor.Size() != len(values) {
		return fmt.Errorf("has %d numbers, want %d", tensor.Size(), len(values))
	}
	switch tensor.DType() {
	case dtypes.Float32:
		rows, columns := 1, len(values)
		if transposed {
			rows, columns = shape[0], shape[1]
		}
		ones := slices.Repeat([]float32{1}, rows)
		return tensors.ConstFlatData(tensor, func(from []float32) { fill(values, from, columns, ones, transposed) })
	case dtypes.Int8:
		scales, err := f.scales(name, shape)
		if err != nil {
			return err
		}
		return tensors.ConstFlatData(tensor, func(from []int8) { fill(values, from, shape[1], scales, transposed) })
	}
	return fmt.Errorf("is of type %s, want F32 or I8", tensor.DType())
}

// scales reads the scales of a matrix with 8 bits, one for each row.
func (f *File) scales(name string, shape []int) ([]float32, error) {
	if len(shape) != 2 {
		return nil, fmt.Errorf("is of type I8 and shape %v, want a matrix", shape)
	}
	scales, scaleShape, err := f.Floats(name + ScaleSuffix)
	if err != nil {
		return nil, fmt.Errorf("its scales: %w", err)
	}
	if !slices.Equal(scaleShape, shape[:1]) {
		return nil, fmt.Errorf("its scales have shape %v, want %v", scaleShape, shape[:1])
	}
	return scales, nil
}

// tile is how many rows and columns of a matrix are transposed together, so that what
// is read and what is written both stay in the processor's first cache.
const tile = 32

// fill multiplies the rows of a matrix with their scales.
func fill[T int8 | float32](into []float32, from []T, columns int, scales []float32, transposed bool) {
	rows := len(scales)
	if !transposed {
		for r, scale := range scales {
			to := into[r*columns : (r+1)*columns]
			for c, x := range from[r*columns : (r+1)*columns] {
				to[c] = float32(x) * scale
			}
		}
		return
	}
	for top := 0; top < rows; top += tile {
		bottom := min(top+tile, rows)
		for left := 0; left < columns; left += tile {
			for c := left; c < min(left+tile, columns); c++ {
				to := into[c*rows+top : c*rows+bottom]
				for i := range to {
					to[i] = float32(from[(top+i)*columns+c]) * scales[top+i]
				}
			}
		}
	}
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
