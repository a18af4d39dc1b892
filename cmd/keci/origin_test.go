package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keci-kg/keci/fusion/results"
)

// TestTrainFrom: a model goes on from another one, says so, and is told apart from one
// that did not; where it could know what it is measured on, that is told.
func TestTrainFrom(t *testing.T) {
	data, kb, encoderDir, dir := writeAnnotated(t, 10), buildSmallKB(t), writeEncoder(t), t.TempDir()
	common := []string{"train", "--corpus", "jsonl", "--data", data, "--kb", kb, "--epochs", "1", "--held-out", "0.2", "--batch", "4", "--quiet"}
	first := filepath.Join(dir, "first", "best")
	mustKeci(t, append(slices.Clone(common), "--variant", "sent-context", "--name", "before", "--encoder", encoderDir, "--out", filepath.Dir(first))...)
	goOn := func(name string, more ...string) (model, stderr string) {
		out := filepath.Join(dir, name)
		_, stderr, err := keciRun(t, slices.Concat(common, []string{"--from", first, "--out", out}, more)...)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, stderr)
		}
		return filepath.Join(out, "best"), stderr
	}
	model, stderr := goOn("second")
	if strings.Contains(stderr, "warning") {
		t.Errorf("with the same texts held out: %s", stderr)
	}
	before, err := results.ReadTraining(first)
	if err != nil {
		t.Fatal(err)
	}
	record, err := results.ReadTraining(model)
	if err != nil {
		t.Fatal(err)
	}
	if from := record.From; from == nil || from.Name != "before" || !strings.HasPrefix(from.Model, "sha256:") || len(from.Learned) != 1 || from.Learned[0].Data != before.Data {
		t.Errorf("it went on from %+v", from)
	}
	if record.Variant != "sent-context" || record.Encoder != filepath.Base(encoderDir) || record.EncoderDigest != before.EncoderDigest {
		t.Errorf("variant %s, encoder %s (%s)", record.Variant, record.Encoder, record.EncoderDigest)
	}
	if card, err := os.ReadFile(filepath.Join(model, "README.md")); err != nil || !strings.Contains(string(card), "It went on from the model before\n(`sha256:") {
		t.Errorf("the card does not tell: %v\n%s", err, card)
	}
	folder := filepath.Join(dir, "results")
	for _, of := range []string{first, model} {
		mustKeci(t, "evaluate", "--corpus", "jsonl", "--data", data, "--model", of, "--kb", kb, "--results", folder)
	}
	if runs, err := results.ReadAll(folder); err != nil || len(runs) != 2 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
	if table := mustKeci(t, "report", "runs", folder); !strings.Contains(table, "from before") {
		t.Errorf("the table does not tell the two apart:\n%s", table)
	}
	for _, c := range []struct {
		name string
		more []string
		want string
	}{
		{"seed", []string{"--seed", "2"}, "scores on what is held out here are too good; they are not with --seed 1, --held-out 0.2"},
		{"unseen", []string{"--unseen", "jsonl=" + writeText(t, "test.jsonl", `{"id":"x","text":"Bird sings.","mentions":[{"id":"T1","start":0,"end":4,"text":"Bird","type":"Animal"}]}`+"\n")}, "may have learned from texts of test.jsonl"},
		{"other", []string{"--data", writeAnnotated(t, 11)}, "before learned from corpus.jsonl: whether texts of these are among"},
		{"chain", []string{"--from", model, "--seed", "2"}, "sent-context-jsonl learned from corpus.jsonl and held out other texts"},
		{"third", []string{"--from", filepath.Join(dir, "seed", "best"), "--seed", "2"}, "before learned from corpus.jsonl and held out other texts"},
	} {
		model, stderr := goOn(c.name, c.more...)
		card, err := os.ReadFile(filepath.Join(model, "README.md"))
		if !strings.Contains(stderr, c.want) || err != nil || !strings.Contains(string(card), c.want) {
			t.Errorf("%s: %q, want %s; card %v\n%s", c.name, stderr, c.want, err, card)
		}
	}
	calibrate := []string{"model", "calibrate", filepath.Join(dir, "third", "best"), filepath.Join(dir, "calibrated"), "--corpus", "jsonl", "--data", data, "--held-out", "0.2"}
	if _, _, err := keciRun(t, append(calibrate, "--seed", "2")...); exitCode(err) != exitUsage || !strings.Contains(err.Error(), "--held-out 0.2 --seed 1") {
		t.Errorf("calibrated on what an earlier model learned from: %v", err)
	}
	if err := os.Remove(filepath.Join(first, results.TrainingFile)); err != nil {
		t.Fatal(err)
	}
	if _, stderr := goOn("unknown"); !strings.Contains(stderr, "does not say what it learned from") {
		t.Errorf("of a model that does not say: %q", stderr)
	}
	for want, more := range map[string][]string{
		"leave out --encoder":              {"--from", first, "--encoder", encoderDir},
		"of the variant sent-context, not": {"--from", first, "--variant", "keci"},
		"is no model: it has no keci.json": {"--from", dir},
		"its model is in " + first:         {"--from", filepath.Dir(first)},
		"give it --max-span 14":            {"--from", first, "--max-span", "9"},
	} {
		if _, _, err := keciRun(t, slices.Concat(common, more, []string{"--out", filepath.Join(dir, "wrong")})...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %s", more, err, want)
		}
	}
}
