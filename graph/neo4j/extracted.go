package neo4j

import (
	"cmp"
	"context"
	"maps"
	"slices"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

// A relationship EXTRACTED is what all documents say of two concepts with one label, a
// fact: its key names it.

func keyRow(k graph.FactKey) map[string]any {
	return map[string]any{"head": string(k.Head), "tail": string(k.Tail), "label": k.Label, "directed": k.Directed}
}

func readKey(from getter) graph.FactKey {
	return graph.FactKey{
		Head: graph.CUI(stringOf(from, "head")), Tail: graph.CUI(stringOf(from, "tail")),
		Label: stringOf(from, "label"), Directed: valueOf[bool](from, "directed"),
	}
}

// scoresOf are the scores of the relations of a document, by the facts that they tell.
func scoresOf(doc graph.Document, present graph.Presence) map[graph.FactKey][]float64 {
	scores := map[graph.FactKey][]float64{}
	for i, key := range graph.RelationKeys(doc, present.Of) {
		if key != (graph.FactKey{}) {
			scores[key] = append(scores[key], doc.Relations[i].Score)
		}
	}
	return scores
}

// scoresOfSaved are the same of a document that was saved before, maybe when a mention
// that only a part of has a name still stood for that concept.
func scoresOfSaved(doc graph.Document, present graph.Presence) map[graph.FactKey][]float64 {
	doc.Mentions = slices.Clone(doc.Mentions)
	for i, m := range doc.Mentions {
		if len(m.Concepts) > 0 {
			doc.Mentions[i].Concepts = []graph.Candidate{{CUI: m.Concepts[0].CUI}}
		}
	}
	return scoresOf(doc, present)
}

// addExtracted adds what a new document tells to the relationships EXTRACTED. The
// caller has locked their concepts. It costs the same however many documents
// there are.
func addExtracted(ctx context.Context, tx driver.ManagedTransaction, told map[graph.FactKey][]float64) error {
	edges := make([]map[string]any, 0, len(told))
	for _, key := range sortedFacts(told) {
		edges = append(edges, extractedRow(key, len(told[key]), []float64{slices.Max(told[key])}))
	}
	return run(ctx, tx, `
		UNWIND $edges AS edge
		MATCH (a:Concept {cui: edge.head})
		MATCH (b:Concept {cui: edge.tail})
		MERGE (a)-[x:EXTRACTED {label: edge.label, directed: edge.directed}]->(b)
		ON CREATE SET x.documents = 0, x.mentions = 0, x.maxScore = 0.0, x.noisyOr = 0.0
		SET x.documents = x.documents + edge.documents, x.mentions = x.mentions + edge.mentions,
			x.maxScore = CASE WHEN edge.maxScore > x.maxScore THEN edge.maxScore ELSE x.maxScore END,
			x.noisyOr = 1 - (1 - x.noisyOr) * (1 - edge.noisyOr)`, map[string]any{"edges": edges})
}

func sortedFacts(told map[graph.FactKey][]float64) []graph.FactKey {
	return slices.SortedFunc(maps.Keys(told), graph.FactKey.Compare)
}

// evidenceQuery gives for facts the number of the relations between mentions that
// stand for them, and the best score of each document, in the order of documents. It
// starts at the concept that fewer mentions refer to, and looks at these alone.
const evidenceQuery = `
	UNWIND $facts AS fact
	MATCH (a:Concept {cui: fact.head})
	MATCH (b:Concept {cui: fact.tail})
	WITH fact, CASE WHEN COUNT { (a)<-[:REFERS_TO]-() } <= COUNT { (b)<-[:REFERS_TO]-() } THEN [a, b, true] ELSE [b, a, false] END AS ends
	WITH fact, ends[0] AS near, ends[1] AS far, ends[2] AS fromHead
	MATCH (near)<-[:REFERS_TO {rank: 1}]-(m:Mention)-[r]-(o:Mention)
	WHERE r.label = fact.label AND r.directed = fact.directed AND (NOT fact.directed OR (startNode(r) = m) = fromHead)
	WITH DISTINCT fact, far, m, o, r
	MATCH (o)-[:REFERS_TO {rank: 1}]->(far)
	MATCH (d:Document)-[:HAS_MENTION]->(m)
	WITH DISTINCT fact, d.id AS document, r
	WITH fact, document, count(r) AS relations, max(r.score) AS best ORDER BY document
	RETURN fact.head AS head, fact.tail AS tail, fact.label AS label, fact.directed AS directed,
		count(document) AS documents, sum(relations) AS mentions, max(best) AS maxScore, collect(best) AS scores`

// refreshExtracted writes the relationships EXTRACTED of facts anew, from all
// documents. The caller has locked their concepts.
func refreshExtracted(ctx context.Context, tx driver.ManagedTransaction, facts []graph.FactKey) error {
	if len(facts) == 0 {
		return nil
	}
	slices.SortFunc(facts, graph.FactKey.Compare)
	facts = slices.Compact(facts)
	rows := make([]map[string]any, len(facts))
	for i, key := range facts {
		rows[i] = keyRow(key)
	}
	evidence, err := collect(ctx, tx, evidenceQuery, map[string]any{"facts": rows})
	if err != nil {
		return err
	}
	err = run(ctx, tx, `
		UNWIND $facts AS fact
		MATCH (:Concept {cui: fact.head})-[x:EXTRACTED {label: fact.label, directed: fact.directed}]->(:Concept {cui: fact.tail})
		DELETE x`, map[string]any{"facts": rows})
	if err != nil {
		return err
	}
	edges := make([]map[string]any, len(evidence))
	for i, record := range evidence {
		var scores []float64
		for _, value := range valueOf[[]any](record, "scores") {
			score, _ := value.(float64)
			scores = append(scores, score)
		}
		edges[i] = extractedRow(readKey(record), intOf(record, "mentions"), scores)
	}
	return run(ctx, tx, `
		UNWIND $edges AS edge
		MATCH (a:Concept {cui: edge.head})
		MATCH (b:Concept {cui: edge.tail})
		CREATE (a)-[x:EXTRACTED]->(b)
		SET x = edge {.label, .directed, .documents, .mentions, .maxScore, .noisyOr}`, map[string]any{"edges": edges})
}

// factsOf are the facts that a concept is an end of.
func factsOf(ctx context.Context, tx driver.ManagedTransaction, cui string) ([]graph.FactKey, error) {
	records, err := collect(ctx, tx, `
		MATCH (:Concept {cui: $cui})-[x:EXTRACTED]-()
		WITH DISTINCT x
		RETURN startNode(x).cui AS head, endNode(x).cui AS tail, x.label AS label, x.directed AS directed`, map[string]any{"cui": cui})
	if err != nil {
		return nil, err
	}
	facts := make([]graph.FactKey, len(records))
	for i, record := range records {
		facts[i] = readKey(record)
	}
	return facts, nil
}

// extractedRow sums up how many relations tell a fact, and the best scores of the
// documents that they are in, see [graph.Fact].
func extractedRow(key graph.FactKey, mentions int, scores []float64) map[string]any {
	highest, noneHolds := 0.0, 1.0
	for _, score := range scores {
		highest = max(highest, score)
		noneHolds *= 1 - score
	}
	row := keyRow(key)
	row["documents"], row["mentions"], row["maxScore"], row["noisyOr"] = len(scores), mentions, highest, 1-noneHolds
	return row
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
