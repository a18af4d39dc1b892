// Package enginetest gives tests Go's engine, and those beside it, so that they can
// see whether all compute the same.
package enginetest

import (
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/gomlx/compute"

	"github.com/keci-kg/keci/fusion/engine"
)

// libraries name, for each engine, the environment variable that has the path of
// its library, with settings after commas.
var libraries = map[string]string{engine.ONNX: "KECI_TEST_ONNX", engine.XLA: "KECI_TEST_XLA"}

// Each runs a test for each engine beside Go's. An engine that was not built in, or
// whose library the environment does not name, is skipped.
func Each(t *testing.T, work engine.Work, test func(t *testing.T, backend compute.Backend)) {
	for _, name := range []string{engine.ONNX, engine.XLA} {
		t.Run(name, func(t *testing.T) {
			if !slices.Contains(engine.BuiltIn(), name) {
				t.Skipf("built without -tags %s", name)
			}
			library := os.Getenv(libraries[name])
			if library == "" {
				t.Skipf("%s names no library", libraries[name])
			}
			e, err := engine.Parse(name + ":" + library)
			if err != nil {
				t.Fatal(err)
			}
			backend, err := e.Open(work)
			if err != nil {
				t.Fatal(err)
			}
			defer backend.Finalize()
			test(t, backend)
		})
	}
}

// Go is the Go engine, one for all tests of a package; it computes as the program
// does, one batch at a time.
var Go = sync.OnceValue(func() compute.Backend {
	e, err := engine.Parse(engine.Go + ":num_executors=1")
	if err != nil {
		panic(err)
	}
	backend, err := e.Open(engine.Batches)
	if err != nil {
		panic(err)
	}
	return backend
})
