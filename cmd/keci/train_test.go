package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/hnm"
	"github.com/keci-kg/keci/fusion/keci"
	"github.com/keci-kg/keci/fusion/remedi"
	"github.com/keci-kg/keci/fusion/results"
	"github.com/keci-kg/keci/fusion/system"
	"github.com/keci-kg/keci/fusion/train"
)

// writeEncoder makes the folder of a BERT of one layer with random weights. It
// reads at most 62 pieces of a sentence.
func writeEncoder(t *testing.T) string {
	t.Helper()
	const width, positions = 8, 64
	dir := t.TempDir()
	pieces := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."}
	for letter := 'a'; letter <= 'z'; letter++ {
		pieces = append(pieces, string(letter), "##"+string(letter))
	}
	config := fmt.Sprintf(`{"model_type":"bert","vocab_size":%d,"hidden_size":%d,"num_hidden_layers":1,"num_attention_heads":2,
		"intermediate_size":%d,"max_position_embeddings":%d,"type_vocab_size":2,"layer_norm_eps":1e-12,"hidden_act":"gelu"}`,
		len(pieces), width, 2*width, positions)
	tensors := map[string][]int{
		"embeddings.word_embeddings.weight": {len(pieces), width}, "embeddings.position_embeddings.weight": {positions, width},
		"embeddings.token_type_embeddings.weight": {2, width}, "embeddings.LayerNorm.weight": {width}, "embeddings.LayerNorm.bias": {width},
	}
	for name, dims := range map[string][2]int{
		"attention.self.query": {width, width}, "attention.self.key": {width, width}, "attention.self.value": {width, width},
		"attention.output.dense": {width, width}, "intermediate.dense": {2 * width, width}, "output.dense": {width, 2 * width},
	} {
		tensors["encoder.layer.0."+name+".weight"] = dims[:]
		tensors["encoder.layer.0."+name+".bias"] = dims[:1]
	}
	for _, name := range []string{"attention.output.LayerNorm", "output.LayerNorm"} {
		tensors["encoder.layer.0."+name+".weight"], tensors["encoder.layer.0."+name+".bias"] = []int{width}, []int{width}
	}
	for name, content := range map[string][]byte{
		"config.json": []byte(config), "vocab.txt": []byte(strings.Join(pieces, "\n") + "\n"), "model.safetensors": randomTensors(t, tensors),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// randomTensors is a safetensors file of the given shapes.
func randomTensors(t *testing.T, shapes map[string][]int) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	header := map[string]any{}
	var data []byte
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		start, size := len(data), 1
		for _, d := range shapes[name] {
			size *= d
		}
		for range size {
			data, _ = binary.Append(data, binary.LittleEndian, float32(random.NormFloat64()*0.3))
		}
		header[name] = map[string]any{"dtype": "F32", "shape": shapes[name], "data_offsets": []int{start, len(data)}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, data)
}

// writeAnnotated makes a corpus of n documents with labels of its own, each of
// two sentences, whose relation is told of mentions and of concepts.
func writeAnnotated(t *testing.T, n int) string {
	t.Helper()
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `{"id":"d%d","text":"Cat eats fish. Dog eats.","mentions":[{"id":"T1","start":0,"end":3,"text":"Cat","type":"Animal","concepts":[{"cui":"cat"}]},{"id":"T2","start":9,"end":13,"text":"fish","type":"Food","concepts":[{"cui":"fish"}]},{"id":"T3","start":15,"end":18,"text":"Dog","type":"Animal","concepts":[{"cui":"dog"}]}],"relations":[{"id":"R1","head":"T1","tail":"T2","label":"eats","directed":true}],"conceptRelations":[{"head":"cat","tail":"fish","label":"eats"}]}`+"\n", i)
	}
	return writeText(t, "corpus.jsonl", out.String())
}

// keciRun runs a command and gives what it wrote to both streams.
func keciRun(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, told bytes.Buffer
	cmd := newRootCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&told)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), told.String(), err
}

func mustKeci(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := keciRun(t, args...)
	if err != nil {
		t.Fatalf("keci %v: %v\n%s", args, err, stderr)
	}
	return stdout
}

// TestTrainOnSeveralCorpora: one model learns from two corpora, and is measured on
// each with the labels of that one.
func TestTrainOnSeveralCorpora(t *testing.T) {
	var abstracts strings.Builder
	for i := range 10 {
		fmt.Fprintf(&abstracts, "%d|t|Fish has worms.\n%d|a|Cat has none.\n%d\t0\t4\tFish\tHost\tM1\n%d\t9\t14\tworms\tParasite\tM2\n%d\thas\tM1\tM2\n\n", i, i, i, i, i)
	}
	second := writeText(t, "second.txt", abstracts.String())
	args := []string{"train", "--corpus", "jsonl", "--data", writeAnnotated(t, 10), "--encoder", writeEncoder(t), "--kb", buildSmallKB(t),
		"--variant", "sent-context", "--epochs", "1", "--held-out", "0.2", "--batch", "4", "--quiet"}
	out := filepath.Join(t.TempDir(), "many")
	mustKeci(t, append(slices.Clone(args), "--also", "pubtator="+second, "--name-label", "pubtator.Host=Animal", "--kind", "animal=Parasite,Animal", "--kind", "food=Food", "--out", out)...)
	model, dir := filepath.Join(out, "best"), t.TempDir()
	info, cfg, err := keci.Describe(model)
	if kinds := (keci.Kinds{"animal": {"Animal", "Parasite"}, "food": {"Food"}}); !cmp.Equal(cfg.Kinds, kinds) {
		t.Errorf("kinds %v, want %v", cfg.Kinds, kinds)
	}
	if err != nil || strings.Join(info.EntityTypes, " ") != "Animal Food Parasite" || strings.Join(info.RelationLabels, " ") != "eats has" || info.Name != "sent-context-jsonl+pubtator" {
		t.Errorf("model %+v, %v", info, err)
	}
	for name, file := range map[string]string{"jsonl": args[4], "pubtator": second} {
		mustKeci(t, "evaluate", "--corpus", name, "--data", file, "--model", model, "--results", dir)
	}
	runs, err := results.ReadAll(dir)
	if err != nil || len(runs) != 2 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	for i, want := range []struct {
		corpus, with string
		types        []string
	}{{"jsonl", "pubtator", []string{"Animal", "Food"}}, {"pubtator", "jsonl", []string{"Host", "Parasite"}}} {
		r := runs[i]
		if len(r.Kinds) != 2 || !r.Borders || !r.MessageNorm || !r.Between {
			t.Errorf("%s: the record has kinds %v, borders %t, message norm %t, between %t", want.corpus, r.Kinds, r.Borders, r.MessageNorm, r.Between)
		}
		if r.Corpus != want.corpus || len(r.Also) != 1 || r.Also[0].Corpus != want.with || r.Learned != 32 {
			t.Errorf("%s: learned %d texts of %s and %v", want.corpus, r.Learned, r.Corpus, r.Also)
		}
		for label := range r.Scores.EntityTypes {
			if !slices.Contains(want.types, label) {
				t.Errorf("%s: measured with the type %s of another corpus", want.corpus, label)
			}
		}
	}
	for want, also := range map[string][]string{
		"write CORPUS.LABEL=NAME":                                  {"--also", "pubtator=" + second, "--name-label", "Host=Animal"},
		"does not learn from bioc":                                 {"--also", "pubtator=" + second, "--name-label", "bioc.Host=Animal"},
		`pubtator has no label "Hast", it has Host, Parasite, has`: {"--also", "pubtator=" + second, "--name-label", "pubtator.Hast=Animal"},
		"for models of several":                                    {"--name-label", "jsonl.Animal=Host"},
		"--also is":                                                {"--also", "second.txt"},
		"names the corpus jsonl twice":                             {"--also", "jsonl=" + second},
		"learns from one corpus":                                   {"--also", "pubtator=" + second, "--variant", "remedi"},
		"--unseen is":                                              {"--unseen", "second.txt"},
		"nothing is learned from a corpus ade":                     {"--epoch-texts", "5,ade=3"},
		"--kind is for models of several":                          {"--kind", "animal=Animal"},
		"--kind is \"animal\"":                                     {"--also", "pubtator=" + second, "--kind", "animal"},
		`no corpus has the type "Beast"`:                           {"--also", "pubtator=" + second, "--kind", "animal=Animal,Beast"},
	} {
		if _, _, err := keciRun(t, append(append(slices.Clone(args), also...), "--out", t.TempDir())...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %s", also, err, want)
		}
	}
}

// TestTrainLeavesUnseen: a text that shares a sentence with one of a test set is neither
// learned from nor held out, and the record of the run names the test set.
func TestTrainLeavesUnseen(t *testing.T) {
	const shared = "The parasites of ten fishes were counted in the spring and in the autumn."
	var abstracts strings.Builder
	for i := range 11 {
		end := ""
		if i < 3 {
			end = " " + shared
		}
		fmt.Fprintf(&abstracts, "%d|t|Fish has worms.\n%d|a|Cat has none.%s\n%d\t0\t4\tFish\tHost\tM1\n%d\t9\t14\tworms\tParasite\tM2\n\n", i, i, end, i, i)
	}
	unseen := writeText(t, "test.txt", "99|t|Another title.\n99|a|"+shared+"\n\n")
	out := filepath.Join(t.TempDir(), "run")
	args := []string{"train", "--corpus", "pubtator", "--encoder", writeEncoder(t), "--variant", "sent-context", "--epochs", "1", "--held-out", "0.25", "--quiet"}
	all := writeText(t, "all.txt", abstracts.String())
	_, stderr, err := keciRun(t, append(slices.Clone(args), "--data", all, "--unseen", "pubtator="+unseen, "--out", out)...)
	if err != nil || !strings.Contains(stderr, "3 of 11 texts were left out") {
		t.Fatalf("%v\n%s", err, stderr)
	}
	recipe, err := results.ReadTraining(filepath.Join(out, "best"))
	if err != nil || recipe.HeldOut != 2 || recipe.Learned != 12 { // six of eight texts, of two sentences
		t.Errorf("learned from %d texts, %d held out: %v", recipe.Learned, recipe.HeldOut, err)
	}
	if card, err := os.ReadFile(filepath.Join(out, "best", "README.md")); err != nil || !strings.Contains(string(card), "None of them shares a sentence with a text\nof `test.txt`") {
		t.Errorf("the card does not name what stayed unseen: %v\n%s", err, card)
	}
	if len(recipe.Unseen) != 1 || recipe.Unseen[0].Name != "test.txt" {
		t.Errorf("the record names %v as unseen", recipe.Unseen)
	}
	calibrate := []string{"model", "calibrate", filepath.Join(out, "best"), filepath.Join(t.TempDir(), "calibrated"), "--corpus", "pubtator", "--data", all, "--held-out", "0.25"}
	if _, _, err := keciRun(t, calibrate...); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "trained with test.txt to stay unseen") {
		t.Errorf("calibrated on what had to stay unseen: %v", err)
	}
	if _, _, err := keciRun(t, append(calibrate, "--unseen", "pubtator="+unseen)...); err != nil {
		t.Errorf("calibrating on what was held out: %v", err)
	}
	if _, _, err := keciRun(t, append(args, "--data", unseen, "--unseen", "pubtator="+unseen, "--out", t.TempDir())...); err == nil || !strings.Contains(err.Error(), "nothing is left to learn from") {
		t.Errorf("error %v", err)
	}
}

// TestTrainOnOwnLabels goes from a user's own documents to a model, its card, a
// measured result and a table.
func TestTrainOnOwnLabels(t *testing.T) {
	encoderDir, kb, data, dir := writeEncoder(t), buildSmallKB(t), writeAnnotated(t, 10), t.TempDir()
	config := writeText(t, "train.yaml", "# how to train\ncorpus: jsonl\nencoder: "+encoderDir+"\nkb: "+kb+"\nvariant: sent-context\nepochs: 3\nheld-out: 0.2\nbatch: 4\n")
	train := func(name string, more ...string) string {
		out := filepath.Join(dir, name)
		mustKeci(t, append([]string{"train", "--config", config, "--data", data, "--out", out, "--epochs", "2"}, more...)...)
		return filepath.Join(out, "best")
	}
	model := train("a")
	info, cfg, err := keci.Describe(model)
	if err != nil || strings.Join(info.EntityTypes, " ") != "Animal Food" || strings.Join(info.RelationLabels, " ") != "eats" || !cfg.Directed {
		t.Errorf("model %+v, %v, want the labels of the corpus", info, err)
	}
	card, err := os.ReadFile(filepath.Join(model, results.CardFile))
	for _, part := range []string{"Animal (16)", "Food (8)", "eats (8)", "16 sentences of", "2 texts", "Seed 1, 2 epochs", "keci"} {
		if err != nil || !strings.Contains(string(card), part) {
			t.Errorf("the card does not say %q (%v):\n%s", part, err, card)
		}
	}
	again, _, err := keci.Describe(train("b", "--sweep=0.5,1", "--sweep-epochs", "1"))
	if err != nil {
		t.Fatal(err)
	}
	sweep, err := results.ReadTraining(filepath.Join(dir, "b", "best"))
	if err != nil || len(sweep.Sweep) != 2 {
		t.Errorf("sweep %+v, %v, want two trials", sweep.Sweep, err)
	}
	if same := sweep.Options.EncoderRate == 2e-4; same != (again.Digest == info.Digest) {
		t.Errorf("rates %g, models %s and %s", sweep.Options.EncoderRate, info.Digest, again.Digest)
	}
	if other, _, _ := keci.Describe(train("c")); other.Digest != info.Digest {
		t.Errorf("the same seed gives the models %s and %s", info.Digest, other.Digest)
	}

	recipe, err := results.ReadTraining(train("d", "--ema", "0.9", "--layer-decay", "0.8", "--label-smoothing", "0.1", "--dropout", "0.3"))
	if err != nil || recipe.Dropout != 0.3 || sweep.Dropout != 0 || recipe.Options.EMA != 0.9 || recipe.Options.LayerDecay != 0.8 || recipe.LabelSmoothing != 0.1 || recipe.Window != 0 {
		t.Errorf("recipe %+v, %v, want what the flags say", recipe, err)
	}
	checkWindow(t, model, train("e", "--window", "2"))

	folder := filepath.Join(dir, "results")
	mustKeci(t, "evaluate", "--corpus", "jsonl", "--data", data, "--model", model, "--kb", kb, "--results", folder)
	table := mustKeci(t, "report", "runs", folder)
	if !strings.Contains(table, "| jsonl | sent-context | ") || !strings.Contains(table, "| 1 | corpus | 1 |") {
		t.Errorf("table:\n%s", table)
	}
	if types := mustKeci(t, "report", "types", folder); !strings.Contains(types, "| Animal | 20 |") {
		t.Errorf("table of types:\n%s", types)
	}
	png := filepath.Join(dir, "curves.png")
	mustKeci(t, "report", "curves", folder, "--out", png)
	if head, err := os.ReadFile(png); err != nil || !bytes.HasPrefix(head, []byte("\x89PNG")) {
		t.Errorf("curves: %v", err)
	}
}

// checkWindow compares a model that reads two sentences together with one that reads
// them one by one: of eight texts of two sentences each.
func checkWindow(t *testing.T, one, two string) {
	t.Helper()
	for _, test := range []struct {
		model           string
		window, learned int
		reach           string
	}{{one, 0, 16, "found within a sentence."}, {two, 2, 8, "found within 2 consecutive sentences, of"}} {
		_, cfg, err := keci.Describe(test.model)
		if err != nil || cfg.Window != test.window {
			t.Errorf("%s: window %d, %v", test.model, cfg.Window, err)
		}
		recipe, err := results.ReadTraining(test.model)
		if err != nil || recipe.Window != test.window || recipe.Learned != test.learned {
			t.Errorf("%s: window %d, learned from %d texts, %v", test.model, recipe.Window, recipe.Learned, err)
		}
		card, err := os.ReadFile(filepath.Join(test.model, results.CardFile))
		if err != nil || !strings.Contains(string(card), test.reach) {
			t.Errorf("the card does not say %q (%v):\n%s", test.reach, err, card)
		}
		file, err := os.ReadFile(filepath.Join(test.model, "keci.json"))
		if err != nil || strings.Contains(string(file), `"window"`) != (test.window > 0) {
			t.Errorf("%v: %s", err, file)
		}
	}
}

// TestTrainTooShort: what learns no relation says so before it begins.
func TestTrainTooShort(t *testing.T) {
	for want, change := range map[string]func(*recipe){
		"":                         func(*recipe) {},
		"with --epochs 1 no":       func(r *recipe) { r.train.Epochs = 1 },
		"with --sweep-epochs 1 no": func(r *recipe) { r.sweep, r.sweepEpochs = []float64{1}, 1 },
	} {
		r := recipe{variant: "sent-context", settings: systems[0].Recipe("sent-context"), train: train.Options{Epochs: 2}}
		change(&r)
		if got := r.tooShort(); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("told %q, want %q", got, want)
		}
		if r.origin.dir = "model"; r.tooShort() != "" {
			t.Errorf("of a model that goes on: %q", r.tooShort())
		}
	}
	r := recipe{settings: systems[1].Recipe(systems[1].Variants()[0]), train: train.Options{Epochs: 1}}
	if got := r.tooShort(); got != "" {
		t.Errorf("of another system: %q", got)
	}
}

// TestSweepGoesOn: the trials of a sweep that was broken off, before there is a
// checkpoint, are those of its own recipe.
func TestSweepGoesOn(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	args := []string{"train", "--corpus", "jsonl", "--data", writeAnnotated(t, 10), "--encoder", writeEncoder(t), "--kb", buildSmallKB(t),
		"--variant", "sent-context", "--held-out", "0.25", "--epochs", "2", "--out", out, "--resume"}
	if err := results.WriteRecipe(out, results.Training{Variant: "another"}); err != nil {
		t.Fatal(err)
	}
	_, _, err := keciRun(t, args...)
	if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "variant (another there, sent-context here)") {
		t.Errorf("another recipe: %v", err)
	}
	if err := os.Remove(filepath.Join(out, results.RecipeFile)); err != nil {
		t.Fatal(err)
	}
	mustKeci(t, args...)
}

// TestCrossvalGoesOn: a fold that is measured is not trained again, whether its
// model is still there or not.
func TestCrossvalGoesOn(t *testing.T) {
	dir := t.TempDir()
	args := []string{"crossval", "--corpus", "jsonl", "--data", writeAnnotated(t, 10), "--count", "5", "--encoder", writeEncoder(t), "--kb", buildSmallKB(t),
		"--variant", "sent-context", "--held-out", "0.25", "--epochs", "1", "--out", filepath.Join(dir, "runs"), "--results", filepath.Join(dir, "results")}
	mustKeci(t, append(args, "--folds", "0", "--seeds", "1,2")...)
	first := filepath.Join(dir, "results", "jsonl-fold0of5-sent-context-"+filepath.Base(args[8])+"-seed1.json")
	if _, err := os.Stat(first); err != nil {
		entries, _ := os.ReadDir(filepath.Join(dir, "results"))
		t.Fatalf("%v; there are %v", err, entries)
	}
	if err := os.RemoveAll(filepath.Join(dir, "runs")); err != nil {
		t.Fatal(err)
	}
	table := mustKeci(t, append(args, "--folds", "0-1")...)
	if !strings.Contains(table, "| 1 | fold 0 of 5, fold 1 of 5 | 2 |") {
		t.Errorf("table:\n%s", table)
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "runs")); err != nil || len(entries) != 1 {
		t.Errorf("%d models were trained (%v), want that of fold 1 alone", len(entries), err)
	}
	if _, _, err := keciRun(t, append(args, "--folds", "0", "--resume=false")...); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "--resume=false") {
		t.Errorf("not to go on: %v", err)
	}
	_, _, err := keciRun(t, append(args, "--folds", "0", "--batch", "3")...)
	if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "options.batchSize (8 there, 3 here)") {
		t.Errorf("another batch: %v", err)
	}
	checkOtherRecipe(t, append(args, "--folds", "1"), filepath.Join(dir, "elsewhere"))
	checkChangedModel(t, args, filepath.Join(dir, "runs", "jsonl-fold1of5-sent-context-"+filepath.Base(args[8])+"-seed1", "best"))
	runs, err := results.ReadAll(filepath.Join(dir, "results"))
	if err != nil || len(runs) != 3 || runs[0].Learned == 0 || runs[0].Scores.Documents != 2 || runs[0].Reading == nil || runs[0].Parameters == 0 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

// checkOtherRecipe goes on with a run that is complete: as another one it is refused,
// and as itself it keeps the record of its training.
func checkOtherRecipe(t *testing.T, args []string, elsewhere string) {
	t.Helper()
	args = append(slices.Clone(args), "--results", elsewhere)
	_, _, err := keciRun(t, append(args, "--label-smoothing", "0.1")...)
	if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "labelSmoothing (none there, 0.1 here)") {
		t.Errorf("another label smoothing: %v", err)
	}
	if runs, err := results.ReadAll(elsewhere); err == nil {
		t.Errorf("%d runs were written", len(runs))
	}
	mustKeci(t, args...)
	runs, err := results.ReadAll(elsewhere)
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
}

// checkChangedModel makes a model smaller and prunes it: what it reaches then is another
// run, and its card tells what was done.
func checkChangedModel(t *testing.T, args []string, model string) {
	t.Helper()
	small, pruned, reached := filepath.Join(t.TempDir(), "small"), filepath.Join(t.TempDir(), "pruned"), t.TempDir()
	data, kb := args[4], args[10]
	mustKeci(t, "model", "quantize", model, small+string(filepath.Separator))
	heldOut := []string{"--corpus", "jsonl", "--data", data, "--kb", kb}
	for _, wrong := range []string{"0.5", "1", "0", "3"} {
		if _, _, err := keciRun(t, append([]string{"model", "prune", small, pruned, "--held-out", wrong}, heldOut...)...); exitCode(err) != exitUsage {
			t.Errorf("--held-out %s: %v", wrong, err)
		}
	}
	mustKeci(t, append([]string{"model", "prune", small, pruned, "--held-out", "0.25"}, heldOut...)...)
	for _, of := range []string{model, pruned} {
		mustKeci(t, "evaluate", "--corpus", "jsonl", "--data", data, "--model", of, "--kb", kb, "--results", reached)
	}
	runs, err := results.ReadAll(reached)
	if err != nil || len(runs) != 2 {
		t.Fatalf("%d runs, %v: want one of each model", len(runs), err)
	}
	card, err := os.ReadFile(filepath.Join(pruned, results.CardFile))
	if want := "After training it was quantized, then pruned:"; err != nil || !strings.Contains(string(card), want) {
		t.Errorf("%v: the card does not say %q:\n%s", err, want, card)
	}
}

func TestTrainNamesBadInput(t *testing.T) {
	encoderDir, kb := writeEncoder(t), buildSmallKB(t)
	const good = `{"id":"a","text":"cat eats.","mentions":[{"id":"T1","start":0,"end":3,"text":"cat","type":"Animal"}]}` + "\n"
	for _, test := range []struct {
		about, content string
		want           []string
		skips          bool
	}{
		{"a span outside", good + good[:7] + "b" + strings.Replace(good[8:], `"end":3`, `"end":30`, 1), []string{"corpus.jsonl:2: ", "T1", "outside"}, true},
		{"an id twice", good + good, []string{"corpus.jsonl", `"a"`, "taken"}, true},
		{"too long for the encoder", good + `{"id":"b","text":"` + strings.Repeat("a ", 70) + `"}`, []string{"corpus.jsonl", "b#1", "70 word pieces", "reads 62"}, true},
		{"no entity", `{"id":"a","text":"cat"}`, []string{"corpus.jsonl", "no entity is annotated"}, false},
		{"nothing", "", []string{"corpus.jsonl", "no annotated text"}, false},
	} {
		t.Run(test.about, func(t *testing.T) {
			args := []string{"train", "--corpus", "jsonl", "--data", writeText(t, "corpus.jsonl", test.content), "--encoder", encoderDir, "--kb", kb,
				"--out", filepath.Join(t.TempDir(), "out"), "--held-out", "0", "--epochs", "1", "--variant", "sent-context"}
			_, _, err := keciRun(t, args...)
			if exitCode(err) != exitFailed {
				t.Fatalf("error %v, want a failure", err)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %s", err, part)
				}
			}
			_, told, err := keciRun(t, append(args, "--skip-invalid")...)
			if test.skips && (err != nil || !strings.Contains(told, "1 ") || !strings.Contains(told, "were skipped")) {
				t.Errorf("--skip-invalid: %v, told %q", err, told)
			}
			if !test.skips && err == nil {
				t.Error("--skip-invalid makes something of nothing")
			}
		})
	}
}

func TestTrainWrongCalls(t *testing.T) {
	given := []string{"--corpus", "ade", "--data", "x", "--encoder", "x", "--out", "x"}
	for want, args := range map[string][]string{
		"--variant": append(given, "--variant", "bert"), "--held-out": append(given, "--held-out", "1"),
		"--sweep compares": append(given, "--sweep", "--held-out", "0"), "--sweep has": append(given, "--sweep=-1"),
		"epochs is 0": append(given, "--epochs", "0"), "EMA is 1": append(given, "--ema", "1"), "learning rates are -1": append(given, "--encoder-rate", "-1"),
	} {
		_, _, err := keciRun(t, append([]string{"train"}, slices.Clone(args)...)...)
		if exitCode(err) != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("train %v: %v, want a wrong call that says %s", args, err, want)
		}
	}
}

// Who left out several flags is told of all, and always in the same words.
func TestMissingFlagsAreToldAtOnce(t *testing.T) {
	for call, want := range map[string]string{
		"train":                       "--corpus, --data, --encoder and --out are missing; see keci train --help",
		"train --from m --data d":     "--corpus and --out are missing; see keci train --help",
		"crossval --encoder e":        "--corpus, --data, --out and --results are missing; see keci crossval --help",
		"pretrain --out o":            "--encoder and --text are missing; see keci pretrain --help",
		"train linker --out o":        "--data is missing; see keci train linker --help",
		"model prune a b":             "--corpus and --data are missing; see keci model prune --help",
		"report attention --corpus c": "--data is missing; see keci report attention --help",
	} {
		_, _, err := keciRun(t, strings.Fields(call)...)
		if exitCode(err) != exitUsage || err.Error() != want {
			t.Errorf("keci %s: %v, want %s", call, err, want)
		}
	}
}

// TestOneSplitHasNoFolds: a test set is measured as a whole, and what divides one says so.
func TestOneSplitHasNoFolds(t *testing.T) {
	data := writeAnnotated(t, 3)
	for _, flag := range []string{"--folds", "--count"} {
		_, _, err := keciRun(t, "crossval", "--corpus", "jsonl", "--data", data, "--test", data, flag, "5", "--encoder", writeEncoder(t), "--kb", buildSmallKB(t),
			"--out", t.TempDir(), "--results", t.TempDir())
		if want := "--test is measured as a whole: " + flag + " does not go with it"; exitCode(err) != exitUsage || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestParseNumbers(t *testing.T) {
	for text, want := range map[string]string{"0": "[0]", "0-2": "[0 1 2]", "1, 7": "[1 7]", "3-4,0": "[0 3 4]", "1,1,1-2": "[1 2]", "": "", "a": "", "2-1": "", "-1": "", "1-": "", "0-99999": ""} {
		got, err := parseNumbers(text)
		if (err != nil) != (want == "") || err == nil && fmt.Sprint(got) != want {
			t.Errorf("parseNumbers(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestShellLine(t *testing.T) {
	got := shellLine([]string{"keci", "train", "--out", "my runs", "--name", "it's", ""})
	if want := `keci train --out 'my runs' --name 'it'\''s' ''`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestTrainRefusesSettings: a setting that no model can have is refused as what it is,
// a mistake on the command line, before anything is read.
func TestTrainRefusesSettings(t *testing.T) {
	for want, settings := range map[string][]string{
		"keptRatio is 50":      {"--kept-ratio", "50"},
		"window is -1":         {"--window", "-1"},
		"window is 0":          {"--window", "0"},
		`of corpus "boic"`:     {"--corpus", "boic"},
		`of corpus "foo"`:      {"--also", "foo=x.json"},
		"epoch texts is -5":    {"--epoch-texts", "-5"},
		"epoch texts is -6":    {"--epoch-texts", "5,jsonl=-6"},
		`"few" is no number`:   {"--epoch-texts", "few"},
		"labelSmoothing is 2":  {"--label-smoothing", "2"},
		"dropout is 1":         {"--dropout", "1"},
		"row is 5":             {"--variant", "hnm-baseline", "--row", "5"},
		"temperature 0":        {"--variant", "hnm", "--temperature", "0"},
		"class weighting is 7": {"--variant", "remedi", "--class-weighting", "7"},
		`"steam" is unknown`:   {"--engine", "steam"},
	} {
		out := filepath.Join(t.TempDir(), "run")
		_, _, err := keciRun(t, append([]string{"train", "--corpus", "jsonl", "--data", "missing.jsonl", "--encoder", "missing", "--out", out}, settings...)...)
		if err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != exitUsage {
			t.Errorf("%v: error %v, status %d, want %q and %d", settings, err, exitCode(err), want, exitUsage)
		}
		if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: %s was made", settings, out)
		}
	}
}

// TestTrainOtherSystems goes from a corpus to a model of each system besides KECI,
// and uses it by the commands that KECI has.
func TestTrainOtherSystems(t *testing.T) {
	encoderDir, kb, data := writeEncoder(t), buildSmallKB(t), writeAnnotated(t, 8)
	for _, s := range systems[1:] {
		for _, variant := range s.Variants() {
			t.Run(variant, func(t *testing.T) {
				dir := t.TempDir()
				out := filepath.Join(dir, "run")
				mustKeci(t, "train", "--variant", variant, "--corpus", "jsonl", "--data", data, "--encoder", encoderDir, "--kb", kb, "--epochs", "1", "--held-out", "0.2", "--out", out, "--quiet")
				model := filepath.Join(out, "best")
				if info := mustKeci(t, "model", "info", model); !strings.Contains(info, `"variant": "`+variant+`"`) || !strings.Contains(info, `"Animal"`) ||
					!strings.Contains(info, `"jsonl: corpus.jsonl"`) || strings.Contains(info, `"config"`) {
					t.Errorf("model info:\n%s", info)
				}
				if info := mustKeci(t, "model", "info", "--all", model); !strings.Contains(info, `"config": {`) {
					t.Errorf("model info --all:\n%s", info)
				}
				training, err := results.ReadTraining(model)
				if err != nil || training.Variant != variant || training.Options.Epochs != 1 || training.Options.BatchSize != s.Recipe(variant).Options().BatchSize {
					t.Errorf("training %+v, %v", training, err)
				}
				small := filepath.Join(dir, "small")
				mustKeci(t, "model", "quantize", model, small)
				folder := filepath.Join(dir, "results")
				scores := mustKeci(t, "evaluate", "--corpus", "jsonl", "--data", data, "--model", model, "--kb", kb, "--results", folder)
				if own := strings.Contains(scores, `"protocol"`); own != slices.Contains([]string{remedi.Variant, hnm.Variant, hnm.Baseline}, variant) {
					t.Errorf("scores:\n%s", scores)
				}
				checkRecorded(t, folder, scores)
				if table := mustKeci(t, "report", "runs", folder); !strings.Contains(table, variant) {
					t.Errorf("table:\n%s", table)
				}
				picture := filepath.Join(dir, "clusters.png")
				if _, _, err := keciRun(t, "report", "clusters", "--corpus", "jsonl", "--data", data, "--before", small, "--model", model, "--kb", kb, "--out", picture); (err == nil) != (s == system.System(hnm.System{})) {
					t.Errorf("clusters: %v", err)
				} else if _, drawn := os.Stat(picture); (drawn == nil) != (err == nil) {
					t.Errorf("clusters: error %v, picture %v", err, drawn)
				}
				if docs := mustKeci(t, "extract", "--in", "jsonl", "--model", small, "--kb", kb, data); strings.Count(docs, `"digest"`) == 0 || strings.Count(docs, "\n") != 8 {
					t.Errorf("extracted:\n%s", docs)
				}
				if _, _, err := keciRun(t, "train", "--variant", variant, "--max-span", "3", "--corpus", "jsonl", "--data", data, "--encoder", encoderDir, "--out", out); err == nil || !strings.Contains(err.Error(), "--max-span is no setting of the variant "+variant) {
					t.Errorf("a setting of KECI: %v", err)
				}
				if _, _, err := keciRun(t, "model", "calibrate", model, filepath.Join(dir, "c"), "--corpus", "jsonl", "--data", data); err == nil || !strings.Contains(err.Error(), "no KECI model") {
					t.Errorf("calibrate: %v", err)
				}
			})
		}
	}
}

// checkRecorded compares the one run of a folder with what keci evaluate printed of it,
// for texts of two sentences each.
func checkRecorded(t *testing.T, folder, printed string) {
	t.Helper()
	runs, err := results.ReadAll(folder)
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	r := runs[0]
	if r.Parameters == 0 || r.Reading == nil || r.Reading.Sentences != 2*r.Scores.Documents || r.Reading.Seconds <= 0 || r.Reading.Processors < 1 || r.Reading.Engine != "go" {
		t.Errorf("%d parameters, reading %+v of %d texts", r.Parameters, r.Reading, r.Scores.Documents)
	}
	if table := mustKeci(t, "report", "systems", folder); strings.Contains(table, " – |") || strings.Contains(table, "their authors") != (r.Protocol != nil) {
		t.Errorf("table of systems:\n%s", table)
	}
	var told evaluation
	if err := json.Unmarshal([]byte(printed), &told); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(told.Protocol, r.Protocol); diff != "" {
		t.Errorf("protocol, printed and recorded:\n%s", diff)
	}
}
