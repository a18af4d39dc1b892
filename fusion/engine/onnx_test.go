//go:build onnx && cgo

package engine

import "testing"

func TestONNXWithoutCUDA(t *testing.T) {
	path := sharedLibrary(t, "void *OrtGetApiBase(void) { return 0; }", "")
	e, err := Parse("onnx:" + path + ",cuda")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Open(Batches); !mentions(err, path, "no CUDA", cudaProvider, "onnxruntime-gpu") {
		t.Errorf("error %v", err)
	}
}
