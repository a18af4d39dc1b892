package neo4j

import (
	"context"
	"maps"
	"slices"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

// The conditions of a graph.Filter on the relation r of the mentions h and t in the
// document d, or on the mention m.
const (
	documentCounts = `($document = '' OR d.id = $document) AND ($source = '' OR d.id STARTS WITH $source + ':')
		AND ($from IS NULL OR d.submittedAt >= $from) AND ($to IS NULL OR d.submittedAt < $to)`
	relationCounts = documentCounts + ` AND r.score >= $minScore AND ($type = '' OR h.type = $type OR t.type = $type)`
	mentionCounts  = documentCounts + ` AND coalesce(m.score, 0.0) >= $minScore AND ($type = '' OR m.type = $type)`
)

func filterParams(f graph.Filter) map[string]any {
	return map[string]any{
		"type": f.Type, "semanticType": string(f.SemanticType), "minScore": f.MinScore, "document": f.Document, "source": f.Source,
		"from": timeOrNil(f.From), "to": timeOrNil(f.To),
	}
}

// timeOrNil is a time in UTC: the driver sends the name of a time's zone, and an
// offset that was read from text has none.
func timeOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC()
}

// letsAllCount reports whether every relation counts, so that the sums of the
// relationships EXTRACTED hold.
func letsAllCount(f graph.Filter) bool {
	f.SemanticType = ""
	return f == graph.Filter{}
}

// Where facts come from: all of them, or those of some concepts.
const (
	everyFact  = "MATCH (a:Concept)-[x:EXTRACTED]->(b:Concept)"
	theirFacts = `UNWIND $concepts AS cui
	MATCH (c:Concept {cui: cui})-[x:EXTRACTED]-(o:Concept)
	WHERE $other = '' OR o.cui = $other
	WITH DISTINCT x, startNode(x) AS a, endNode(x) AS b`

	factCounts = `($label = '' OR x.label = $label)
		AND ($semanticType = '' OR $semanticType IN coalesce(a.semanticTypes, []) OR $semanticType IN coalesce(b.semanticTypes, []))`
)

// How facts are summed up: as it is kept, or over the relations that count.
const (
	keptSums = "WITH a, b, x, x.documents AS documents, x.mentions AS mentions, x.maxScore AS maxScore, x.noisyOr AS noisyOr"
	newSums  = `CALL (a, b, x) {
		MATCH (a)<-[:REFERS_TO {rank: 1}]-(h:Mention)-[r]-(t:Mention)-[:REFERS_TO {rank: 1}]->(b)
		WHERE r.label = x.label AND r.directed = x.directed AND (NOT x.directed OR startNode(r) = h)
		MATCH (d:Document)-[:HAS_MENTION]->(h)
		WHERE ` + relationCounts + `
		WITH DISTINCT d.id AS document, r
		WITH document, count(r) AS relations, max(r.score) AS best ORDER BY document
		RETURN count(document) AS documents, sum(relations) AS mentions, max(best) AS maxScore, collect(best) AS scores
	}
	WITH a, b, x, documents, mentions, maxScore, ` + noisyOr + ` AS noisyOr
	WHERE mentions > 0`

	// noisyOr is what the best scores of the documents come to, see [graph.Fact].
	noisyOr = "1 - reduce(none = 1.0, s IN scores | none * (1 - s))"
)

const factPage = `
	WITH a, b, x, documents, mentions, maxScore, noisyOr,
		CASE $order WHEN 'score' THEN noisyOr WHEN 'documents' THEN toFloat(documents) ELSE 0.0 END AS rank,
		[a.cui, b.cui, x.label, toString(x.directed)] AS key
	WHERE $afterRank IS NULL OR rank < $afterRank OR rank = $afterRank AND key > $afterKey
	RETURN a.cui AS head, a.name AS headName, a.semanticTypes AS headTypes, x.label AS label, x.directed AS directed,
		b.cui AS tail, b.name AS tailName, b.semanticTypes AS tailTypes, documents, mentions, maxScore, noisyOr
	ORDER BY rank DESC, head, tail, label, directed LIMIT $limit`

// Facts implements graph.Extracted.
func (s *Store) Facts(ctx context.Context, query graph.FactQuery) ([]graph.Fact, error) {
	if query.Limit <= 0 {
		return nil, nil
	}
	params := filterParams(query.Filter)
	params["label"], params["order"], params["limit"] = query.Label, string(query.Order), query.Limit
	params["afterRank"], params["afterKey"] = nil, nil
	if after := query.After; after != nil {
		params["afterRank"], params["afterKey"] = after.Rank, keyList(after.Key)
	}
	text := everyFact
	if len(query.Concepts) > 0 {
		text = theirFacts
	}
	text += "\n\tWHERE " + factCounts + "\n\t"
	if letsAllCount(query.Filter) {
		text += keptSums
	} else {
		text += newSums
	}
	var records []*driver.Record
	err := s.readWith(ctx, func(tx driver.ManagedTransaction) error {
		err := addConcepts(ctx, tx, params, query)
		if err == nil {
			records, err = collect(ctx, tx, text+factPage, params)
		}
		return err
	})
	if err != nil {
		return nil, s.explain(err, "looking for facts")
	}
	facts := make([]graph.Fact, len(records))
	for i, record := range records {
		facts[i] = readFact(record)
	}
	return facts, nil
}

// addConcepts adds the concepts that stand for those that a query asks for.
func addConcepts(ctx context.Context, tx driver.ManagedTransaction, params map[string]any, query graph.FactQuery) error {
	if len(query.Concepts) == 0 {
		return nil
	}
	present, err := presentOf(ctx, tx, append(slices.Clone(query.Concepts), query.Other)...)
	if err != nil {
		return err
	}
	cuis := plain(query.Concepts)
	for i, cui := range query.Concepts {
		cuis[i] = string(present.Of(cui))
	}
	params["concepts"], params["other"] = cuis, string(present.Of(query.Other))
	return nil
}

// keyList is a key as the query compares it; false is less than true as a word too.
func keyList(key graph.FactKey) []any {
	directed := "false"
	if key.Directed {
		directed = "true"
	}
	return []any{string(key.Head), string(key.Tail), key.Label, directed}
}

func readFact(from getter) graph.Fact {
	fact := graph.Fact{
		Head: readConceptName(from, "head"), Label: stringOf(from, "label"), Tail: readConceptName(from, "tail"),
		Directed: valueOf[bool](from, "directed"), Documents: intOf(from, "documents"), Mentions: intOf(from, "mentions"),
		MaxScore: valueOf[float64](from, "maxScore"), NoisyOr: valueOf[float64](from, "noisyOr"),
	}
	fact.ID = fact.Key().String()
	return fact
}

// readConceptName reads a concept whose fields begin with a word.
func readConceptName(from getter, word string) graph.ConceptName {
	name := graph.ConceptName{CUI: graph.CUI(stringOf(from, word)), Name: stringOf(from, word+"Name"), SemanticTypes: idsOf[graph.TUI](from, word+"Types")}
	if name.SemanticTypes == nil {
		name.SemanticTypes = []graph.TUI{}
	}
	return name
}

// evidenceOfFact gives the lines of each document together: its text comes once.
var evidenceOfFact = `
	MATCH (a:Concept {cui: $head})
	MATCH (b:Concept {cui: $tail})
	MATCH (a)<-[:REFERS_TO {rank: 1}]-(h:Mention)-[r]-(t:Mention)-[:REFERS_TO {rank: 1}]->(b)
	WHERE r.label = $label AND r.directed = $directed AND (NOT $directed AND a.cui <= b.cui OR $directed AND startNode(r) = h)
	MATCH (d:Document)-[:HAS_MENTION]->(h)
	WHERE ` + relationCounts + `
	WITH DISTINCT d, r
	WHERE $afterScore IS NULL OR r.score < $afterScore
		OR r.score = $afterScore AND (d.id > $afterDocument OR d.id = $afterDocument AND r.place > $afterPlace)
	WITH d, r ORDER BY r.score DESC, d.id, r.place LIMIT $limit
	WITH d, r, startNode(r) AS h, endNode(r) AS t` + linksOf("h", "headLinks") + linksOf("t", "tailLinks") + `
	WITH d, collect({place: r.place, relation: r {.*, head: h.id, tail: t.id}, head: h {.*, links: headLinks}, tail: t {.*, links: tailLinks}}) AS lines
	RETURN properties(d) AS document, lines`

// Evidence implements graph.Extracted.
func (s *Store) Evidence(ctx context.Context, query graph.EvidenceQuery) (evidence []graph.Evidence, err error) {
	if query.Limit <= 0 {
		return nil, nil
	}
	params := filterParams(query.Filter)
	params["limit"], params["afterScore"], params["afterDocument"], params["afterPlace"] = query.Limit, nil, nil, nil
	if after := query.After; after != nil {
		params["afterScore"], params["afterDocument"], params["afterPlace"] = after.Score, after.Document, after.Place
	}
	err = s.readWith(ctx, func(tx driver.ManagedTransaction) error {
		present, err := presentOf(ctx, tx, query.Key.Head, query.Key.Tail)
		if err != nil {
			return err
		}
		maps.Copy(params, keyRow(query.Key.Present(present)))
		records, err := collect(ctx, tx, evidenceOfFact, params)
		evidence = readEvidence(records)
		return err
	})
	return evidence, s.explain(err, "looking for evidence of %s", query.Key)
}

// readEvidence reads the lines of documents and puts them in order.
func readEvidence(records []*driver.Record) (evidence []graph.Evidence) {
	for _, record := range records {
		doc := readDocumentRow(properties(valueOf[map[string]any](record, "document")))
		for _, line := range mapsOf(record, "lines", readLine) {
			line.Document = doc
			evidence = append(evidence, line)
		}
	}
	slices.SortFunc(evidence, func(a, b graph.Evidence) int { return a.Cursor().Compare(b.Cursor()) })
	return evidence
}

// readLine reads evidence without its document.
func readLine(from getter) graph.Evidence {
	part := func(key string) properties { return valueOf[map[string]any](from, key) }
	return graph.Evidence{
		Place: intOf(from, "place"), Relation: readExtraction(part("relation")),
		Head: readMention(part("head")), Tail: readMention(part("tail")),
	}
}

const seenConcepts = `
	MATCH (d:Document)-[:HAS_MENTION]->(m:Mention)-[:REFERS_TO {rank: 1}]->(c:Concept)
	WHERE ` + mentionCounts + ` AND ($semanticType = '' OR $semanticType IN coalesce(c.semanticTypes, []))
	WITH c, count(DISTINCT d) AS documents, count(DISTINCT m) AS mentions
	WITH c, documents, mentions, CASE $order WHEN 'documents' THEN toFloat(documents) ELSE 0.0 END AS rank
	WHERE $afterRank IS NULL OR rank < $afterRank OR rank = $afterRank AND c.cui > $afterCUI
	RETURN c.cui AS concept, c.name AS conceptName, c.semanticTypes AS conceptTypes, documents, mentions
	ORDER BY rank DESC, concept LIMIT $limit`

// SeenConcepts implements graph.Extracted.
func (s *Store) SeenConcepts(ctx context.Context, query graph.SeenQuery) ([]graph.SeenConcept, error) {
	if query.Limit <= 0 {
		return nil, nil
	}
	params := filterParams(query.Filter)
	params["order"], params["limit"], params["afterRank"], params["afterCUI"] = string(query.Order), query.Limit, nil, nil
	if after := query.After; after != nil {
		params["afterRank"], params["afterCUI"] = after.Rank, string(after.CUI)
	}
	records, err := s.read(ctx, seenConcepts, params)
	if err != nil {
		return nil, s.explain(err, "looking for the concepts that documents name")
	}
	seen := make([]graph.SeenConcept, len(records))
	for i, record := range records {
		seen[i] = graph.SeenConcept{ConceptName: readConceptName(record, "concept"), Documents: intOf(record, "documents"), Mentions: intOf(record, "mentions")}
	}
	return seen, nil
}
