package encoder

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
	"github.com/gomlx/gomlx/ml/model"
)

// fileTensor is a tensor of a safetensors file under construction.
type fileTensor struct {
	dtype  string // F32, F16, BF16, I64
	dims   []int
	values []float64
}

// fileTensors are the weights of m as a file has them.
func (m *referenceBERT) fileTensors(dtype string) map[string]fileTensor {
	tensors := map[string]fileTensor{}
	for name, dims := range referenceShapes(m.cfg) {
		tensors[name] = fileTensor{dtype, dims, m.weights[name]}
	}
	return tensors
}

// writeSafetensors writes model.safetensors into dir.
func writeSafetensors(t testing.TB, dir string, tensors map[string]fileTensor) {
	t.Helper()
	var data bytes.Buffer
	header := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		tensor, start := tensors[name], data.Len()
		for _, v := range tensor.values {
			writeValue(&data, tensor.dtype, v)
		}
		header[name] = map[string]any{"dtype": tensor.dtype, "shape": tensor.dims, "data_offsets": []int{start, data.Len()}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	file = append(append(file, head...), data.Bytes()...)
	if err := os.WriteFile(filepath.Join(dir, weightsFile), file, 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeValue(data *bytes.Buffer, dtype string, v float64) {
	var bits any
	switch dtype {
	case "F16":
		bits = uint16(float16.FromFloat32(float32(v)))
	case "BF16":
		bits = uint16(bfloat16.FromFloat32(float32(v)))
	case "I64":
		bits = int64(v)
	default:
		bits = math.Float32bits(float32(v))
	}
	_ = binary.Write(data, binary.LittleEndian, bits) // a buffer takes everything
}

// rename gives each tensor another name.
func rename(tensors map[string]fileTensor, newName func(string) string) map[string]fileTensor {
	renamed := map[string]fileTensor{}
	for name, tensor := range tensors {
		renamed[newName(name)] = tensor
	}
	return renamed
}

func TestLoadWeightsOfEveryKind(t *testing.T) {
	reference := newReferenceBERT(tinyConfig, 1)
	fromTensorFlow := strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta")
	pretraining := func(name string) string { return "bert." + fromTensorFlow.Replace(name) }
	for _, dtype := range []string{"F32", "F16", "BF16"} {
		for kind, name := range map[string]func(string) string{
			"plain":       strings.Clone,
			"pretraining": pretraining,
		} {
			t.Run(dtype+"/"+kind, func(t *testing.T) {
				dir := t.TempDir()
				file := rename(reference.fileTensors(dtype), name)
				file["embeddings.position_ids"] = fileTensor{"I64", []int{1, 2}, []float64{0, 1}}
				file["cls.predictions.bias"] = fileTensor{dtype, []int{1}, []float64{0}}
				writeSafetensors(t, dir, file)
				store := model.NewStore()
				if err := LoadWeights(store, "/encoder", dir, tinyConfig); err != nil {
					t.Fatal(err)
				}
				checkForward(t, store, reference, false)
			})
		}
	}
}

func TestLoadWeightsReplacesValues(t *testing.T) {
	store := model.NewStore()
	for seed := range uint64(2) {
		reference := newReferenceBERT(tinyConfig, seed)
		dir := t.TempDir()
		writeSafetensors(t, dir, reference.fileTensors("F32"))
		if err := LoadWeights(store, "/encoder", dir, tinyConfig); err != nil {
			t.Fatal(err)
		}
		checkForward(t, store, reference, false)
	}
}

func TestLoadWeightsNamesWhatIsWrong(t *testing.T) {
	const bias = "encoder.layer.1.output.dense.bias"
	for name, test := range map[string]struct {
		spoil func(map[string]fileTensor)
		want  []string
	}{
		"missing":        {func(f map[string]fileTensor) { delete(f, bias) }, []string{bias, "missing"}},
		"extra":          {func(f map[string]fileTensor) { f["encoder.layer.2.output.dense.bias"] = f[bias] }, []string{"encoder.layer.2.output.dense.bias", "not part"}},
		"misshapen":      {func(f map[string]fileTensor) { f[bias] = fileTensor{"F32", []int{2}, []float64{1, 2}} }, []string{bias, "[2]", "[6]"}},
		"wrong type":     {func(f map[string]fileTensor) { f[bias] = fileTensor{"I64", []int{6}, make([]float64, 6)} }, []string{bias, "I64"}},
		"two at once":    {func(f map[string]fileTensor) { delete(f, bias); f["x"] = fileTensor{"F32", []int{0}, nil} }, []string{bias, "tensor x"}},
		"negative shape": {func(f map[string]fileTensor) { f[bias] = fileTensor{"F32", []int{-6}, make([]float64, 6)} }, []string{bias, "[-6]"}},
		"too few bytes":  {func(f map[string]fileTensor) { f[bias] = fileTensor{"F32", []int{6}, make([]float64, 5)} }, []string{bias, "20 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := newReferenceBERT(tinyConfig, 1).fileTensors("F32")
			test.spoil(file)
			writeSafetensors(t, dir, file)
			checkLoadFails(t, dir, append(test.want, filepath.Join(dir, weightsFile))...)
		})
	}
}

func TestLoadWeightsOfDamagedFile(t *testing.T) {
	whole := t.TempDir()
	writeSafetensors(t, whole, newReferenceBERT(tinyConfig, 1).fileTensors("F32"))
	data, err := os.ReadFile(filepath.Join(whole, weightsFile))
	if err != nil {
		t.Fatal(err)
	}
	huge := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, data[8:]...)
	for name, content := range map[string][]byte{
		"empty": {}, "short": data[:5], "half a header": data[:100], "cut off": data[:len(data)-4], "huge header": huge,
		"no JSON": append([]byte{4, 0, 0, 0, 0, 0, 0, 0}, "junk"...),
		"null":    append([]byte{12, 0, 0, 0, 0, 0, 0, 0}, `{"a":  null}`...),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, weightsFile), content, 0o644); err != nil {
				t.Fatal(err)
			}
			checkLoadFails(t, dir, filepath.Join(dir, weightsFile))
		})
	}
	t.Run("no file", func(t *testing.T) { checkLoadFails(t, t.TempDir(), weightsFile) })
}

// checkLoadFails loads tiny weights from dir and looks for the parts of the error.
func checkLoadFails(t *testing.T, dir string, parts ...string) {
	t.Helper()
	err := LoadWeights(model.NewStore(), "/encoder", dir, tinyConfig)
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not tell %q", err, part)
		}
	}
}
