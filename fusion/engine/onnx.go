//go:build onnx && cgo

package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gomlx/compute"
	onnxbackend "github.com/gomlx/compute-onnx"
)

const onnxBuiltIn = true

// cudaProvider lies beside an ONNX Runtime that can use CUDA.
const cudaProvider = "libonnxruntime_providers_cuda.so"

// openONNX opens ONNX Runtime: on the CPU, unless a setting says cuda.
func openONNX(library string, settings []string, work Work) (compute.Backend, error) {
	onnxbackend.EnableAutoInstall(false)
	cuda := has(settings, "cuda", "gpu")
	if provider := filepath.Join(filepath.Dir(library), cudaProvider); cuda && runtime.GOOS == "linux" {
		if _, err := os.Stat(provider); err != nil {
			return nil, fmt.Errorf("this ONNX Runtime has no CUDA, that of pip install onnxruntime-gpu has: %w", err)
		}
	}
	if !cuda && !has(settings, "cpu", "migraphx", "rocm", "amd") {
		settings = append(settings, "cpu")
	}
	if work == Sentences && !cuda && !has(settings, "intra_op_num_threads", "intraopnumthreads", "intra_threads") {
		settings = append(settings, "intra_op_num_threads=1")
	}
	return onnxbackend.New(strings.Join(append([]string{library}, settings...), ","))
}
