package keci

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/modeldir"
	"github.com/keci-kg/keci/internal/tensorfile"
)

func TestModelRoundTrip(t *testing.T) {
	for name, cfg := range variations() {
		t.Run(name, func(t *testing.T) {
			kb := newFakeKnowledge().base()
			m := newRandomModel(t, cfg, kb, 5) // as newModelFolder does
			opened := openModel(t, newModelFolder(t, cfg, false), kb)
			if !sameBits(bitsOf(t, m, abstract), bitsOf(t, opened, abstract)) {
				t.Error("the model that was read back gives another answer")
			}
			if diff := cmp.Diff(cfg, opened.Config()); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
			info := opened.Info()
			if info.Parameters != modeldir.Parameters(m.store) || info.Engine == "" || !cmp.Equal(info.EntityTypes, cfg.EntityTypes[1:]) {
				t.Errorf("info %+v", info)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	dir := newModelFolder(t, tinyConfig(), false)
	info, cfg, err := Describe(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := openModel(t, dir, newFakeKnowledge().base()).Info()
	want.Engine = "" // none was asked for
	if diff := cmp.Diff(want, info); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(tinyConfig(), cfg); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if _, _, err := Describe(filepath.Join(dir, "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want that there is no such model", err)
	}
}

func TestDigestTellsModelsApart(t *testing.T) {
	dir := newModelFolder(t, tinyConfig(), false)
	seen := map[string]string{}
	add := func(name string) {
		t.Helper()
		sum, err := modeldir.Digest(dir)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[sum]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[sum] = name
	}
	add("the model")
	for _, name := range []string{modeldir.ConfigFile, "config.json", "vocab.txt", modeldir.WeightsFile} {
		appendTo(t, filepath.Join(dir, name), " ")
		add("another " + name)
	}
	writeFile(t, filepath.Join(dir, "tokenizer_config.json"), "{}")
	add("one with tokenizer_config.json")
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, string(data)+text)
}

// TestQuantizedModel: probabilities with 8-bit matrices are near those of float32.
func TestQuantizedModel(t *testing.T) {
	cfg := tinyConfig()
	cfg.KeptRatio, cfg.Span.MaxWidth = 1, 1 // no span is exchanged for another
	kb := newFakeKnowledge().base()
	from, to := newModelFolder(t, cfg, false), filepath.Join(t.TempDir(), "small")
	if err := modeldir.Quantize(from, to); err != nil {
		t.Fatal(err)
	}
	want, got := initialTypesBySpan(t, openModel(t, from, kb)), initialTypesBySpan(t, openModel(t, to, kb))
	worst, same := 0.0, true
	for span := range want {
		for c := range want[span] {
			difference := math.Abs(float64(want[span][c] - got[span][c]))
			worst, same = math.Max(worst, difference), same && difference == 0
		}
	}
	t.Logf("greatest difference %.3g", worst)
	if worst > 0.05 || same {
		t.Errorf("probabilities differ by %g", worst)
	}
	if big, small := size(t, from), size(t, to); small*4 > big*3 {
		t.Errorf("the weights have %d bytes, %d before", small, big)
	}
	if err := modeldir.Quantize(from, to); err == nil || !strings.Contains(err.Error(), to) {
		t.Errorf("error %v, want that %s exists", err, to)
	}
	if err := modeldir.Quantize(filepath.Join(from, "nothing"), to+"2"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want that there is no model", err)
	}
	if left, _ := filepath.Glob(to + "*"); len(left) != 1 {
		t.Errorf("%v are left, want %s", left, to)
	}
}

// initialTypesBySpan are the probabilities of every span of the abstract.
func initialTypesBySpan(t *testing.T, m *Model) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	for s, p := range bitsOf(t, m, abstract) {
		types := len(m.cfg.EntityTypes)
		for slot := range p.most {
			all[fmt.Sprint(s, p.kept[slot])] = p.initialTypes[slot*types : (slot+1)*types]
		}
	}
	return all
}

func size(t *testing.T, dir string) int64 {
	t.Helper()
	stat, err := os.Stat(filepath.Join(dir, modeldir.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	return stat.Size()
}

// TestDamagedModels damages one file of a model; Open must name it.
func TestDamagedModels(t *testing.T) {
	tensors := func(change func(header map[string]*tensorEntry)) func(string) string {
		return func(file string) string { return changeHeader(t, file, change) }
	}
	truncated := func(keep int) func(string) string {
		return func(file string) string { return file[:len(file)*keep/100] }
	}
	const matrix, vector, word = "final/type/hidden1/weights", "final/type/hidden1/biases", "embeddings.word_embeddings.weight"
	for name, test := range map[string]struct {
		file   string
		damage func(string) string // nil removes the file
		want   string              // beside the path of the file
	}{
		"no configuration":           {modeldir.ConfigFile, nil, ""},
		"configuration cut":          {modeldir.ConfigFile, truncated(60), ""},
		"configuration empty":        {modeldir.ConfigFile, truncated(0), ""},
		"configuration of a list":    {modeldir.ConfigFile, func(string) string { return "[]" }, ""},
		"version of the future":      {modeldir.ConfigFile, replace(`"formatVersion": 1`, `"formatVersion": 2`), "formatVersion is 2"},
		"unknown variant":            {modeldir.ConfigFile, replace(`"keci"`, `"ceki"`), "ceki"},
		"negative size":              {modeldir.ConfigFile, replace(`"hidden": 9`, `"hidden": -9`), "hidden"},
		"size that does not fit":     {modeldir.ConfigFile, replace(`"hidden": 9`, `"hidden": 8`), modeldir.WeightsFile}, // which of the two is wrong cannot be told
		"candidates without end":     {modeldir.ConfigFile, replace(`"candidates": 2`, `"candidates": 1000000000000`), "knowledge.candidates is 1000000000000, it must lie between 1 and"},
		"name without end":           {modeldir.ConfigFile, replace(`"namePieces": 3`, `"namePieces": 1000000000000`), "knowledge.namePieces is 1000000000000"},
		"definition without end":     {modeldir.ConfigFile, replace(`"definitionPieces": 5`, `"definitionPieces": 1000000000000`), "knowledge.definitionPieces is 1000000000000"},
		"span without end":           {modeldir.ConfigFile, replace(`"maxWidth": 3`, `"maxWidth": 1000000000000`), "span.maxWidth is 1000000000000"},
		"layer without end":          {modeldir.ConfigFile, replace(`"hidden": 10`, `"hidden": 1000000000000`), "span.hidden is 1000000000000"},
		"layers without end":         {modeldir.ConfigFile, replace(`"layers": 3`, `"layers": 1000000000000`), "knowledge.layers is 1000000000000"},
		"span layers without end":    {modeldir.ConfigFile, replace(`"spanLayers": 2`, `"spanLayers": 1000000000000`), "spanLayers is 1000000000000"},
		"bases without end":          {modeldir.ConfigFile, replace(`"bases": 2`, `"bases": 1000000000000`), "knowledge.bases is 1000000000000"},
		"window without end":         {modeldir.ConfigFile, replace(`"hidden": 9`, `"window": 9223372036854775807, "hidden": 9`), "window is 9223372036854775807"},
		"unsorted vocabulary":        {modeldir.ConfigFile, replace(`"inhibits⁻¹",`, `"zzz",`), "sorted"},
		"no encoder configuration":   {"config.json", nil, ""},
		"encoder configuration cut":  {"config.json", truncated(50), ""},
		"no vocabulary":              {"vocab.txt", nil, ""},
		"vocabulary of other pieces": {"vocab.txt", func(string) string { return "a\nb\n" }, "[CLS]"},
		"vocabulary too long":        {"vocab.txt", func(file string) string { return file + "one\nmore\n" }, "vocab_size"},
		"no weights":                 {modeldir.WeightsFile, nil, ""},
		"weights empty":              {modeldir.WeightsFile, truncated(0), ""},
		"header cut":                 {modeldir.WeightsFile, truncated(2), ""},
		"data cut":                   {modeldir.WeightsFile, truncated(70), ""},
		"weights without a header":   {modeldir.WeightsFile, func(string) string { return "\x04\x00\x00\x00\x00\x00\x00\x00junk" }, ""},
		"huge header":                {modeldir.WeightsFile, func(file string) string { return "\xff\xff\xff\xff\xff\xff\xff\x7f" + file[8:] }, ""},
		"matrix missing":             {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { delete(h, matrix) }), matrix},
		"vector missing":             {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { delete(h, vector) }), vector},
		"encoder's tensor missing":   {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { delete(h, word) }), word},
		"matrix transposed":          {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { h[matrix].Shape = []int{16, 9} }), "final/type/hidden1/weights"},
		"matrix as a vector":         {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { h[matrix].Shape = []int{16 * 9} }), matrix},
		"matrix as a scalar":         {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { h[matrix].Shape = nil }), matrix},
		"matrix as a cube":           {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { h[matrix].Shape = []int{4, 4, 9} }), matrix},
		"vector of another size":     {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { h[vector].Shape[0]--; h[vector].Offsets[1] -= 4 }), vector},
		"negative shape":             {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { h[vector].Shape[0] *= -1 }), vector},
		"data outside the file":      {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { h[vector].Offsets[0] += 1 << 40; h[vector].Offsets[1] += 1 << 40 }), vector},
		"integers for floats":        {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { h[vector].DType = "I32" }), vector},
		"unknown type":               {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) { h[vector].DType = "X7" }), vector},
		"8 bits without scales": {modeldir.WeightsFile, tensors(func(h map[string]*tensorEntry) {
			h[matrix].DType, h[matrix].Offsets[1] = "I8", h[matrix].Offsets[0]+9*16
		}), matrix},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newModelFolder(t, tinyConfig(), false)
			path := filepath.Join(dir, test.file)
			checkDamage(t, dir, path, test.damage, test.want)
		})
	}
}

func TestDamagedScales(t *testing.T) {
	const scales = "final/type/hidden1/weights" + tensorfile.ScaleSuffix
	for name, change := range map[string]func(h map[string]*tensorEntry){
		"missing":   func(h map[string]*tensorEntry) { delete(h, scales) },
		"too few":   func(h map[string]*tensorEntry) { h[scales].Shape[0]--; h[scales].Offsets[1] -= 4 },
		"a matrix":  func(h map[string]*tensorEntry) { h[scales].Shape = []int{9, 1} },
		"integers":  func(h map[string]*tensorEntry) { h[scales].DType = "I32" },
		"no shape":  func(h map[string]*tensorEntry) { h[scales].Shape = []int{} },
		"too large": func(h map[string]*tensorEntry) { h[scales].Shape = []int{1 << 40} },
	} {
		t.Run(name, func(t *testing.T) {
			dir := newModelFolder(t, tinyConfig(), true)
			damage := func(file string) string { return changeHeader(t, file, change) }
			checkDamage(t, dir, filepath.Join(dir, modeldir.WeightsFile), damage, "final/type/hidden1/weights")
		})
	}
}

// checkDamage opens a damaged model.
func checkDamage(t *testing.T, dir, path string, damage func(string) string, want string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if damage == nil {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	} else {
		damaged := damage(string(data))
		if damaged == string(data) {
			t.Fatal("nothing was damaged")
		}
		writeFile(t, path, damaged)
	}
	_, err = Open(enginetest.Go(), dir, newFakeKnowledge().base())
	if want == modeldir.WeightsFile {
		path, want = filepath.Join(dir, modeldir.WeightsFile), ""
	}
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "%!") {
		t.Errorf("error %v, want one that names %s and %q", err, path, want)
	}
}

func replace(old, with string) func(string) string {
	return func(file string) string { return strings.Replace(file, old, with, 1) }
}

// tensorEntry is a tensor in the header of a safetensors file.
type tensorEntry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// changeHeader changes the header of a safetensors file and leaves its data.
func changeHeader(t *testing.T, file string, change func(map[string]*tensorEntry)) string {
	t.Helper()
	length := binary.LittleEndian.Uint64([]byte(file))
	header := map[string]*tensorEntry{}
	if err := json.Unmarshal([]byte(file[8:8+length]), &header); err != nil {
		t.Fatal(err)
	}
	change(header)
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))) + string(text) + file[8+length:]
}

// TestEncoderTensorsHaveTheirNames: other programs can read the encoder of a model.
func TestEncoderTensorsHaveTheirNames(t *testing.T) {
	dir := newModelFolder(t, tinyConfig(), false)
	data, err := os.ReadFile(filepath.Join(dir, modeldir.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	onlyEncoder := changeHeader(t, string(data), func(header map[string]*tensorEntry) {
		known := map[string]bool{}
		for _, tensor := range encoder.FileTensors(tinyBERT) {
			known[tensor.Name] = true
		}
		for name := range header {
			if !known[name] {
				delete(header, name)
			}
		}
	})
	writeFile(t, filepath.Join(dir, modeldir.WeightsFile), onlyEncoder)
	model, err := encoder.Open(enginetest.Go(), dir)
	if err != nil {
		t.Fatal(err)
	}
	original, err := encoder.Open(enginetest.Go(), newEncoderFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	want, err := original.Encode(t.Context(), []string{abstract})
	got, err2 := model.Encode(t.Context(), []string{abstract})
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(want, got) {
		t.Error("the encoder in the model's folder gives other vectors")
	}
}
