//go:build unix

package picture

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// startedVariable makes of TestStart a program that only starts.
const startedVariable = "KECI_TEST_STARTED"

// TestStart starts a program that can draw: it must leave the folder for temporary
// files alone, which others share, and know it all the same.
func TestStart(t *testing.T) {
	if want, ok := os.LookupEnv(startedVariable); ok {
		if got, given := os.LookupEnv("TMPDIR"); got != want || !given {
			t.Errorf("the folder for temporary files is %q, %t", got, given)
		}
		return
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		cache string
		kept  bool
	}{
		"a cache":              {filepath.Join(t.TempDir(), "new", "cache"), true},
		"no place for a cache": {file, false},
	} {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			for range 2 { // the second one reads what the first has made
				program := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStart$")
				program.Env = append(os.Environ(), startedVariable+"="+temp, "TMPDIR="+temp, "KECI_CACHE_DIR="+test.cache)
				if out, err := program.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("in the folder for temporary files: %v, %v", left, err)
			}
			info, err := os.Stat(filepath.Join(test.cache, "go-graphviz"))
			if kept := err == nil; kept != test.kept || kept && info.Mode().Perm() != 0o700 {
				t.Errorf("the cache: %v, %v", info, err)
			}
		})
	}
}
