package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/keci-kg/keci/graph/neo4j/neo4jtest"
)

// Both stores are asked for the same sets and give the same subgraphs.
func TestBenchSubgraph(t *testing.T) {
	kb, texts := smallKB(t), filepath.Join(t.TempDir(), "texts")
	if err := os.WriteFile(texts, []byte("FKBP12 binds rapamycin.\nRapamycin and FKBP12 bind.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bench := func(args ...string) (report struct{ Results subgraphResult }) {
		t.Helper()
		out, err := run(t, "", append([]string{"bench", "subgraph", texts, "--kb", kb, "--passes", "3"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatal(err)
		}
		return report
	}
	folder := bench("--concepts", "2").Results
	if folder.Sets != 2 || folder.Runs != 6 || folder.Relations != 1 {
		t.Errorf("in the folder: %+v, want two sets of a relation, three times", folder)
	}
	if _, err := run(t, "", "bench", "subgraph", texts, "--kb", kb, "--concepts", "3"); exitCode(err) != exitUsage {
		t.Errorf("fewer concepts than asked for: error %v", err)
	}
	t.Run("Neo4j", func(t *testing.T) {
		server := neo4jtest.Use(t)
		if _, err := run(t, "", "load", "--kb", kb, "--store", server.Address.String()); err != nil {
			t.Fatal(err)
		}
		in := bench("--concepts", "2", "--store", server.Address.String()).Results
		if in.Store != "Neo4j" || in.Sets != folder.Sets || in.Relations != folder.Relations || in.SemanticTypes != folder.SemanticTypes {
			t.Errorf("in Neo4j: %+v, in the folder: %+v", in, folder)
		}
	})
}
