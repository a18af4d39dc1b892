package keci

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/linker"
)

// batchTexts is how many sentences are predicted at once.
const batchTexts = 8

// Extract returns the graph of one document: its sentences are read one by one,
// with offsets in bytes of the whole text.
func (m *Model) Extract(ctx context.Context, doc graph.Document) (graph.Document, error) {
	text, err := m.prepare(ctx, doc.Text)
	if err != nil {
		return graph.Document{}, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	predictions, err := m.predictAll(ctx, []reading{text})
	if err != nil {
		return graph.Document{}, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	doc = m.cfg.decodeText(doc, text, predictions[0])
	doc.Model = &graph.Provenance{Name: m.info.Name, Digest: m.info.Digest}
	if m.cfg.usesKnowledge() {
		kb := m.kb
		doc.KB = &kb
	}
	return doc, nil
}

// reading is a text cut into sentences that are ready for the model.
type reading struct {
	segments  []segment // byte ranges of the sentences
	instances []*instance
}

// prepare cuts a text into sentences and links each.
func (m *Model) prepare(ctx context.Context, text string) (reading, error) {
	var r reading
	for _, sentence := range linker.Sentences(text) {
		in, err := m.reader.instance(ctx, text[sentence.Start:sentence.End])
		if err != nil {
			return reading{}, err
		}
		if len(in.Spans) == 0 {
			continue
		}
		r.segments = append(r.segments, segment{sentence.Start, sentence.End})
		r.instances = append(r.instances, in)
	}
	return r, nil
}

// rowOf is one text of a batch's prediction.
type rowOf struct {
	prediction
	row int
}

// predictAll runs the model on the sentences of all texts, those of similar
// length together. The answer has the order of the texts and their sentences.
func (m *Model) predictAll(ctx context.Context, texts []reading) ([][]rowOf, error) {
	var instances []*instance
	for _, t := range texts {
		instances = append(instances, t.instances...)
	}
	if err := m.definitions.ensure(ctx, instances...); err != nil {
		return nil, err
	}
	flat := make([]rowOf, len(instances))
	for _, group := range byLength(instances, batchTexts) {
		var batch []*instance
		for _, i := range group {
			batch = append(batch, instances[i])
		}
		p, err := m.predictor.predict(ctx, m.batcher.batch(batch, len(batch)), m.encoderConfig.HiddenSize)
		if err != nil {
			return nil, err
		}
		for row, i := range group {
			flat[i] = rowOf{p, row}
		}
	}
	answer := make([][]rowOf, len(texts))
	for i, t := range texts {
		answer[i], flat = flat[:len(t.instances)], flat[len(t.instances):]
	}
	return answer, nil
}

// decodeText turns the predictions of a text's sentences into its graph.
func (c Config) decodeText(doc graph.Document, text reading, predictions []rowOf) graph.Document {
	results := make([]found, len(predictions))
	for i, p := range predictions {
		results[i] = c.decode(text.instances[i], p.prediction, p.row)
	}
	return c.document(doc, text.segments, results)
}

// byLength groups instances, as indices, so that each group of at most size has
// similar numbers of pieces.
func byLength(instances []*instance, size int) [][]int {
	order := make([]int, len(instances))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(len(instances[a].Pieces), len(instances[b].Pieces))
	})
	return slices.Collect(slices.Chunk(order, size))
}
