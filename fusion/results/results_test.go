package results

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keci-kg/keci/fusion/corpus"
	"github.com/keci-kg/keci/fusion/score"
	"github.com/keci-kg/keci/fusion/train"
	"github.com/keci-kg/keci/graph"
)

// reached is a run of BioRelEx with the given counts.
func reached(variant, split string, seed int64, entities, relations score.Counts) Run {
	r := Run{Split: split, Test: File{Name: "dev.json"}}
	r.Corpus, r.Variant, r.Encoder, r.Seed = corpus.BioRelEx, variant, "minilm", seed
	r.Options = train.Options{Epochs: 3, EncoderRate: 1, TaskRate: 2}
	if variant != "sent-context" {
		r.KB = &graph.Provenance{Name: "open", Digest: "sha256:1"}
	}
	r.Curve = []train.Epoch{{Epoch: 1, Steps: 5}, {Epoch: 2, Steps: 10, Score: train.Score{Entity: 0.5}}}
	r.Scores = score.Result{Corpus: corpus.BioRelEx, Documents: 3, Entities: entities, Relations: relations,
		EntityF1: entities.F1(), RelationF1: relations.F1(),
		EntityTypes: score.ByLabel{"protein": entities}, RelationLabels: score.ByLabel{"bind": relations}}
	return r
}

func mustWrite(t *testing.T, dir string, runs ...Run) {
	t.Helper()
	for _, r := range runs {
		if _, err := Write(dir, r); err != nil {
			t.Fatal(err)
		}
	}
}

// Counts whose F1 are 0.8, 0.6 and 0.4.
var (
	high   = score.Counts{TP: 8, FP: 2, FN: 2}
	middle = score.Counts{TP: 6, FP: 4, FN: 4}
	low    = score.Counts{TP: 4, FP: 6, FN: 6}
)

func TestWriteAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results")
	want := []Run{reached("keci", "dev", 1, high, low), reached("sent-context", "dev", 1, middle, low), reached("keci", "fold 2 of 10", 1, high, low)}
	mustWrite(t, dir, want[2], want[0], want[1])
	got, err := ReadAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadAll (-want +got):\n%s", diff)
	}
	if name, want := want[2].FileName(), "biorelex-fold2of10-keci-minilm-open-seed1.json"; name != want {
		t.Errorf("file name %s, want %s", name, want)
	}
}

// TestWriteSparesOtherRuns: a run may be measured again, and does not take the
// place of one that was made or measured otherwise.
func TestWriteSparesOtherRuns(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Run)
		differ string // empty: nothing that counts
	}{
		{"resumed", func(r *Run) { r.Options.Resume = true }, ""},
		{"by another program, on another day", func(r *Run) { r.Program.Revision, r.Finished, r.Testing.Command = "abc", "2026-01-02", "keci" }, ""},
		{"a rate that a sweep found", func(r *Run) { r.Options.TaskRate, r.Sweep = 9, []train.Trial{{Factor: 9, Loss: 1}} }, ""},
		{"another sweep", func(r *Run) { r.Sweep = []train.Trial{{Factor: 1}, {Factor: 2}} }, "sweep ([9] there, [1 2] here)"},
		{"no sweep", func(r *Run) { r.Sweep = nil }, "sweep ([9] there, none here)"},
		{"a digest that was not recorded", func(r *Run) { r.EncoderDigest = "sha256:3" }, ""},
		{"another rate", func(r *Run) { r.Options.TaskRate, r.Sweep = 9, nil }, "options.taskRate (2 there, 9 here), sweep ([9] there, none here)"},
		{"another schedule", func(r *Run) { r.Options.Epochs, r.Options.MaxSteps = 4, 100 }, "options.epochs (3 there, 4 here), options.maxSteps (none there, 100 here)"},
		{"settings of a system", func(r *Run) { r.Settings = map[string]any{"mining": false} }, "settings.mining (true there, false here)"},
		{"other texts", func(r *Run) { r.Test.SHA256 = "2" }, "test.sha256 (none there, 2 here)"},
		{"another knowledge base", func(r *Run) { r.Testing.KB = nil }, "testing.kb.digest (sha256:1 there, none here), testing.kb.name (open there, none here)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			r := reached("keci", "dev", 1, high, low)
			r.Settings, r.Sweep = map[string]any{"mining": true}, []train.Trial{{Factor: 9}}
			r.Testing.KB = r.KB
			mustWrite(t, dir, r)
			test.change(&r)
			path, err := Write(dir, r)
			if test.differ == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := path + " differs in " + test.differ + ": "; !errors.Is(err, ErrOtherRun) || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %s", err, want)
			}
			if kept, err := Read(dir, r.FileName()); err != nil || kept.Options.TaskRate != 2 {
				t.Errorf("%+v, %v: want what was there", kept, err)
			}
		})
	}
}

func TestReadAllNamesWhatIsWrong(t *testing.T) {
	if _, err := ReadAll(t.TempDir()); err == nil || !strings.Contains(err.Error(), "holds none") {
		t.Errorf("empty folder: %v", err)
	}
	if _, err := ReadAll(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent folder: %v", err)
	}
	dir := t.TempDir()
	r := reached("keci", "dev", 1, high, low)
	r.Scores.EntityF1 = 0.9 // by hand
	mustWrite(t, dir, r)
	if _, err := ReadAll(dir); err == nil || !strings.Contains(err.Error(), "entityF1 is 0.9") || !strings.Contains(err.Error(), r.FileName()) {
		t.Errorf("a figure that does not follow from its counts: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, r.FileName()), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAll(dir); err == nil || !strings.Contains(err.Error(), r.FileName()) {
		t.Errorf("a file that is cut off: %v", err)
	}
}

// mustGroup is GroupRuns for runs that can be grouped.
func mustGroup(t *testing.T, runs []Run) []Group {
	t.Helper()
	groups, err := GroupRuns(runs)
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

func TestStatistic(t *testing.T) {
	g := Group{Runs: []Run{reached("keci", "dev", 1, high, low), reached("keci", "dev", 2, middle, low), reached("keci", "dev", 3, low, low)}}
	s := g.Of(EntityF1)
	if math.Abs(s.Mean-0.6) > 1e-12 || math.Abs(s.Deviation-0.2) > 1e-12 || s.String() != "60.00 ± 20.00" {
		t.Errorf("statistic %+v, %s", s, s)
	}
	if one := (Group{Runs: g.Runs[:1]}).Of(EntityF1); one.String() != "80.00" {
		t.Errorf("one run: %s", one)
	}
}

func TestTables(t *testing.T) {
	runs := []Run{
		reached("sent-context", "dev", 1, middle, low), reached("keci", "dev", 1, high, middle), reached("keci", "dev", 2, middle, middle),
		reached("no-kge", "dev", 2, low, low),
	}
	runs[1].Command, runs[1].Finished, runs[1].Program.Revision = "keci crossval --seeds 1", "2026-11-20", "0123456789"
	groups := mustGroup(t, runs)
	for _, test := range []struct {
		name  string
		write func(*bytes.Buffer) error
		want  string
	}{
		{"runs", func(b *bytes.Buffer) error { return WriteRuns(b, groups) }, `| corpus | variant | encoder | knowledge base | epochs | seeds | measured on | runs | entity F1 | relation F1 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| biorelex | keci | minilm | open | 3 | 1, 2 | dev | 2 | 70.00 ± 14.14 | 60.00 ± 0.00 |
| biorelex | sent-context | minilm |  | 3 | 1 | dev | 1 | 60.00 | 40.00 |
| biorelex | no-kge | minilm | open | 3 | 2 | dev | 1 | 40.00 | 40.00 |
`},
		// Differences are taken on the seed that both have: 0.8 for one, 0.6 for the other.
		{"ablations", func(b *bytes.Buffer) error {
			return WriteAblations(b, append(mustGroup(t, []Run{reached("multitask", "dev", 1, high, low)}), groups...))
		}, `biorelex, dev, minilm, 3 epochs

| # | variant | knowledge base | measured on | seeds | entity F1 | Δ | paper | relation F1 | Δ | paper | runs beside keci |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| 1 | keci | open | dev | 1, 2 | 70.00 ± 14.14 | – | 87.42 | 60.00 ± 0.00 | – | 66.09 | – |
| 2 | sent-context |  | dev | 1 | 60.00 | -20.00 | 83.98 | 40.00 | -20.00 | 63.90 | 1 |
| 3 | no-kge | open | dev | 2 | 40.00 | -20.00 | 86.25 | 40.00 | -20.00 | 65.29 | 1 |

The commands of each row:

    # 1: biorelex, keci
    keci crossval --seeds 1 # 2026-11-20, commit 0123456
    # 2: biorelex, sent-context
    # 3: biorelex, no-kge

`},
		{"types", func(b *bytes.Buffer) error { return WriteTypes(b, groups[:1]) }, `biorelex, keci, minilm, seeds 1, 2, dev

| type or label | annotated | precision | recall | F1 |
| --- | --- | --- | --- | --- |
| protein | 20 | 70.0 | 70.0 | 70.0 |
| bind | 20 | 60.0 | 60.0 | 60.0 |
`},
	} {
		var got bytes.Buffer
		if err := test.write(&got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestGroupsOfOneRecipe: runs with other settings are no seeds of one, and tables say
// what tells them apart; a variant without a knowledge base is compared with the full
// model only where it is clear with which.
func TestGroupsOfOneRecipe(t *testing.T) {
	smooth := reached("keci", "dev", 2, middle, middle)
	smooth.Options.EMA, smooth.Options.Seed = 0.998, 2
	seed3 := reached("keci", "dev", 3, low, middle)
	seed3.Options.Seed, seed3.EncoderDigest = 3, "sha256:1"
	runs := []Run{reached("keci", "dev", 1, high, middle), smooth, seed3, reached("sent-context", "dev", 1, middle, low)}
	var got bytes.Buffer
	if err := WriteRuns(&got, mustGroup(t, runs)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| keci | minilm | open | 3; ema none | 1, 3 |", "| keci | minilm | open | 3; ema 0.998 | 2 |", "| sent-context | minilm |  | 3 | 1 |"} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("no %s in\n%s", want, got.String())
		}
	}
	other := reached("keci", "dev", 1, low, low)
	other.KB = &graph.Provenance{Name: "another", Digest: "sha256:2"}
	got.Reset()
	if err := WriteAblations(&got, mustGroup(t, append(runs, other))); err != nil {
		t.Fatal(err)
	}
	if want := "| sent-context |  | dev | 1 | 60.00 | – | 83.98 | 40.00 | – | 63.90 | 0 |"; !strings.Contains(got.String(), want) {
		t.Errorf("no %s in\n%s", want, got.String())
	}
	if err := WriteAblations(&got, mustGroup(t, []Run{reached("multitask", "dev", 1, high, low)})); err == nil {
		t.Error("no run of the paper's variants is no error")
	}
}

// TestRecipe: a run goes on with what it was told, and longer or shorter, but not with
// anything else.
func TestRecipe(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	told := reached("keci", "dev", 1, high, low).Training
	if err := CheckRecipe(dir, told); err != nil {
		t.Errorf("nothing was kept: %v", err)
	}
	if err := WriteRecipe(dir, told); err != nil {
		t.Fatal(err)
	}
	longer := told
	longer.Options.MaxSteps, longer.Options.Patience, longer.Finished, longer.Learned = 7, 3, "2026-01-01", 5
	if err := CheckRecipe(dir, longer); err != nil {
		t.Errorf("limits of the run: %v", err)
	}
	other := told
	other.LabelSmoothing, other.HeldOutShare = 0.1, 0.05
	const want = "heldOutShare (0 there, 0.05 here), labelSmoothing (none there, 0.1 here)"
	if err := CheckRecipe(dir, other); !errors.Is(err, ErrOtherRun) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), want) {
		t.Errorf("other settings: %v", err)
	}
}

// TestGroupsOfFolds: folds of one division are one group, other splits are not.
func TestGroupsOfFolds(t *testing.T) {
	var runs []Run
	for _, split := range []string{"dev", Fold(0, 10), Fold(7, 10), Fold(0, 5), "test"} {
		runs = append(runs, reached("keci", split, 1, high, low))
	}
	var got []string
	for _, g := range mustGroup(t, runs) {
		got = append(got, g.Part+": "+g.Splits())
	}
	want := []string{"dev: dev", "folds of 10: fold 0 of 10, fold 7 of 10", "folds of 5: fold 0 of 5", "test: test"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// measuredByAll are runs of two corpora, one of them with all that a run can record.
func measuredByAll() []Run {
	old := reached("keci", "dev", 1, high, low)
	old.Command, old.Testing.Command = "keci train --seed 1", "keci evaluate"
	second := reached("keci", "dev", 2, middle, low)
	second.Command, second.Testing.Command = "keci train --seed 2", "keci evaluate"
	second.Parameters, second.Reading = 12_340_000, &Reading{Sentences: 90, Seconds: 2, Processors: 2, Engine: "go"}
	var folds []Run
	for i, tags := range []float64{0.7, 0.9} {
		r := reached("remedi", Fold(i, 10), 1, high, low)
		r.Corpus, r.Scores.Corpus, r.KB, r.Command, r.Testing.Command = corpus.ADE, corpus.ADE, nil, "keci crossval", "keci crossval"
		// Macro: the means of two types, not the measures of their sum.
		r.Scores.EntityTypes = score.ByLabel{"Drug": {TP: 1, FP: 1}, "Effect": {TP: 30, FN: 10}}
		r.Scores.EntityF1 = r.Scores.EntityTypes.MacroF1()
		r.Parameters, r.Reading = 22_100_000, &Reading{Sentences: 100 * (i + 1), Seconds: 10, Processors: 2, Engine: "go"}
		r.Protocol = &Protocol{Figures: append(Figures("tags, macro", score.Measures{Precision: 0.5, Recall: 1, F1: tags}), Figure{"ARI", -0.5})}
		folds = append(folds, r)
	}
	return append(folds, old, second)
}

func TestWriteSystems(t *testing.T) {
	const want = `| # | corpus | variant | encoder | knowledge base | epochs | seeds | measured on | runs | entities: P / R / F1 | relations: P / R / F1 | sentences/s | engine, processors | parameters |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| 1 | ade | remedi | minilm |  | 3 | 1 | fold 0 of 10, fold 1 of 10 | 2 | 75.00 ± 0.00 / 87.50 ± 0.00 / 76.19 ± 0.00 | 40.00 ± 0.00 / 40.00 ± 0.00 / 40.00 ± 0.00 | 15.0 ± 7.1 | go, 2 | 22.1 M |
| 2 | biorelex | keci | minilm | open | 3 | 1, 2 | dev | 2 | 70.00 ± 14.14 / 70.00 ± 14.14 / 70.00 ± 14.14 | 40.00 ± 0.00 / 40.00 ± 0.00 / 40.00 ± 0.00 | 45.0 | go, 2 | 12.3 M |

By the rules of their authors:

| # | corpus | variant | measured on | figure | × 100 |
| --- | --- | --- | --- | --- | --- |
| 1 | ade | remedi | fold 0 of 10, fold 1 of 10 | tags, macro precision | 50.00 ± 0.00 |
| 1 | ade | remedi | fold 0 of 10, fold 1 of 10 | tags, macro recall | 100.00 ± 0.00 |
| 1 | ade | remedi | fold 0 of 10, fold 1 of 10 | tags, macro F1 | 80.00 ± 14.14 |
| 1 | ade | remedi | fold 0 of 10, fold 1 of 10 | ARI | -50.00 ± 0.00 |

The commands of each row:

    # 1: ade, remedi
    keci crossval
    # 2: biorelex, keci
    keci train --seed 1
    keci evaluate
    keci train --seed 2

`
	dir := t.TempDir()
	mustWrite(t, dir, measuredByAll()...)
	runs, err := ReadAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := WriteSystems(&got, mustGroup(t, runs)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWriteSystemsOfOldRuns: what was not recorded is no figure, and without protocols
// there is no table of them.
func TestWriteSystemsOfOldRuns(t *testing.T) {
	var got bytes.Buffer
	if err := WriteSystems(&got, mustGroup(t, []Run{reached("keci", "dev", 1, high, low)})); err != nil {
		t.Fatal(err)
	}
	const want = "| 1 | biorelex | keci | minilm | open | 3 | 1 | dev | 1 | 80.00 / 80.00 / 80.00 | 40.00 / 40.00 / 40.00 | – | – | – |\n\nThe commands"
	if !strings.Contains(got.String(), want) || strings.Contains(got.String(), "their authors") {
		t.Errorf("got\n%s", got.String())
	}
}

func TestDescribe(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a.txt": "x", "b.txt": "y"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := Describe(filepath.Join(dir, "a.txt"))
	if err != nil || file != (File{"a.txt", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}) {
		t.Errorf("file %+v, %v", file, err)
	}
	folder, err := Describe(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "b.txt"), filepath.Join(dir, "c.txt")); err != nil {
		t.Fatal(err)
	}
	if other, _ := Describe(dir); other.SHA256 == folder.SHA256 {
		t.Error("a folder whose file has another name has the same digest")
	}
	if _, err := Describe(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}

// A model of several corpora has a group for each of them, and learned once.
func TestDistinctCurves(t *testing.T) {
	group := func(corpus string, steps ...int) Group {
		r := Run{Training: Training{Corpus: corpus}}
		for _, n := range steps {
			r.Curve = append(r.Curve, train.Epoch{Steps: n})
		}
		return Group{Corpus: corpus, Runs: []Run{r}}
	}
	var got []string
	for _, g := range distinctCurves([]Group{group("ade", 10, 20), group("bc5cdr", 10, 20), group("biorelex", 10, 30), group("bioc", 10)}) {
		got = append(got, g.Corpus)
	}
	if want := []string{"ade", "biorelex", "bioc"}; !slices.Equal(got, want) {
		t.Errorf("curves of %v, not of %v", got, want)
	}
}
