package encoder

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// referenceBERT is BERT in plain Go and float64, written from the paper and Hugging Face's names alone, so
// that it shares no mistake with the graph. Matrices lie as the files have them: [out, in], row by row.
type referenceBERT struct {
	cfg     Config
	weights map[string][]float64
}

// tinyConfig is a BERT small enough to follow by hand.
var tinyConfig = Config{
	ModelType: "bert", VocabSize: 11, HiddenSize: 6, NumHiddenLayers: 2, NumAttentionHeads: 3, IntermediateSize: 10,
	MaxPositionEmbeddings: 9, TypeVocabSize: 2, LayerNormEps: 1e-3, HiddenAct: "gelu", PositionEmbeddingType: "absolute",
}

// newReferenceBERT draws weights that float16 and bfloat16 hold exactly.
func newReferenceBERT(cfg Config, seed uint64) *referenceBERT {
	random := rand.New(rand.NewPCG(seed, 0))
	m := &referenceBERT{cfg: cfg, weights: map[string][]float64{}}
	for name, dims := range referenceShapes(cfg) {
		m.weights[name] = make([]float64, product(dims))
	}
	names := make([]string, 0, len(m.weights))
	for name := range m.weights {
		names = append(names, name)
	}
	slices.Sort(names) // the order of a map is not the same twice
	for _, name := range names {
		for i := range m.weights[name] {
			m.weights[name][i] = math.Round(random.NormFloat64()*32) / 64
		}
	}
	return m
}

// referenceShapes are the tensors of a BERT file with their shapes.
func referenceShapes(cfg Config) map[string][]int {
	h, inner := cfg.HiddenSize, cfg.IntermediateSize
	shapes := map[string][]int{
		"embeddings.word_embeddings.weight":       {cfg.VocabSize, h},
		"embeddings.position_embeddings.weight":   {cfg.MaxPositionEmbeddings, h},
		"embeddings.token_type_embeddings.weight": {cfg.TypeVocabSize, h},
		"embeddings.LayerNorm.weight":             {h},
		"embeddings.LayerNorm.bias":               {h},
	}
	for i := range cfg.NumHiddenLayers {
		layer := "encoder.layer." + strconv.Itoa(i) + "."
		for name, dims := range map[string][]int{
			"attention.self.query": {h, h}, "attention.self.key": {h, h}, "attention.self.value": {h, h},
			"attention.output.dense": {h, h}, "intermediate.dense": {inner, h}, "output.dense": {h, inner},
		} {
			shapes[layer+name+".weight"] = dims
			shapes[layer+name+".bias"] = dims[:1]
		}
		for _, name := range []string{"attention.output.LayerNorm", "output.LayerNorm"} {
			shapes[layer+name+".weight"] = []int{h}
			shapes[layer+name+".bias"] = []int{h}
		}
	}
	return shapes
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// forward gives the vectors of one row of ids; what mask has at 0 is not attended to.
func (m *referenceBERT) forward(ids, mask []int32) [][]float64 {
	x := make([][]float64, len(ids))
	for t, id := range ids {
		x[t] = make([]float64, m.cfg.HiddenSize)
		for c := range x[t] {
			x[t][c] = m.at("embeddings.word_embeddings.weight", int(id), c) +
				m.at("embeddings.position_embeddings.weight", t, c) +
				m.at("embeddings.token_type_embeddings.weight", 0, c)
		}
		x[t] = m.layerNorm("embeddings.LayerNorm", x[t])
	}
	for i := range m.cfg.NumHiddenLayers {
		x = m.layer("encoder.layer."+strconv.Itoa(i)+".", x, mask)
	}
	return x
}

func (m *referenceBERT) at(name string, row, column int) float64 {
	return m.weights[name][row*m.cfg.HiddenSize+column]
}

func (m *referenceBERT) layer(name string, x [][]float64, mask []int32) [][]float64 {
	attended := m.attend(name+"attention.self.", x, mask)
	out := make([][]float64, len(x))
	for t := range x {
		a := m.layerNorm(name+"attention.output.LayerNorm", sum(x[t], m.linear(name+"attention.output.dense", attended[t])))
		inner := m.linear(name+"intermediate.dense", a)
		for i, v := range inner {
			inner[i] = v * 0.5 * (1 + math.Erf(v/math.Sqrt2))
		}
		out[t] = m.layerNorm(name+"output.LayerNorm", sum(a, m.linear(name+"output.dense", inner)))
	}
	return out
}

func (m *referenceBERT) attend(name string, x [][]float64, mask []int32) [][]float64 {
	var query, key, value, out [][]float64
	for t := range x {
		query = append(query, m.linear(name+"query", x[t]))
		key = append(key, m.linear(name+"key", x[t]))
		value = append(value, m.linear(name+"value", x[t]))
		out = append(out, make([]float64, m.cfg.HiddenSize))
	}
	width := m.cfg.HiddenSize / m.cfg.NumAttentionHeads
	for head := range m.cfg.NumAttentionHeads {
		first := head * width
		for t := range x {
			weights, total := make([]float64, len(x)), 0.0
			for u := range x {
				score := 0.0
				for c := first; c < first+width; c++ {
					score += query[t][c] * key[u][c]
				}
				weights[u] = math.Exp(score/math.Sqrt(float64(width))) * float64(mask[u])
				total += weights[u]
			}
			for u := range x {
				for c := first; c < first+width; c++ {
					out[t][c] += weights[u] / total * value[u][c]
				}
			}
		}
	}
	return out
}

func (m *referenceBERT) linear(name string, x []float64) []float64 {
	out := slices.Clone(m.weights[name+".bias"])
	for o := range out {
		for i, v := range x {
			out[o] += m.weights[name+".weight"][o*len(x)+i] * v
		}
	}
	return out
}

func (m *referenceBERT) layerNorm(name string, x []float64) []float64 {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v-mean)/math.Sqrt(variance+m.cfg.LayerNormEps)*m.weights[name+".weight"][i] + m.weights[name+".bias"][i]
	}
	return out
}

func sum(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}
