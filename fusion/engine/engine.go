// Package engine opens what computes a model: GoMLX's own engine in pure Go, and
// by build tag ONNX Runtime and XLA, which can use a GPU. The models are written
// once and know nothing of it.
//
// An engine other than Go's is a shared library, which the user names. It is
// looked into before it is loaded, since a wrong file could end the process;
// nothing is ever downloaded.
package engine

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
)

// The engines.
const (
	Go   = "go"   // GoMLX's own, in pure Go; always there
	ONNX = "onnx" // ONNX Runtime, on the CPU or with CUDA; build tag onnx
	XLA  = "xla"  // XLA through a PJRT plugin, such as JAX's for CUDA; build tag xla
)

// Help is what a flag that takes an engine says of its values.
const Help = "what computes: go, onnx:LIBRARY[,cuda] or xla:PLUGIN, as `NAME`; the latter two by build tag, see doc/gpu.md"

// BuiltIn lists the engines of this program.
func BuiltIn() []string {
	names := []string{Go}
	if onnxBuiltIn {
		names = append(names, ONNX)
	}
	if xlaBuiltIn {
		names = append(names, XLA)
	}
	return names
}

// Work is what an engine will be given, by which it shares out the processors.
type Work int

const (
	// Batches come one after another, in training or to an encoder alone: each is
	// computed on all processors, and so are its shards side by side.
	Batches Work = iota
	// Sentences are small and come many at a time: each is computed on one
	// processor.
	Sentences
)

// Engine is a choice of what computes.
type Engine struct {
	name     string
	library  string   // absolute path of the shared library; empty for Go's
	settings []string // what else the user says, in the words of GoMLX
}

// Parse reads the name of an engine with its settings: "go", "onnx:LIBRARY" or
// "xla:PLUGIN", where the library is a path and settings follow after commas. The
// error says what is wrong with the name; whether the library can be used, Open
// tells.
func Parse(name string) (Engine, error) {
	kind, rest, _ := strings.Cut(name, ":")
	e := Engine{name: kind}
	for setting := range strings.SplitSeq(rest, ",") {
		switch setting = strings.TrimSpace(setting); {
		case setting == "":
		case e.library == "" && isPath(setting):
			e.library = setting
		default:
			e.settings = append(e.settings, setting)
		}
	}
	needed, known := libraries[kind]
	switch {
	case kind == Go && e.library != "":
		return Engine{}, fmt.Errorf("engine %q: the Go engine needs no library", name)
	case kind == Go:
		return e, nil
	case !known:
		return Engine{}, fmt.Errorf("engine %q is unknown: use %s, %s:LIBRARY or %s:PLUGIN", name, Go, ONNX, XLA)
	case e.library == "":
		return Engine{}, fmt.Errorf("engine %q names no library: %s:/path/to/%s; %s", name, kind, needed.file, needed.get)
	}
	var err error
	if e.library, err = filepath.Abs(e.library); err != nil {
		return Engine{}, fmt.Errorf("engine %q: %w", name, err)
	}
	return e, nil
}

// isPath tells a file from a setting such as "cuda" or "tf32=true".
func isPath(setting string) bool {
	return strings.ContainsRune(setting, filepath.Separator) || slices.Contains([]string{".so", ".dylib", ".dll"}, filepath.Ext(setting))
}

// String is the engine as Parse reads it.
func (e Engine) String() string {
	parts := e.settings
	if e.library != "" {
		parts = append([]string{e.library}, parts...)
	}
	if len(parts) == 0 {
		return e.name
	}
	return e.name + ":" + strings.Join(parts, ",")
}

// Open opens the engine for some work. The error names the library that was tried
// and says how to get the right one; that of an engine that is not in this program
// says how to build one that has it.
func (e Engine) Open(work Work) (compute.Backend, error) {
	if !slices.Contains(BuiltIn(), e.name) {
		return nil, fmt.Errorf("the engine %s is not in this program: build one with make build TAGS=%s, which needs a C compiler (or CGO_ENABLED=1 go build -tags %s ./cmd/keci)", e.name, e.name, e.name)
	}
	if e.name == Go {
		warnIfSlow()
		return e.load(work)
	}
	needed := libraries[e.name]
	if err := needed.check(e.library); err != nil {
		return nil, fmt.Errorf("open engine %s: %w; %s", e.name, err, needed.get)
	}
	backend, err := e.load(work)
	if err != nil {
		return nil, fmt.Errorf("%w (what is needed: doc/gpu.md)", err)
	}
	return backend, nil
}

// load hands over to GoMLX, which panics at some broken libraries. Standard output
// is kept for documents: GoMLX tells of some settings there.
func (e Engine) load(work Work) (backend compute.Backend, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			backend, err = nil, fmt.Errorf("open engine %s: the library broke off: %v", e, cause)
		}
	}()
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer nowhere.Close()
	stdout := os.Stdout
	os.Stdout = nowhere
	defer func() { os.Stdout = stdout }()
	switch e.name {
	case ONNX:
		backend, err = openONNX(e.library, e.settings, work)
	case XLA:
		backend, err = openXLA(e.library, e.settings)
	default:
		backend, err = openGo(e.settings, work)
	}
	if err != nil {
		return nil, fmt.Errorf("open engine %s: %w", e, err)
	}
	return backend, nil
}

// openGo opens the Go engine with the settings given, or the fastest measured.
func openGo(settings []string, work Work) (compute.Backend, error) {
	makeHeadroom()
	switch {
	case len(settings) > 0:
	case work == Sentences:
		settings = []string{"parallelism=1", "num_executors=1"}
	default:
		settings = []string{"num_executors=2"}
	}
	return gobackend.New(strings.Join(settings, ","))
}

// has tells whether one of the settings has the key, or is it.
func has(settings []string, keys ...string) bool {
	return slices.ContainsFunc(settings, func(setting string) bool {
		key, _, _ := strings.Cut(setting, "=")
		return slices.Contains(keys, key)
	})
}

var warnIfSlow = sync.OnceFunc(func() {
	if !builtWithSIMD {
		slog.Warn("this build computes some 30 times slower than it could (measured with AVX-512): build with GOEXPERIMENT=simd, as make build does")
	}
})
