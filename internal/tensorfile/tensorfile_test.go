package tensorfile

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	values := []float32{1, -2, 0.5, 127, 0, -254}
	list := append(Quantized("matrix", []int{2, 3}, values), Float32("vector", []int{6}, values))
	if err := CreateDescribed(path, list, map[string]string{"made": "by a test"}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if diff := cmp.Diff([]string{"matrix", "matrix.scale", "vector"}, f.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if f.Metadata("made") != "by a test" || f.Metadata("other") != "" {
		t.Errorf("metadata %q and %q", f.Metadata("made"), f.Metadata("other"))
	}
	vector, shape, err := f.Floats("vector")
	if err != nil || !cmp.Equal(vector, values) || !cmp.Equal(shape, []int{6}) {
		t.Errorf("vector %v %v, %v", vector, shape, err)
	}
	matrix, shape, err := f.Floats("matrix")
	if err != nil || !cmp.Equal(shape, []int{2, 3}) {
		t.Fatalf("matrix of %v, %v", shape, err)
	}
	for i, want := range values {
		if off := math.Abs(float64(matrix[i] - want)); off > 1.01 { // half a step of the row with 254
			t.Errorf("value %d is %g, want %g", i, matrix[i], want)
		}
	}
	if _, _, err := f.Floats("absent"); err == nil {
		t.Error("no error for a tensor that is not there")
	}
}

// TestQuantized compares with the definition: a row's largest value is 127, and
// no value is off by more than half a step.
func TestQuantized(t *testing.T) {
	values := []float32{1, -0.5, 0.003, 0, 0, 0, -254, 127, 3, 1e-30, -2e-30, 0}
	list := Quantized("x", []int{4, 3}, values)
	if list[0].DType != "I8" || list[1].Name != "x"+ScaleSuffix || list[1].DType != "F32" || !cmp.Equal(list[1].Shape, []int{4}) {
		t.Fatalf("tensors %+v", list)
	}
	for r := range 4 {
		scale := math.Float32frombits(binary.LittleEndian.Uint32(list[1].Data[4*r:]))
		largest := 0
		for c := range 3 {
			integer := int(int8(list[0].Data[r*3+c]))
			largest = max(largest, integer, -integer)
			if off := math.Abs(float64(scale)*float64(integer) - float64(values[r*3+c])); off > float64(scale)*0.5001 {
				t.Errorf("row %d, column %d: %g becomes %g", r, c, values[r*3+c], scale*float32(integer))
			}
		}
		if zero := r == 1; zero != (largest == 0) || !zero && largest != 127 {
			t.Errorf("row %d: largest integer %d", r, largest)
		}
	}
}

// TestFillTransposed reads matrices of some tiles and a bit, column by column.
func TestFillTransposed(t *testing.T) {
	const rows, columns = 2*tile + 3, tile + 5
	values := make([]float32, rows*columns)
	for i := range values {
		values[i] = float32(i%253 - 126)
	}
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	list := append(Quantized("small", []int{rows, columns}, values), Float32("large", []int{rows, columns}, values))
	if err := Create(path, list); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range []string{"small", "large"} {
		straight, _, err := f.Floats(name)
		if err != nil {
			t.Fatal(err)
		}
		transposed := make([]float32, len(values))
		if err := f.Fill(name, transposed, true); err != nil {
			t.Fatal(err)
		}
		for i, want := range straight {
			if got := transposed[i%columns*rows+i/columns]; got != want {
				t.Fatalf("%s, row %d, column %d: %g, want %g", name, i/columns, i%columns, got, want)
			}
		}
	}
	if err := f.Fill("small", make([]float32, 3), false); err == nil {
		t.Error("no error for a slice of another size")
	}
	if err := f.Fill("small"+ScaleSuffix, make([]float32, rows), true); err == nil {
		t.Error("no error for a vector that is to be transposed")
	}
}
