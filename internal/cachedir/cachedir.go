// Package cachedir names the folder for what keci can make again.
package cachedir

import (
	"fmt"
	"os"
	"path/filepath"
)

// Variable names the environment variable for the folder; without it, that is keci in
// the user's cache folder.
const Variable = "KECI_CACHE_DIR"

// Dir is the folder, which need not be there.
func Dir() (string, error) {
	if dir := os.Getenv(Variable); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w (set %s to a folder for it)", err, Variable)
	}
	return filepath.Join(dir, "keci"), nil
}
