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

func pairOf(key graph.FactKey) pair { return pair{key.Head, key.Tail, key.Label, key.Directed} }

func readPair(from getter) pair {
	return pair{
		graph.CUI(stringOf(from, "head")), graph.CUI(stringOf(from, "tail")),
		stringOf(from, "label"), valueOf[bool](from, "directed"),
	}
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

// scoresOf are the scores of the relations of a document, by the pairs that they
// tell of.
func scoresOf(doc graph.Document, present graph.Presence) map[pair][]float64 {
	return scoresBetween(doc, present, graph.Mention.Denoted)
}

// scoresOfFirst are the same where every mention stands for its first candidate, also for
// one that only a part of it names: so it was in documents that were saved before.
func scoresOfFirst(doc graph.Document, present graph.Presence) map[pair][]float64 {
	return scoresBetween(doc, present, func(m graph.Mention) []graph.Candidate { return m.Concepts })
}

func scoresBetween(doc graph.Document, present graph.Presence, denoted func(graph.Mention) []graph.Candidate) map[pair][]float64 {
	best := map[string]graph.CUI{}
	for _, mention := range doc.Mentions {
		if concepts := denoted(mention); len(concepts) > 0 {
			best[mention.ID] = present.Of(concepts[0].CUI)
		}
	}
	scores := map[pair][]float64{}
	for _, relation := range doc.Relations {
		p := pair{best[relation.Head], best[relation.Tail], relation.Label, relation.Directed}.normal()
		if p.head != "" && p.tail != "" {
			scores[p] = append(scores[p], relation.Score)
		}
	}
	return scores
}

// addExtracted adds what a new document tells to the relationships EXTRACTED. The
// caller has locked their concepts. It costs the same however many documents
// there are.
func addExtracted(ctx context.Context, tx driver.ManagedTransaction, told map[pair][]float64) error {
	edges := make([]map[string]any, 0, len(told))
	for _, p := range sortedPairs(told) {
		edges = append(edges, extractedRow(p, 1, told[p]))
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

func sortedPairs(told map[pair][]float64) []pair {
	return slices.SortedFunc(maps.Keys(told), pair.compare)
}

// evidenceQuery gives for pairs the scores of all relations between mentions
// that stand for them, in the order of documents and of the relations in them. It
// starts at the concept that fewer mentions refer to, and looks at these alone.
const evidenceQuery = `
	UNWIND $pairs AS p
	MATCH (a:Concept {cui: p.head})
	MATCH (b:Concept {cui: p.tail})
	WITH p, CASE WHEN COUNT { (a)<-[:REFERS_TO]-() } <= COUNT { (b)<-[:REFERS_TO]-() } THEN [a, b, true] ELSE [b, a, false] END AS ends
	WITH p, ends[0] AS near, ends[1] AS far, ends[2] AS fromHead
	MATCH (near)<-[:REFERS_TO {rank: 1}]-(m:Mention)-[r]-(o:Mention)
	WHERE r.label = p.label AND r.directed = p.directed AND (NOT p.directed OR (startNode(r) = m) = fromHead)
	WITH DISTINCT p, far, m, o, r
	MATCH (o)-[:REFERS_TO {rank: 1}]->(far)
	MATCH (d:Document)-[:HAS_MENTION]->(m)
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
		var scores []float64
		for _, value := range valueOf[[]any](record, "scores") {
			score, _ := value.(float64)
			scores = append(scores, score)
		}
		edges[i] = extractedRow(readPair(record), intOf(record, "documents"), scores)
	}
	return run(ctx, tx, `
		UNWIND $edges AS edge
		MATCH (a:Concept {cui: edge.head})
		MATCH (b:Concept {cui: edge.tail})
		CREATE (a)-[x:EXTRACTED]->(b)
		SET x = edge {.label, .directed, .documents, .mentions, .maxScore, .noisyOr}`, map[string]any{"edges": edges})
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
		pairs[i] = readPair(record)
	}
	return pairs, nil
}

// extractedRow sums the scores of a pair up. noisyOr is the probability that at
// least one of the relations holds, if they were independent: 1 − Π(1 − score).
func extractedRow(p pair, documents int, scores []float64) map[string]any {
	highest, noneHolds := 0.0, 1.0
	for _, score := range scores {
		highest = max(highest, score)
		noneHolds *= 1 - score
	}
	row := p.row()
	row["documents"], row["mentions"], row["maxScore"], row["noisyOr"] = documents, len(scores), highest, 1-noneHolds
	return row
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
