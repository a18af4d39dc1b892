package neo4j

import (
	"cmp"
	"context"
	"maps"
	"slices"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/keci-kg/keci/graph"
)

// pair names a relationship EXTRACTED: what all documents say of two concepts
// with one label. A mention stands for its best concept. Without a direction the
// lesser CUI is the head.
type pair struct {
	head, tail graph.CUI
	label      string
	directed   bool
}

func (p pair) row() map[string]any {
	return map[string]any{"head": string(p.head), "tail": string(p.tail), "label": p.label, "directed": p.directed}
}

func (p pair) compare(o pair) int {
	return cmp.Or(cmp.Compare(p.head, o.head), cmp.Compare(p.tail, o.tail), cmp.Compare(p.label, o.label), compareBool(p.directed, o.directed))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// normal is the pair as it is stored.
func (p pair) normal() pair {
	if !p.directed && p.tail < p.head {
		p.head, p.tail = p.tail, p.head
	}
	return p
}

// pairsOf are the pairs that a document tells of.
func pairsOf(doc graph.Document, present presence) []pair {
	best := map[string]graph.CUI{}
	for _, mention := range doc.Mentions {
		if len(mention.Concepts) > 0 {
			best[mention.ID] = present.of(mention.Concepts[0].CUI)
		}
	}
	var pairs []pair
	for _, relation := range doc.Relations {
		p := pair{best[relation.Head], best[relation.Tail], relation.Label, relation.Directed}
		if p.head != "" && p.tail != "" {
			pairs = append(pairs, p.normal())
		}
	}
	return pairs
}

// evidenceQuery gives for pairs the scores of all relations between mentions
// that stand for them, in the order of documents and of the relations in them.
const evidenceQuery = `
	UNWIND $pairs AS p
	MATCH (a:Concept {cui: p.head})
	MATCH (b:Concept {cui: p.tail})
	MATCH (a)<-[:REFERS_TO {rank: 1}]-(h:Mention)-[r]-(t:Mention)-[:REFERS_TO {rank: 1}]->(b)
	WHERE r.label = p.label AND r.directed = p.directed AND (NOT p.directed OR startNode(r) = h)
	MATCH (d:Document)-[:HAS_MENTION]->(h)
	WITH DISTINCT p, d.id AS document, r
	ORDER BY document, r.place
	RETURN p.head AS head, p.tail AS tail, p.label AS label, p.directed AS directed,
		count(DISTINCT document) AS documents, collect(r.score) AS scores`

// refreshExtracted writes the relationships EXTRACTED of pairs anew, from all
// documents. The caller has locked their concepts.
func refreshExtracted(ctx context.Context, tx driver.ManagedTransaction, pairs []pair) error {
	if len(pairs) == 0 {
		return nil
	}
	slices.SortFunc(pairs, pair.compare)
	pairs = slices.Compact(pairs)
	rows := make([]map[string]any, len(pairs))
	for i, p := range pairs {
		rows[i] = p.row()
	}
	evidence, err := collect(ctx, tx, evidenceQuery, map[string]any{"pairs": rows})
	if err != nil {
		return err
	}
	err = run(ctx, tx, `
		UNWIND $pairs AS p
		MATCH (:Concept {cui: p.head})-[x:EXTRACTED {label: p.label, directed: p.directed}]->(:Concept {cui: p.tail})
		DELETE x`, map[string]any{"pairs": rows})
	if err != nil {
		return err
	}
	edges := make([]map[string]any, len(evidence))
	for i, record := range evidence {
		edges[i] = extractedRow(record)
	}
	return run(ctx, tx, `
		UNWIND $edges AS edge
		MATCH (a:Concept {cui: edge.head})
		MATCH (b:Concept {cui: edge.tail})
		CREATE (a)-[x:EXTRACTED]->(b)
		SET x = edge.properties`, map[string]any{"edges": edges})
}

// extractedPairs are the pairs that a concept is part of.
func extractedPairs(ctx context.Context, tx driver.ManagedTransaction, cui string) ([]pair, error) {
	records, err := collect(ctx, tx, `
		MATCH (:Concept {cui: $cui})-[x:EXTRACTED]-()
		WITH DISTINCT x
		RETURN startNode(x).cui AS head, endNode(x).cui AS tail, x.label AS label, x.directed AS directed`, map[string]any{"cui": cui})
	if err != nil {
		return nil, err
	}
	pairs := make([]pair, len(records))
	for i, record := range records {
		pairs[i] = pair{
			graph.CUI(stringOf(record, "head")), graph.CUI(stringOf(record, "tail")),
			stringOf(record, "label"), valueOf[bool](record, "directed"),
		}
	}
	return pairs, nil
}

// extractedRow sums the evidence of a pair up. noisyOr is the probability that at
// least one of the relations holds, if they were independent: 1 − Π(1 − score).
func extractedRow(evidence getter) map[string]any {
	scores := valueOf[[]any](evidence, "scores")
	highest, noneHolds := 0.0, 1.0
	for _, value := range scores {
		score, _ := value.(float64)
		highest = max(highest, score)
		noneHolds *= 1 - score
	}
	return map[string]any{
		"head": stringOf(evidence, "head"), "tail": stringOf(evidence, "tail"),
		"properties": map[string]any{
			"label": stringOf(evidence, "label"), "directed": valueOf[bool](evidence, "directed"),
			"documents": intOf(evidence, "documents"), "mentions": len(scores), "maxScore": highest, "noisyOr": 1 - noneHolds,
		},
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
