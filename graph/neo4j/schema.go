package neo4j

import (
	"context"
	"fmt"
	"strings"
)

// What is unique has an index before anything is written. Each statement changes
// nothing when it was run before.
var constraints = []string{
	"CREATE CONSTRAINT concept_cui IF NOT EXISTS FOR (c:Concept) REQUIRE c.cui IS UNIQUE",
	"CREATE CONSTRAINT retired_cui IF NOT EXISTS FOR (r:Retired) REQUIRE r.cui IS UNIQUE",
	"CREATE CONSTRAINT semantic_type_tui IF NOT EXISTS FOR (t:SemanticType) REQUIRE t.tui IS UNIQUE",
	"CREATE CONSTRAINT document_id IF NOT EXISTS FOR (d:Document) REQUIRE d.id IS UNIQUE",
	"CREATE CONSTRAINT release_digest IF NOT EXISTS FOR (r:Release) REQUIRE r.digest IS UNIQUE",
}

// Indexes that are quicker to make of what is there than to keep during a load.
const (
	nameIndex       = "concept_names"
	createNameIndex = "CREATE FULLTEXT INDEX " + nameIndex + " IF NOT EXISTS FOR (c:Concept) ON EACH [c.name, c.synonyms] " +
		"OPTIONS {indexConfig: {`fulltext.analyzer`: 'standard-no-stop-words'}}"
	createTextIndex = "CREATE TEXT INDEX concept_name IF NOT EXISTS FOR (c:Concept) ON (c.name)" // for {name: '…'} in queries by hand
	awaitIndexes    = "CALL db.awaitIndexes(3600)"
)

// createConstraints makes what is missing of the constraints. It does not write
// when nothing is, so that a user who may only read can open the store.
func (s *Store) createConstraints(ctx context.Context) error {
	records, err := s.read(ctx, "SHOW CONSTRAINTS YIELD name RETURN collect(name) AS names", nil)
	if err != nil {
		return s.explain(err, "reading the constraints")
	}
	known := map[string]bool{}
	for _, name := range stringsOf(records[0], "names") {
		known[name] = true
	}
	for _, constraint := range constraints {
		if known[strings.Fields(constraint)[2]] {
			continue
		}
		if err := s.execute(ctx, constraint); err != nil {
			return s.explain(err, "making the constraint %q", constraint)
		}
	}
	return nil
}

// createIndexes makes the indexes of names and waits until it can be used.
func (s *Store) createIndexes(ctx context.Context) error {
	for _, statement := range []string{createNameIndex, createTextIndex, awaitIndexes} {
		if err := s.execute(ctx, statement); err != nil {
			return fmt.Errorf("making the indexes of names: %w", err)
		}
	}
	return nil
}
