package engine

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// library is what must be known of a shared library before it is loaded.
type library struct {
	product string // what people call it
	file    string // usual name of the file
	symbol  string // function that it gives
	get     string // how to get it
	// oldest is the first version that works, major and minor; zero where the file
	// does not tell its version.
	oldest [2]int
}

// libraries are those of the engines that need one.
var libraries = map[string]library{
	ONNX: {
		product: "ONNX Runtime", file: "libonnxruntime.so", symbol: "OrtGetApiBase", oldest: [2]int{1, 17},
		get: "get it by pip install onnxruntime (onnxruntime-gpu for CUDA) and name the file onnxruntime/capi/libonnxruntime.so.* of the Python environment, see doc/gpu.md",
	},
	XLA: {
		product: "a PJRT plugin", file: "xla_cuda_plugin.so", symbol: "GetPjrtApi",
		get: `get JAX's for CUDA by pip install "jax[cuda13]" and name the file jax_plugins/xla_cuda13/xla_cuda_plugin.so of the Python environment, see doc/gpu.md`,
	},
}

// check tells what is wrong with the file at path, as far as can be seen without
// loading it. Where shared libraries are not in ELF it only looks that the file is there.
func (l library) check(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("library of %s: %w", l.product, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("library of %s: %s is not a file", l.product, path)
	case runtime.GOOS != "linux":
		return nil
	}
	if err := l.checkELF(path); err != nil {
		return fmt.Errorf("%s is not %s for this machine: %w", path, l.product, err)
	}
	return nil
}

// machines are the processors for which a library may be built.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

func (l library) checkELF(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("no whole shared library: %w", err)
	}
	defer file.Close()
	if want, known := machines[runtime.GOARCH]; file.Type != elf.ET_DYN || known && file.Machine != want {
		return fmt.Errorf("it is %v for %v", file.Type, file.Machine)
	}
	symbols, err := file.DynamicSymbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return fmt.Errorf("read its symbols: %w", err)
	}
	for _, s := range symbols {
		if s.Name == l.symbol && s.Section != elf.SHN_UNDEF {
			return l.checkVersion(s.Version)
		}
	}
	return fmt.Errorf("it has no function %s", l.symbol)
}

// checkVersion reads the version that the linker gave a symbol, as in "VERS_1.31.1".
func (l library) checkVersion(version string) error {
	var got [2]int
	_, told, _ := strings.Cut(version, "_")
	if n, _ := fmt.Sscanf(told, "%d.%d", &got[0], &got[1]); n < 2 || l.oldest == [2]int{} {
		return nil // loading tells
	}
	if got[0] < l.oldest[0] || got[0] == l.oldest[0] && got[1] < l.oldest[1] {
		return fmt.Errorf("it is version %s, and %d.%d or later is needed", told, l.oldest[0], l.oldest[1])
	}
	return nil
}
