package keci

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/graph"
)

// reference is KECI in plain Go and float64, one text at a time and without
// padding, written from the equations of the paper. It takes from the program
// only the weights, the vectors of the encoder (which package encoder compares
// with a reference of its own) and the enumeration of spans (tested there too).
type reference struct {
	cfg       Config
	weights   map[string]matrix
	encoder   *encoder.Encoder
	knowledge *fakeKnowledge
}

// matrix has rows of columns values; a vector is one row.
type matrix struct {
	columns int
	values  []float64
}

func (m matrix) row(r int) []float64 { return m.values[r*m.columns : (r+1)*m.columns] }

func newReference(t testing.TB, m *Model, k *fakeKnowledge) *reference {
	t.Helper()
	r := &reference{cfg: m.cfg, weights: map[string]matrix{}, knowledge: k}
	for _, v := range weightsOf(m.store) {
		dims := v.Shape().Dimensions
		w := matrix{columns: dims[len(dims)-1]}
		for _, x := range tensors.MustCopyFlatData[float32](v.MustValue()) {
			w.values = append(w.values, float64(x))
		}
		r.weights[v.Path()] = w
	}
	var err error
	if r.encoder, err = encoder.Open(enginetest.Go(), newEncoderFolder(t)); err != nil {
		t.Fatal(err)
	}
	return r
}

// judged is what the reference says of a text. The spans are all of the text;
// everything below Kept is about the kept ones, in their order.
type judged struct {
	pieces    []encoder.Piece
	spans     []encoder.Span
	all       int         // spans with those that borders rule out
	spanTypes [][]float64 // logits

	kept             []int
	finalTypes       [][]float64   // logits
	initialRelations [][][]float64 // logits
	finalRelations   [][][]float64 // logits
	attention        [][]float64   // probabilities: the sentinel, then the candidates
}

// read is the whole network.
func (r *reference) read(t testing.TB, text string) judged {
	t.Helper()
	encoded, err := r.encoder.Encode(t.Context(), []string{text})
	if err != nil {
		t.Fatal(err)
	}
	j := judged{pieces: encoded[0].Pieces, spans: encoder.Spans(encoded[0].Pieces, r.cfg.Span.MaxWidth)}
	j.all = len(j.spans)
	j.spans = slices.DeleteFunc(j.spans, func(s encoder.Span) bool {
		word := func(p encoder.Piece) string { return strings.ToLower(text[p.Start:p.End]) } // where each word of borders is one piece
		return slices.Contains(r.cfg.Borders.NeverFirst, word(j.pieces[s.First])) || slices.Contains(r.cfg.Borders.NeverLast, word(j.pieces[s.Last]))
	})
	vectors := wideRows(encoded[0].Vectors)
	var linked map[int][]float64
	if r.cfg.Variant == VariantKnowBERT {
		vectors, linked = r.recontextualize(t, text, j, vectors)
	}
	var all [][]float64
	for _, span := range j.spans {
		s := r.span(vectors, span)
		all = append(all, s)
		j.spanTypes = append(j.spanTypes, r.scorer("/initial/type", s))
	}
	j.kept = r.keep(j)
	var s [][]float64
	var spans []encoder.Span
	for _, i := range j.kept {
		s, spans = append(s, all[i]), append(spans, j.spans[i])
	}
	j.initialRelations = r.pairs("/initial/relation", s, spans, vectors)
	if r.onePass() {
		for _, i := range j.kept {
			j.finalTypes = append(j.finalTypes, j.spanTypes[i])
			j.attention = append(j.attention, append(linked[i], 1)[:max(1, len(linked[i]))])
		}
		j.finalRelations = j.initialRelations
		return j
	}
	h := s
	if r.cfg.Variant != VariantNoBiGCN && r.cfg.Variant != VariantFlatAttention {
		h = r.spanGraph(s, j.initialRelations)
	}
	nodes, candidates := r.knowledgeGraph(t, text)
	var final [][]float64
	for i, span := range j.kept {
		start, end := j.pieces[j.spans[span].First].Start, j.pieces[j.spans[span].Last].End
		var n [][]float64
		for _, cui := range candidates[[2]int{start, end}] {
			n = append(n, nodes[string(cui)])
		}
		f, beta := r.attend(h[i], n)
		j.attention = append(j.attention, beta)
		final = append(final, slices.Concat(f, h[i]))
	}
	for _, g := range final {
		j.finalTypes = append(j.finalTypes, r.scorer("/final/type", g))
	}
	j.finalRelations = r.pairs("/final/relation", final, spans, vectors)
	return j
}

// onePass tells whether the initial span graph is the output.
func (r *reference) onePass() bool {
	return r.cfg.Variant == VariantSentContext || r.cfg.Variant == VariantKnowBERT
}

// span is eq. 1: s = ReLU(W₂ ReLU(W₁ [x_start ; x_end ; x̂ ; φ(width)])).
func (r *reference) span(vectors [][]float64, span encoder.Span) []float64 {
	x := vectors[span.First : span.Last+1]
	hat := r.pool("/span/head", x)
	phi := r.weights["/span/width/embeddings"].row(span.Last - span.First)
	w1 := r.stack("/span/start/weights", "/span/end/weights", "/span/inner/weights", "/span/width/projection/weights")
	hidden := plus(times(slices.Concat(x[0], x[len(x)-1], hat, phi), w1), r.weights["/span/hidden/biases"].values)
	return relu(r.dense("/span/output", relu(hidden)))
}

// pool is the sum of vectors, weighted by the attention of a layer with one output.
func (r *reference) pool(path string, x [][]float64) []float64 {
	var a []float64
	for t := range x {
		a = append(a, r.dense(path, x[t])[0])
	}
	return weighted(softmax(a), x)
}

// weighted is the sum of vectors with weights.
func weighted(weights []float64, x [][]float64) []float64 {
	sum := make([]float64, len(x[0]))
	for t, weight := range weights {
		for c := range sum {
			sum[c] += weight * x[t][c]
		}
	}
	return sum
}

// stack puts matrices on top of one another: what multiplies a concatenation.
func (r *reference) stack(paths ...string) matrix {
	whole := matrix{columns: r.weights[paths[0]].columns}
	for _, path := range paths {
		whole.values = append(whole.values, r.weights[path].values...)
	}
	return whole
}

// scorer is FFNN_e of eq. 2: two hidden layers.
func (r *reference) scorer(path string, x []float64) []float64 {
	x = relu(r.dense(path+"/hidden1", x))
	x = relu(r.dense(path+"/hidden2", x))
	return r.dense(path+"/output", x)
}

// pairs are the logits FFNN_r([x_i ; x_j ; x_i∘x_j]) of eq. 3, with what stands between
// the two spans where the model hears it.
func (r *reference) pairs(path string, x [][]float64, spans []encoder.Span, vectors [][]float64) [][][]float64 {
	w1 := r.stack(path+"/left/weights", path+"/right/weights", path+"/product/weights")
	logits := make([][][]float64, len(x))
	for i := range x {
		for j := range x {
			product := make([]float64, len(x[i]))
			for c := range product {
				product[c] = x[i][c] * x[j][c]
			}
			y := plus(times(slices.Concat(x[i], x[j], product), w1), r.weights[path+"/left/biases"].values)
			if r.cfg.Between {
				y = plus(y, r.between(path+"/between", spans[i], spans[j], vectors))
			}
			y = relu(r.dense(path+"/hidden2", relu(y)))
			logits[i] = append(logits[i], r.dense(path+"/output", y))
		}
	}
	return logits
}

// between is the attention-weighted mean of what is between two spans.
func (r *reference) between(path string, a, b encoder.Span, vectors [][]float64) []float64 {
	var weights []float64
	var values [][]float64
	for t := min(a.Last, b.Last) + 1; t < max(a.First, b.First); t++ {
		weights = append(weights, gapSharpness*math.Tanh(r.dense(path+"/attention", vectors[t])[0]))
		values = append(values, r.dense(path+"/value", vectors[t]))
	}
	if len(values) == 0 {
		return make([]float64, r.cfg.Hidden)
	}
	return weighted(softmax(weights), values)
}

// keep are the λ·n spans with the lowest P(none), lowest first.
func (r *reference) keep(j judged) []int {
	order := make([]int, len(j.spans))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch none := [2]float64{softmax(j.spanTypes[a])[0], softmax(j.spanTypes[b])[0]}; {
		case none[0] < none[1]:
			return -1
		case none[0] > none[1]:
			return 1
		}
		return 0
	})
	count := max(1, int(math.Ceil(r.cfg.KeptRatio*float64(len(j.pieces)))))
	return order[:min(count, len(order))]
}

// spanGraph is eq. 4, the bidirectional graph convolution.
func (r *reference) spanGraph(s [][]float64, logits [][][]float64) [][]float64 {
	h := s
	half := r.cfg.Span.Size / 2
	for layer := range r.cfg.SpanLayers {
		path := fmt.Sprintf("/bigcn/layer%d", layer)
		next := make([][]float64, len(h))
		for i := range h {
			sum := make([]float64, 2*half)
			for k := range r.cfg.RelationLabels {
				for j := range h {
					if j == i {
						continue
					}
					backward := r.denseOf(path+"/backward", h[j], k*half, half)
					forward := r.denseOf(path+"/forward", h[j], k*half, half)
					for c := range half {
						sum[c] += softmax(logits[j][i])[k] * backward[c]
						sum[half+c] += softmax(logits[i][j])[k] * forward[c]
					}
				}
			}
			if r.cfg.MessageNorm {
				sum = normalized(sum, messageEpsilon)
			}
			next[i] = plus(h[i], r.dense(path+"/output", relu(sum)))
		}
		h = next
	}
	return h
}

// normalized has the mean 0 and the variance 1.
func normalized(x []float64, epsilon float64) []float64 {
	var mean, variance float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (v - mean) / math.Sqrt(variance+epsilon)
	}
	return y
}

// knowledgeGraph is eq. 5, the relational graph convolution: the vectors n_j by
// CUI and TUI, and the candidates of each range of the text.
func (r *reference) knowledgeGraph(t testing.TB, text string) (map[string][]float64, map[[2]int][]graph.CUI) {
	t.Helper()
	candidates, concepts := r.candidates(t, text)
	v, types := map[string][]float64{}, map[graph.TUI]bool{}
	for cui := range concepts {
		v[string(cui)] = r.concept(t, "/rgcn", cui)
		for _, tui := range r.knowledge.concepts[cui].SemanticTypes {
			types[tui] = true
			v[string(tui)] = r.node(t, "/rgcn", 2+slices.Index(r.cfg.Knowledge.SemanticTypes, tui), []graph.TUI{tui}, r.knowledge.types[tui].Name, "")
		}
	}
	neighbors := r.neighbors(concepts, types)
	layers := r.cfg.Knowledge.Layers
	if r.cfg.Variant == VariantNoRGCN || r.cfg.Variant == VariantFlatAttention {
		layers = 0
	}
	for layer := range layers {
		path := fmt.Sprintf("/rgcn/layer%d", layer)
		next := map[string][]float64{}
		for i := range v {
			sum := r.dense(path+"/self", v[i])
			for k := range r.weights[path+"/coefficients"].values[:1+len(r.cfg.Knowledge.Relations)] {
				u := r.mixed(path, k)
				for _, j := range neighbors[i][k] {
					for c, x := range times(v[j], u) {
						sum[c] += x / float64(len(neighbors[i][k]))
					}
				}
			}
			next[i] = relu(sum)
		}
		v = next
	}
	n := map[string][]float64{}
	for i := range v {
		n[i] = relu(r.dense("/rgcn/output", v[i]))
	}
	return n, candidates
}

// candidates are those of each range of the text, and all concepts among them.
func (r *reference) candidates(t testing.TB, text string) (map[[2]int][]graph.CUI, map[graph.CUI]bool) {
	t.Helper()
	candidates, concepts := map[[2]int][]graph.CUI{}, map[graph.CUI]bool{}
	mentions, _ := r.knowledge.Link(t.Context(), text)
	for _, m := range mentions {
		for _, c := range m.Concepts[:min(len(m.Concepts), r.cfg.Knowledge.Candidates)] {
			concepts[c.CUI] = true
			candidates[[2]int{m.Start, m.End}] = append(candidates[[2]int{m.Start, m.End}], c.CUI)
		}
	}
	return candidates, concepts
}

// mixed is U_k = Σ_c a_kc B_c.
func (r *reference) mixed(path string, k int) matrix {
	size := r.cfg.Knowledge.Size
	u := matrix{size, make([]float64, size*size)}
	for c, a := range r.known(path+"/coefficients", k, 0) {
		basis := r.weights[path+"/bases/weights"].values[c*size*size : (c+1)*size*size]
		for at, b := range basis {
			u.values[at] += a * b
		}
	}
	return u
}

// known is a row of a table; the row of what training has not seen is the mean
// of those after it.
func (r *reference) known(path string, row, unseen int) []float64 {
	table := r.weights[path]
	rows := len(table.values) / table.columns
	if row != unseen || rows <= unseen+1 {
		return table.row(row)
	}
	mean := make([]float64, table.columns)
	for i := unseen + 1; i < rows; i++ {
		for c, x := range table.row(i) {
			mean[c] += x / float64(rows-unseen-1)
		}
	}
	return mean
}

// neighbors is N_i^k: for each node and each row of relations (0: every name
// that training has not seen) the nodes at the other end.
func (r *reference) neighbors(concepts map[graph.CUI]bool, types map[graph.TUI]bool) map[string]map[int][]string {
	n := map[string]map[int][]string{}
	hear := func(i, relation, j string) {
		if n[i] == nil {
			n[i] = map[int][]string{}
		}
		k := 1 + slices.Index(r.cfg.Knowledge.Relations, relation)
		n[i][k] = append(n[i][k], j)
	}
	edge := func(head, relation, tail string) {
		hear(tail, relation, head)
		hear(head, relation+"⁻¹", tail)
	}
	for cui := range concepts {
		for _, tui := range r.knowledge.concepts[cui].SemanticTypes {
			edge(string(cui), "has_semantic_type", string(tui))
		}
	}
	for _, x := range r.knowledge.relations {
		if concepts[x.Head] && concepts[x.Tail] {
			edge(string(x.Head), x.Label, string(x.Tail))
		}
	}
	for _, x := range r.knowledge.typeRelations {
		if types[x.Head] && types[x.Tail] {
			edge(string(x.Head), x.Label, string(x.Tail))
		}
	}
	return n
}

// concept is v⁰ of a concept.
func (r *reference) concept(t testing.TB, scope string, cui graph.CUI) []float64 {
	t.Helper()
	c := r.knowledge.concepts[cui]
	return r.node(t, scope, 0, c.SemanticTypes, c.Name, c.Definition)
}

// node is v⁰ of a node: of its kind, its name, its definition and its embedding. A semantic
// type that training has not seen has kind 1, which slices.Index gives as 2 − 1.
func (r *reference) node(t testing.TB, scope string, kind int, types []graph.TUI, name, definition string) []float64 {
	t.Helper()
	mean := r.words(name, r.cfg.Knowledge.NamePieces)
	v := plus(r.dense(scope+"/name", mean), r.known(scope+"/kinds", kind, 1))
	if r.cfg.Knowledge.Embeddings != nil && r.cfg.Variant != VariantNoKGE {
		v = plus(v, times(r.embed(mean, kind > 0, types, definition), r.weights[scope+"/embedding/weights"]))
	}
	switch {
	case r.cfg.Variant == VariantNoDefinitions:
		return relu(v)
	case definition == "":
		return relu(plus(v, r.weights[scope+"/undefined"].values))
	}
	return relu(plus(v, times(r.define(t, definition), r.weights[scope+"/definition/weights"])))
}

// embed is the knowledge-graph embedding of a node, e = W₂ ReLU(W_n name +
// W_d definition + W_t types + b₁) + b₂, of ten times the mean word-piece vectors.
func (r *reference) embed(name []float64, isType bool, types []graph.TUI, definition string) []float64 {
	hidden := r.dense("/kge/name", name)
	known := slices.DeleteFunc(slices.Clone(types), func(tui graph.TUI) bool {
		return !slices.Contains(r.cfg.Knowledge.Embeddings.SemanticTypes, tui)
	})
	columns := make([]float64, len(r.cfg.Knowledge.Embeddings.SemanticTypes)+1)
	for _, tui := range known {
		columns[slices.Index(r.cfg.Knowledge.Embeddings.SemanticTypes, tui)] = 1 / float64(len(known))
	}
	if isType {
		columns[len(columns)-1] = 1
	}
	hidden = plus(hidden, times(columns, r.weights["/kge/types/weights"]))
	if definition != "" && r.cfg.Variant != VariantNoDefinitions {
		hidden = plus(hidden, times(r.words(definition, r.cfg.Knowledge.DefinitionPieces), r.weights["/kge/definition/weights"]))
	}
	return r.dense("/kge/output", relu(hidden))
}

// words is ten times the mean of the vectors of a text's first word pieces.
func (r *reference) words(text string, most int) []float64 {
	pieces := r.encoder.Tokenizer.Tokenize(text)
	pieces = pieces[:min(len(pieces), most)]
	mean := make([]float64, tinyBERT.HiddenSize)
	for _, p := range pieces {
		for c, x := range r.weights["/encoder/embeddings/word"].row(int(p.ID)) {
			mean[c] += 10 * x / float64(len(pieces))
		}
	}
	return mean
}

// define is the mean of the encoder's vectors of a definition, [CLS] and [SEP] included.
func (r *reference) define(t testing.TB, definition string) []float64 {
	t.Helper()
	pieces := r.encoder.Tokenizer.Tokenize(definition)
	row := []int32{r.encoder.Tokenizer.CLS()}
	for _, p := range pieces[:min(len(pieces), r.cfg.Knowledge.DefinitionPieces)] {
		row = append(row, p.ID)
	}
	row = append(row, r.encoder.Tokenizer.SEP())
	vectors, err := r.encoder.Forward([][]int32{row})
	if err != nil {
		t.Fatal(err)
	}
	mean := make([]float64, tinyBERT.HiddenSize)
	for _, x := range vectors[0] {
		for c := range mean {
			mean[c] += float64(x[c]) / float64(len(row))
		}
	}
	return mean
}

// attend is eq. 6–9: f = β c + Σ_j β_j n_j, with β = softmax of FFNN_c([h ; ·])
// over the sentinel c = ReLU(W_s h) and the candidates.
func (r *reference) attend(h []float64, candidates [][]float64) (f, beta []float64) {
	items := append([][]float64{relu(r.dense("/fusion/sentinel", h))}, candidates...)
	w1 := r.stack("/fusion/score/span/weights", "/fusion/score/item/weights")
	var alpha []float64
	for _, item := range items {
		y := relu(plus(times(slices.Concat(h, item), w1), r.weights["/fusion/score/span/biases"].values))
		y = relu(r.dense("/fusion/score/hidden2", y))
		alpha = append(alpha, r.dense("/fusion/score/output", y)[0])
	}
	beta = softmax(alpha)
	return weighted(beta, items), beta
}

// relationProbabilities of logits; where relations have no direction the logits
// of both orders are averaged.
func (r *reference) relationProbabilities(logits [][][]float64, i, j int) []float64 {
	x := slices.Clone(logits[i][j])
	if !r.cfg.Directed {
		for k := range x {
			x[k] = (x[k] + logits[j][i][k]) / 2
		}
	}
	return softmax(x)
}

// dense is x·W + b.
func (r *reference) dense(path string, x []float64) []float64 {
	return plus(times(x, r.weights[path+"/weights"]), r.weights[path+"/biases"].values)
}

// denseOf is a part of dense: W_k and b_k lie beside those of other relations.
func (r *reference) denseOf(path string, x []float64, from, count int) []float64 {
	return r.dense(path, x)[from : from+count]
}

// times is x·W.
func times(x []float64, w matrix) []float64 {
	if len(x)*w.columns != len(w.values) {
		panic(fmt.Sprintf("%d values times a matrix of %d by %d", len(x), len(w.values)/max(w.columns, 1), w.columns))
	}
	out := make([]float64, w.columns)
	for i, v := range x {
		for c := range out {
			out[c] += v * w.row(i)[c]
		}
	}
	return out
}

func plus(a, b []float64) []float64 {
	if len(a) != len(b) {
		panic(fmt.Sprintf("%d values plus %d", len(a), len(b)))
	}
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}

func relu(x []float64) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = max(0, x[i])
	}
	return out
}

func softmax(x []float64) []float64 {
	out, sum := make([]float64, len(x)), 0.0
	for i := range x {
		out[i] = math.Exp(x[i] - slices.Max(x))
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = float64(x[i])
	}
	return out
}

func wideRows(x [][]float32) [][]float64 {
	var out [][]float64
	for i := range x {
		out = append(out, wide(x[i]))
	}
	return out
}

// goldText is an annotated text as the loss sees it: a type for each range, a
// label for each ordered pair of ranges.
type goldText struct {
	text      string
	types     map[string]int
	relations map[[2]string]int
}

// loss is L = (L1_type + L1_rel) + 2 (L2_type + L2_rel), each the mean over all
// spans or the pairs of a text, then over the texts. Pairs of spans of the same
// name do not count. related is how many of the
// pairs of kept spans have a label.
func (r *reference) loss(t testing.TB, texts []goldText, withRelations bool) (loss float64, related int) {
	t.Helper()
	for _, gold := range texts {
		j := r.read(t, gold.text)
		name := func(span int) string {
			return gold.text[j.pieces[j.spans[span].First].Start:j.pieces[j.spans[span].Last].End]
		}
		var l1, l2 float64
		for i := range j.spans {
			l1 += r.crossEntropyOf(j.spanTypes[i], gold.types[name(i)]) / float64(j.all)
		}
		for i, span := range j.kept {
			l2 += r.crossEntropyOf(j.finalTypes[i], gold.types[name(span)]) / float64(j.all)
		}
		var pairs float64
		for _, head := range j.kept {
			for _, tail := range j.kept {
				if !strings.EqualFold(name(head), name(tail)) {
					pairs++
				}
			}
		}
		for a, head := range j.kept {
			for b, tail := range j.kept {
				if strings.EqualFold(name(head), name(tail)) || !withRelations {
					continue
				}
				label := gold.relations[[2]string{name(head), name(tail)}]
				related += min(label, 1)
				l1 += r.crossEntropyOf(j.initialRelations[a][b], label) / pairs
				l2 += r.crossEntropyOf(j.finalRelations[a][b], label) / pairs
			}
		}
		if r.onePass() {
			l2 = 0
		}
		loss += (l1 + 2*l2) / float64(len(texts))
	}
	return loss, related
}

// crossEntropyOf is −log softmax(logits)[label]; with smoothing, its share of that
// is the mean over all labels.
func (r *reference) crossEntropyOf(logits []float64, label int) float64 {
	most, sum, mean := slices.Max(logits), 0.0, 0.0
	for _, x := range logits {
		sum += math.Exp(x - most)
		mean += x / float64(len(logits))
	}
	even := r.cfg.LabelSmoothing
	return math.Log(sum) + most - (1-even)*logits[label] - even*mean
}
