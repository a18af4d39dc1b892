package neo4j

import (
	"encoding/json"

	"github.com/keci-kg/keci/graph"
)

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
		"negated": m.Negated, "longForm": orNil(m.LongForm), "final": orNil(m.Final),
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
		LongForm: stringOf(from, "longForm"), Sentinel: floatPointer(from, "sentinel"), Final: valueOf[bool](from, "final"), Concepts: mapsOf(from, "links", readLink),
	}
	if score := floatPointer(from, "initialScore"); score != nil {
		m.Initial = &graph.Judgement{Type: stringOf(from, "initialType"), Score: *score}
	}
	return m
}

// firstRank is the rank of the first candidate of a mention: 1 where the mention stands
// for it, and 2 where it stands for none.
func firstRank(m graph.Mention) int {
	if len(m.Denoted()) == 0 {
		return 2
	}
	return 1
}

// linkRow is a candidate as a relationship.
func linkRow(c graph.Candidate, rank int) map[string]any {
	row := map[string]any{
		"rank": rank, "score": c.Score, "confidence": c.Confidence, "name": c.Name, "semanticTypes": listOrNil(c.SemanticTypes),
		"matched": c.Matched, "variant": orNil(c.Variant), "path": pathText(c.Path),
		"centrality": c.Centrality, "variation": c.Variation, "coverage": c.Coverage, "cohesiveness": c.Cohesiveness,
		"codes": listOrNil(codeTexts(c.Codes)), "synonyms": listOrNil(c.Synonyms),
	}
	if c.Weight != nil {
		row["weight"] = *c.Weight
	}
	return row
}

func readLink(from getter) graph.Candidate {
	c := graph.Candidate{
		CUI: graph.CUI(stringOf(from, "cui")), Name: stringOf(from, "name"), SemanticTypes: idsOf[graph.TUI](from, "semanticTypes"),
		Weight: floatPointer(from, "weight"), Score: intOf(from, "score"), Confidence: valueOf[float64](from, "confidence"),
		Matched: stringOf(from, "matched"), Variant: stringOf(from, "variant"), Path: readPath(from, "path"),
		Centrality: valueOf[float64](from, "centrality"), Variation: valueOf[float64](from, "variation"),
		Coverage: valueOf[float64](from, "coverage"), Cohesiveness: valueOf[float64](from, "cohesiveness"),
		Codes: codesOf(from, "codes"), Synonyms: stringsOf(from, "synonyms"),
	}
	if c.SemanticTypes == nil {
		c.SemanticTypes = []graph.TUI{}
	}
	return c
}

// pathText is a path as one property, JSON: a relationship has no lists of more
// than plain values.
func pathText(path []graph.VariantStep) any {
	text, err := json.Marshal(path)
	if err != nil || len(path) == 0 {
		return nil
	}
	return string(text)
}

// readPath is nil for what is absent, or not what pathText writes.
func readPath(from getter, key string) (path []graph.VariantStep) {
	if json.Unmarshal([]byte(stringOf(from, key)), &path) != nil {
		return nil
	}
	return path
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
