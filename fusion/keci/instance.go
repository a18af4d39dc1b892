package keci

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/graph"
)

// instance is one sentence made ready for the model: its word pieces, its
// candidate spans, the concepts that the linker found and the background
// knowledge graph over them.
type instance struct {
	Text       string
	Pieces     []encoder.Piece
	Spans      []encoder.Span
	AllSpans   int           // how many spans it has with those that begin or end with Borders
	Candidates [][]candidate // for each span, best first; C(s_i) of KECI §2.5
	Graph      *background   // nil without knowledge
}

// candidate is a concept that a span may denote, with its node in the graph.
type candidate struct {
	graph.Candidate
	Node int
}

// start and end are the byte range of a span in the text.
func (in *instance) start(s encoder.Span) int { return in.Pieces[s.First].Start }
func (in *instance) end(s encoder.Span) int   { return in.Pieces[s.Last].End }

// sameName tells whether two mentions are the same name, but for case. They
// denote the same thing then, and no relation between them is looked for: of
// the interactions in BioRelEx train 16 of 2,226 join a thing with itself, while
// of the false relations that a model found on held-out sentences 35 of 136 did.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

// nameNumbers gives each span a number, the same for spans of the same name.
func (in *instance) nameNumbers() []int32 {
	numbers := make([]int32, len(in.Spans))
	known := map[string]int32{}
	for i, s := range in.Spans {
		name := strings.ToLower(in.Text[in.start(s):in.end(s)])
		if _, ok := known[name]; !ok {
			known[name] = int32(len(known))
		}
		numbers[i] = known[name]
	}
	return numbers
}

// instancer turns sentences into instances.
type instancer struct {
	cfg       Config
	tokenizer *encoder.Tokenizer
	linker    system.Linker
	knowledge graph.Knowledge
	borders   borderIDs
}

// link finds the mentions of a text in order of their start, each with at most
// the configured number of candidates. Without knowledge there are none.
func (r *instancer) link(ctx context.Context, text string) ([]graph.Mention, error) {
	if !r.cfg.has().knowledge {
		return nil, nil
	}
	mentions, err := r.linker.Link(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("link the text: %w", err)
	}
	for i := range mentions {
		mentions[i].Concepts = mentions[i].Concepts[:min(len(mentions[i].Concepts), r.cfg.Knowledge.Candidates)]
	}
	slices.SortStableFunc(mentions, func(a, b graph.Mention) int { return cmp.Compare(a.Start, b.Start) })
	return mentions, nil
}

// linked makes a sentence ready whose mentions are known: it reads its
// background knowledge graph.
func (r *instancer) linked(ctx context.Context, text string, mentions []graph.Mention) (*instance, error) {
	in := &instance{Text: text, Pieces: r.tokenizer.Tokenize(text)}
	all := encoder.Spans(in.Pieces, r.cfg.Span.MaxWidth)
	in.AllSpans = len(all)
	in.Spans = r.borders.within(in.Pieces, all)
	in.Candidates = make([][]candidate, len(in.Spans))
	if !r.cfg.has().knowledge {
		return in, nil
	}
	sub, err := r.knowledge.Subgraph(ctx, cuisOf(mentions))
	if err != nil {
		return nil, fmt.Errorf("read the background knowledge graph: %w", err)
	}
	in.Graph = newBackground(sub)
	in.attach(mentions)
	return in, nil
}

// attach gives each span the candidates of the mention with exactly its range.
func (in *instance) attach(mentions []graph.Mention) {
	type byteRange struct{ start, end int }
	found := make(map[byteRange][]graph.Candidate, len(mentions))
	for _, m := range mentions {
		found[byteRange{m.Start, m.End}] = m.Concepts
	}
	for i, span := range in.Spans {
		for _, c := range found[byteRange{in.start(span), in.end(span)}] {
			if n, ok := in.Graph.index[c.CUI]; ok {
				in.Candidates[i] = append(in.Candidates[i], candidate{c, n})
			}
		}
	}
}

func cuisOf(mentions []graph.Mention) []graph.CUI {
	var cuis []graph.CUI
	for _, m := range mentions {
		for _, c := range m.Concepts {
			cuis = append(cuis, c.CUI)
		}
	}
	return cuis
}
