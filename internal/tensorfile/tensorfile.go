// Package tensorfile writes files of tensors in the safetensors format.
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

// Create writes tensors, in the order given, as the new file at path.
func Create(path string, list []Tensor) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	return errors.Join(write(w, list), w.Flush(), file.Sync(), file.Close())
}

// write writes the length of a JSON header, the header, the data.
func write(w io.Writer, list []Tensor) error {
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	header, offset := map[string]entry{}, 0
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
