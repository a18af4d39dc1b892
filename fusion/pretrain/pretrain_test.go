package pretrain

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keci-kg/keci/encoder"
	"github.com/keci-kg/keci/fusion/engine/enginetest"
	"github.com/keci-kg/keci/fusion/train"
)

// wordPieces spell the texts of the tests: a drug binds the protein of its own
// letter, so that a hidden letter can be told from the other one.
var wordPieces = strings.Fields("[PAD] [UNK] [CLS] [SEP] [MASK] drug protein binds a b c d e f . the")

var tinyBERT = encoder.Config{
	ModelType: "bert", VocabSize: len(wordPieces), HiddenSize: 16, NumHiddenLayers: 1, NumAttentionHeads: 2, IntermediateSize: 24,
	MaxPositionEmbeddings: 32, TypeVocabSize: 2, LayerNormEps: 1e-6, HiddenAct: "gelu", PositionEmbeddingType: "absolute",
}

// newEncoderFolder writes a BERT with random weights as a Hugging Face folder.
func newEncoderFolder(t testing.TB, pieces []string) string {
	t.Helper()
	files := t.TempDir()
	cfg := tinyBERT
	cfg.VocabSize = len(pieces)
	data, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(files, "config.json"), string(data))
	writeFile(t, filepath.Join(files, "vocab.txt"), strings.Join(pieces, "\n")+"\n")
	store := model.NewStore()
	store.SetParam("/"+model.ParamInitialSeed, int64(7))
	exec := model.MustNewExec(enginetest.Go(), store, func(root *model.Scope, ids, mask *Node) *Node {
		store.SetTraining(ids.Graph(), true)
		return encoder.BERT(root.At("encoder"), cfg, ids, mask, 0)
	})
	if _, err := exec.Call([][]int32{{2, 3}}, [][]float32{{1, 1}}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := encoder.Export(store, "/encoder", files, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// someTexts are n different texts.
func someTexts(n int) []string {
	random := rand.New(rand.NewPCG(3, 0))
	var texts []string
	for range n {
		var words []string
		for range 6 {
			letter := string(rune('a' + random.IntN(6)))
			words = append(words, "drug", letter, "binds", "the", "protein", letter, ".")
		}
		texts = append(texts, strings.Join(words, " "))
	}
	return texts
}

func testOptions() Options {
	return Options{Steps: 6, Every: 2, Rows: 4, Length: 16, Hidden: 0.15, HeldOut: 0.1,
		EncoderRate: 5e-3, HeadRate: 1e-2, WarmUp: 0.1, Seed: 3}
}

func newTestLearner(t testing.TB, dir string, o Options) *Learner {
	t.Helper()
	l, err := NewLearner(t.Context(), enginetest.Go(), dir, someTexts(40), "texts", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Finalize)
	return l
}

// silent hears of the progress, and may act on a step.
type silent struct{ onStep func(done int) }

func (s silent) Step(done, _ int, _ float64) {
	if s.onStep != nil {
		s.onStep(done)
	}
}
func (silent) Epoch(train.Epoch, bool) {}

func mustRun(t testing.TB, l *Learner, o Options, out string) train.History {
	t.Helper()
	history, err := train.Run(t.Context(), enginetest.Go(), l, o.Training(), out, silent{})
	if err != nil {
		t.Fatal(err)
	}
	return history
}

func weights(t testing.TB, l *Learner) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	for v := range l.store.IterVariables() {
		if strings.HasPrefix(v.Path(), "/encoder/") || strings.HasPrefix(v.Path(), "/head/") {
			all[v.Path()] = tensors.MustCopyFlatData[float32](v.MustValue())
		}
	}
	return all
}

func TestLearns(t *testing.T) {
	dir := newEncoderFolder(t, wordPieces)
	o := testOptions()
	o.Steps, o.Every, o.Rows, o.HeldOut = 400, 100, 8, 0.3
	l := newTestLearner(t, dir, o)
	table := slices.Clone(weights(t, l)[wordPath])
	out := t.TempDir()
	history := mustRun(t, l, o, out)
	before, after := l.Measurements()
	best := after[history.Best]
	if !(before.Loss > 1.5 && best.Loss < 0.8*before.Loss && best.Accuracy > before.Accuracy+0.15) {
		t.Errorf("before %+v, after %+v: want a much lower loss and more told right", before, best)
	}
	if score := history.Epochs[history.Best].Score; math.Abs(1/score.Likelihood-best.Perplexity()) > 1e-9 {
		t.Errorf("likelihood %g, perplexity %g", score.Likelihood, best.Perplexity())
	}
	if diff := cmp.Diff(table, weights(t, l)[wordPath]); diff != "" {
		t.Error("the table of word pieces has changed")
	}
	opened, err := encoder.Open(enginetest.Go(), filepath.Join(out, train.BestDir))
	if err != nil {
		t.Fatal(err)
	}
	vectors := func(e *encoder.Encoder) [][]float32 {
		encoded, err := e.Encode(t.Context(), []string{"drug a binds the protein a ."})
		if err != nil {
			t.Fatal(err)
		}
		return encoded[0].Vectors
	}
	original, err := encoder.Open(enginetest.Go(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if cmp.Equal(vectors(original), vectors(opened)) {
		t.Error("the encoder gives the vectors that it gave before")
	}
}

func TestSameSeedSameWeightsAndResume(t *testing.T) {
	dir, o := newEncoderFolder(t, wordPieces), testOptions()
	whole := newTestLearner(t, dir, o)
	want := mustRun(t, whole, o, t.TempDir())

	again := newTestLearner(t, dir, o)
	mustRun(t, again, o, t.TempDir())
	if diff := cmp.Diff(weights(t, whole), weights(t, again)); diff != "" {
		t.Errorf("another run with the same seed: %s", diff)
	}

	out, part := t.TempDir(), o
	part.MaxSteps = 3 // amid the steps between two measurements
	mustRun(t, newTestLearner(t, dir, part), part, out)
	o.Resume = true
	rest := newTestLearner(t, dir, o)
	got := mustRun(t, rest, o, out)
	if diff := cmp.Diff(weights(t, whole), weights(t, rest)); diff != "" {
		t.Errorf("a run that went on: %s", diff)
	}
	last := func(h train.History) train.Epoch { return h.Epochs[len(h.Epochs)-1] }
	if diff := cmp.Diff(last(want), last(got), cmpopts.IgnoreFields(train.Epoch{}, "Elapsed")); diff != "" {
		t.Errorf("the last measurement: %s", diff)
	}
	if _, after := rest.Measurements(); len(after) != len(got.Epochs) {
		t.Errorf("%d measurements are known of %d", len(after), len(got.Epochs))
	}
}

func TestResumeRefusesAnotherRecipe(t *testing.T) {
	dir, o, out := newEncoderFolder(t, wordPieces), testOptions(), t.TempDir()
	o.MaxSteps = 2
	mustRun(t, newTestLearner(t, dir, o), o, out)
	o.Resume, o.Hidden = true, 0.3
	l := newTestLearner(t, dir, o)
	_, err := train.Run(t.Context(), enginetest.Go(), l, o.Training(), out, silent{})
	if err == nil || !strings.Contains(err.Error(), "other options or texts") {
		t.Errorf("error %v, want that the options are others", err)
	}
}

func TestStopsWithTheContext(t *testing.T) {
	o := testOptions()
	ctx, cancel := context.WithCancel(t.Context())
	out := t.TempDir()
	_, err := train.Run(ctx, enginetest.Go(), newTestLearner(t, newEncoderFolder(t, wordPieces), o), o.Training(), out,
		silent{onStep: func(int) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if _, err := NewLearner(ctx, enginetest.Go(), newEncoderFolder(t, wordPieces), someTexts(9), "texts", o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// Loss and gradient are compared with those of −log softmax, which the engine
// derives: the mean over the hidden pieces.
func TestLossIsOfTheHiddenPieces(t *testing.T) {
	l := newTestLearner(t, newEncoderFolder(t, wordPieces), testOptions())
	s := l.masker.hide(l.learned, []int{0, 1}, rand.New(rand.NewPCG(1, 1)))
	s.weights[0] = 0 // does not count
	s.scale(1 / s.told())
	exec := model.MustNewExec(enginetest.Go(), l.store, func(root *model.Scope, in []*Node) []*Node {
		l.store.SetTraining(in[0].Graph(), true)
		mean := l.Loss(root, in)
		input := newInputs(in)
		likelihood := Softmax(newHead(root, l.cfg, input).logits(), -1)
		hidden := OneHot(input.targets, l.cfg.VocabSize, dtypes.Float32)
		want := Neg(ReduceAllSum(Mul(input.weights, ReduceSum(Mul(hidden, Log(likelihood)), -1))))
		out := []*Node{mean, want}
		gradients, wanted := root.BuildTrainableVariablesGradientsGraph(mean), root.BuildTrainableVariablesGradientsGraph(want)
		for i := range gradients {
			out = append(out, gradients[i], wanted[i])
		}
		return out
	})
	defer exec.Finalize()
	var args []any
	for _, x := range s.tensors() {
		args = append(args, x)
	}
	outs, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	if len(outs) < 20 {
		t.Fatalf("%d gradients", len(outs)/2-1)
	}
	for i := 0; i < len(outs); i += 2 {
		got, want := tensors.MustCopyFlatData[float32](outs[i]), tensors.MustCopyFlatData[float32](outs[i+1])
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-4, 1e-6)); diff != "" {
			t.Errorf("output %d: %s", i/2, diff)
		}
	}
}

func TestHide(t *testing.T) {
	const length, count = 128, 400
	m := masker{mask: 4, cls: 2, sep: 3, vocabulary: 30000, share: 0.15}
	r := rows{length: length}
	for i := range count {
		r.ids = append(r.ids, m.cls)
		for k := range length - 2 {
			id := int32(100 + (i*31+k)%20000)
			if k%50 == 49 {
				id = m.sep
			}
			r.ids = append(r.ids, id)
		}
		r.ids = append(r.ids, m.sep)
	}
	before := slices.Clone(r.ids)
	numbers := make([]int, count)
	for i := range numbers {
		numbers[i] = i
	}
	s := m.hide(r, numbers, rand.New(rand.NewPCG(1, 2)))
	if !slices.Equal(before, r.ids) {
		t.Fatal("the rows themselves were changed")
	}
	if want := count * 19; len(s.at) != want || s.told() != float32(want) { // 15 % of 126
		t.Fatalf("%d pieces, %g of them count, want %d", len(s.at), s.told(), want)
	}
	told := map[int32]bool{}
	var masked, replaced, left float64
	for i, at := range s.at {
		if told[at] || before[at] != s.targets[i] || before[at] == m.cls || before[at] == m.sep {
			t.Fatalf("piece %d at %d: told twice, wrong or special", before[at], at)
		}
		told[at] = true
		switch s.ids[at] {
		case m.mask:
			masked++
		case before[at]:
			left++
		default:
			replaced++
		}
	}
	for at, id := range s.ids {
		if !told[int32(at)] && id != before[at] {
			t.Fatalf("the piece at %d is changed and not to be told", at)
		}
	}
	total := masked + replaced + left
	for name, share := range map[string][2]float64{"masked": {masked / total, 0.8}, "replaced": {replaced / total, 0.1}, "left": {left / total, 0.1}} {
		if math.Abs(share[0]-share[1]) > 0.02 {
			t.Errorf("%s: %.3f of the pieces, want %.1f", name, share[0], share[1])
		}
	}
	other := m.hide(r, numbers, rand.New(rand.NewPCG(1, 3)))
	if slices.Equal(s.at, other.at) {
		t.Error("the same pieces are hidden another time")
	}
}

func TestHideFewPieces(t *testing.T) {
	m := masker{mask: 4, cls: 2, sep: 3, vocabulary: 16, share: 0.5}
	r := rows{length: 8, ids: []int32{2, 7, 3, 3, 3, 3, 3, 3}}
	s := m.hide(r, []int{0}, rand.New(rand.NewPCG(1, 1)))
	if len(s.at) != 3 || s.told() != 1 || s.at[0] != 1 || s.targets[0] != 7 {
		t.Errorf("hidden %+v, want the one piece that can be", s)
	}
}

func TestPack(t *testing.T) {
	tokenizer, err := encoder.LoadTokenizer(newEncoderFolder(t, wordPieces))
	if err != nil {
		t.Fatal(err)
	}
	r, err := pack(t.Context(), tokenizer, []string{"a b c", "", "d e f a b c d e", "a a a"}, 8)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(r.ids))
	for i, id := range r.ids {
		names[i] = wordPieces[id]
	}
	want := "[CLS] a b c [SEP] d e [SEP] [CLS] f a b c d e [SEP]"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("rows %q, want %q", got, want)
	}
	if _, err := pack(t.Context(), tokenizer, []string{"a b"}, 8); err == nil {
		t.Error("no error for texts that fill no row")
	}
}

func TestReadTexts(t *testing.T) {
	dir := t.TempDir()
	const content = "first text \r\n\n second\nfirst text\nthird without end"
	want := []string{"first text", "second", "third without end"}
	plain, packed := filepath.Join(dir, "texts.txt"), filepath.Join(dir, "texts.txt.gz")
	writeFile(t, plain, content)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, packed, zipped.String())
	for _, path := range []string{plain, packed} {
		got, err := ReadTexts(path)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", path, err, diff)
		}
	}
	broken := filepath.Join(dir, "broken.gz")
	writeFile(t, broken, zipped.String()[:zipped.Len()-9])
	empty := filepath.Join(dir, "empty.txt")
	writeFile(t, empty, "\n \n")
	for _, path := range []string{broken, empty, filepath.Join(dir, "absent"), dir} {
		if _, err := ReadTexts(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one that names the file", path, err)
		}
	}
}

func TestSplitKeepsEveryTextOnce(t *testing.T) {
	texts := someTexts(40)
	learned, heldOut, err := split(texts, 0.1, 1)
	if err != nil || len(heldOut) != 4 || len(learned) != 36 {
		t.Fatalf("%d learned, %d held out: %v", len(learned), len(heldOut), err)
	}
	all := slices.Concat(learned, heldOut)
	slices.Sort(all)
	slices.Sort(texts)
	if diff := cmp.Diff(texts, all); diff != "" {
		t.Error(diff)
	}
	if _, _, err := split(texts[:1], 0.1, 1); err == nil {
		t.Error("no error for a single text")
	}
}

func TestOrderShowsEachRowOnceInAPass(t *testing.T) {
	whole := newOrder(7, 5)
	list := whole.take(0, 14)
	for _, pass := range [][]int{list[:7], list[7:]} {
		if sorted := slices.Sorted(slices.Values(pass)); !slices.Equal(sorted, []int{0, 1, 2, 3, 4, 5, 6}) {
			t.Errorf("a pass shows %v", pass)
		}
	}
	if got := newOrder(7, 5).take(5, 4); !slices.Equal(got, list[5:9]) {
		t.Errorf("from the middle: %v, want %v", got, list[5:9])
	}
}

func TestWrongInput(t *testing.T) {
	dir := newEncoderFolder(t, wordPieces)
	for name, change := range map[string]func(*Options){
		"no multiple": func(o *Options) { o.Every = 4 },
		"too long":    func(o *Options) { o.Length = 33 },
		"too short":   func(o *Options) { o.Length = 3 },
		"mask":        func(o *Options) { o.Hidden = 1 },
		"held out":    func(o *Options) { o.HeldOut = math.NaN() },
		"rate":        func(o *Options) { o.EncoderRate = 0 },
	} {
		o := testOptions()
		change(&o)
		if _, err := NewLearner(t.Context(), enginetest.Go(), dir, someTexts(9), "texts", o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	unmasked := newEncoderFolder(t, slices.DeleteFunc(slices.Clone(wordPieces), func(p string) bool { return p == "[MASK]" }))
	if _, err := NewLearner(t.Context(), enginetest.Go(), unmasked, someTexts(9), "texts", testOptions()); err == nil || !strings.Contains(err.Error(), "[MASK]") {
		t.Errorf("error %v, want that there is no [MASK]", err)
	}
}

func TestLicenseOf(t *testing.T) {
	for card, want := range map[string]string{
		"---\nlanguage: en\nlicense: apache-2.0\n---\n# Name\n": "apache-2.0",
		"# Name\nlicense: of the text\n":                        "",
		"---\nlanguage: en\n---\nlicense: mit\n":                "",
	} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "README.md"), card)
		if got := LicenseOf(dir); got != want {
			t.Errorf("%q: licence %q, want %q", card, got, want)
		}
	}
	if got := LicenseOf(t.TempDir()); got != "" {
		t.Errorf("no card: licence %q", got)
	}
}

func TestPublish(t *testing.T) {
	dir, o := newEncoderFolder(t, wordPieces), testOptions()
	place := Place(filepath.Join(t.TempDir(), "bio"))
	if err := place.Check(false); err != nil {
		t.Fatal(err)
	}
	mustRun(t, newTestLearner(t, dir, o), o, place.Run())
	for _, steps := range []int{2, 6} { // the second takes the place of the first
		if err := place.Publish(Card{Name: "bio", Encoder: "tiny", License: "apache-2.0", Steps: steps, Options: o, Command: "keci pretrain"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := encoder.Open(enginetest.Go(), string(place)); err != nil {
		t.Error(err)
	}
	card, err := os.ReadFile(filepath.Join(string(place), "README.md"))
	if err != nil || !strings.Contains(string(card), "license: apache-2.0") || !strings.Contains(string(card), "after 6 steps") {
		t.Errorf("card %s, error %v", card, err)
	}
	if err := place.Check(false); err == nil {
		t.Error("no error for an encoder that would be overwritten")
	}
	if err := place.Check(true); err != nil {
		t.Errorf("a run that goes on: %v", err)
	}
	if left, _ := filepath.Glob(string(place) + ".[no]*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
