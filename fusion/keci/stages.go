package keci

import (
	"context"
	"fmt"

	"github.com/keci-kg/keci/graph"
)

// ExtractStages gives the graphs of both stages of the model: the one that the
// text alone gives, read with the same thresholds, and the final one, as Extract
// gives it. Where a variant has no fusion they are the same.
func (m *Model) ExtractStages(ctx context.Context, doc graph.Document) (initial, final graph.Document, err error) {
	return m.stages(ctx, doc, func(text reading, predictions []prediction) graph.Document {
		return m.cfg.decodeText(doc, text, predictions)
	})
}

// ExtractStages gives the graphs of both stages with the labels of the head.
func (m ofCorpus) ExtractStages(ctx context.Context, doc graph.Document) (initial, final graph.Document, err error) {
	return m.model.stages(ctx, doc, func(text reading, predictions []prediction) graph.Document {
		return m.decode(doc, text, predictions)
	})
}

// stages reads a document and decodes what each stage gives of it.
func (m *Model) stages(ctx context.Context, doc graph.Document, decode func(reading, []prediction) graph.Document) (initial, final graph.Document, err error) {
	text, err := m.prepare(ctx, doc.Text)
	if err != nil {
		return initial, final, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	predictions, err := m.predictAll(ctx, []reading{text})
	if err != nil {
		return initial, final, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	before := make([]prediction, len(predictions[0]))
	for i, p := range predictions[0] {
		before[i] = p.initial()
	}
	return m.named(decode(text, before)), m.named(decode(text, predictions[0])), nil
}

// initial is what the text alone gives, of every head.
func (p prediction) initial() prediction {
	p.finalTypes, p.finalRelations, p.attention = p.initialTypes, p.initialRelations, nil
	more := make([]prediction, len(p.more))
	for i, other := range p.more {
		more[i] = other.initial()
	}
	p.more = more
	return p
}
