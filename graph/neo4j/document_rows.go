package neo4j

import "github.com/keci-kg/keci/graph"

func documentRow(d graph.Document) map[string]any {
	row := map[string]any{"id": d.ID, "title": orNil(d.Title), "text": d.Text, "submittedAt": *d.Submitted, "extracted": d.Relations != nil}
	if d.Model != nil {
		row["model"], row["modelDigest"] = d.Model.Name, d.Model.Digest
	}
	if d.KB != nil {
		row["kb"], row["kbDigest"] = d.KB.Name, d.KB.Digest
	}
	return row
}

// readDocumentRow reads a document without mentions and relations.
func readDocumentRow(from getter) graph.Document {
	return graph.Document{
		ID: stringOf(from, "id"), Title: stringOf(from, "title"), Text: stringOf(from, "text"), Offsets: graph.OffsetCodepoint,
		Submitted: timeOf(from, "submittedAt"), Model: readProvenance(from, "model"), KB: readProvenance(from, "kb"),
	}
}

func readProvenance(from getter, key string) *graph.Provenance {
	if _, known := from.Get(key); !known {
		return nil
	}
	return &graph.Provenance{Name: stringOf(from, key), Digest: stringOf(from, key+"Digest")}
}

// mentionRow is a mention without its links; place counts from 0.
func mentionRow(m graph.Mention, place int) map[string]any {
	row := map[string]any{
		"id": m.ID, "place": place, "start": m.Start, "end": m.End, "text": m.Text, "type": orNil(m.Type), "score": orNil(m.Score),
		"negated": m.Negated, "longForm": orNil(m.LongForm),
	}
	if m.Initial != nil {
		row["initialType"], row["initialScore"] = m.Initial.Type, m.Initial.Score
	}
	if m.Sentinel != nil {
		row["sentinel"] = *m.Sentinel
	}
	return row
}

// readMention reads a mention with its links.
func readMention(from getter) graph.Mention {
	m := graph.Mention{
		ID: stringOf(from, "id"), Start: intOf(from, "start"), End: intOf(from, "end"), Text: stringOf(from, "text"),
		Type: stringOf(from, "type"), Score: valueOf[float64](from, "score"), Negated: valueOf[bool](from, "negated"),
		LongForm: stringOf(from, "longForm"), Sentinel: floatPointer(from, "sentinel"), Concepts: mapsOf(from, "links", readLink),
	}
	if score := floatPointer(from, "initialScore"); score != nil {
		m.Initial = &graph.Judgement{Type: stringOf(from, "initialType"), Score: *score}
	}
	return m
}

// linkRow is a candidate as a relationship; the best one has rank 1.
func linkRow(c graph.Candidate, place int) map[string]any {
	row := map[string]any{
		"rank": place + 1, "score": c.Score, "name": c.Name, "semanticTypes": listOrNil(c.SemanticTypes), "matched": c.Matched,
		"centrality": c.Centrality, "variation": c.Variation, "coverage": c.Coverage, "cohesiveness": c.Cohesiveness,
	}
	if c.Weight != nil {
		row["weight"] = *c.Weight
	}
	return row
}

func readLink(from getter) graph.Candidate {
	c := graph.Candidate{
		CUI: graph.CUI(stringOf(from, "cui")), Name: stringOf(from, "name"), SemanticTypes: idsOf[graph.TUI](from, "semanticTypes"),
		Weight: floatPointer(from, "weight"), Score: intOf(from, "score"), Matched: stringOf(from, "matched"),
		Centrality: valueOf[float64](from, "centrality"), Variation: valueOf[float64](from, "variation"),
		Coverage: valueOf[float64](from, "coverage"), Cohesiveness: valueOf[float64](from, "cohesiveness"),
	}
	if c.SemanticTypes == nil {
		c.SemanticTypes = []graph.TUI{}
	}
	return c
}

// extractionRow is a relation as a relationship; place counts from 0.
func extractionRow(r graph.Extraction, place int, model *graph.Provenance) map[string]any {
	row := map[string]any{
		"id": r.ID, "place": place, "label": r.Label, "directed": r.Directed, "score": r.Score,
		"initialType": orNil(r.Initial.Type), "initialScore": r.Initial.Score,
	}
	if model != nil {
		row["model"] = model.Name
	}
	return row
}

func readExtraction(from getter) graph.Extraction {
	return graph.Extraction{
		ID: stringOf(from, "id"), Head: stringOf(from, "head"), Tail: stringOf(from, "tail"), Label: stringOf(from, "label"),
		Directed: valueOf[bool](from, "directed"), Score: valueOf[float64](from, "score"),
		Initial: graph.Judgement{Type: stringOf(from, "initialType"), Score: valueOf[float64](from, "initialScore")},
	}
}
