package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/graph/neo4j"
	"github.com/keci-kg/keci/umls/knowledgebase"
)

// storePasswordVariable holds the password for Neo4j.
const storePasswordVariable = "KECI_NEO4J_PASSWORD"

// passwordFileFlag names the file with the password instead.
const passwordFileFlag = "store-password-file"

const storeHelp = "Neo4j database, bolt://[USER@]HOST[:PORT][/DATABASE]"

// storeFlags say which store is meant.
type storeFlags struct {
	address      string // empty: the one in the data directory
	passwordFile string
}

// registerPassword adds the flag for the password. It is not given itself: command
// lines are seen by others.
func (f *storeFlags) registerPassword(flags *pflag.FlagSet) {
	flags.StringVar(&f.passwordFile, passwordFileFlag, "", "`FILE` with the password for Neo4j (default: what $"+storePasswordVariable+" holds)")
}

// checkUse refuses the password of a database where none is asked, and --data where the
// documents are in one.
func (f *storeFlags) checkUse(flags *pflag.FlagSet) error {
	if f.inNeo4j() {
		return refuse(flags, []string{"data"}, "the documents are in the database that --store names")
	}
	return refuse(flags, []string{passwordFileFlag}, "--store names no database")
}

// inNeo4j tells whether --store names a database.
func (f *storeFlags) inNeo4j() bool { return f.address != "" && f.address != storeInData }

// openNeo4j connects to the database that --store names.
func (f *storeFlags) openNeo4j(ctx context.Context) (*neo4j.Store, error) {
	address, err := neo4j.ParseAddress(f.address)
	if err != nil {
		return nil, usageError("--store: %w", err)
	}
	password, err := f.password()
	if err != nil {
		return nil, err
	}
	store, err := neo4j.Open(ctx, address, password)
	if errors.Is(err, neo4j.ErrLogin) {
		return nil, fmt.Errorf("%w ($%s or --store-password-file)", err, storePasswordVariable)
	}
	return store, err
}

func (f *storeFlags) password() (string, error) {
	if f.passwordFile == "" {
		return os.Getenv(storePasswordVariable), nil
	}
	content, err := os.ReadFile(f.passwordFile)
	if err != nil {
		return "", fmt.Errorf("reading the password for Neo4j: %w", err)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}

// open opens the store beside the knowledge base that was selected: Neo4j, which
// must hold the same one, or the documents of the data directory dir.
func (f *storeFlags) open(ctx context.Context, dir string, selection *selectionFlags, kb *knowledgebase.KnowledgeBase) (graph.Store, error) {
	if f.address == "" {
		return openStore(ctx, dir, kb.Knowledge)
	}
	wanted, err := selection.inStore(ctx, kb)
	if err != nil {
		return nil, err
	}
	store, err := f.openNeo4j(ctx)
	if err != nil {
		return nil, err
	}
	if err := readyFor(ctx, store, wanted); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// readyFor tells whether a store holds the knowledge base, and makes its first
// answers as quick as the later ones.
func readyFor(ctx context.Context, store *neo4j.Store, wanted graph.KnowledgeBaseInfo) error {
	info, err := store.Info(ctx)
	if err != nil {
		return err
	}
	if info.Digest != wanted.Digest {
		return fmt.Errorf("the store holds the knowledge base %s (%s), and documents are read with %s (%s): name the same one with --kb, or load it with keci load",
			info.Name, info.Digest, wanted.Name, wanted.Digest)
	}
	return store.WarmUp(ctx)
}
