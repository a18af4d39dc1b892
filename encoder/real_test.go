package encoder

import (
	"os"
	"path/filepath"
	"testing"
)

// encoderDir is the folder of real weights: KECI_ENCODER, or encoders/minilm-l6 under the root of the module.
// It skips the test where there is none.
func encoderDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("KECI_ENCODER")
	if dir == "" {
		dir = filepath.Join("..", "encoders", "minilm-l6")
	}
	if _, err := os.Stat(filepath.Join(dir, configFile)); err != nil {
		t.Skipf("no encoder weights (scripts/fetch-encoder.sh gets them): %v", err)
	}
	return dir
}
