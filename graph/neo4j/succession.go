package neo4j

import (
	"context"
	"slices"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

var _ graph.Succession = (*Store)(nil)

func retiredRow(r graph.Retired) map[string]any {
	return map[string]any{"cui": string(r.CUI), "into": orNil(string(r.Into)), "release": orNil(r.Release)}
}

func readRetired(from getter) graph.Retired {
	return graph.Retired{CUI: graph.CUI(stringOf(from, "cui")), Into: graph.CUI(stringOf(from, "into")), Release: stringOf(from, "release")}
}

// Successor implements graph.Succession.
func (s *Store) Successor(ctx context.Context, cui graph.CUI) (r graph.Retired, err error) {
	records, err := s.read(ctx, `
		MATCH (r:Retired {cui: $cui})
		OPTIONAL MATCH (r)-[:REPLACED_BY]->(c:Concept)
		RETURN r.cui AS cui, c.cui AS into, r.release AS release`, map[string]any{"cui": string(cui)})
	if err == nil && len(records) == 0 {
		err = graph.ErrNotFound
	}
	if err != nil {
		return r, s.explain(err, "retired concept %q", cui)
	}
	return readRetired(records[0]), nil
}

// Predecessors implements graph.Succession.
func (s *Store) Predecessors(ctx context.Context, cui graph.CUI) ([]graph.CUI, error) {
	records, err := s.read(ctx, `
		MATCH (:Concept {cui: $cui})<-[:REPLACED_BY]-(r:Retired)
		WITH r.cui AS cui ORDER BY cui
		RETURN collect(cui) AS cuis`, map[string]any{"cui": string(cui)})
	if err != nil {
		return nil, s.explain(err, "predecessors of %s", cui)
	}
	return idsOf[graph.CUI](records[0], "cuis"), nil
}

// Present implements graph.Extracted.
func (s *Store) Present(ctx context.Context, cuis ...graph.CUI) (present graph.Presence, err error) {
	err = s.readWith(ctx, func(tx driver.ManagedTransaction) error {
		present, err = presentOf(ctx, tx, cuis...)
		return err
	})
	return present, s.explain(err, "looking for successors")
}

// presentOf looks for those of some concepts that were retired.
func presentOf(ctx context.Context, tx driver.ManagedTransaction, cuis ...graph.CUI) (graph.Presence, error) {
	rows := make([]map[string]any, len(cuis))
	for i, cui := range cuis {
		rows[i] = map[string]any{"cui": string(cui)}
	}
	return readPresence(ctx, tx, rows)
}

// readPresence looks for those of the concepts of rows that were retired.
func readPresence(ctx context.Context, tx driver.ManagedTransaction, rows []map[string]any) (graph.Presence, error) {
	records, err := collect(ctx, tx, `
		UNWIND $rows AS row
		MATCH (r:Retired {cui: row.cui})
		OPTIONAL MATCH (r)-[:REPLACED_BY]->(c:Concept)
		RETURN r.cui AS cui, c.cui AS into`, map[string]any{"rows": rows})
	if err != nil {
		return nil, err
	}
	present := graph.Presence{}
	for _, record := range records {
		present[graph.CUI(stringOf(record, "cui"))] = graph.CUI(stringOf(record, "into"))
	}
	return present, nil
}

// listRetired makes concepts that the release lacks of those that were retired for
// good and are named by a document.
var listRetired = statement(`
	UNWIND $rows AS row
	MATCH (x:Retired {cui: row.cui}) WHERE NOT x:Concept
	SET x:Concept:Unlisted, x.name = coalesce(x.name, row.name)`)

// lock keeps others from writing what hangs on two concepts.
func lock(ctx context.Context, tx driver.ManagedTransaction, a, b string) error {
	return run(ctx, tx, `
		UNWIND $cuis AS cui
		MATCH (c:Concept {cui: cui})
		SET c.locked = true
		REMOVE c.locked`, map[string]any{"cuis": []string{min(a, b), max(a, b)}})
}

// standsFor matches, within a query, the concept c that stands for $cui: the one
// that has this id, or the one that took its place.
const standsFor = `
	MATCH (c:Concept {cui: $cui}) RETURN c
	UNION
	MATCH (:Retired {cui: $cui})-[:REPLACED_BY]->(c:Concept) RETURN c`

// retire marks concepts that the release does not have as retired. What was
// extracted about them goes to the concepts that took their place.
func retire(ctx context.Context, tx driver.ManagedTransaction, rows []map[string]any) error {
	err := run(ctx, tx, `
		UNWIND $rows AS row
		MATCH (x:Concept {cui: row.cui})
		SET x:Retired`, map[string]any{"rows": rows})
	if err != nil {
		return err
	}
	err = run(ctx, tx, `
		UNWIND $rows AS row
		MERGE (x:Retired {cui: row.cui})
		SET x.release = row.release
		WITH x, row
		MATCH (c:Concept {cui: row.into})
		MERGE (x)-[:REPLACED_BY]->(c)`, map[string]any{"rows": rows})
	if err != nil {
		return err
	}
	named, err := collect(ctx, tx, `
		UNWIND $rows AS row
		MATCH (x:Concept {cui: row.cui})-[:REPLACED_BY]->(c:Concept)
		RETURN x.cui AS cui, c.cui AS into ORDER BY cui`, map[string]any{"rows": rows})
	if err != nil {
		return err
	}
	for _, record := range named {
		if err := follow(ctx, tx, stringOf(record, "cui"), stringOf(record, "into"), false); err != nil {
			return err
		}
	}
	return dropUnnamed(ctx, tx, rows)
}

// restore undoes retire.
func restore(ctx context.Context, tx driver.ManagedTransaction, rows []map[string]any) error {
	records, err := collect(ctx, tx, `
		UNWIND $rows AS row
		MATCH (x:Retired {cui: row.cui})
		SET x:Concept:Unlisted
		WITH x ORDER BY x.cui
		MATCH (x)-[:REPLACED_BY]->(c:Concept)<-[l:REFERS_TO {retired: x.cui}]-()
		WITH x, c, head(collect(l.name)) AS name
		SET x.name = coalesce(x.name, name)
		RETURN c.cui AS cui, x.cui AS into ORDER BY into`, map[string]any{"rows": rows})
	if err != nil {
		return err
	}
	for _, record := range records {
		if err := follow(ctx, tx, stringOf(record, "cui"), stringOf(record, "into"), true); err != nil {
			return err
		}
	}
	err = run(ctx, tx, `
		UNWIND $rows AS row
		MATCH (x:Retired {cui: row.cui})
		REMOVE x:Retired, x.release
		WITH x
		MATCH (x)-[r:REPLACED_BY]->()
		DELETE r`, map[string]any{"rows": rows})
	if err != nil {
		return err
	}
	return dropUnnamed(ctx, tx, rows)
}

// follow takes what was extracted about one concept to another: all of it, which
// remembers where it was, or only what came from there.
func follow(ctx context.Context, tx driver.ManagedTransaction, from, to string, onlyBack bool) error {
	ends := map[string]any{"from": from, "to": to}
	if err := lock(ctx, tx, from, to); err != nil {
		return err
	}
	facts, err := factsOf(ctx, tx, from)
	if err != nil {
		return err
	}
	move := `
		MATCH (x:Concept {cui: $from})<-[l:REFERS_TO]-(m:Mention)
		MATCH (c:Concept {cui: $to})
		CREATE (m)-[n:REFERS_TO]->(c)
		SET n = properties(l), n.retired = coalesce(l.retired, $from)
		DELETE l`
	if onlyBack {
		move = `
		MATCH (x:Concept {cui: $from})<-[l:REFERS_TO {retired: $to}]-(m:Mention)
		MATCH (c:Concept {cui: $to})
		CREATE (m)-[n:REFERS_TO]->(c)
		SET n = properties(l), n.retired = null
		DELETE l`
	}
	if err := run(ctx, tx, move, ends); err != nil {
		return err
	}
	for _, key := range slices.Clone(facts) {
		facts = append(facts, moved(key, graph.CUI(from), graph.CUI(to))...)
	}
	return refreshExtracted(ctx, tx, facts)
}

// moved are the facts that one may become when some of what tells of a concept tells of
// another one.
func moved(k graph.FactKey, from, to graph.CUI) (keys []graph.FactKey) {
	heads, tails := []graph.CUI{k.Head}, []graph.CUI{k.Tail}
	if k.Head == from {
		heads = append(heads, to)
	}
	if k.Tail == from {
		tails = append(tails, to)
	}
	for _, head := range heads {
		for _, tail := range tails {
			keys = append(keys, graph.FactKey{Head: head, Label: k.Label, Tail: tail, Directed: k.Directed}.Normal())
		}
	}
	return keys
}

// unlist takes from concepts all that the release said of them. Those that
// documents name stay as concepts that the release lacks.
func unlist(ctx context.Context, tx driver.ManagedTransaction, rows []map[string]any) error {
	err := run(ctx, tx, `
		UNWIND $rows AS row
		MATCH (x:Concept {cui: row.cui})
		SET x = {cui: x.cui, name: x.name}, x:Unlisted
		WITH x
		MATCH (x)-[r]-()
		WHERE type(r) <> 'EXTRACTED' AND NOT startNode(r):Mention
		WITH DISTINCT r
		DELETE r`, map[string]any{"rows": rows})
	if err != nil {
		return err
	}
	return dropUnnamed(ctx, tx, rows)
}

var (
	dropMarks = statement(`
		UNWIND $rows AS row
		MATCH (x:Concept:Unlisted:Retired {cui: row.cui})
		WHERE NOT (x)<-[:REFERS_TO]-()
		REMOVE x:Concept:Unlisted`)
	dropNodes = statement(`
		UNWIND $rows AS row
		MATCH (x:Concept:Unlisted {cui: row.cui})
		WHERE NOT (x)<-[:REFERS_TO]-()
		DETACH DELETE x`)
)

// dropUnnamed removes, of the concepts of rows, those that neither the release
// nor a document names. That one was retired stays known.
func dropUnnamed(ctx context.Context, tx driver.ManagedTransaction, rows []map[string]any) error {
	if err := dropMarks(ctx, tx, rows); err != nil {
		return err
	}
	return dropNodes(ctx, tx, rows)
}
