package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/embedded"
)

// What lies in a data directory.
const (
	documentsFolder = "documents"
	cacheFolder     = "cache"
	jobsFolder      = "jobs"
)

// dataHelp tells where documents are kept without --data.
const dataHelp = "`DIR` for documents and cached answers (default: keci in $XDG_DATA_HOME or in the user's folder for data)"

// dataDir makes and names the data directory: dir, or the user's own when it is empty.
func dataDir(dir string) (string, error) {
	dir, err := namedData(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("making the data directory: %w", err)
	}
	return dir, nil
}

// storedData names a data directory in which documents are stored already.
func storedData(dir string) (string, error) {
	dir, err := namedData(dir)
	if err == nil && !embedded.Exists(filepath.Join(dir, documentsFolder)) {
		err = fmt.Errorf("no documents are stored in %s: keci extract --store and keci serve keep them, and --data names where", dir)
	}
	return dir, err
}

func namedData(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	parent, err := userDataDir()
	if err != nil {
		return "", fmt.Errorf("looking for the user's folder for data (name one with --data): %w", err)
	}
	return filepath.Join(parent, "keci"), nil
}

// userDataDir is where programs keep the data of a user.
func userDataDir() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return os.UserConfigDir()
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share"), err
}

// openStore opens the documents of a data directory beside a knowledge base.
func openStore(ctx context.Context, dataDir string, kb graph.Knowledge) (*embedded.Store, error) {
	return embedded.Open(ctx, filepath.Join(dataDir, documentsFolder), kb)
}
