package encoder

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"
)

// pickler writes the few opcodes of Python's pickle (protocol 2) that PyTorch
// needs for a dictionary of tensors.
type pickler struct{ bytes.Buffer }

func (p *pickler) global(module, name string) { fmt.Fprintf(p, "c%s\n%s\n", module, name) }

func (p *pickler) text(s string) {
	p.WriteByte('X')
	_ = binary.Write(p, binary.LittleEndian, uint32(len(s)))
	p.WriteString(s)
}

func (p *pickler) number(n int) {
	p.WriteByte('J')
	_ = binary.Write(p, binary.LittleEndian, int32(n))
}

func (p *pickler) tuple(numbers ...int) {
	p.WriteByte('(')
	for _, n := range numbers {
		p.number(n)
	}
	p.WriteByte('t')
}

// storages are the classes of PyTorch by the types of safetensors.
var storages = map[string]string{"F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage", "I64": "LongStorage"}

// tensor writes a call of torch._utils._rebuild_tensor_v2.
func (p *pickler) tensor(key string, t fileTensor) {
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.WriteByte('(')
	p.WriteByte('(')
	p.text("storage")
	p.global("torch", storages[t.dtype])
	p.text(key)
	p.text("cpu")
	p.number(len(t.values))
	p.WriteString("tQ") // a persistent id: the storage
	p.number(0)
	p.tuple(t.dims...)
	strides, step := make([]int, len(t.dims)), 1
	for axis := len(t.dims) - 1; axis >= 0; axis-- {
		strides[axis] = step
		step *= t.dims[axis]
	}
	p.tuple(strides...)
	p.WriteByte(0x89) // False
	p.global("collections", "OrderedDict")
	p.WriteString(")RtR")
}

// writePyTorch writes pytorch_model.bin into dir.
func writePyTorch(t *testing.T, dir string, tensors map[string]fileTensor) {
	t.Helper()
	var p pickler
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	add := func(name string, content []byte) {
		file, err := archive.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store}) // as PyTorch does
		if err == nil {
			_, err = file.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p.WriteString("\x80\x02")
	p.global("collections", "OrderedDict")
	p.WriteString(")R(")
	for i, name := range slices.Sorted(maps.Keys(tensors)) {
		key := fmt.Sprint(i)
		p.text(name)
		p.tensor(key, tensors[name])
		var data bytes.Buffer
		for _, v := range tensors[name].values {
			writeValue(&data, tensors[name].dtype, v)
		}
		add("data/"+key, data.Bytes())
	}
	p.WriteString("u.")
	add("data.pkl", p.Bytes())
	add("version", []byte("3\n"))
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pyTorchFile), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// importFolder is a Hugging Face folder of a tiny BERT without its weights.
func importFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	config, err := json.Marshal(tinyConfig)
	if err != nil {
		t.Fatal(err)
	}
	pieces := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]"}
	for i := len(pieces); i < tinyConfig.VocabSize; i++ {
		pieces = append(pieces, fmt.Sprintf("w%d", i))
	}
	for name, content := range map[string]string{configFile: string(config), vocabFile: strings.Join(pieces, "\n") + "\n", "README.md": "not copied"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestImport(t *testing.T) {
	reference := newReferenceBERT(tinyConfig, 1)
	for _, dtype := range []string{"F32", "F16", "BF16"} {
		for kind, write := range map[string]func(*testing.T, string, map[string]fileTensor){
			"PyTorch": writePyTorch, "safetensors": func(t *testing.T, dir string, tensors map[string]fileTensor) { writeSafetensors(t, dir, tensors) },
		} {
			t.Run(dtype+"/"+kind, func(t *testing.T) {
				from, to := importFolder(t), filepath.Join(t.TempDir(), "imported")
				tensors := rename(reference.fileTensors(dtype), func(name string) string { return "bert." + name })
				tensors["bert.embeddings.position_ids"] = fileTensor{"I64", []int{1, 2}, []float64{0, 1}}
				tensors["cls.predictions.bias"] = fileTensor{dtype, []int{1}, []float64{0}}
				write(t, from, tensors)
				if err := Import(from, to+"/"); err != nil {
					t.Fatal(err)
				}
				store := model.NewStore()
				if err := LoadWeights(store, "/encoder", to, tinyConfig); err != nil {
					t.Fatal(err)
				}
				checkForward(t, store, reference, false)
				if _, err := os.Stat(filepath.Join(to, "README.md")); err == nil {
					t.Error("more was copied than is read")
				}
				if err := Import(from, to); err == nil {
					t.Error("an encoder was overwritten")
				}
			})
		}
	}
}

func TestImportOfTokenizerJSON(t *testing.T) {
	from, to := importFolder(t), filepath.Join(t.TempDir(), "imported")
	writeSafetensors(t, from, newReferenceBERT(tinyConfig, 1).fileTensors("F32"))
	want, err := os.ReadFile(filepath.Join(from, vocabFile))
	if err != nil {
		t.Fatal(err)
	}
	vocabulary := map[string]int{}
	for i, piece := range strings.Split(strings.TrimSuffix(string(want), "\n"), "\n") {
		vocabulary[piece] = i
	}
	tokenizer, err := json.Marshal(map[string]any{"model": map[string]any{"type": "WordPiece", "vocab": vocabulary}})
	if err := errors.Join(err, os.Remove(filepath.Join(from, vocabFile)), os.WriteFile(filepath.Join(from, tokenizerFile), tokenizer, 0o644)); err != nil {
		t.Fatal(err)
	}
	if err := Import(from, to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(to, vocabFile)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("vocabulary %q, %v", got, err)
	}
}

func TestImportOfWrongFolders(t *testing.T) {
	tensors := newReferenceBERT(tinyConfig, 1).fileTensors("F32")
	for name, test := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  string
	}{
		"no configuration": {func(t *testing.T, dir string) { remove(t, dir, configFile) }, configFile},
		"no vocabulary":    {func(t *testing.T, dir string) { remove(t, dir, vocabFile) }, "neither vocab.txt nor tokenizer.json"},
		"no weights":       {func(t *testing.T, dir string) {}, "neither model.safetensors nor pytorch_model.bin"},
		"damaged weights": {func(t *testing.T, dir string) {
			writePyTorch(t, dir, tensors)
			path := filepath.Join(dir, pyTorchFile)
			if err := os.Truncate(path, 1000); err != nil {
				t.Fatal(err)
			}
		}, pyTorchFile},
		"text for weights": {func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, pyTorchFile), []byte("version https://git-lfs.github.com/spec/v1\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "no weights of PyTorch"},
		"a tensor too few": {func(t *testing.T, dir string) {
			fewer := maps.Clone(tensors)
			delete(fewer, slices.Sorted(maps.Keys(tensors))[0])
			writePyTorch(t, dir, fewer)
		}, "is missing"},
		"another tokenizer": {func(t *testing.T, dir string) {
			remove(t, dir, vocabFile)
			if err := os.WriteFile(filepath.Join(dir, tokenizerFile), []byte(`{"model":{"type":"BPE"}}`), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "only WordPiece"},
	} {
		from, to := importFolder(t), filepath.Join(t.TempDir(), "imported")
		test.spoil(t, from)
		if err := Import(from, to); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, test.want)
		}
		if left, _ := filepath.Glob(to + "*"); left != nil {
			t.Errorf("%s: %v is left", name, left)
		}
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}
