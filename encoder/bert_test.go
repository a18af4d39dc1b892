package encoder

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/keci-kg/keci/fusion/engine/enginetest"
)

// tolerance is the greatest difference of one value from the original implementation that is let pass.
const tolerance = 1e-4

// newForward is an executor of BERT in "/encoder": rows of ids and their mask to rows of vectors.
func newForward(store *model.Store, cfg Config, dynamic bool) *model.Exec {
	exec := model.MustNewExec(enginetest.Go(), store, func(root *model.Scope, ids, mask *Node) *Node {
		return BERT(root.At("encoder"), cfg, ids, mask, 0)
	})
	if dynamic {
		exec.WithDynamicAxes([]string{"batch", "seq"}, []string{"batch", "seq"})
	}
	return exec
}

// call runs BERT over rows of ids of one length; zeros of mask are padding.
func call(t testing.TB, exec *model.Exec, ids, mask [][]int32) [][][]float32 {
	t.Helper()
	out, err := exec.Call(tensors.FromValue(ids), tensors.FromValue(mask))
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Value().([][][]float32)
}

func ones(rows [][]int32) [][]int32 {
	mask := make([][]int32, len(rows))
	for r := range rows {
		mask[r] = make([]int32, len(rows[r]))
		for c := range mask[r] {
			mask[r][c] = 1
		}
	}
	return mask
}

// TestRealWeights compares with what Hugging Face's BertModel gave (scripts/encoder_reference.py).
func TestRealWeights(t *testing.T) {
	dir := encoderDir(t)
	cfg, err := LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if err := LoadWeights(store, "/encoder", dir, cfg); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/hidden.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Cases []struct {
			Text   string
			IDs    []int32
			Norms  []float64
			Values [][3]float64 // token, column, value
		}
	}
	if err := json.Unmarshal(data, &reference); err != nil {
		t.Fatal(err)
	}
	for _, dynamic := range []bool{false, true} {
		exec := newForward(store, cfg, dynamic)
		worst := 0.0
		for _, c := range reference.Cases {
			ids := [][]int32{c.IDs}
			hidden := call(t, exec, ids, ones(ids))[0]
			for _, v := range c.Values {
				worst = math.Max(worst, math.Abs(float64(hidden[int(v[0])][int(v[1])])-v[2]))
			}
			for token, want := range c.Norms {
				worst = math.Max(worst, math.Abs(euclidean(hidden[token])-want))
			}
		}
		t.Logf("dynamic axes %t: greatest difference %.2g", dynamic, worst)
		if worst > tolerance {
			t.Errorf("dynamic axes %t: greatest difference %.2g, want at most %g", dynamic, worst, tolerance)
		}
	}
}

func euclidean(vector []float32) float64 {
	sum := 0.0
	for _, x := range vector {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// rows are three inputs of the tiny BERT, two of them padded.
var (
	rowsOfIDs  = [][]int32{{1, 5, 9, 2, 10, 3, 4}, {1, 7, 2, 0, 0, 0, 0}, {8, 8, 8, 8, 8, 0, 0}}
	rowsOfMask = [][]int32{{1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 0, 0}}
)

// checkForward compares the BERT in "/encoder" of store with the reference.
func checkForward(t *testing.T, store *model.Store, reference *referenceBERT, dynamic bool) {
	t.Helper()
	hidden := call(t, newForward(store, reference.cfg, dynamic), rowsOfIDs, rowsOfMask)
	for row := range rowsOfIDs {
		want := reference.forward(rowsOfIDs[row], rowsOfMask[row])
		for token := range want {
			for c := range want[token] {
				if got := float64(hidden[row][token][c]); !(math.Abs(got-want[token][c]) < 1e-5) {
					t.Fatalf("row %d, token %d, column %d: %g, want %g", row, token, c, got, want[token][c])
				}
			}
		}
	}
}

// loadReference gives a store with the weights of the reference in "/encoder".
func loadReference(t testing.TB, reference *referenceBERT) *model.Store {
	t.Helper()
	dir := t.TempDir()
	writeSafetensors(t, dir, reference.fileTensors("F32"))
	store := model.NewStore()
	if err := LoadWeights(store, "/encoder", dir, reference.cfg); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestForward(t *testing.T) {
	reference := newReferenceBERT(tinyConfig, 7)
	store := loadReference(t, reference)
	loaded := store.NumVariables()
	for _, dynamic := range []bool{false, true} {
		checkForward(t, store, reference, dynamic)
	}
	if got := store.NumVariables(); got != loaded {
		t.Errorf("the graph has %d variables, the file fills %d", got, loaded)
	}
}

func TestForwardIsDeterministicAndBlindToPadding(t *testing.T) {
	exec := newForward(loadReference(t, newReferenceBERT(tinyConfig, 7)), tinyConfig, true)
	first, second := call(t, exec, rowsOfIDs, rowsOfMask), call(t, exec, rowsOfIDs, rowsOfMask)
	other := slices.Clone(rowsOfIDs)
	other[1] = []int32{1, 7, 2, 6, 6, 6, 6} // another padding
	padded := call(t, exec, other, rowsOfMask)
	for token := range 3 {
		for c := range first[1][token] {
			if first[1][token][c] != second[1][token][c] || first[1][token][c] != padded[1][token][c] {
				t.Fatalf("token %d, column %d: %g, %g, with other padding %g", token, c, first[1][token][c], second[1][token][c], padded[1][token][c])
			}
		}
	}
}

func TestForwardRefusesLongRows(t *testing.T) {
	exec := newForward(loadReference(t, newReferenceBERT(tinyConfig, 7)), tinyConfig, false)
	ids := [][]int32{make([]int32, tinyConfig.MaxPositionEmbeddings+1)}
	if _, err := exec.Call(tensors.FromValue(ids), tensors.FromValue(ones(ids))); err == nil {
		t.Error("a row longer than max_position_embeddings gives no error")
	}
}

// TestGradient compares the gradient of Σ w·hidden, for some w, with finite differences of the reference.
func TestGradient(t *testing.T) {
	reference := newReferenceBERT(tinyConfig, 3)
	store := loadReference(t, reference)
	weights := []float32{1, -2, 0.5, 3, -1, 0.25}
	paths := []string{
		"embeddings/word", "embeddings/position", "embeddings/gain", "layer_0/attention/query/weights",
		"layer_0/attention/key/weights", "layer_1/attention/value/biases", "layer_1/inner/weights", "layer_1/outer/offset",
	}
	exec := model.MustNewExec(enginetest.Go(), store, func(root *model.Scope, ids, mask *Node) []*Node {
		g := ids.Graph()
		root.Store().SetTraining(g, true)
		hidden := BERT(root.At("encoder"), tinyConfig, ids, mask, 0)
		keep := ExpandAxes(ConvertDType(mask, hidden.DType()), -1)
		loss := ReduceAllSum(Mul(Mul(hidden, keep), Const(g, [][][]float32{{weights}})))
		var at []*Node
		for _, path := range paths {
			at = append(at, root.Store().GetVariable("/encoder/"+path).NodeValue(g))
		}
		return Gradient(loss, at...)
	})
	gradients, err := exec.Call(tensors.FromValue(rowsOfIDs), tensors.FromValue(rowsOfMask))
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string]variable{}
	for _, v := range variables(tinyConfig) {
		byPath[v.path] = v
	}
	for i, path := range paths {
		got := tensors.MustCopyFlatData[float32](gradients[i])
		want := reference.gradient(byPath[path], weights)
		for k := range want {
			if math.Abs(float64(got[k])-want[k]) > 1e-3*math.Max(1, math.Abs(want[k])) {
				t.Errorf("%s, entry %d: gradient %g, want %g", path, k, got[k], want[k])
			}
		}
	}
}

// gradient of Σ w·hidden with respect to a weight, in the order that the graph has it.
func (m *referenceBERT) gradient(v variable, w []float32) []float64 {
	const step = 1e-5
	values := m.weights[v.name]
	out := make([]float64, len(values))
	for i := range values {
		saved := values[i]
		values[i] = saved + step
		above := m.loss(w)
		values[i] = saved - step
		below := m.loss(w)
		values[i] = saved
		at := i
		if v.transposed {
			at = i%v.dims[0]*v.dims[1] + i/v.dims[0]
		}
		out[at] = (above - below) / (2 * step)
	}
	return out
}

func (m *referenceBERT) loss(w []float32) float64 {
	total := 0.0
	for row := range rowsOfIDs {
		for token, vector := range m.forward(rowsOfIDs[row], rowsOfMask[row]) {
			for c, x := range vector {
				total += float64(w[c]) * x * float64(rowsOfMask[row][token])
			}
		}
	}
	return total
}

func TestDropoutOnlyInTraining(t *testing.T) {
	store := loadReference(t, newReferenceBERT(tinyConfig, 3))
	run := func(training bool) float64 {
		exec := model.MustNewExec(enginetest.Go(), store, func(root *model.Scope, ids, mask *Node) *Node {
			root.Store().SetTraining(ids.Graph(), training)
			with := BERT(root.At("encoder"), tinyConfig, ids, mask, 0.5)
			return ReduceAllMax(Abs(Sub(with, BERT(root.At("encoder"), tinyConfig, ids, mask, 0))))
		})
		out, err := exec.Call(tensors.FromValue(rowsOfIDs), tensors.FromValue(rowsOfMask))
		if err != nil {
			t.Fatal(err)
		}
		return float64(out[len(out)-1].Value().(float32))
	}
	if change := run(false); change != 0 {
		t.Errorf("dropout changes the vectors by %g outside training", change)
	}
	if change := run(true); change == 0 {
		t.Error("dropout changes nothing in training")
	}
}

func TestWordEmbeddings(t *testing.T) {
	reference := newReferenceBERT(tinyConfig, 5)
	exec := model.MustNewExec(enginetest.Go(), loadReference(t, reference), func(root *model.Scope, g *Graph) *Node {
		return WordEmbeddings(root.At("encoder"), tinyConfig, g)
	})
	out, err := exec.Call()
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range tensors.MustCopyFlatData[float32](out[0]) {
		if want := reference.weights["embeddings.word_embeddings.weight"][i]; float64(x) != want {
			t.Fatalf("entry %d: %g, want %g", i, x, want)
		}
	}
}
