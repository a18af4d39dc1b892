//go:build goexperiment.simd && amd64

package engine

import (
	"bufio"
	"fmt"
	"os"
	"testing"
	"unsafe"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// TestNumbersAreFarFromTheEnd looks behind buffers of the engine, of all sizes,
// for the end of the memory in which they lie.
func TestNumbersAreFarFromTheEnd(t *testing.T) {
	backend, err := Engine{name: Go}.Open(Sentences)
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	const enough = headroom / 2
	for length := 1; length < 1<<20; length = length*5/4 + 1 {
		buffer, flat, err := backend.NewSharedBuffer(0, shapes.Make(dtypes.Float32, length))
		if err != nil {
			t.Fatal(err)
		}
		last := uintptr(unsafe.Pointer(&flat.([]float32)[length-1]))
		if end := endOfMapping(t, last); end-last < enough {
			t.Errorf("%d numbers end %d bytes before their memory does, want %d", length, end-last, enough)
		}
		if err := buffer.Finalize(); err != nil {
			t.Fatal(err)
		}
	}
}

// endOfMapping is where the readable memory around an address ends.
func endOfMapping(t *testing.T, address uintptr) (end uintptr) {
	t.Helper()
	file, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var from, to uintptr
		var rights string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		follows := end == from && end != 0
		if (from <= address && address < to || follows) && rights[0] == 'r' {
			end = to
		}
	}
	return end
}
