package keci

import (
	"math"
	"testing"
)

// recontextualize is KAR as its comment gives it: the new vectors of a text's
// tokens, and the attention of the spans that the linker found, NULL first.
func (r *reference) recontextualize(t testing.TB, text string, j judged, x [][]float64) ([][]float64, map[int][]float64) {
	t.Helper()
	candidates, _ := r.candidates(t, text)
	var projected [][]float64
	for _, token := range x {
		projected = append(projected, r.dense("/kar/project", token))
	}
	var mentions []int // spans
	var s [][]float64
	for i, span := range j.spans {
		if len(candidates[[2]int{j.pieces[span.First].Start, j.pieces[span.Last].End}]) > 0 {
			mentions = append(mentions, i)
			s = append(s, r.pool("/kar/mention", projected[span.First:span.Last+1]))
		}
	}
	if len(mentions) == 0 {
		return x, nil
	}
	s = r.layer("/kar/mentions", s, s)
	psi := map[int][]float64{}
	for m, i := range mentions {
		span := j.spans[i]
		items := [][]float64{r.weights["/kar/link/null"].values}
		for _, cui := range candidates[[2]int{j.pieces[span.First].Start, j.pieces[span.Last].End}] {
			items = append(items, r.dense("/kar/link/entity", r.concept(t, "/entities", cui)))
		}
		var score []float64
		for _, item := range items {
			score = append(score, dot(s[m], item)/math.Sqrt(float64(len(item))))
		}
		psi[i] = softmax(score)
		s[m] = plus(s[m], weighted(psi[i], items))
	}
	var out [][]float64
	for i, y := range r.layer("/kar/tokens", projected, s) {
		out = append(out, plus(x[i], r.dense("/kar/output", y)))
	}
	return out, psi
}

// layer is a transformer layer of x that attends to memory.
func (r *reference) layer(path string, x, memory [][]float64) [][]float64 {
	var out [][]float64
	for _, row := range x {
		var attended []float64
		query := r.dense(path+"/attention/query", row)
		size := len(query) / karHeads
		for head := range karHeads {
			part := func(v []float64) []float64 { return v[head*size : (head+1)*size] }
			var score []float64
			var values [][]float64
			for _, other := range memory {
				key := r.dense(path+"/attention/key", other)
				score = append(score, dot(part(query), part(key))/math.Sqrt(float64(size)))
				values = append(values, part(r.dense(path+"/attention/value", other)))
			}
			attended = append(attended, weighted(softmax(score), values)...)
		}
		y := r.normalize(path+"/attention", plus(row, r.dense(path+"/attention/output", attended)))
		hidden := r.dense(path+"/inner", y)
		for c, v := range hidden {
			hidden[c] = v * (1 + math.Erf(v/math.Sqrt2)) / 2 // GELU
		}
		out = append(out, r.normalize(path+"/outer", plus(y, r.dense(path+"/outer", hidden))))
	}
	return out
}

// normalize is layer normalization.
func (r *reference) normalize(path string, x []float64) []float64 {
	out := normalized(x, tinyBERT.LayerNormEps)
	for c := range out {
		out[c] = out[c]*r.weights[path+"/gain"].values[c] + r.weights[path+"/offset"].values[c]
	}
	return out
}

func dot(a, b []float64) float64 {
	var sum float64
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
