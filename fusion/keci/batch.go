package keci

import (
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/compiled"
	"github.com/keci-kg/keci/graph"
)

// maxRow is the longest row of word pieces that an encoder reads, [CLS] and [SEP]
// included; one that is trained for fewer reads those. Longer texts are read in
// windows.
const maxRow = 512

// outsideSpan is added to the attention score of a piece outside the span.
const outsideSpan = -1e9

// batchShape is what a graph is compiled for. Each dimension is the largest of
// the batch, rounded up so that few shapes occur (see grain).
type batchShape struct {
	B int // texts
	T int // pieces of a text
	R int // rows of the encoder: B, unless a text is longer than a row
	S int // pieces of a row
	N int // spans of a text
	V int // nodes of a background graph
	E int // edges of all the graphs
	C int // candidates of a span
	P int // pieces of a name
	H int // width of the encoder
	K int // mentions of the linker in a text
}

// grain is what the dimensions of a shape are rounded up to: with a finer one less
// is computed in vain, with a coarser one fewer graphs are compiled.
type grain struct {
	pieces, spans, nodes, mentions int // a multiple of these
	edges, factor                  int // edges, times a power of the factor
}

// A text that is served is laid out alone. While training, nearly every batch had
// a shape of its own with the finer grain, and compiling its graph takes as long as
// computing it. An engine that plans each shape thoroughly compiles for seconds.
var (
	servingGrain  = grain{pieces: 8, spans: 32, nodes: 32, mentions: 16, edges: 1024, factor: 2}
	trainingGrain = grain{pieces: 16, spans: 128, nodes: 64, mentions: 32, edges: 1024, factor: 4}
	coarseGrain   = grain{pieces: 64, spans: 256, nodes: 64, mentions: 64, edges: 2048, factor: 4}
)

// grainFor is the usual grain, or the coarse one where the engine compiles long:
// that is one which cannot make a graph for all shapes.
func grainFor(backend compute.Backend, usual grain) grain {
	if backend.Capabilities().HasDynamicShapes() {
		return usual
	}
	return coarseGrain
}

// batch is a set of instances as tensors.
type batch struct {
	batchShape
	has       parts
	instances []*instance

	ids       []int32   // [R, S] word pieces, [CLS] and [SEP] included
	rowMask   []float32 // [R, S] 1 for a piece
	tokens    []int32   // [B, T] where each piece stands in the flat [R·S]
	spanFirst []int32   // [B, N] flat index b·T+t
	spanLast  []int32   // [B, N]
	spanWidth []int32   // [B, N] pieces − 1
	spanBias  []float32 // [B, N, T]
	spanMask  []float32 // [B, N] 1 for a span
	kept      []int32   // [B] how many spans are kept

	nodeType   []int32   // [B, V] 0: concept, 1: unknown type, 2…: semantic types
	namePieces []int32   // [B, V, P]
	nameWeight []float32 // [B, V, P] 1/length of the name, 0 for padding
	definition []float32 // [B, V, H] encoder vector of the definition
	defined    []float32 // [B, V] 1 when there is a definition
	edgeAt     []int32   // [E] flat index (b·V+to)·V+from
	edgeKind   []int32   // [E] row of the relation's coefficients
	edgeNorm   []float32 // [E] 1/|N_i^k|, 0 for padding
	candNode   []int32   // [B, N, C] flat index b·V+v
	candMask   []float32 // [B, N, C] 1 for a candidate
	nodeTypes  []float32 // [B, V, Y+1] share of each of the Y semantic types of the embeddings; the last column is 1 for a type itself
	bag        []float32 // [B, V, H] mean word-piece vector of the definition, 0 without one
	mention    []int32   // [B, K] the spans that have candidates, −1 for padding
}

// batcher turns instances into batches.
type batcher struct {
	cfg       Config
	tokenizer *encoder.Tokenizer
	width     int // H, of the encoder
	row       int // longest row of the encoder
	types     vocabulary
	relations vocabulary
	embedded  map[graph.TUI]int // column of each semantic type that embeddings know
	grain     grain
}

func newBatcher(cfg Config, grain grain, tokenizer *encoder.Tokenizer, enc encoder.Config) *batcher {
	embedded := map[graph.TUI]int{}
	if cfg.has().kge {
		for column, tui := range cfg.Knowledge.Embeddings.SemanticTypes {
			embedded[tui] = column
		}
	}
	return &batcher{
		cfg: cfg, tokenizer: tokenizer,
		width:     enc.HiddenSize,
		row:       min(maxRow, enc.MaxPositionEmbeddings),
		types:     newVocabulary(cfg.Knowledge.SemanticTypes),
		relations: newVocabulary(cfg.Knowledge.Relations),
		embedded:  embedded,
		grain:     grain,
	}
}

// shape has room for each of the batches, of at most the given number of texts.
func (m *batcher) shape(texts int, batches ...[]*instance) batchShape {
	s := batchShape{B: texts, H: m.width, C: m.cfg.Knowledge.Candidates, P: m.cfg.Knowledge.NamePieces}
	pieces := 1
	for _, batch := range batches {
		edges := 0
		for _, in := range batch {
			pieces, s.N, s.K = max(pieces, len(in.Pieces)), max(s.N, len(in.Spans)), max(s.K, in.linked())
			if in.Graph != nil {
				s.V = max(s.V, len(in.Graph.Nodes))
				edges += len(in.Graph.Edges)
			}
		}
		s.E = max(s.E, edges)
	}
	s.S = min(compiled.RoundUp(pieces+2, m.grain.pieces), m.row)
	s.T = s.S - 2
	if pieces > s.T {
		s.T = compiled.RoundUp(pieces, 64)
	}
	s.N = compiled.RoundUp(max(s.N, 1), m.grain.spans)
	s.V = compiled.RoundUp(max(s.V, 1), m.grain.nodes)
	if !m.cfg.has().kar {
		s.K = 0 // read by nothing: no reason for another graph
	}
	s.K = compiled.RoundUp(max(s.K, 1), m.grain.mentions)
	s.E = compiled.RoundUpPower(s.E, m.grain.edges, m.grain.factor)
	return s
}

// linked is how many spans have candidates.
func (in *instance) linked() int {
	count := 0
	for _, candidates := range in.Candidates {
		if len(candidates) > 0 {
			count++
		}
	}
	return count
}

// alone is a batch of one text.
func (m *batcher) alone(in *instance) *batch {
	return m.batch(m.shape(1, []*instance{in}), in)
}

// batch lays out instances in a shape that has room for them.
func (m *batcher) batch(shape batchShape, instances ...*instance) *batch {
	b := &batch{batchShape: shape, instances: instances, has: m.cfg.has()}
	b.layOutPieces(m.tokenizer)
	b.layOutSpans(m.cfg)
	if b.has.knowledge {
		b.layOutNodes(m)
		b.layOutCandidates()
	}
	if b.has.definitions {
		b.layOutDefinitions()
	}
	if b.has.kge {
		b.layOutTypes(m.embedded)
	}
	if b.has.rgcn {
		b.layOutEdges(m.relations)
	}
	if b.has.kar {
		b.layOutMentions()
	}
	return b
}

// layOutPieces fills the rows of the encoder and where each piece stands in them.
// Only of texts longer than a row are there more rows than texts.
func (b *batch) layOutPieces(t *encoder.Tokenizer) {
	texts := make([][]encoder.Piece, b.B) // padding has no pieces
	for i, in := range b.instances {
		texts[i] = in.Pieces
	}
	rows := encoder.LayOut(texts, t, b.S)
	b.R, b.ids, b.rowMask = rows.Count, rows.IDs, rows.Mask
	b.tokens = make([]int32, b.B*b.T)
	for i, places := range rows.Places {
		copy(b.tokens[i*b.T:], places)
	}
}

// layOutSpans fills where the spans lie.
func (b *batch) layOutSpans(cfg Config) {
	b.spanFirst = make([]int32, b.B*b.N)
	b.spanLast = make([]int32, b.B*b.N)
	b.spanWidth = make([]int32, b.B*b.N)
	b.spanMask = make([]float32, b.B*b.N)
	b.spanBias = make([]float32, b.B*b.N*b.T)
	b.kept = make([]int32, b.B)
	for i, in := range b.instances {
		b.kept[i] = int32(min(keptSpans(cfg, len(in.Pieces)), len(in.Spans)))
		for n, s := range in.Spans {
			at := i*b.N + n
			b.spanFirst[at] = int32(i*b.T + s.First)
			b.spanLast[at] = int32(i*b.T + s.Last)
			b.spanWidth[at] = int32(s.Last - s.First)
			b.spanMask[at] = 1
			bias := b.spanBias[at*b.T : (at+1)*b.T]
			for t := range bias {
				if t < s.First || t > s.Last {
					bias[t] = outsideSpan
				}
			}
		}
	}
}

// keptSpans is how many spans of a text of n pieces are kept: λ·n, at least 1.
func keptSpans(cfg Config, n int) int {
	return max(1, int(math.Ceil(cfg.KeptRatio*float64(n))))
}

// layOutNodes fills the nodes of the background graphs.
func (b *batch) layOutNodes(m *batcher) {
	b.nodeType = make([]int32, b.B*b.V)
	b.namePieces = make([]int32, b.B*b.V*b.P)
	b.nameWeight = make([]float32, b.B*b.V*b.P)
	for i, in := range b.instances {
		for v, n := range in.Graph.Nodes {
			at := i*b.V + v
			if n.TUI != "" {
				b.nodeType[at] = 1 + m.types[string(n.TUI)]
			}
			b.fillName(at*b.P, m.tokenizer.Tokenize(n.Name))
		}
	}
}

func (b *batch) fillName(at int, pieces []encoder.Piece) {
	pieces = pieces[:min(len(pieces), b.P)]
	for p := range pieces {
		b.namePieces[at+p] = pieces[p].ID
		b.nameWeight[at+p] = 1 / float32(len(pieces))
	}
}

// layOutDefinitions fills the vectors of the nodes' definitions.
func (b *batch) layOutDefinitions() {
	b.definition = make([]float32, b.B*b.V*b.H)
	b.defined = make([]float32, b.B*b.V)
	b.bag = make([]float32, b.B*b.V*b.H)
	for i, in := range b.instances {
		for v, n := range in.Graph.Nodes {
			if n.defined != nil {
				at := i*b.V + v
				copy(b.definition[at*b.H:], n.defined.Vector)
				copy(b.bag[at*b.H:], n.defined.Bag)
				b.defined[at] = 1
			}
		}
	}
}

// layOutTypes fills what the embeddings read of the nodes' semantic types, with
// the column of each type that they know.
func (b *batch) layOutTypes(columns map[graph.TUI]int) {
	width := len(columns) + 1
	b.nodeTypes = make([]float32, b.B*b.V*width)
	for i, in := range b.instances {
		for v, n := range in.Graph.Nodes {
			row := b.nodeTypes[(i*b.V+v)*width : (i*b.V+v+1)*width]
			var known []int
			for _, tui := range n.Types {
				if column, ok := columns[tui]; ok {
					known = append(known, column)
				}
			}
			for _, column := range known {
				row[column] = 1 / float32(len(known))
			}
			if n.TUI != "" {
				row[width-1] = 1
			}
		}
	}
}

// layOutEdges fills the edges with the weight 1/|N_i^k| of KECI eq. 5.
func (b *batch) layOutEdges(relations vocabulary) {
	b.edgeAt = make([]int32, b.E)
	b.edgeKind = make([]int32, b.E)
	b.edgeNorm = make([]float32, b.E)
	at := 0
	for i, in := range b.instances {
		type neighborhood struct {
			to   int
			kind int32
		}
		degree := map[neighborhood]int{}
		for _, e := range in.Graph.Edges {
			degree[neighborhood{e.To, relations[e.Relation]}]++
		}
		for _, e := range in.Graph.Edges {
			kind := relations[e.Relation]
			b.edgeAt[at] = int32((i*b.V+e.To)*b.V + e.From)
			b.edgeKind[at] = kind
			b.edgeNorm[at] = 1 / float32(degree[neighborhood{e.To, kind}])
			at++
		}
	}
}

// layOutCandidates fills C(s_i) for every span.
func (b *batch) layOutCandidates() {
	b.candNode = make([]int32, b.B*b.N*b.C)
	b.candMask = make([]float32, b.B*b.N*b.C)
	for i, in := range b.instances {
		for n, candidates := range in.Candidates {
			for c, candidate := range candidates {
				at := (i*b.N+n)*b.C + c
				b.candNode[at] = int32(i*b.V + candidate.Node)
				b.candMask[at] = 1
			}
		}
	}
}

// layOutMentions lists the spans that the linker found.
func (b *batch) layOutMentions() {
	b.mention = slices.Repeat([]int32{-1}, b.B*b.K)
	for i, in := range b.instances {
		at := i * b.K
		for n, candidates := range in.Candidates {
			if len(candidates) > 0 {
				b.mention[at] = int32(n)
				at++
			}
		}
	}
}

// tensors are the inputs of the model's graph, in the order of newInputs.
func (b *batch) tensors() []*tensors.Tensor {
	list := []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(b.ids, b.R, b.S),
		tensors.FromFlatDataAndDimensions(b.rowMask, b.R, b.S),
		tensors.FromFlatDataAndDimensions(b.tokens, b.B, b.T),
		tensors.FromFlatDataAndDimensions(b.spanFirst, b.B, b.N),
		tensors.FromFlatDataAndDimensions(b.spanLast, b.B, b.N),
		tensors.FromFlatDataAndDimensions(b.spanWidth, b.B, b.N),
		tensors.FromFlatDataAndDimensions(b.spanBias, b.B, b.N, b.T),
		tensors.FromFlatDataAndDimensions(b.spanMask, b.B, b.N),
		tensors.FromFlatDataAndDimensions(b.kept, b.B),
	}
	if b.has.knowledge {
		list = append(list,
			tensors.FromFlatDataAndDimensions(b.nodeType, b.B, b.V),
			tensors.FromFlatDataAndDimensions(b.namePieces, b.B, b.V, b.P),
			tensors.FromFlatDataAndDimensions(b.nameWeight, b.B, b.V, b.P),
			tensors.FromFlatDataAndDimensions(b.candNode, b.B, b.N, b.C),
			tensors.FromFlatDataAndDimensions(b.candMask, b.B, b.N, b.C))
	}
	if b.has.definitions {
		list = append(list,
			tensors.FromFlatDataAndDimensions(b.definition, b.B, b.V, b.H),
			tensors.FromFlatDataAndDimensions(b.defined, b.B, b.V))
	}
	if b.has.kge {
		list = append(list, tensors.FromFlatDataAndDimensions(b.nodeTypes, b.B, b.V, len(b.nodeTypes)/(b.B*b.V)))
	}
	if b.has.kge && b.has.definitions {
		list = append(list, tensors.FromFlatDataAndDimensions(b.bag, b.B, b.V, b.H))
	}
	if b.has.rgcn {
		list = append(list,
			tensors.FromFlatDataAndDimensions(b.edgeAt, b.E),
			tensors.FromFlatDataAndDimensions(b.edgeKind, b.E),
			tensors.FromFlatDataAndDimensions(b.edgeNorm, b.E))
	}
	if b.has.kar {
		list = append(list, tensors.FromFlatDataAndDimensions(b.mention, b.B, b.K))
	}
	return list
}
