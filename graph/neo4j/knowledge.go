package neo4j

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/names"
)

// Info implements graph.Knowledge. The error tells when no release was loaded,
// or one not to the end.
func (s *Store) Info(ctx context.Context) (info graph.KnowledgeBaseInfo, err error) {
	records, err := s.read(ctx, "MATCH (r:Release) RETURN r.info AS info, r.complete AS complete", nil)
	if err != nil {
		return info, s.explain(err, "asking for the knowledge base")
	}
	if len(records) == 0 {
		return info, fmt.Errorf("Neo4j at %s holds no knowledge base (load one with keci load): %w", s.address, graph.ErrNotFound)
	}
	if err := json.Unmarshal([]byte(stringOf(records[0], "info")), &info); err != nil {
		return info, fmt.Errorf("reading the node Release in Neo4j at %s: %w", s.address, err)
	}
	if !valueOf[bool](records[0], "complete") {
		return info, fmt.Errorf("the knowledge base %s was not loaded to the end into Neo4j at %s: run keci load again", info.Name, s.address)
	}
	return info, nil
}

// WarmUp asks what costs most the first time that a server is asked.
func (s *Store) WarmUp(ctx context.Context) error {
	if _, err := s.Search(ctx, "keci", 1); err != nil {
		return err
	}
	_, err := s.Subgraph(ctx, []graph.CUI{"C0000000"})
	return err
}

// Concept implements graph.Knowledge.
func (s *Store) Concept(ctx context.Context, cui graph.CUI) (graph.Concept, error) {
	c, err := one(ctx, s, `
		CALL () {`+standsFor+`
		}
		WITH c WHERE NOT c:Unlisted
		RETURN properties(c) AS found`, "cui", "concept", string(cui), readConcept)
	if errors.Is(err, graph.ErrNotFound) {
		switch _, known := s.Successor(ctx, cui); {
		case known == nil:
			return c, fmt.Errorf("concept %q: %w: %w", cui, graph.ErrNotFound, graph.ErrRetired)
		case !errors.Is(known, graph.ErrNotFound):
			return c, known
		}
	}
	return c, err
}

// SemanticType implements graph.Knowledge.
func (s *Store) SemanticType(ctx context.Context, tui graph.TUI) (graph.SemanticType, error) {
	return one(ctx, s, "MATCH (n:SemanticType {tui: $tui}) RETURN properties(n) AS found", "tui", "semantic type", string(tui), readSemanticType)
}

// one reads a thing by its id, which is the parameter key of the query.
func one[T any](ctx context.Context, s *Store, query, key, kind, id string, read func(getter) T) (found T, err error) {
	records, err := s.read(ctx, query, map[string]any{key: id})
	if err == nil && len(records) == 0 {
		err = graph.ErrNotFound
	}
	if err != nil {
		return found, s.explain(err, "%s %q", kind, id)
	}
	return read(properties(valueOf[map[string]any](records[0], "found"))), nil
}

// maxRanked is how many concepts are looked at in full and found, whatever the limit.
const maxRanked = 500

// Search implements graph.Knowledge. The last word of the query may be the
// beginning of one. The order is that of package names.
func (s *Store) Search(ctx context.Context, query string, limit int) ([]graph.Concept, error) {
	pattern := lucenePattern(query)
	if pattern == "" || limit <= 0 {
		return []graph.Concept{}, nil
	}
	records, err := s.read(ctx, `
		CALL db.index.fulltext.queryNodes($index, $pattern) YIELD node AS c, score
		WHERE NOT c:Unlisted
		WITH c, score ORDER BY score DESC, c.cui LIMIT $most
		RETURN properties(c) AS found`,
		map[string]any{"index": nameIndex, "pattern": pattern, "most": maxRanked})
	if err != nil {
		return nil, s.explain(err, "searching concepts") // without the query: errors are logged
	}
	found := make([]graph.Concept, len(records))
	for i, record := range records {
		found[i] = readConcept(properties(valueOf[map[string]any](record, "found")))
	}
	names.Rank(found, query)
	return found[:min(limit, len(found))], nil
}

// maxQueryWords bounds the work for a query; Lucene refuses more than 1,024 parts.
const maxQueryWords = 64

// lucenePattern asks for all parts of a query, the last as it is or as the
// beginning of a word, and prefers preferred names that are all of it, lest they
// are lost among many that hold its words. Parts stand in quotation marks, where
// nothing but these and the backslash is special, and Lucene takes them apart as
// it did the names. Each is asked for in several spellings (names.Spellings), for the
// index has the names as they are.
func lucenePattern(query string) string {
	var parts []string
	for _, part := range strings.Fields(query) {
		if len(names.Words(part)) > 0 {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	parts = parts[:min(len(parts), maxQueryWords)]
	last := len(parts) - 1
	var pattern strings.Builder
	for _, part := range parts[:last] {
		pattern.WriteString("+(" + strings.Join(lucenePhrases(part), " OR ") + ") ")
	}
	ends := lucenePhrases(parts[last])
	for _, spelling := range names.Spellings(parts[last]) {
		words := names.Words(spelling)
		words = words[:min(len(words), maxQueryWords)]
		ends = append(ends, "("+strings.Join(words, " AND ")+"*)")
	}
	pattern.WriteString("+(" + strings.Join(ends, " OR ") + ")")
	pattern.WriteString(" name:" + lucenePhrase(strings.Join(parts, " ")) + "^8")
	return pattern.String()
}

// lucenePhrases are the spellings of a part of a query.
func lucenePhrases(part string) []string {
	phrases := names.Spellings(part)
	for i, spelling := range phrases {
		phrases[i] = lucenePhrase(spelling)
	}
	return phrases
}

func lucenePhrase(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// Neighbors implements graph.Knowledge.
func (s *Store) Neighbors(ctx context.Context, cui graph.CUI, limit int) ([]graph.Relation, error) {
	if limit <= 0 {
		return nil, nil
	}
	records, err := s.read(ctx, `
		CALL () {`+standsFor+`
		}
		MATCH (c)-[r]-(:Concept)
		WHERE type(r) <> 'EXTRACTED'
		WITH DISTINCT r, startNode(r).cui AS head, endNode(r).cui AS tail
		ORDER BY r.label, head, tail LIMIT $limit
		RETURN head, r.label AS label, tail, r.rel AS rel, r.sources AS sources`,
		map[string]any{"cui": string(cui), "limit": limit})
	if err != nil {
		return nil, s.explain(err, "neighbors of %s", cui)
	}
	relations := make([]graph.Relation, len(records))
	for i, record := range records {
		relations[i] = readRelation(record)
	}
	return relations, nil
}

// subgraphQuery gives the whole subgraph as one record. Relations are lists of
// their fields: the names of the fields would be most of the answer.
const subgraphQuery = `
	CALL () {
		MATCH (c:Concept) WHERE c.cui IN $cuis AND NOT c:Unlisted RETURN c
		UNION
		MATCH (r:Retired)-[:REPLACED_BY]->(c:Concept) WHERE r.cui IN $cuis RETURN c
	}
	WITH collect(c) AS concepts
	CALL (concepts) {
		UNWIND concepts AS a
		MATCH (a)-[r]->(b:Concept)
		WHERE b IN concepts AND type(r) <> 'EXTRACTED'
		RETURN collect([a.cui, r.label, b.cui, r.rel, r.sources]) AS relations
	}
	CALL (concepts) {
		UNWIND concepts AS c
		UNWIND c.semanticTypes AS tui
		WITH DISTINCT tui
		MATCH (t:SemanticType {tui: tui})
		RETURN collect(t) AS types
	}
	CALL (types) {
		UNWIND types AS a
		MATCH (a)-[r]->(b:SemanticType) WHERE b IN types
		RETURN collect([a.tui, r.label, b.tui]) AS typeRelations
	}
	RETURN concepts, relations, types, typeRelations`

// Subgraph implements graph.Knowledge, in one query.
func (s *Store) Subgraph(ctx context.Context, cuis []graph.CUI) (graph.Subgraph, error) {
	records, err := s.read(ctx, subgraphQuery, map[string]any{"cuis": plain(cuis)})
	if err != nil {
		return graph.Subgraph{}, s.explain(err, "subgraph of %d concepts", len(cuis))
	}
	return readSubgraph(records[0]), nil
}

// What a list in an answer holds of a relation, in this order.
var (
	relationFields     = []string{"head", "label", "tail", "rel", "sources"}
	typeRelationFields = relationFields[:3]
)

func readSubgraph(record *driver.Record) graph.Subgraph {
	sub := graph.Subgraph{
		Concepts:      nodesOf(record, "concepts", readConcept),
		SemanticTypes: nodesOf(record, "types", readSemanticType),
		Relations:     listsOf(record, "relations", relationFields, readRelation),
		TypeRelations: listsOf(record, "typeRelations", typeRelationFields, readTypeRelation),
	}
	slices.SortFunc(sub.Concepts, func(a, b graph.Concept) int { return cmp.Compare(a.CUI, b.CUI) })
	slices.SortFunc(sub.SemanticTypes, func(a, b graph.SemanticType) int { return cmp.Compare(a.TUI, b.TUI) })
	slices.SortFunc(sub.Relations, graph.Relation.Compare)
	slices.SortFunc(sub.TypeRelations, graph.TypeRelation.Compare)
	return sub
}
