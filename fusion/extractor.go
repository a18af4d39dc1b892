// Package fusion turns biomedical texts into document graphs: the entities of
// a text and the relations among them, inferred jointly with what a knowledge
// base knows about the concepts that the text mentions.
package fusion

import (
	"context"

	"github.com/keci-kg/keci/graph"
)

// Extractor turns texts into document graphs. Implementations are safe for
// concurrent use.
type Extractor interface {
	// Extract returns the graph of one document. It reads ID, Title and Text of
	// doc; the answer has byte offsets (graph.OffsetByte), mentions, relations,
	// and the provenance of model and knowledge base. The same document gives
	// the same answer.
	Extract(ctx context.Context, doc graph.Document) (graph.Document, error)

	// Info describes the model behind the extractor.
	Info() ModelInfo
}

// Staged is an Extractor that can also tell what it made of the text alone.
type Staged interface {
	Extractor

	// ExtractStages returns two graphs of one document, as Extract does: the one
	// that the text alone gives, read with the same thresholds, and the final one.
	ExtractStages(ctx context.Context, doc graph.Document) (initial, final graph.Document, err error)
}

// ModelInfo describes a model.
type ModelInfo struct {
	Name           string   `json:"name"`
	Digest         string   `json:"digest"`           // "sha256:…" over the files of the model
	Variant        string   `json:"variant"`          // for example "keci"
	Engine         string   `json:"engine,omitempty"` // what computes: "go"; empty where nothing does
	Parameters     int      `json:"parameters"`
	EntityTypes    []string `json:"entityTypes"`
	RelationLabels []string `json:"relationLabels"`
}
