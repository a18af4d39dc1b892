package neo4j

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

// SaveDocument implements graph.Documents.
func (s *Store) SaveDocument(ctx context.Context, doc graph.Document, replace bool) (created bool, err error) {
	doc, err = graph.Canonical(doc)
	if err != nil {
		return false, fmt.Errorf("saving a document: %w", err)
	}
	err = s.write(ctx, func(tx driver.ManagedTransaction) error {
		created, err = claim(ctx, tx, doc, replace)
		if err != nil || !created && !replace {
			return err
		}
		var old graph.Document
		if !created {
			if old, err = readDocument(ctx, tx, doc.ID); err != nil {
				return err
			}
		}
		return rewrite(ctx, tx, old, doc)
	})
	if err != nil {
		return false, s.explain(err, "saving document %q", doc.ID)
	}
	return created, nil
}

// rewrite puts one document, which may be the empty one, in the place of another,
// which may be as well, and makes true again what hangs on the concepts of both.
func rewrite(ctx context.Context, tx driver.ManagedTransaction, old, doc graph.Document) error {
	present, err := lockConcepts(ctx, tx, old, doc)
	if err != nil {
		return err
	}
	if err := removeContent(ctx, tx, old); err != nil {
		return err
	}
	if err := writeContent(ctx, tx, doc, present); err != nil {
		return err
	}
	if old.ID == "" {
		return addExtracted(ctx, tx, scoresOf(doc, present))
	}
	facts := slices.Concat(sortedFacts(scoresOfSaved(old, present)), sortedFacts(scoresOf(doc, present)))
	if err := refreshExtracted(ctx, tx, facts); err != nil {
		return err
	}
	return dropUnnamed(ctx, tx, conceptRows(old, present))
}

// claim makes the node of a document, or takes the one that is there, and keeps
// others from writing it until the transaction ends.
func claim(ctx context.Context, tx driver.ManagedTransaction, doc graph.Document, replace bool) (created bool, err error) {
	records, err := collect(ctx, tx, `
		MERGE (d:Document {id: $id})
		ON CREATE SET d.isNew = true
		WITH d, d.isNew IS NOT NULL AS created
		SET d.isNew = true // takes the lock
		REMOVE d.isNew
		RETURN created, d.id AS id, d.text AS text, d.title AS title`, map[string]any{"id": doc.ID})
	if err != nil {
		return false, err
	}
	switch known := records[0]; {
	case stringOf(known, "id") == "": // deleted before the lock was had
		return false, errOvertaken
	case valueOf[bool](known, "created"):
		return true, nil
	case replace:
		return false, nil
	case stringOf(known, "text") != doc.Text:
		return false, fmt.Errorf("the id is known with another text: %w", graph.ErrConflict)
	case stringOf(known, "title") != doc.Title:
		return false, fmt.Errorf("the id is known with another title: %w", graph.ErrConflict)
	}
	return false, nil
}

// writeContent writes all of a document whose node is there and bare.
func writeContent(ctx context.Context, tx driver.ManagedTransaction, doc graph.Document, present graph.Presence) error {
	if doc.ID == "" {
		return nil
	}
	if err := run(ctx, tx, "MATCH (d:Document {id: $row.id}) SET d = $row", map[string]any{"row": documentRow(doc)}); err != nil {
		return err
	}
	nodes, err := writeMentions(ctx, tx, doc, present)
	if err != nil {
		return err
	}
	return writeExtractions(ctx, tx, doc, nodes)
}

// conceptRows are the concepts that documents name, in order of CUI, each once.
func conceptRows(doc graph.Document, present graph.Presence) []map[string]any {
	named := map[graph.CUI]string{}
	for _, mention := range doc.Mentions {
		for _, candidate := range mention.Concepts {
			named[present.Of(candidate.CUI)] = candidate.Name
		}
	}
	rows := make([]map[string]any, 0, len(named))
	for _, cui := range sortedKeys(named) {
		rows = append(rows, map[string]any{"cui": string(cui), "name": named[cui]})
	}
	return rows
}

// lockConcepts makes the concepts that the release lacks, and keeps others from
// writing what hangs on the concepts of two documents. All take them in one order.
func lockConcepts(ctx context.Context, tx driver.ManagedTransaction, old, doc graph.Document) (graph.Presence, error) {
	both := graph.Document{Mentions: slices.Concat(old.Mentions, doc.Mentions)}
	present, err := readPresence(ctx, tx, conceptRows(both, nil))
	if err != nil {
		return nil, err
	}
	rows := conceptRows(both, present)
	if err := listRetired(ctx, tx, rows); err != nil {
		return nil, err
	}
	err = run(ctx, tx, `
		UNWIND $rows AS row
		MERGE (c:Concept {cui: row.cui})
		ON CREATE SET c:Unlisted, c.name = row.name
		SET c.locked = true
		REMOVE c.locked`, map[string]any{"rows": rows})
	if err != nil {
		return nil, err
	}
	// Until the lock was had, a load may have retired some of them.
	now, err := readPresence(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	for cui := range now {
		if now.Of(cui) != cui {
			return nil, errOvertaken
		}
	}
	return present, nil
}

// writeMentions writes the mentions with their links to concepts and gives the
// nodes of the mentions by their ids.
func writeMentions(ctx context.Context, tx driver.ManagedTransaction, doc graph.Document, present graph.Presence) (nodes map[string]string, err error) {
	rows := make([]map[string]any, len(doc.Mentions))
	for i, mention := range doc.Mentions {
		rows[i] = mentionRow(mention, i)
	}
	records, err := collect(ctx, tx, `
		MATCH (d:Document {id: $id})
		UNWIND $rows AS row
		CREATE (d)-[:HAS_MENTION]->(m:Mention)
		SET m = row
		RETURN m.place AS place, elementId(m) AS node`, map[string]any{"id": doc.ID, "rows": rows})
	if err != nil {
		return nil, err
	}
	nodes = map[string]string{}
	var links []map[string]any
	for _, record := range records {
		mention, node := doc.Mentions[intOf(record, "place")], stringOf(record, "node")
		nodes[mention.ID] = node
		for i, candidate := range mention.Concepts {
			cui := present.Of(candidate.CUI)
			link := linkRow(candidate, firstRank(mention)+i)
			if cui != candidate.CUI {
				link["retired"] = string(candidate.CUI)
			}
			links = append(links, map[string]any{"node": node, "cui": string(cui), "link": link})
		}
	}
	return nodes, run(ctx, tx, `
		UNWIND $links AS row
		MATCH (m:Mention) WHERE elementId(m) = row.node
		MATCH (c:Concept {cui: row.cui})
		CREATE (m)-[l:REFERS_TO]->(c)
		SET l = row.link`, map[string]any{"links": links})
}

func writeExtractions(ctx context.Context, tx driver.ManagedTransaction, doc graph.Document, nodes map[string]string) error {
	rows := make([]map[string]any, len(doc.Relations))
	for i, relation := range doc.Relations {
		head, tail := nodes[relation.Head], nodes[relation.Tail]
		if head == "" || tail == "" {
			return fmt.Errorf("relation %s joins %s and %s, which are not both mentions of the document", relation.ID, relation.Head, relation.Tail)
		}
		rows[i] = map[string]any{"head": head, "tail": tail, "type": relationshipType(relation.Label), "relation": extractionRow(relation, i, doc.Model)}
	}
	return run(ctx, tx, `
		UNWIND $rows AS row
		MATCH (h:Mention) WHERE elementId(h) = row.head
		MATCH (t:Mention) WHERE elementId(t) = row.tail
		CREATE (h)-[r:$(row.type)]->(t)
		SET r = row.relation`, map[string]any{"rows": rows})
}

// removeContent removes all of a document but its node.
func removeContent(ctx context.Context, tx driver.ManagedTransaction, doc graph.Document) error {
	if doc.ID == "" {
		return nil
	}
	return run(ctx, tx, "MATCH (:Document {id: $id})-[:HAS_MENTION]->(m:Mention) DETACH DELETE m", map[string]any{"id": doc.ID})
}

// DeleteDocument implements graph.Documents.
func (s *Store) DeleteDocument(ctx context.Context, id string) error {
	err := s.write(ctx, func(tx driver.ManagedTransaction) error {
		err := run(ctx, tx, "MATCH (d:Document {id: $id}) SET d.isNew = true REMOVE d.isNew", map[string]any{"id": id}) // takes the lock
		if err != nil {
			return err
		}
		doc, err := readDocument(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := rewrite(ctx, tx, doc, graph.Document{}); err != nil {
			return err
		}
		return run(ctx, tx, "MATCH (d:Document {id: $id}) DELETE d", map[string]any{"id": id})
	})
	return s.explain(err, "deleting document %q", id)
}

// linksOf gives, within a query, the links of a mention as a list, as they were
// saved: what has followed a concept to its successor remembers the former.
func linksOf(mention, list string) string {
	return fmt.Sprintf(`
	CALL (%s) {
		MATCH (%[1]s)-[l:REFERS_TO]->(c:Concept)
		WITH l, c ORDER BY l.rank
		RETURN collect(l {.*, cui: coalesce(l.retired, c.cui)}) AS %s
	}`, mention, list)
}

var documentQuery = `
	MATCH (d:Document {id: $id})
	WITH d, d {.*} AS before
	CALL (d) {
		MATCH (d)-[:HAS_MENTION]->(m:Mention)` + linksOf("m", "links") + `
		WITH m, links ORDER BY m.place
		RETURN collect(m {.*, links: links}) AS mentions
	}
	CALL (d) {
		MATCH (d)-[:HAS_MENTION]->(h:Mention)-[r]->(t:Mention)
		WITH h, r, t ORDER BY r.place
		RETURN collect(r {.*, head: h.id, tail: t.id}) AS relations
	}
	RETURN before, properties(d) AS document, mentions, relations`

// readDocument reads a document as a whole. A query has no picture of one moment: when
// the document is replaced while it is read, what is found before and after differs, at
// least in the time of its submission.
func readDocument(ctx context.Context, tx driver.ManagedTransaction, id string) (graph.Document, error) {
	records, err := collect(ctx, tx, documentQuery, map[string]any{"id": id})
	if err != nil {
		return graph.Document{}, err
	}
	if len(records) == 0 {
		return graph.Document{}, graph.ErrNotFound
	}
	record := records[0]
	row := properties(valueOf[map[string]any](record, "document"))
	if len(row) == 0 { // it has been deleted
		return graph.Document{}, graph.ErrNotFound
	}
	if !reflect.DeepEqual(valueOf[map[string]any](record, "before"), map[string]any(row)) {
		return graph.Document{}, errOvertaken
	}
	doc := readDocumentRow(row)
	doc.Mentions = mapsOf(record, "mentions", readMention)
	if valueOf[bool](row, "extracted") {
		doc.Relations = mapsOf(record, "relations", readExtraction)
	}
	return doc, nil
}

// Document implements graph.Documents.
func (s *Store) Document(ctx context.Context, id string) (doc graph.Document, err error) {
	err = s.readWith(ctx, func(tx driver.ManagedTransaction) error {
		doc, err = readDocument(ctx, tx, id)
		return err
	})
	return doc, s.explain(err, "document %q", id)
}

// Documents implements graph.Documents.
func (s *Store) Documents(ctx context.Context, after string, limit int) ([]graph.Document, error) {
	records, err := s.read(ctx, `
		MATCH (d:Document) WHERE d.id > $after
		RETURN properties(d) AS document ORDER BY d.id LIMIT $limit`, map[string]any{"after": after, "limit": limit})
	if err != nil {
		return nil, s.explain(err, "listing documents")
	}
	docs := make([]graph.Document, len(records))
	for i, record := range records {
		docs[i] = readDocumentRow(properties(valueOf[map[string]any](record, "document")))
	}
	return docs, nil
}

// ConceptMentions implements graph.Documents.
func (s *Store) ConceptMentions(ctx context.Context, cui graph.CUI, limit int) ([]graph.Seen, error) {
	records, err := s.read(ctx, `
		CALL () {`+standsFor+`
		}
		MATCH (c)<-[:REFERS_TO]-(m:Mention)<-[:HAS_MENTION]-(d:Document)
		WITH DISTINCT d.id AS document, m ORDER BY document, m.place LIMIT $limit`+linksOf("m", "links")+`
		RETURN document, m {.*, links: links} AS mention ORDER BY document, m.place`,
		map[string]any{"cui": string(cui), "limit": limit})
	if err != nil {
		return nil, s.explain(err, "looking for mentions of %s", cui)
	}
	seen := make([]graph.Seen, len(records))
	for i, record := range records {
		seen[i] = graph.Seen{
			DocumentID: stringOf(record, "document"),
			Mention:    readMention(properties(valueOf[map[string]any](record, "mention"))),
		}
	}
	return seen, nil
}
