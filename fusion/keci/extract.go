package keci

import (
	"context"
	"fmt"
	"slices"

	"github.com/keci-kg/keci/fusion"
	"github.com/keci-kg/keci/graph"
	"github.com/keci-kg/keci/internal/parallel"
	"github.com/keci-kg/keci/linker"
)

// Extract returns the graph of one document, with offsets in bytes of the text.
// The text is linked as a whole, so that an abbreviation is known wherever it
// occurs, and then its sentences are read one by one, or in windows of several.
func (m *Model) Extract(ctx context.Context, doc graph.Document) (graph.Document, error) {
	return m.extract(ctx, doc, func(text reading, predictions []prediction) graph.Document {
		return m.cfg.decodeText(doc, text, predictions)
	})
}

func (m *Model) extract(ctx context.Context, doc graph.Document, decode func(reading, []prediction) graph.Document) (graph.Document, error) {
	text, err := m.prepare(ctx, doc.Text)
	if err != nil {
		return graph.Document{}, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	predictions, err := m.predictAll(ctx, []reading{text})
	if err != nil {
		return graph.Document{}, fmt.Errorf("document %s: %w", doc.ID, err)
	}
	return m.named(decode(text, predictions[0])), nil
}

// For gives an extractor that finds what the given corpus annotates, in its labels,
// and nothing else. It is false for a model of one corpus, whose labels are all it
// has, and for a corpus that the model did not learn from.
func (m *Model) For(corpus string) (fusion.Extractor, bool) {
	at := slices.IndexFunc(m.cfg.heads(), func(h Head) bool { return h.Corpus == corpus })
	if at < 0 || len(m.cfg.More) == 0 {
		return nil, false
	}
	return ofCorpus{m, at}, true
}

// ofCorpus is a model with one of its heads.
type ofCorpus struct {
	model *Model
	head  int
}

// Extract returns the graph of one document with the labels of the head.
func (m ofCorpus) Extract(ctx context.Context, doc graph.Document) (graph.Document, error) {
	return m.model.extract(ctx, doc, func(text reading, predictions []prediction) graph.Document {
		return m.decode(doc, text, predictions)
	})
}

// decode reads the predictions of a text's windows with the labels of the head.
func (m ofCorpus) decode(doc graph.Document, text reading, predictions []prediction) graph.Document {
	return m.model.cfg.ofHead(m.head).decodeText(doc, text, ofHead(predictions, m.head))
}

// Info describes the model with the labels of the head.
func (m ofCorpus) Info() fusion.ModelInfo {
	info := m.model.info
	labels := describe(m.model.cfg.ofHead(m.head))
	info.EntityTypes, info.RelationLabels = labels.EntityTypes, labels.RelationLabels
	return info
}

// ofHead are the predictions of a text's windows with the labels of one head.
func ofHead(predictions []prediction, at int) []prediction {
	list := make([]prediction, len(predictions))
	for i, p := range predictions {
		list[i] = p.ofHead(at)
	}
	return list
}

// named says which model and which knowledge base a graph is of.
func (m *Model) named(doc graph.Document) graph.Document {
	doc.Model = &graph.Provenance{Name: m.info.Name, Digest: m.info.Digest}
	if m.cfg.has().knowledge {
		kb := m.kb
		doc.KB = &kb
	}
	return doc
}

// reading is a text cut into windows that are ready for the model.
type reading struct {
	windows   []linker.Range
	instances []*instance
	mentions  []graph.Mention // of the whole text, as the linker found them
}

// maxWindow is how many word pieces are read at once: memory grows with their
// square. A sentence that is longer, most often a list or a table without full
// stops, is read in parts. (The longest sentence of BioRelEx has 224.)
const maxWindow = 256

// windows cuts a text into what is read at once: sentences, or as many as
// Config.Window tells together. Those overlap, see [linker.Windows].
func (m *Model) windows(text string) []linker.Range {
	return linker.Windows(m.sentences(text), max(1, m.cfg.Window), func(r linker.Range) bool {
		return len(m.tokenizer.Tokenize(text[r.Start:r.End])) <= maxWindow
	})
}

// sentences cuts a text into sentences and parts of those that are too long.
func (m *Model) sentences(text string) []linker.Range {
	var parts []linker.Range
	for _, s := range linker.Sentences(text) {
		parts = append(parts, m.cut(text, s)...)
	}
	return parts
}

// cut divides a sentence that is too long where a word piece starts a word.
func (m *Model) cut(text string, sentence linker.Range) (parts []linker.Range) {
	if sentence.End-sentence.Start <= maxWindow { // no piece is shorter than a byte
		return []linker.Range{sentence}
	}
	pieces := m.tokenizer.Tokenize(text[sentence.Start:sentence.End])
	start := sentence.Start
	for len(pieces) > maxWindow {
		n := maxWindow
		for n > 1 && !pieces[n].Starting {
			n--
		}
		end := sentence.Start + pieces[n].Start
		parts = append(parts, linker.Range{Start: start, End: end})
		start, pieces = end, pieces[n:]
	}
	return append(parts, linker.Range{Start: start, End: sentence.End})
}

// prepare links a text and cuts it into windows.
func (m *Model) prepare(ctx context.Context, text string) (reading, error) {
	mentions, err := m.reader.link(ctx, text)
	if err != nil {
		return reading{}, err
	}
	r := reading{mentions: mentions}
	for _, window := range m.windows(text) {
		var inside []graph.Mention
		inside, mentions = cutMentions(mentions, window)
		in, err := m.reader.linked(ctx, text[window.Start:window.End], inside)
		if err != nil {
			return reading{}, err
		}
		if len(in.Spans) == 0 {
			continue
		}
		r.windows = append(r.windows, window)
		r.instances = append(r.instances, in)
	}
	return r, nil
}

// cutMentions takes those inside a window, with offsets in it, of mentions that are
// in order of their start. The rest are those that begin in the window or after it.
func cutMentions(mentions []graph.Mention, window linker.Range) (inside, rest []graph.Mention) {
	for len(mentions) > 0 && mentions[0].Start < window.Start {
		mentions = mentions[1:]
	}
	for _, m := range mentions {
		if m.Start >= window.End {
			break
		}
		if m.End <= window.End {
			m.Start, m.End = m.Start-window.Start, m.End-window.Start
			inside = append(inside, m)
		}
	}
	return inside, mentions
}

// predictAll runs the model on the windows of all texts, as many at once as
// there are processors. Each window is a batch of its own: what it is computed
// with, to the last bit, does not depend on its neighbours. The answer has the
// order of the texts and their windows.
func (m *Model) predictAll(ctx context.Context, texts []reading) ([][]prediction, error) {
	var instances []*instance
	for _, t := range texts {
		instances = append(instances, t.instances...)
	}
	if err := m.definitions.ensure(ctx, instances...); err != nil {
		return nil, err
	}
	flat, err := parallel.Map(ctx, instances, func(ctx context.Context, in *instance) (prediction, error) {
		return m.predictor.predict(ctx, m.batcher.alone(in))
	})
	if err != nil {
		return nil, err
	}
	answer := make([][]prediction, len(texts))
	for i, t := range texts {
		answer[i], flat = flat[:len(t.instances)], flat[len(t.instances):]
	}
	return answer, nil
}

// decodeText turns the predictions of a text's windows into its graph.
func (c Config) decodeText(doc graph.Document, text reading, predictions []prediction) graph.Document {
	doc = c.decodeHeads(text, predictions).document(doc)
	agree(doc.Mentions, productsOf(text), c.settles)
	linker.MarkNegated(doc.Text, doc.Mentions)
	linker.NameLongForms(doc.Mentions, text.mentions)
	return doc
}
