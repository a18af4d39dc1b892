// Package tensorfile reads and writes files of tensors in the safetensors format. A
// matrix may have 8 bits: its rows are integers, and a tensor beside it, named with
// ScaleSuffix, has a float32 for each row, by which they are multiplied.
package tensorfile

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
)

// Tensor is one tensor of a file.
type Tensor struct {
	Name  string
	DType string // "F32" or "I8"
	Shape []int
	Data  []byte // little endian, row by row
}

// Float32 makes a tensor of 32-bit numbers.
func Float32(name string, shape []int, values []float32) Tensor {
	data := make([]byte, 0, 4*len(values))
	for _, x := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return Tensor{name, "F32", shape, data}
}

// ScaleSuffix is how the name of the scales of an 8-bit matrix ends.
const ScaleSuffix = ".scale"

// Quantized are the two tensors of a matrix with 8-bit integers. The scale of a
// row is such that its largest value is 127.
func Quantized(name string, shape []int, values []float32) []Tensor {
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
	return []Tensor{
		{Name: name, DType: "I8", Shape: shape, Data: integers},
		Float32(name+ScaleSuffix, []int{rows}, scales),
	}
}

// Create writes tensors, in the order given, as the new file at path.
func Create(path string, list []Tensor) error { return CreateDescribed(path, list, nil) }

// metadataKey is where the header of a file has what it says of itself.
const metadataKey = "__metadata__"

// CreateDescribed is Create with metadata, which may be nil.
func CreateDescribed(path string, list []Tensor, metadata map[string]string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	return errors.Join(write(w, list, metadata), w.Flush(), file.Sync(), file.Close())
}

// write writes the length of a JSON header, the header, the data.
func write(w io.Writer, list []Tensor, metadata map[string]string) error {
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header, offset := map[string]any{}, 0
	if metadata != nil {
		header[metadataKey] = metadata
	}
	for _, t := range list {
		header[t.Name] = entry{t.DType, t.Shape, [2]int{offset, offset + len(t.Data)}}
		offset += len(t.Data)
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, t := range list {
		if _, err := w.Write(t.Data); err != nil {
			return err
		}
	}
	return nil
}
