//go:build unix

package layoutcache

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/keci-kg/keci/internal/cachedir"
)

// variable is where os.TempDir looks.
const variable = "TMPDIR"

// nowhere is no folder, and none can be made below it.
const nowhere = os.DevNull

// before is the value of the variable, if it had one.
var before, given = os.LookupEnv(variable)

func init() { _ = os.Setenv(variable, folder()) } // fails for names that are none

// Restore makes os.TempDir what it was. Whoever imports go-graphviz calls it in its own
// initialization, which comes after that of go-graphviz.
func Restore() {
	if !given {
		_ = os.Unsetenv(variable)
		return
	}
	_ = os.Setenv(variable, before)
}

// folder is where go-graphviz may make and read its folder.
func folder() string {
	dir, err := cachedir.Dir()
	if err != nil || !usable(filepath.Join(dir, "go-graphviz")) {
		return nowhere
	}
	return dir
}

// usable tells whether dir is a folder, or can be made one, in which all files can be read
// and more can be made.
func usable(dir string) bool {
	const mayRead, mayWrite = 4, 2
	if os.MkdirAll(filepath.Dir(dir), 0o755) != nil || os.MkdirAll(dir, 0o700) != nil {
		return false
	}
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return syscall.Access(path, mayRead|mayWrite)
		}
		return syscall.Access(path, mayRead)
	}) == nil
}
