package neo4j

import (
	"context"
	"iter"
	"slices"

	"github.com/keci-kg/keci/graph"
)

// What the database holds of a release, in the order of graph.Release.

func (s *Store) storedTypes(ctx context.Context) iter.Seq2[graph.SemanticType, error] {
	const query = "MATCH (t:SemanticType) WHERE t.tui > $after RETURN t.tui AS id, properties(t) AS found ORDER BY id LIMIT $limit"
	return readEach(s.chunks(ctx, query), readFound(readSemanticType))
}

func (s *Store) storedConcepts(ctx context.Context) iter.Seq2[graph.Concept, error] {
	const query = "MATCH (c:Concept) WHERE c.cui > $after AND NOT c:Unlisted RETURN c.cui AS id, properties(c) AS found ORDER BY id LIMIT $limit"
	return readEach(s.chunks(ctx, query), readFound(readConcept))
}

func (s *Store) storedRetired(ctx context.Context) iter.Seq2[graph.Retired, error] {
	const query = `
		MATCH (r:Retired) WHERE r.cui > $after
		WITH r ORDER BY r.cui LIMIT $limit
		OPTIONAL MATCH (r)-[:REPLACED_BY]->(c:Concept)
		RETURN r.cui AS id, r.cui AS cui, c.cui AS into, r.release AS release ORDER BY id`
	return readEach(s.chunks(ctx, query), readRetired)
}

func (s *Store) storedTypeRelations(ctx context.Context) iter.Seq2[graph.TypeRelation, error] {
	const query = `
		MATCH (a:SemanticType) WHERE a.tui > $after
		WITH a ORDER BY a.tui LIMIT $limit
		CALL (a) {
			MATCH (a)-[r]->(b:SemanticType)
			RETURN collect([a.tui, r.label, b.tui]) AS relations
		}
		RETURN a.tui AS id, relations ORDER BY id`
	return readSorted(s.chunks(ctx, query), typeRelationFields, readTypeRelation, compareTypeRelations)
}

func (s *Store) storedRelations(ctx context.Context) iter.Seq2[graph.Relation, error] {
	const query = `
		MATCH (a:Concept) WHERE a.cui > $after
		WITH a ORDER BY a.cui LIMIT $limit
		CALL (a) {
			MATCH (a)-[r]->(b:Concept) WHERE type(r) <> 'EXTRACTED'
			RETURN collect([a.cui, r.label, b.cui, r.rel, r.sources]) AS relations
		}
		RETURN a.cui AS id, relations ORDER BY id`
	return readSorted(s.chunks(ctx, query), relationFields, readRelation, graph.Relation.CompareEnds)
}

// chunkSize is how many nodes a query gives, with what hangs on them.
const chunkSize = 5_000

// chunks asks for what comes after $after, $limit at a time, until nothing comes.
// The id of the last record is the next $after.
func (s *Store) chunks(ctx context.Context, query string) iter.Seq2[getter, error] {
	return func(yield func(getter, error) bool) {
		after := ""
		for {
			records, err := s.read(ctx, query, map[string]any{"after": after, "limit": chunkSize})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, record := range records {
				if !yield(record, nil) {
					return
				}
			}
			if len(records) < chunkSize {
				return
			}
			after = stringOf(records[len(records)-1], "id")
		}
	}
}

// readFound reads the properties of a node that is called found.
func readFound[T any](read func(getter) T) func(getter) T {
	return func(record getter) T { return read(properties(valueOf[map[string]any](record, "found"))) }
}

// readEach reads each record.
func readEach[T any](records iter.Seq2[getter, error], read func(getter) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for record, err := range records {
			var item T
			if err == nil {
				item = read(record)
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// readSorted reads the lists that are called relations, each in order.
func readSorted[T any](records iter.Seq2[getter, error], fields []string, read func(getter) T, order func(a, b T) int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for record, err := range records {
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			items := listsOf(record, "relations", fields, read)
			slices.SortFunc(items, order)
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}
